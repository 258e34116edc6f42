//! Leases: who gets them, how they end, and what a refused loop may not do.

use std::time::Duration;

use super::rig::{
    NO_STAMP, Rig, caller, forward, frame, kind, local, look, press, remote, script, take_over, take_request,
    travel, velocity,
};
use crate::caller::{Caller, Class, TokenId};
use crate::refusal::Refusal;
use crate::request::{Accepted, LeaseId, Request, SocketId};
use crate::resource::Resource;
use crate::snapshot::TaskState;

#[track_caller]
fn check_take(holder: Caller, taker: Caller, answers: (&str, &str)) {
    for (request, expected) in
        [(take_request(Resource::Base), answers.0), (take_over(Resource::Base), answers.1)]
    {
        let mut rig = Rig::open();
        rig.take(holder, Resource::Base);
        assert_eq!(kind(&rig.ask(taker, request)), expected);
    }
}

#[test]
fn a_higher_class_takes_over_at_once() {
    check_take(remote(1), local(2), ("ok", "ok"));
    check_take(script(1), remote(2), ("ok", "ok"));
}
#[test]
fn an_equal_class_takes_over_only_when_it_says_so() {
    check_take(local(1), local(2), ("lease-held", "ok"));
    check_take(script(1), script(2), ("lease-held", "ok"));
}
#[test]
fn a_lower_class_never_takes_over() {
    check_take(local(1), remote(2), ("lease-held", "lease-held"));
    check_take(remote(1), script(2), ("lease-held", "lease-held"));
}
#[test]
fn a_model_moves_nothing_by_itself() {
    // Not even a free and open base.
    let mut rig = Rig::open();
    let model = caller(1, Class::Ai);
    for request in
        [take_request(Resource::Base), take_request(Resource::Head), forward(), look(0.0), travel(0.1)]
    {
        assert_eq!(kind(&rig.ask(model, request)), "class-too-low");
    }
}

#[test]
fn a_take_always_gives_a_new_lease() {
    // Also to the token that holds one; the old number is gone, and the setpoint under it ends.
    let mut rig = Rig::open();
    let first = rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    let second = rig.take(local(1), Resource::Base);
    assert!(second.id > first.id && second.epoch > first.epoch);
    assert!(!rig.is_driving());
    assert_eq!(kind(&rig.ask(local(1), velocity(Some(first.id), None, NO_STAMP))), "lease-gone");
    assert_eq!(kind(&rig.ask(local(1), velocity(Some(second.id), None, NO_STAMP))), "ok");
}

#[test]
fn a_lost_lease_is_held_or_gone() {
    // 409 naming the holder while another holds it, else 410; PUT and the next lease tell the same.
    let mut rig = Rig::open();
    let lost = rig.take(remote(1), Resource::Base).id;
    rig.take(local(2), Resource::Base);
    let answer = rig.ask(remote(1), velocity(Some(lost), None, NO_STAMP));
    let Some(Err(Refusal::LeaseHeld { holder, class })) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!((holder.as_str(), class), ("local 2", Class::Local));
    assert_eq!(kind(&rig.ask(remote(1), Request::Renew { lease: lost, ttl: None })), "lease-gone");
    rig.run(3100);
    assert_eq!(kind(&rig.ask(remote(1), velocity(Some(lost), None, NO_STAMP))), "lease-gone");
    assert_eq!(kind(&rig.ask(remote(1), Request::Renew { lease: lost, ttl: None })), "lease-gone");
    assert_eq!(kind(&rig.ask(remote(1), Request::Release(lost))), "lease-gone");
}

#[test]
fn a_lease_is_bound_to_its_token() {
    let mut rig = Rig::open();
    let lease = rig.take(remote(1), Resource::Base).id;
    for request in
        [velocity(Some(lease), None, NO_STAMP), Request::Renew { lease, ttl: None }, Request::Release(lease)]
    {
        assert_eq!(kind(&rig.ask(local(2), request)), "lease-held");
    }
    assert_eq!(rig.snapshot().leases[0].unwrap().id, lease);
}

#[test]
fn an_unknown_lease_is_gone() {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), velocity(Some(LeaseId(77)), None, NO_STAMP))), "lease-gone");
    assert_eq!(kind(&rig.ask(local(1), Request::Renew { lease: LeaseId(77), ttl: None })), "lease-gone");
}

#[test]
fn only_people_take_with_a_command() {
    for (who, expected) in [(local(1), "ok"), (remote(1), "ok"), (script(1), "lease-needed")] {
        let mut rig = Rig::open();
        assert_eq!(kind(&rig.ask(who, forward())), expected);
        assert_eq!(kind(&rig.ask(who, look(0.2))), if expected == "ok" { "ok" } else { "lease-needed" });
    }
}

#[test]
fn an_implicit_lease_lasts_a_second_from_the_last_command() {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    rig.run(500);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    rig.run(980);
    assert_eq!(kind(&rig.ask(remote(2), forward())), "lease-held");
    rig.run(1020);
    assert_eq!(kind(&rig.ask(remote(2), forward())), "ok");
}

#[test]
fn a_command_never_shortens_a_lease() {
    let mut rig = Rig::open();
    let request = Request::Take {
        resource: Resource::Base,
        ttl: Duration::from_secs(30),
        take_over: false,
        seen: None,
    };
    assert_eq!(kind(&rig.ask(local(1), request)), "ok");
    rig.run(1000);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    assert_eq!(rig.snapshot().leases[0].unwrap().expires_in, Duration::from_secs(30));
    let renew =
        Request::Renew { lease: rig.snapshot().leases[0].unwrap().id, ttl: Some(Duration::from_millis(500)) };
    assert_eq!(kind(&rig.ask(local(1), renew)), "ok");
    assert!(rig.snapshot().leases[0].unwrap().expires_in >= Duration::from_millis(29_900));
}

#[test]
fn a_refused_loop_never_starts_the_body_by_itself() {
    // 20 Hz against a holder: when the holder releases, the loop stays refused until it pauses for a second.
    let mut rig = Rig::open();
    let holder = rig.take(local(1), Resource::Base).id;
    for _ in 0..20 {
        assert_eq!(kind(&rig.ask(remote(2), forward())), "lease-held");
        rig.run(40);
    }
    assert_eq!(kind(&rig.ask(local(1), Request::Release(holder))), "ok");
    for _ in 0..100 {
        assert_eq!(kind(&rig.ask(remote(2), forward())), "lease-needed");
        rig.run(40);
    }
    rig.run(1000);
    assert_eq!(kind(&rig.ask(remote(2), forward())), "ok");
}

#[test]
fn a_loop_refused_by_a_stop_never_starts_after_the_opening() {
    // Closed counts as well, and so does a latched e-stop: another's take and release do not wake the loop.
    for event in [Request::Stop, press()] {
        let mut rig = Rig::open();
        assert_eq!(kind(&rig.ask(remote(2), forward())), "ok");
        assert_eq!(kind(&rig.ask(local(1), event)), "ok");
        rig.run(60);
        let refused = rig.ask(remote(2), forward());
        if rig.snapshot().estop.latched {
            assert_eq!(kind(&refused), "estop-latched");
            let epoch = rig.snapshot().estop.epoch;
            rig.ask(local(1), Request::Reset { epoch });
            rig.run(60);
        }
        let lease = rig.take(local(1), Resource::Base).id;
        assert_eq!(kind(&rig.ask(local(1), Request::Release(lease))), "ok");
        assert_eq!(kind(&rig.ask(remote(2), forward())), "lease-needed");
    }
}

#[test]
fn an_explicit_take_ends_the_holding_back() {
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(remote(2), forward())), "lease-held");
    rig.run(3100);
    rig.take(remote(2), Resource::Base);
    assert_eq!(kind(&rig.ask(remote(2), forward())), "ok");
}

#[test]
fn lights_need_no_lease_unless_somebody_holds_one() {
    let lights = Request::Lights { on: Some(true), rgb: Some([255, 0, 0]), brightness: Some(0.5) };
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(script(1), lights)), "ok");
    assert!(rig.orders.contains(&crate::gate::Order::Lights { rgb: [255, 0, 0], brightness: 128 }));
    rig.take(script(1), Resource::Lights);
    assert_eq!(kind(&rig.ask(local(2), lights)), "lease-held");
    assert_eq!(kind(&rig.ask(script(1), lights)), "ok");
    // Stop and e-stop leave them: nothing of them moves.
    rig.ask(local(3), Request::Stop);
    assert_eq!(kind(&rig.ask(script(1), lights)), "ok");
}

#[test]
fn a_revoked_token_loses_everything() {
    // Leases, setpoint, task, socket, and a take that waits.
    let mut rig = Rig::open();
    for resource in [Resource::Base, Resource::Head, Resource::Lights] {
        rig.take(local(1), resource);
    }
    assert_eq!(kind(&rig.ask(local(1), travel(1.0))), "ok");
    rig.run(100);
    assert!(rig.is_driving());
    assert_eq!(kind(&rig.ask(local(9), Request::Revoke(TokenId(1)))), "ok");
    assert!(!rig.is_driving() && rig.out.urgent);
    assert_eq!(rig.snapshot().leases, [None; 4]);
    assert_eq!(rig.snapshot().tasks[0].state, TaskState::Cancelled);
    assert_eq!(rig.closed_by(), None, "the base stays open for others");
    rig.ask(local(2), Request::Stop);
    rig.run(60);
    assert_eq!(kind(&rig.ask(local(3), take_request(Resource::Base))), "pending");
    let waiting = rig.newest_ticket();
    rig.ask(local(9), Request::Revoke(TokenId(3)));
    assert_eq!(kind(&rig.answer_to(waiting)), "token-revoked");
    rig.run(400);
    assert!(rig.closed_by().is_some());
}

#[test]
fn what_a_revoked_token_still_had_on_its_way_moves_nothing() {
    // Queued behind the revocation, or read slowly: whatever it is, only stops still count.
    let mut rig = Rig::open();
    rig.ask(local(1), Request::TeleopOpen(SocketId(7)));
    rig.ask(local(9), Request::Revoke(TokenId(1)));
    rig.orders.clear();
    let lights = Request::Lights { on: Some(true), rgb: None, brightness: None };
    let now = rig.now_ms;
    for request in [
        forward(),
        travel(0.2),
        look(0.2),
        lights,
        take_request(Resource::Base),
        take_request(Resource::Lights),
        Request::TeleopOpen(SocketId(8)),
        frame(8, 1, 0.0, now),
        frame(7, 1, 0.0, now),
        Request::Reset { epoch: 0 },
    ] {
        assert_eq!(kind(&rig.ask(local(1), request)), "token-revoked", "{request:?}");
        rig.tick();
    }
    assert!(!rig.is_driving() && rig.orders.is_empty());
    assert_eq!(rig.snapshot().leases, [None; 4]);
    assert_eq!(kind(&rig.ask(local(2), forward())), "ok", "others go on");
    assert_eq!(kind(&rig.ask(local(1), Request::Stop)), "ok");
    assert_eq!(kind(&rig.ask(local(1), press())), "ok");
}

#[test]
fn of_the_revoked_tokens_the_newest_64_are_known() {
    let mut rig = Rig::open();
    for token in 1..=65 {
        rig.ask(local(99), Request::Revoke(TokenId(token)));
        rig.ask(local(99), Request::Revoke(TokenId(token)));
    }
    for token in 2..=65 {
        assert_eq!(kind(&rig.ask(local(token), take_over(Resource::Base))), "token-revoked", "{token}");
    }
    assert_eq!(kind(&rig.ask(local(1), take_over(Resource::Base))), "ok", "the oldest gave way");
}

#[test]
fn a_stop_that_overtook_a_take_is_not_undone_by_it() {
    // Stops reach the gate before requests that were sent earlier: base and head stay closed, whatever closed them.
    for event in [Request::Stop, press()] {
        let mut rig = Rig::open();
        rig.run(100);
        let sent_ms = rig.now_ms - 1;
        assert_eq!(kind(&rig.ask(remote(2), event)), "ok");
        let stopped_ms = rig.now_ms;
        if rig.snapshot().estop.latched {
            rig.run(60);
            rig.ask(local(3), Request::Reset { epoch: 1 });
        }
        rig.run(60);
        for (resource, sent_ms) in
            [(Resource::Base, sent_ms), (Resource::Head, sent_ms), (Resource::Base, stopped_ms)]
        {
            let answer = rig.ask_received_at(local(1), take_request(resource), sent_ms);
            assert_eq!(kind(&answer), "closed", "{event:?} {resource:?}");
        }
        rig.run(300);
        assert!(rig.snapshot().base_closed.is_some() && rig.snapshot().head_closed.is_some());
        let answer = rig.ask_received_at(local(1), take_request(Resource::Base), stopped_ms + 1);
        assert_eq!(kind(&answer), "pending", "{event:?}: who asks afterwards has seen it");
    }
}

#[test]
fn a_repeated_stop_counts_anew() {
    // The cause that is shown stays the first one; what was sent before the second stop opens nothing either.
    for event in [Request::Stop, press()] {
        let mut rig = Rig::open();
        rig.ask(remote(2), event);
        rig.run(500);
        let sent_ms = rig.now_ms - 1;
        rig.ask(remote(3), event);
        rig.tick();
        if rig.snapshot().estop.latched {
            rig.ask(local(3), Request::Reset { epoch: 1 });
            rig.run(60);
        }
        let answer = rig.ask_received_at(local(1), take_request(Resource::Base), sent_ms);
        assert_eq!(kind(&answer), "closed", "{event:?}");
    }
}

#[test]
fn what_was_sent_before_a_stop_moves_nothing_after_somebody_opened_again() {
    let mut rig = Rig::open();
    rig.run(100);
    let sent_ms = rig.now_ms - 1;
    rig.ask(remote(2), Request::Stop);
    rig.run(60);
    rig.take(local(1), Resource::Base);
    for request in [travel(0.2), forward(), take_request(Resource::Base)] {
        assert_eq!(kind(&rig.ask_received_at(local(1), request, sent_ms)), "closed", "{request:?}");
    }
    assert!(!rig.is_driving());
    assert_eq!(kind(&rig.ask(local(1), travel(0.2))), "ok");
}

#[test]
fn a_dead_holder_leaves_the_base_free() {
    // Nobody renews: setpoint first, lease later, base open for the next.
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    rig.run(260);
    assert!(!rig.is_driving());
    rig.run(3000);
    assert_eq!(kind(&rig.ask(remote(2), forward())), "ok");
}

#[test]
fn a_setpoint_never_outlives_its_lease() {
    // Released, taken or over: the wheels get a halt in the same step.
    let mut rig = Rig::open();
    let lease = rig.take(remote(1), Resource::Base).id;
    assert_eq!(kind(&rig.ask(remote(1), forward())), "ok");
    assert!(rig.is_driving());
    rig.ask(remote(1), Request::Release(lease));
    assert!(!rig.is_driving() && rig.out.urgent);
    rig.take(remote(1), Resource::Base);
    assert_eq!(kind(&rig.ask(remote(1), forward())), "ok");
    assert_eq!(kind(&rig.ask(local(2), take_request(Resource::Base))), "ok");
    assert!(!rig.is_driving() && rig.out.urgent);
}

#[test]
fn a_script_that_takes_in_a_loop_cannot_undo_a_bystanders_stop() {
    let mut rig = Rig::open();
    rig.take(script(1), Resource::Base);
    assert_eq!(kind(&rig.ask(remote(2), Request::Stop)), "ok");
    for _ in 0..100 {
        assert_eq!(kind(&rig.ask(script(1), take_over(Resource::Base))), "closed");
        assert_eq!(kind(&rig.ask(script(1), forward())), "closed");
        assert!(!rig.is_driving());
        rig.tick();
    }
}

#[test]
fn what_was_refused_can_be_asked_for() {
    // control/why: the newest last, with who asked.
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    for number in 2..60 {
        rig.ask(remote(number), forward());
    }
    let refusals = rig.snapshot().refusals;
    assert_eq!(refusals.len(), 50);
    assert_eq!(refusals.last().unwrap().source.as_str(), "remote 59");
    let Accepted::Lease(_) = rig.ask(local(1), take_request(Resource::Base)).unwrap().unwrap() else {
        panic!("the own token may always take again");
    };
}
