//! Teleop: a stick held forward never starts a robot.

use super::rig::{Rig, forward, frame, kind, local, remote, take_over};
use crate::request::{Freshness, Request, SocketId};
use crate::resource::Resource;

/// A socket whose stick was let go once, and the next `seq`.
fn driving() -> Rig {
    let mut rig = Rig::open();
    rig.ask(local(1), Request::TeleopOpen(SocketId(7)));
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask(local(1), frame(7, 1, 0.0, now))), "ok");
    assert_eq!(kind(&rig.ask(local(1), frame(7, 2, 0.3, now))), "ok");
    assert!(rig.is_driving());
    rig
}

fn push(rig: &mut Rig, seq: u64, linear_mps: f32) -> &'static str {
    let now = rig.now_ms;
    kind(&rig.ask(local(1), frame(7, seq, linear_mps, now)))
}

#[test]
fn the_first_frame_is_zero() {
    // And a refused frame takes no lease.
    let mut rig = Rig::open();
    rig.ask(local(1), Request::TeleopOpen(SocketId(7)));
    assert_eq!(push(&mut rig, 1, 0.3), "neutral-first");
    assert_eq!(rig.snapshot().leases[0], None);
    assert_eq!(push(&mut rig, 2, 0.0), "ok");
    assert_eq!(push(&mut rig, 3, 0.3), "ok");
}

#[test]
fn a_held_stick_that_comes_back_after_a_pause_is_refused() {
    let mut rig = driving();
    rig.run(480);
    assert_eq!(push(&mut rig, 3, 0.3), "ok");
    rig.run(500);
    for seq in 4..100 {
        assert_eq!(push(&mut rig, seq, 0.3), "neutral-first");
        rig.tick();
    }
    assert_eq!(push(&mut rig, 100, 0.0), "ok");
    assert_eq!(push(&mut rig, 101, 0.3), "ok");
}

#[test]
fn after_a_close_the_stick_is_let_go_first() {
    let mut rig = driving();
    rig.ask(remote(2), Request::Stop);
    rig.run(60);
    assert_eq!(push(&mut rig, 3, 0.0), "closed");
    rig.take(local(1), Resource::Base);
    assert_eq!(push(&mut rig, 4, 0.3), "neutral-first");
    assert_eq!(push(&mut rig, 5, 0.0), "ok");
    assert_eq!(push(&mut rig, 6, 0.3), "ok");
}

#[test]
fn a_refused_frame_leaves_the_live_setpoint_alone() {
    let mut rig = driving();
    let before = rig.out.goal;
    assert_eq!(push(&mut rig, 2, -0.3), "not-rising");
    assert_eq!(push(&mut rig, 1, -0.3), "not-rising");
    assert_eq!(rig.out.goal, before);
}

#[test]
fn every_frame_shows_a_stamp() {
    let mut rig = driving();
    let Request::TeleopFrame { socket, twist, seq, freshness } = frame(7, 3, 0.1, rig.now_ms) else {
        panic!("a frame");
    };
    let blind = Request::TeleopFrame { socket, twist, seq, freshness: Freshness { seen: None, ..freshness } };
    assert_eq!(kind(&rig.ask(local(1), blind)), "seen-missing");
    let old = frame(7, 3, 0.1, rig.now_ms - 301);
    assert_eq!(kind(&rig.ask(local(1), old)), "stale");
}

#[test]
fn a_closed_socket_ends_its_setpoint_at_once() {
    let mut rig = driving();
    rig.ask(local(1), Request::TeleopClose(SocketId(7)));
    assert!(!rig.is_driving() && rig.out.urgent);
    assert_eq!(push(&mut rig, 3, 0.0), "not-found");
}

#[test]
fn a_closed_socket_leaves_anothers_setpoint() {
    // Its setpoint was replaced by a velocity: that one lives on.
    let mut rig = driving();
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    rig.ask(local(1), Request::TeleopClose(SocketId(7)));
    assert!(rig.is_driving());
    rig.ask(remote(2), Request::TeleopClose(SocketId(7)));
}

#[test]
fn the_second_socket_of_a_token_ends_the_first() {
    let mut rig = driving();
    rig.ask(local(1), Request::TeleopOpen(SocketId(8)));
    assert!(!rig.is_driving(), "the first socket's setpoint ended with it");
    assert_eq!(push(&mut rig, 3, 0.0), "not-found");
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask(local(1), frame(8, 1, 0.3, now))), "neutral-first");
    assert_eq!(kind(&rig.ask(local(1), frame(8, 2, 0.0, now))), "ok");
}

#[test]
fn of_two_sockets_opened_at_once_the_later_one_stays() {
    // Their openings reached the gate in reverse order.
    let mut rig = driving();
    assert_eq!(kind(&rig.ask(local(1), Request::TeleopOpen(SocketId(6)))), "not-found");
    assert_eq!(push(&mut rig, 3, 0.2), "ok", "the later one drives on");
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask(local(1), frame(6, 1, 0.0, now))), "not-found");
    assert_eq!(kind(&rig.ask(remote(2), Request::TeleopOpen(SocketId(5)))), "ok", "another's is its own");
}

#[test]
fn a_socket_is_bound_to_its_token() {
    let mut rig = driving();
    let now = rig.now_ms;
    assert_eq!(kind(&rig.ask(remote(2), frame(7, 9, 0.0, now))), "not-found");
    rig.ask(remote(2), Request::TeleopClose(SocketId(7)));
    assert!(rig.is_driving());
}

#[test]
fn who_loses_the_lease_learns_who_has_it() {
    let mut rig = driving();
    assert_eq!(kind(&rig.ask(local(2), take_over(Resource::Base))), "ok");
    assert!(!rig.is_driving());
    assert_eq!(push(&mut rig, 3, 0.3), "lease-held");
}
