//! A model's turns, rule by rule: what it may ask, when somebody counts as present, its bounds, and when a turn is over.

use std::time::Duration;

use super::rig::{
    NO_STAMP, Rig, caller, forward, frame, kind, local, look, press, remote, script, take_over, take_request,
    travel, velocity,
};
use crate::ai::AiBounds;
use crate::caller::{Caller, Class, TokenId, TurnId};
use crate::profile::{Profile, RangePolicy};
use crate::refusal::Refusal;
use crate::request::{Accepted, LeaseId, Request, Travel};
use crate::resource::Resource;
use crate::snapshot::TaskState;
use crate::testing::SIM;

/// A model that acts for the person with this token.
fn model(token: u32, turn: u64) -> Caller {
    local(token).in_turn(TurnId(turn))
}

fn take_for(resource: Resource, ms: u64) -> Request {
    Request::Take { resource, ttl: Duration::from_millis(ms), take_over: false, seen: None }
}

fn drive(distance_m: f32, speed_mps: f32) -> Request {
    let travel = Travel::Distance { distance_m, speed_mps: Some(speed_mps) };
    Request::Move { travel, lease: None, freshness: NO_STAMP }
}

fn turn(angle_rad: f32) -> Request {
    let travel = Travel::Turn { angle_rad, speed_radps: None };
    Request::Move { travel, lease: None, freshness: NO_STAMP }
}

/// The person with token 1 typed a message, and its turn 7 holds base and head.
fn chatting() -> Rig {
    chatting_with(SIM)
}

fn chatting_with(profile: Profile) -> Rig {
    let mut rig = Rig::start(
        profile,
        crate::latch::Loaded::Clear { serial: 0, epoch: 0 },
        crate::access::OpenLimbs::ALL,
    );
    rig.run(100);
    begin(&mut rig, 1, 7);
    for resource in [Resource::Base, Resource::Head] {
        assert_eq!(kind(&rig.ask(model(1, 7), take_for(resource, 30_000))), "ok");
    }
    rig
}

fn begin(rig: &mut Rig, token: u32, turn: u64) {
    assert_eq!(kind(&rig.ask(local(token), Request::Present)), "ok");
    assert_eq!(kind(&rig.ask(local(token), Request::Begin(TurnId(turn)))), "ok");
}

fn newest_task(rig: &Rig) -> (TaskState, &'static str) {
    let snapshot = rig.snapshot();
    let task = snapshot.tasks.last().unwrap();
    (task.state, task.reason)
}

/// Runs until nothing drives; gives back for how long it drove, ms.
fn run_to_the_end(rig: &mut Rig) -> u64 {
    let began_ms = rig.now_ms;
    while rig.is_driving() {
        rig.tick();
        assert!(rig.now_ms < began_ms + 31_000, "it never ends");
    }
    rig.now_ms - began_ms
}

#[test]
fn a_model_asks_for_little_and_only_in_a_turn() {
    let outside = caller(1, Class::Ai);
    for (request, within, without) in [
        (take_request(Resource::Base), "lease-held", "class-too-low"),
        (take_request(Resource::Head), "lease-held", "class-too-low"),
        (take_request(Resource::Lights), "ok", "ok"),
        (take_request(Resource::Presence), "class-too-low", "class-too-low"),
        (travel(0.1), "ok", "class-too-low"),
        (look(0.1), "ok", "class-too-low"),
        (Request::Lights { on: Some(true), rgb: None, brightness: None }, "ok", "ok"),
        (forward(), "class-too-low", "class-too-low"),
        (Request::TeleopOpen(crate::request::SocketId(1)), "class-too-low", "class-too-low"),
        (frame(1, 1, 0.0, 0), "class-too-low", "class-too-low"),
        (Request::Reset { epoch: 0 }, "class-too-low", "class-too-low"),
        (Request::Present, "class-too-low", "class-too-low"),
        (Request::Begin(TurnId(8)), "class-too-low", "class-too-low"),
        (Request::Stop, "ok", "ok"),
        (press(), "ok", "ok"),
    ] {
        assert_eq!(kind(&chatting().ask(model(1, 7), request)), within, "{request:?}");
        assert_eq!(kind(&Rig::open().ask(outside, request)), without, "{request:?}");
    }
}

#[test]
fn only_a_model_acts_in_a_turn() {
    // A person's or a program's command with a turn is a mistake of the edge, and moves nothing.
    for class in [Class::Local, Class::Remote, Class::Autonomy] {
        let mistaken = Caller { class, ..model(1, 7) };
        assert_eq!(kind(&chatting().ask(mistaken, travel(0.1))), "class-too-low");
        assert_eq!(kind(&chatting().ask(mistaken, Request::Stop)), "ok");
    }
}

#[test]
fn only_people_are_present_and_begin_turns() {
    for (who, expected) in [(local(1), "ok"), (remote(1), "ok"), (script(1), "class-too-low")] {
        for request in [take_request(Resource::Presence), Request::Present, Request::Begin(TurnId(1))] {
            assert_eq!(kind(&Rig::open().ask(who, request)), expected, "{request:?}");
        }
    }
}

#[test]
fn presence_is_a_lease_like_others_that_nothing_closes() {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), press())), "ok");
    let held = rig.take(local(1), Resource::Presence);
    assert_eq!(rig.snapshot().leases[3].map(|lease| lease.id), Some(held.id));
    assert_eq!(kind(&rig.ask(remote(2), take_request(Resource::Presence))), "lease-held");
    assert_eq!(kind(&rig.ask(local(1), Request::Stop)), "ok");
    assert_eq!(rig.snapshot().leases[3].map(|lease| lease.id), Some(held.id));
    assert_eq!(kind(&rig.ask(local(2), take_over(Resource::Presence))), "ok");
}

/// `present`: what makes somebody present, or ends it. What a model's move and look are answered then.
#[track_caller]
fn check_presence(present: impl Fn(&mut Rig), expected: &str) {
    for request in [travel(0.3), look(0.2)] {
        let mut rig = Rig::open();
        assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(7)))), "ok");
        for resource in [Resource::Base, Resource::Head] {
            assert_eq!(kind(&rig.ask(model(1, 7), take_for(resource, 30_000))), "ok");
        }
        present(&mut rig);
        assert_eq!(kind(&rig.ask(model(1, 7), request)), expected, "{request:?}");
        assert_eq!(rig.is_driving(), expected == "ok" && matches!(request, Request::Move { .. }));
    }
}

#[test]
fn nothing_moves_while_nobody_is_present() {
    let typed = |who: Caller| move |rig: &mut Rig| assert_eq!(kind(&rig.ask(who, Request::Present)), "ok");
    let waited = |rig: &mut Rig, ms: u64| {
        for _ in 0..ms / 1000 {
            for lease in rig.snapshot().leases.into_iter().take(2).flatten() {
                rig.ask(model(1, 7), Request::Renew { lease: lease.id, ttl: None });
            }
            rig.run(1000);
        }
    };
    check_presence(|_| {}, "nobody-present");
    check_presence(typed(local(1)), "ok");
    check_presence(typed(remote(2)), "ok");
    check_presence(
        |rig| {
            rig.take(remote(2), Resource::Presence);
        },
        "ok",
    );
    let typed_and_waited = |ms: u64| {
        move |rig: &mut Rig| {
            assert_eq!(kind(&rig.ask(local(1), Request::Present)), "ok");
            waited(rig, ms);
        }
    };
    check_presence(typed_and_waited(29_000), "ok");
    check_presence(typed_and_waited(30_000), "nobody-present");
    let held_and_waited = |ms: u64| {
        move |rig: &mut Rig| {
            rig.take(local(2), Resource::Presence);
            waited(rig, ms);
        }
    };
    check_presence(held_and_waited(2000), "ok");
    check_presence(held_and_waited(3000), "nobody-present");
}

/// What ends presence ends a model's drive in the same step, and says so.
#[track_caller]
fn check_departure(arrive: Request, leave: impl Fn(&mut Rig)) {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(7)))), "ok");
    assert_eq!(kind(&rig.ask(model(1, 7), take_for(Resource::Base, 30_000))), "ok");
    assert_eq!(kind(&rig.ask(remote(2), arrive)), "ok");
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
    rig.tick();
    assert!(rig.is_driving());
    leave(&mut rig);
    assert!(!rig.is_driving());
    assert_eq!(newest_task(&rig), (TaskState::Cancelled, "nobody-present"));
    rig.run(200);
    assert!(!rig.is_driving());
}

#[test]
fn motion_ends_when_presence_ends() {
    let presence = |rig: &Rig| rig.snapshot().leases[3].unwrap().id;
    check_departure(take_request(Resource::Presence), |rig| {
        let held = presence(rig);
        assert_eq!(kind(&rig.ask(remote(2), Request::Release(held))), "ok");
    });
    check_departure(take_request(Resource::Presence), |rig| rig.run(3000));
    for arrive in [take_request(Resource::Presence), Request::Present] {
        check_departure(arrive, |rig| {
            assert_eq!(kind(&rig.ask(local(3), Request::Revoke(TokenId(2)))), "ok");
        });
    }
}

#[test]
fn the_end_of_presence_is_the_end_of_what_the_mcu_was_told() {
    // The gate wakes for it, and the last goal that it sent lives no longer.
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(7)))), "ok");
    assert_eq!(kind(&rig.ask(model(1, 7), take_for(Resource::Base, 30_000))), "ok");
    let until_ms = rig.now_ms + 510;
    assert_eq!(kind(&rig.ask(local(1), take_for(Resource::Presence, 510))), "ok");
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
    while rig.now_ms + 20 < until_ms {
        rig.tick();
        assert!(rig.is_driving() && rig.now_ms + u64::from(rig.out.ttl_ms) <= until_ms);
        assert!(rig.gate.next_wake(rig.now()).unwrap().as_ms() <= until_ms);
    }
}

#[test]
fn a_turn_drives_slowly() {
    let mut rig = chatting();
    for (request, linear_mps, angular_radps) in [
        (travel(1.5), 0.2, 0.0),
        (drive(-0.3, 0.6), -0.2, 0.0),
        (drive(0.1, 0.05), 0.05, 0.0),
        (turn(3.0), 0.0, 1.0),
    ] {
        assert_eq!(kind(&rig.ask(model(1, 7), request)), "ok");
        rig.tick();
        let setpoint = rig.snapshot().setpoint.unwrap();
        assert!((setpoint.linear_mps - linear_mps).abs() < 1e-6, "{setpoint:?}");
        assert!((setpoint.angular_radps - angular_radps).abs() < 1e-6, "{setpoint:?}");
    }
    // What the page shows, and the last look at whatever sets the wheels' goal.
    let envelope = rig.snapshot().envelope;
    assert_eq!((envelope.linear_mps, envelope.angular_radps), (0.2, 1.0));
    assert_eq!(envelope.reason.as_str(), "ai-bounds");
}

#[test]
fn the_envelope_binds_a_model_too() {
    let blind = Profile { range: RangePolicy::None { linear_mps_max: 0.15 }, ..SIM };
    let mut rig = chatting_with(blind);
    assert_eq!(kind(&rig.ask(model(1, 7), travel(1.0))), "ok");
    rig.tick();
    assert!((rig.snapshot().setpoint.unwrap().linear_mps - 0.15).abs() < 1e-6);
    assert_eq!(rig.snapshot().envelope.reason.as_str(), "no-range");
}

#[track_caller]
fn check_sum(profile: Profile, asked: &[Request], last: Request, expected: Option<(&str, f64, f64)>) {
    let mut rig = chatting_with(profile);
    for request in asked {
        assert_eq!(kind(&rig.ask(model(1, 7), *request)), "ok", "{request:?}");
        rig.tick();
    }
    match (rig.ask(model(1, 7), last), expected) {
        (Some(Ok(_)), None) => {}
        (Some(Err(Refusal::OutsideBounds { bound, asked, allowed })), expected) => {
            assert_eq!(Some((bound, asked, allowed)), expected);
        }
        (answer, _) => panic!("{answer:?}"),
    }
}

#[test]
fn ways_add_up_although_they_end_early() {
    check_sum(SIM, &[], drive(2.0, 0.2), None);
    check_sum(SIM, &[], drive(2.1, 0.2), Some(("distance_m", 2.1, 2.0)));
    check_sum(SIM, &[drive(1.5, 0.2)], drive(-0.5, 0.2), None);
    check_sum(SIM, &[drive(1.5, 0.2)], drive(-0.6, 0.2), Some(("distance_m", 0.6, 0.5)));
    check_sum(SIM, &[drive(0.1, 0.2); 19], drive(0.1, 0.2), None);
    check_sum(SIM, &[drive(0.1, 0.2); 20], drive(0.01, 0.2), Some(("distance_m", 0.01, 0.0)));
    check_sum(SIM, &[drive(2.0, 0.2)], turn(1.0), None);
}

#[test]
fn turns_add_up() {
    let third = 120_f32.to_radians();
    check_sum(SIM, &[turn(third), turn(-third)], turn(third), None);
    check_sum(SIM, &[turn(3.0), turn(-3.0)], turn(0.3), Some(("angle_rad", 0.3, 0.2832)));
}

#[test]
fn bounds_can_be_lowered() {
    let ai = AiBounds { distance_m: 0.5, angle_rad: 1.0, ..AiBounds::DEFAULT };
    let low = Profile { ai, ..SIM };
    check_sum(low, &[], drive(0.6, 0.2), Some(("distance_m", 0.6, 0.5)));
    check_sum(low, &[], turn(-1.5), Some(("angle_rad", 1.5, 1.0)));
    let none = Profile { ai: AiBounds { distance_m: 0.0, angle_rad: 0.0, seconds: 0.0, ..ai }, ..SIM };
    check_sum(none, &[], drive(0.1, 0.2), Some(("distance_m", 0.1, 0.0)));
    check_sum(none, &[], look(0.1), Some(("seconds", 1.0, 0.0)));
}

#[test]
fn what_was_refused_costs_nothing() {
    let mut rig = chatting();
    assert_eq!(kind(&rig.ask(model(1, 7), drive(3.0, 0.2))), "outside-bounds");
    assert!(!rig.is_driving());
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
}

#[test]
fn time_in_motion_adds_up_and_then_ends_it() {
    let short = Profile { ai: AiBounds { seconds: 3.0, ..AiBounds::DEFAULT }, ..SIM };
    let mut rig = chatting_with(short);
    assert_eq!(kind(&rig.ask(model(1, 7), drive(0.2, 0.2))), "ok");
    let first_ms = run_to_the_end(&mut rig);
    assert_eq!(newest_task(&rig), (TaskState::Done, "arrived"));
    rig.run(5000);
    // Standing still costs nothing; what is left is all that the next one gets.
    let Some(Ok(Accepted::Moving { deadline, .. })) = rig.ask(model(1, 7), drive(1.5, 0.2)) else {
        panic!("refused");
    };
    let left_ms = 3000 - first_ms;
    assert_eq!(deadline, Duration::from_millis(left_ms));
    assert!(run_to_the_end(&mut rig).abs_diff(left_ms) < 20);
    assert_eq!(newest_task(&rig), (TaskState::Failed, "bounds"));
    let answer = rig.ask(model(1, 7), drive(0.1, 0.2));
    assert!(
        matches!(answer, Some(Err(Refusal::OutsideBounds { bound: "seconds", allowed: 0.0, .. }))),
        "{answer:?}"
    );
}

#[test]
fn looking_around_takes_time_too() {
    let short = Profile { ai: AiBounds { seconds: 3.0, ..AiBounds::DEFAULT }, ..SIM };
    check_sum(short, &[look(0.1); 2], look(0.2), None);
    check_sum(short, &[look(0.1); 3], look(0.2), Some(("seconds", 1.0, 0.0)));
    // Also from what is left to a drive under way.
    let mut rig = chatting_with(short);
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
    rig.run(500);
    assert_eq!(kind(&rig.ask(model(1, 7), look(0.1))), "ok");
    rig.run(1480);
    assert!(rig.is_driving());
    rig.run(40);
    assert!(!rig.is_driving());
    assert_eq!(newest_task(&rig), (TaskState::Failed, "bounds"));
}

/// What happens to a driving turn, and what it is answered to a move after a person has opened and released again.
#[track_caller]
fn check_over(happen: impl Fn(&mut Rig), reason: &str) {
    let mut rig = chatting();
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
    rig.tick();
    happen(&mut rig);
    assert!(!rig.is_driving());
    assert_eq!(newest_task(&rig).1, reason);
    rig.run(520);
    for resource in [Resource::Base, Resource::Head] {
        let lease = rig.take(local(2), resource);
        assert_eq!(kind(&rig.ask(local(2), Request::Release(lease.id))), "ok");
    }
    for request in [
        drive(0.1, 0.2),
        look(0.1),
        take_request(Resource::Base),
        take_over(Resource::Head),
        Request::Lights { on: Some(true), rgb: None, brightness: None },
    ] {
        assert_eq!(kind(&rig.ask(model(1, 7), request)), "lease-gone", "{request:?}");
    }
    assert!(!rig.is_driving());
}

#[test]
fn a_turn_that_lost_a_lease_is_over() {
    check_over(
        |rig| {
            rig.ask(remote(9), Request::Stop);
        },
        "stop",
    );
    check_over(
        |rig| {
            rig.ask(remote(9), press());
            rig.run(100);
            rig.ask(local(1), Request::Reset { epoch: 1 });
            rig.run(300);
        },
        "estop",
    );
    check_over(
        |rig| {
            rig.freeze(120);
            rig.step_body();
        },
        "tick-gap",
    );
    check_over(
        |rig| {
            rig.take(local(2), Resource::Base);
        },
        "lease-gone",
    );
    check_over(
        |rig| {
            rig.take(remote(2), Resource::Head);
        },
        "lease-gone",
    );
    check_over(
        |rig| {
            let own = rig.take(local(1), Resource::Base);
            rig.ask(local(1), Request::Release(own.id));
        },
        "lease-gone",
    );
    check_over(
        |rig| {
            let head = rig.snapshot().leases[1].unwrap().id;
            rig.ask(model(1, 7), Request::Release(head));
        },
        "lease-gone",
    );
    check_over(
        |rig| {
            rig.ask(model(1, 7), Request::Stop);
        },
        "stop",
    );
}

#[test]
fn a_lease_that_ran_out_ends_the_turn() {
    let mut rig = Rig::open();
    begin(&mut rig, 1, 7);
    assert_eq!(kind(&rig.ask(model(1, 7), take_for(Resource::Base, 500))), "ok");
    rig.run(500);
    for request in [drive(0.1, 0.2), take_request(Resource::Base), take_request(Resource::Head)] {
        assert_eq!(kind(&rig.ask(model(1, 7), request)), "lease-gone");
    }
}

#[test]
fn what_a_turn_holds_lives_while_it_moves_something() {
    // Look, drive for longer than the head's lease, look again: no lease is lost on the way.
    let mut rig = Rig::open();
    begin(&mut rig, 1, 7);
    for resource in [Resource::Base, Resource::Head] {
        assert_eq!(kind(&rig.ask(model(1, 7), take_for(resource, 1000))), "ok");
    }
    assert_eq!(kind(&rig.ask(model(1, 7), look(0.2))), "ok");
    assert_eq!(kind(&rig.ask(model(1, 7), drive(0.5, 0.2))), "ok");
    assert!(run_to_the_end(&mut rig) > 2500);
    assert_eq!(newest_task(&rig), (TaskState::Done, "arrived"));
    assert_eq!(kind(&rig.ask(model(1, 7), look(0.0))), "ok");
}

#[test]
fn a_stop_ends_also_turns_that_hold_nothing_yet() {
    let mut rig = Rig::open();
    begin(&mut rig, 1, 7);
    let message_ms = rig.now_ms;
    rig.run(100);
    assert_eq!(kind(&rig.ask(remote(9), Request::Stop)), "ok");
    rig.run(100);
    // A message from before the stop that came late begins nothing.
    let late = rig.ask_received_at(local(1), Request::Begin(TurnId(8)), message_ms);
    assert_eq!(kind(&late), "closed");
    for resource in [Resource::Base, Resource::Head] {
        let lease = rig.take(local(2), resource);
        assert_eq!(kind(&rig.ask(local(2), Request::Release(lease.id))), "ok");
    }
    for turn in [7, 8] {
        assert_eq!(kind(&rig.ask(model(1, turn), take_request(Resource::Base))), "lease-gone");
    }
    begin(&mut rig, 1, 9);
    assert_eq!(kind(&rig.ask(model(1, 9), take_request(Resource::Base))), "ok");
}

#[test]
fn a_turn_that_never_began_moves_nothing() {
    let mut rig = Rig::open();
    begin(&mut rig, 1, 7);
    for stranger in [model(1, 8), model(2, 7)] {
        assert_eq!(kind(&rig.ask(stranger, take_request(Resource::Base))), "lease-gone");
        assert_eq!(kind(&rig.ask(stranger, travel(0.1))), "lease-gone");
    }
}

#[test]
fn a_turn_begins_once() {
    let mut rig = chatting();
    assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(7)))), "lease-gone");
    assert_eq!(kind(&rig.ask(remote(2), Request::Begin(TurnId(7)))), "lease-gone");
    // Also when so many others have begun since that it is forgotten; one that holds something is not.
    assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(3)))), "ok");
    for turn in 100..140 {
        assert_eq!(kind(&rig.ask(remote(2), Request::Begin(TurnId(turn)))), "ok");
    }
    assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(3)))), "lease-gone");
    assert_eq!(kind(&rig.ask(local(1), Request::Begin(TurnId(110)))), "lease-gone");
    assert_eq!(kind(&rig.ask(model(1, 7), travel(0.1))), "ok");
}

#[test]
fn a_model_opens_nothing() {
    let mut rig = Rig::open();
    rig.ask(local(1), Request::Stop);
    rig.run(100);
    begin(&mut rig, 1, 7);
    for request in [take_request(Resource::Base), take_over(Resource::Head), travel(0.1), look(0.1)] {
        assert_eq!(kind(&rig.ask(model(1, 7), request)), "closed");
    }
    rig.run(300);
    assert!(rig.snapshot().base_closed.is_some() && rig.snapshot().head_closed.is_some());
}

#[test]
fn no_pad_rides_on_the_chat_of_its_owner() {
    let mut rig = chatting();
    let lease = rig.snapshot().leases[0].unwrap();
    assert_eq!((lease.class, lease.token), (Class::Ai, TokenId(1)));
    for request in [
        forward(),
        velocity(Some(lease.id), None, NO_STAMP),
        travel(0.1),
        Request::Renew { lease: lease.id, ttl: None },
        Request::Release(lease.id),
    ] {
        let answer = rig.ask(local(1), request);
        assert!(
            matches!(answer, Some(Err(Refusal::LeaseHeld { class: Class::Ai, .. }))),
            "{request:?} {answer:?}"
        );
    }
    // Her own take wins at once, and then the chat rides on nothing of hers.
    let own = rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    for request in [travel(0.1), take_over(Resource::Base), Request::Renew { lease: own.id, ttl: None }] {
        let answer = rig.ask(model(1, 7), request);
        assert!(
            matches!(answer, Some(Err(Refusal::LeaseHeld { class: Class::Local, .. }))),
            "{request:?} {answer:?}"
        );
    }
}

#[test]
fn what_a_model_was_refused_does_not_hold_its_person_back() {
    let mut rig = Rig::open();
    begin(&mut rig, 1, 7);
    assert_eq!(kind(&rig.ask(model(1, 7), travel(0.1))), "lease-needed");
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
}

#[test]
fn a_turn_takes_from_an_older_one_of_its_person() {
    let mut rig = chatting();
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
    begin(&mut rig, 1, 8);
    begin(&mut rig, 2, 9);
    // Another person's model must say so, as equals do; a newer one of the same person need not.
    assert_eq!(kind(&rig.ask(model(2, 9), take_request(Resource::Base))), "lease-held");
    assert_eq!(kind(&rig.ask(model(1, 8), take_request(Resource::Base))), "ok");
    assert!(!rig.is_driving());
    assert_eq!(kind(&rig.ask(model(1, 7), travel(0.1))), "lease-held");
    assert_eq!(kind(&rig.ask(model(1, 7), take_over(Resource::Base))), "lease-held");
    assert_eq!(kind(&rig.ask(model(2, 9), take_over(Resource::Base))), "ok");
}

#[test]
fn a_model_cancels_only_what_it_began() {
    let mut rig = chatting();
    let Some(Ok(Accepted::Moving { task, .. })) = rig.ask(model(1, 7), drive(2.0, 0.2)) else {
        panic!("refused");
    };
    begin(&mut rig, 1, 8);
    assert_eq!(kind(&rig.ask(model(1, 8), Request::CancelTask(task))), "not-found");
    assert_eq!(kind(&rig.ask(local(1), Request::CancelTask(task))), "ok");
    assert!(!rig.is_driving());
    rig.take(local(1), Resource::Base);
    let Some(Ok(Accepted::Moving { task, .. })) = rig.ask(local(1), travel(1.0)) else {
        panic!("refused");
    };
    assert_eq!(kind(&rig.ask(model(1, 8), Request::CancelTask(task))), "not-found");
    assert!(rig.is_driving());
}

#[test]
fn the_death_of_a_token_ends_its_turns() {
    let mut rig = chatting();
    assert_eq!(kind(&rig.ask(remote(2), Request::Present)), "ok");
    assert_eq!(kind(&rig.ask(model(1, 7), drive(2.0, 0.2))), "ok");
    rig.ask(local(3), Request::Revoke(TokenId(1)));
    assert!(!rig.is_driving());
    assert_eq!(rig.snapshot().leases, [None; 4]);
    assert_eq!(newest_task(&rig).1, "revoked");
    assert_eq!(kind(&rig.ask(model(1, 7), take_request(Resource::Base))), "token-revoked");
}

#[test]
fn an_unknown_lease_of_a_turn_is_gone() {
    let mut rig = chatting();
    let travel = Travel::Distance { distance_m: 0.1, speed_mps: None };
    let request = Request::Move { travel, lease: Some(LeaseId(777)), freshness: NO_STAMP };
    assert_eq!(kind(&rig.ask(model(1, 7), request)), "lease-gone");
}

#[test]
fn a_turn_that_ends_itself_takes_everything_with_it() {
    // What it moves and holds at once, and what was still on its way; only its own token ends it, and nothing is closed.
    let mut rig = chatting();
    assert_eq!(kind(&rig.ask(model(1, 7), drive(1.0, 0.2))), "ok");
    rig.run(500);
    assert_eq!(kind(&rig.ask(model(2, 7), Request::End)), "ok");
    assert_eq!(kind(&rig.ask(local(1), Request::End)), "ok");
    assert!(rig.is_driving(), "another's word, and a person's, end nothing");
    assert_eq!(kind(&rig.ask(model(1, 7), Request::End)), "ok");
    assert!(!rig.is_driving());
    assert_eq!(newest_task(&rig), (TaskState::Cancelled, "lease-gone"));
    assert!(rig.snapshot().leases.iter().all(Option::is_none), "{:?}", rig.snapshot().leases);
    assert_eq!(kind(&rig.ask(model(1, 7), take_for(Resource::Base, 30_000))), "lease-gone");
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
}
