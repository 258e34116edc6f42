//! Order of the checks, stamps, and the tick-gap rule.

use std::time::Duration;

use super::rig::{
    NO_STAMP, RUN, Rig, forward, kind, local, look, remote, script, stamp, take_request, travel, twist,
    velocity,
};
use crate::caller::Caller;
use crate::request::{Freshness, Request, Seen};
use crate::resource::Resource;

fn from_afar(token: u32) -> Caller {
    Caller { must_show_seen: true, ..remote(token) }
}

#[test]
fn the_first_failing_check_answers() {
    // Each of these is wrong in several ways; the contract's order decides which answer comes.
    let too_fast =
        Request::Velocity { twist: twist(9.0, 0.0, 250), lease: None, seq: None, freshness: NO_STAMP };
    let old = velocity(None, None, stamp(1));
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(from_afar(2), too_fast)), "seen-missing", "400 before 422");
    assert_eq!(kind(&rig.ask(remote(2), old)), "lease-held", "409 before 410");
    rig.ask(local(1), Request::Stop);
    assert_eq!(kind(&rig.ask(script(2), old)), "closed", "409 before 410");
    rig.mcu.alive = false;
    rig.run(200);
    assert_eq!(kind(&rig.ask(script(2), old)), "link-down", "503 before 409");
    rig.ask(local(1), super::rig::press());
    assert_eq!(kind(&rig.ask(script(2), old)), "estop-latched", "423 before 503");
    assert_eq!(kind(&rig.ask(remote(2), super::rig::frame(5, 1, 0.0, 1))), "not-found", "404 before 423");
    assert_eq!(kind(&rig.ask(remote(2), too_fast)), "out-of-range", "422 before 423");
}

fn check_range(request: Request, expected: &str) {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), request)), expected, "{request:?}");
    if expected != "ok" {
        assert!(!rig.is_driving());
        assert_eq!(rig.snapshot().leases, [None; 4], "a refused command takes nothing");
    }
}

fn speed(linear_mps: f32, angular_radps: f32) -> Request {
    Request::Velocity {
        twist: twist(linear_mps, angular_radps, 250),
        lease: None,
        seq: None,
        freshness: NO_STAMP,
    }
}

#[test]
fn numbers_above_the_hard_limit_are_refused() {
    check_range(speed(0.6, 2.0), "ok");
    check_range(speed(-0.6, -2.0), "ok");
    check_range(speed(0.601, 0.0), "out-of-range");
    check_range(speed(0.0, -2.01), "out-of-range");
    check_range(look(1.5), "ok");
    check_range(look(1.6), "out-of-range");
    check_range(travel(18.0), "ok");
    check_range(travel(-18.1), "out-of-range");
}
#[test]
fn what_is_no_number_is_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        check_range(speed(value, 0.0), "out-of-range");
        check_range(speed(0.0, value), "out-of-range");
        check_range(look(value), "out-of-range");
        check_range(travel(value), "out-of-range");
    }
}

#[test]
fn who_comes_over_a_network_shows_a_stamp() {
    let mut rig = Rig::open();
    for request in [forward(), travel(0.2), look(0.1), take_request(Resource::Base)] {
        assert_eq!(kind(&rig.ask(from_afar(1), request)), "seen-missing");
    }
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask(from_afar(1), velocity(None, None, stamp(now)))), "ok");
}

#[test]
fn a_take_over_a_network_needs_this_runs_stamp_only() {
    let mut rig = Rig::open();
    let take = |run, mono_ms| Request::Take {
        resource: Resource::Base,
        ttl: Duration::from_secs(1),
        take_over: false,
        seen: Some(Seen { run, mono_ms }),
    };
    assert_eq!(kind(&rig.ask(from_afar(1), take(RUN + 1, rig.now_ms))), "stale");
    assert_eq!(kind(&rig.ask(from_afar(1), take(RUN, 1))), "ok");
}

#[test]
fn a_stamp_that_is_shown_counts_on_loopback_too() {
    let mut rig = Rig::open();
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask(local(1), velocity(None, None, stamp(now - 301)))), "stale");
    assert_eq!(kind(&rig.ask(local(1), velocity(None, None, stamp(now + 1)))), "stale");
    let patient = Freshness { max_age: Duration::from_millis(700), ..stamp(now - 700) };
    assert_eq!(kind(&rig.ask(local(1), velocity(None, None, patient))), "ok");
}

#[test]
fn a_command_that_waited_longer_than_it_lives_is_stale() {
    // Its time to live counts from when the edge had read it.
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask_received_at(local(1), forward(), now - 250)), "stale");
    assert_eq!(kind(&rig.ask_received_at(local(1), forward(), now - 200)), "ok");
    assert_eq!(rig.snapshot().setpoint.unwrap().ttl, Duration::from_millis(50));
    assert_eq!(rig.out.ttl_ms, 50);
}

#[test]
fn seq_rises_within_a_lease_and_starts_anew_with_the_next() {
    let mut rig = Rig::open();
    let lease = rig.take(local(1), Resource::Base).id;
    for (seq, expected) in
        [(5, "ok"), (5, "not-rising"), (4, "not-rising"), (6, "ok"), (u64::MAX, "ok"), (7, "not-rising")]
    {
        assert_eq!(kind(&rig.ask(local(1), velocity(Some(lease), Some(seq), NO_STAMP))), expected, "{seq}");
    }
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok", "without seq nothing has to rise");
    let next = rig.take(local(1), Resource::Base).id;
    assert_eq!(kind(&rig.ask(local(1), velocity(Some(next), Some(1), NO_STAMP))), "ok");
}

#[test]
fn after_a_standstill_of_the_process_nothing_old_moves_the_body() {
    // Stopped for 2 s under a 20 Hz sender, with moves and takes among what waited: all of it is drained, nothing moves.
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    let frozen_at = rig.now_ms;
    rig.freeze(2000);
    // The queue is drained before the first tick: a request is the first to notice the gap.
    for waited in 0..40 {
        let received = frozen_at + waited * 50;
        for request in [forward(), travel(0.5)] {
            assert_eq!(kind(&rig.ask_received_at(local(1), request, received)), "link-down");
        }
        assert_eq!(kind(&rig.ask_received_at(local(1), take_request(Resource::Base), received)), "link-down");
        assert!(!rig.is_driving());
    }
    // The edge drains its sockets only now, so the rest looks new. None of it shows a stamp.
    for _ in 0..24 {
        rig.tick();
        assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "stale");
        assert_eq!(kind(&rig.ask(local(1), forward())), "closed");
        assert!(!rig.is_driving());
    }
    let shows = Request::Take {
        resource: Resource::Base,
        ttl: Duration::from_secs(3),
        take_over: false,
        seen: Some(Seen { run: RUN, mono_ms: rig.now_ms - 200 }),
    };
    assert_eq!(kind(&rig.ask(local(1), shows)), "pending", "who saw the robot lately may take it");
}

#[test]
fn a_request_read_before_the_end_of_a_gap_stays_under_suspicion() {
    let mut rig = Rig::open();
    let before = rig.now_ms;
    rig.freeze(200);
    rig.run(2000);
    let answer = rig.ask_received_at(local(1), take_request(Resource::Base), before + 190);
    assert_eq!(kind(&answer), "closed", "sent before the gap was noticed");
    let answer = rig.ask_received_at(local(1), take_request(Resource::Base), before + 400);
    assert_eq!(kind(&answer), "stale");
    assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
}

#[test]
fn a_gap_of_100_ms_is_none() {
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    rig.now_ms += 100;
    rig.step_body();
    assert_eq!(rig.closed_by(), None);
    rig.now_ms += 101;
    rig.step_body();
    assert!(rig.closed_by().is_some());
}
