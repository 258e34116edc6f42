//! What moves: speeds with an end, moves, the envelope, and what the wheels are told.

use std::time::Duration;

use firmware_bridge_link::message::WheelGoal;

use super::rig::{NO_STAMP, Rig, forward, kind, local, look, remote, script, travel, twist, velocity};
use crate::gate::Order;
use crate::request::{Accepted, LimitReason, Limited, Request, TaskId, Travel};
use crate::resource::Resource;
use crate::snapshot::{TaskState, TaskView};
use crate::time::BootTime;

fn task(rig: &Rig) -> TaskView {
    *rig.snapshot().tasks.last().unwrap()
}

fn turn(angle_rad: f32) -> Request {
    Request::Move { travel: Travel::Turn { angle_rad, speed_radps: None }, lease: None, freshness: NO_STAMP }
}

#[test]
fn a_speed_ends_with_its_time_to_live() {
    // The owner is told when, and gets a halt then, at once.
    let mut rig = Rig::open();
    let Some(Ok(Accepted::Driving { expires_in, limited, .. })) = rig.ask(local(1), forward()) else {
        panic!("accepted");
    };
    assert_eq!((expires_in, limited), (Duration::from_millis(250), None));
    assert_eq!(rig.out.goal, WheelGoal::Follow { left_mps: 0.3, right_mps: 0.3 });
    assert!(rig.out.urgent);
    assert_eq!(rig.out.ttl_ms, 100, "at most the MCU's hold");
    let end = rig.now() + Duration::from_millis(250);
    assert_eq!(rig.gate.next_wake(rig.now()), Some(end));
    rig.run(240);
    assert!(rig.is_driving());
    assert_eq!(rig.out.ttl_ms, 10);
    rig.now_ms += 10;
    assert_eq!(rig.now(), end);
    rig.step_body();
    assert!(!rig.is_driving() && rig.out.urgent);
    assert!(rig.gate.next_wake(rig.now()).is_none_or(|wake| wake > rig.now()), "nothing is left overdue");
}

#[test]
fn an_accepted_speed_is_sent_at_once_and_repeated_with_every_tick() {
    let mut rig = Rig::open();
    rig.ask(local(1), forward());
    rig.tick();
    assert!(rig.is_driving() && !rig.out.urgent);
    rig.ask(local(1), forward());
    assert!(rig.out.urgent, "it lives longer now");
}

#[test]
fn a_curve_is_clamped_and_said() {
    let mut rig = Rig::open();
    rig.mcu.range_age_ms = 300;
    rig.tick();
    let request =
        Request::Velocity { twist: twist(0.6, 1.0, 250), lease: None, seq: None, freshness: NO_STAMP };
    let Some(Ok(Accepted::Driving { limited, .. })) = rig.ask(local(1), request) else {
        panic!("accepted");
    };
    assert_eq!(
        limited,
        Some(Limited { linear_mps: 0.3, angular_radps: 0.5, reason: LimitReason::RangeStale })
    );
    let WheelGoal::Follow { left_mps, right_mps } = rig.out.goal else {
        panic!("drives");
    };
    assert!((left_mps - 0.25).abs() < 1e-6 && (right_mps - 0.35).abs() < 1e-6);
    assert_eq!(rig.snapshot().envelope.reason, LimitReason::RangeStale);
}

#[test]
fn an_obstacle_slows_a_speed_that_is_already_in_force() {
    let mut rig = Rig::open();
    rig.ask(local(1), forward());
    rig.mcu.range_mm = 150;
    rig.tick();
    assert_eq!(rig.out.goal, WheelGoal::Follow { left_mps: 0.0, right_mps: 0.0 });
}

fn check_move(request: Request, end: (f64, f64)) {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), request)), "ok");
    let mut shares = vec![0.0];
    while task(&rig).state == TaskState::Running {
        rig.tick();
        shares.push(task(&rig).progress);
    }
    assert_eq!(
        (task(&rig).state, task(&rig).reason, task(&rig).progress),
        (TaskState::Done, "arrived", 1.0),
        "{request:?}"
    );
    assert!(shares.is_sorted(), "{request:?}");
    rig.run(100);
    let pose = rig.snapshot().pose;
    assert!(
        (pose.x_m - end.0).abs() < 0.01 && (pose.heading_rad - end.1).abs() < 0.02,
        "{request:?} {pose:?}"
    );
    assert!(!rig.is_driving());
}

#[test]
fn a_move_arrives() {
    check_move(travel(0.5), (0.5, 0.0));
    check_move(travel(-0.25), (-0.25, 0.0));
    check_move(travel(0.02), (0.02, 0.0));
    check_move(travel(0.0), (0.0, 0.0));
    check_move(turn(1.5), (0.0, 1.5));
    check_move(turn(-0.3), (0.0, -0.3));
}

#[test]
fn a_move_holds_its_lease_until_its_deadline() {
    // Twice the planned time and a second, at most 30 s; and it ends then.
    let mut rig = Rig::open();
    let Some(Ok(Accepted::Moving { deadline, .. })) = rig.ask(local(1), travel(0.6)) else {
        panic!("accepted");
    };
    // 0.6 m at 0.3 m/s with 0.7 m/s²: 2.43 s.
    assert!((deadline.as_secs_f32() - 5.857).abs() < 0.01, "{deadline:?}");
    assert_eq!(rig.snapshot().leases[0].unwrap().expires_in.as_millis(), deadline.as_millis());
    let mut rig = Rig::open();
    let Some(Ok(Accepted::Moving { deadline, .. })) = rig.ask(local(1), travel(18.0)) else {
        panic!("accepted");
    };
    assert_eq!(deadline, Duration::from_secs(30));
}

#[test]
fn a_blocked_move_fails() {
    let mut rig = Rig::open();
    rig.ask(local(1), travel(1.0));
    rig.run(500);
    rig.mcu.blocked = true;
    rig.run(1100);
    assert_eq!((task(&rig).state, task(&rig).reason), (TaskState::Failed, "blocked"));
    assert!(!rig.is_driving());
}

#[test]
fn a_move_towards_an_obstacle_ends_before_it() {
    let mut rig = Rig::open();
    rig.ask(local(1), travel(1.0));
    rig.mcu.range_mm = 100;
    rig.run(1200);
    assert_eq!((task(&rig).state, task(&rig).reason), (TaskState::Failed, "blocked"));
}

fn check_move_end(end: impl FnOnce(&mut Rig), state: TaskState, reason: &str) {
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(local(1), travel(1.0))), "ok");
    rig.run(200);
    end(&mut rig);
    let first = rig.snapshot().tasks[0];
    assert_eq!((first.state, first.reason), (state, reason));
    assert!(first.progress > 0.0 && first.progress < 1.0, "{first:?}");
}

#[test]
fn a_move_ends_with_what_ends_a_setpoint() {
    use TaskState::{Cancelled, Failed};
    check_move_end(|rig| _ = rig.ask(local(1), forward()), Cancelled, "replaced");
    check_move_end(|rig| _ = rig.ask(local(1), travel(0.1)), Cancelled, "replaced");
    check_move_end(|rig| _ = rig.ask(local(1), Request::CancelTask(TaskId(1))), Cancelled, "cancelled");
    check_move_end(|rig| _ = rig.ask(remote(2), Request::Stop), Cancelled, "stop");
    check_move_end(|rig| _ = rig.ask(remote(2), super::rig::press()), Cancelled, "estop");
    check_move_end(|rig| _ = rig.take(local(1), Resource::Base), Cancelled, "lease-gone");
    check_move_end(
        |rig| {
            rig.mcu.alive = false;
            rig.run(120);
        },
        Failed,
        "link-lost",
    );
    check_move_end(
        |rig| {
            rig.mcu.reset();
            rig.tick();
        },
        Failed,
        "mcu-reset",
    );
}

#[test]
fn a_finished_or_foreign_task_cannot_be_cancelled_into_something_else() {
    let mut rig = Rig::open();
    rig.ask(local(1), travel(0.02));
    rig.run(2000);
    assert_eq!(task(&rig).state, TaskState::Done);
    assert_eq!(kind(&rig.ask(local(1), Request::CancelTask(TaskId(1)))), "ok");
    assert_eq!(task(&rig).state, TaskState::Done);
    assert_eq!(kind(&rig.ask(local(2), Request::CancelTask(TaskId(1)))), "not-found");
    assert_eq!(kind(&rig.ask(local(1), Request::CancelTask(TaskId(2)))), "not-found");
}

#[test]
fn the_newest_tasks_are_kept() {
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    for _ in 0..20 {
        assert_eq!(kind(&rig.ask(local(1), travel(0.5))), "ok");
    }
    let tasks = rig.snapshot().tasks;
    assert_eq!(tasks.iter().map(|task| task.id.0).collect::<Vec<_>>(), (5..=20).collect::<Vec<_>>());
    assert_eq!(tasks.iter().filter(|task| task.state == TaskState::Running).count(), 1);
}

#[test]
fn a_head_turns_within_its_limits_and_only_while_open() {
    let mut rig = Rig::open();
    assert_eq!(kind(&rig.ask(local(1), look(0.7))), "ok");
    assert_eq!(rig.orders.last(), Some(&Order::Head { pan_rad: 0.7, tilt_rad: 0.0 }));
    assert_eq!(kind(&rig.ask(remote(2), look(0.1))), "lease-held");
    rig.ask(local(3), Request::Stop);
    let orders = rig.orders.len();
    assert_eq!(kind(&rig.ask(local(1), look(0.1))), "closed");
    assert_eq!(rig.orders.len(), orders);
}

#[test]
fn a_restarted_mcu_gets_its_lights_again() {
    let mut rig = Rig::open();
    rig.ask(local(1), Request::Lights { on: Some(true), rgb: None, brightness: Some(1.0) });
    let order = Order::Lights { rgb: [255; 3], brightness: 255 };
    rig.mcu.reset();
    rig.orders.clear();
    rig.run(100);
    assert_eq!(rig.orders.iter().filter(|given| **given == order).count(), 1);
}

#[test]
fn a_script_drives_with_its_own_lease() {
    let mut rig = Rig::open();
    let lease = rig.take(script(1), Resource::Base).id;
    assert_eq!(kind(&rig.ask(script(1), velocity(Some(lease), None, NO_STAMP))), "ok");
    assert_eq!(kind(&rig.ask(script(1), forward())), "ok");
    assert!(rig.is_driving());
}

#[test]
fn the_gate_wakes_for_the_nearest_end() {
    let mut rig = Rig::open();
    assert_eq!(rig.gate.next_wake(rig.now()), None);
    rig.take(local(1), Resource::Base);
    assert_eq!(rig.gate.next_wake(rig.now()), Some(BootTime::from_ms(rig.now_ms + 3000)));
    rig.ask(local(1), forward());
    assert_eq!(rig.gate.next_wake(rig.now()), Some(BootTime::from_ms(rig.now_ms + 250)));
    rig.ask(local(1), Request::Stop);
    rig.run(60);
    rig.mcu.obeys = false;
    rig.ask(local(1), super::rig::take_request(Resource::Base));
    assert_eq!(rig.gate.next_wake(rig.now()), Some(BootTime::from_ms(rig.now_ms + 250)));
}
