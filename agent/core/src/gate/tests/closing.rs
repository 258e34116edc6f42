//! What a close means for the MCU, what is left to stop, and an MCU that is heard but cannot be driven.

use firmware_bridge_link::message::{Reason, State};

use super::rig::{Rig, TICK, forward, kind, local, look, take_request};
use super::table::Event::{EStop, Fault, Stop};
use super::table::{CLEAR, TABLE, driving, happen};
use crate::access::OpenLimbs;
use crate::gate::{Input, Order};
use crate::refusal::ClosedBy;
use crate::report::BodyReport;
use crate::request::Request;
use crate::resource::Resource;
use crate::testing::SIM;

#[test]
fn a_stop_pressed_while_the_program_ends_is_found_closed_at_the_next_start() {
    for event in [Stop, EStop] {
        let mut rig = driving();
        rig.shut_down();
        rig.tick();
        happen(&mut rig, event);
        rig.tick();
        assert_eq!(rig.gate.ends_open(), OpenLimbs::NONE, "{event:?}");
    }
}

#[test]
fn whatever_closes_the_body_stops_the_mcu() {
    // Its hold may be longer than a gap: without an order an armed MCU would take its head to where it was told. A take opens
    // it again, and nothing else arms it.
    for row in TABLE.iter().filter(|row| row.closed.is_some_and(|by| by != ClosedBy::EStop)) {
        let mut rig = driving();
        rig.orders.clear();
        happen(&mut rig, row.event);
        rig.run(100);
        assert!(rig.orders.contains(&Order::Stop), "{:?}", row.event);
        let stands = if row.event == Fault { State::Fault } else { State::Stopped };
        assert_eq!(rig.mcu.state, stands, "{:?}", row.event);
        let sent = rig.orders.len();
        rig.run(600);
        assert_eq!(rig.orders.len(), sent, "{:?}: shown, so nothing is repeated", row.event);
        assert!(rig.snapshot().stop_confirmed && !rig.snapshot().is_anything_to_stop, "{:?}", row.event);
        rig.take(local(1), Resource::Base);
        assert_eq!(rig.mcu.state, State::Armed, "{:?}", row.event);
    }
}

#[test]
fn a_lost_mcu_gets_its_stop_when_it_is_back_and_one_a_tick_meanwhile() {
    let mut rig = driving();
    rig.mcu.alive = false;
    rig.orders.clear();
    rig.run(1000);
    let stops = rig.orders.iter().filter(|order| **order == Order::Stop).count();
    assert!((44..=46).contains(&stops) && stops == rig.orders.len(), "{stops}");
    rig.mcu.state = State::Armed;
    rig.mcu.alive = true;
    rig.run(60);
    assert_eq!(rig.mcu.state, State::Stopped);
    assert_eq!(rig.closed_by(), Some(ClosedBy::LinkLost));
}

#[test]
fn the_frames_of_a_connection_that_is_not_read_yet_bring_no_flood_of_stops() {
    // The gate is stepped with every frame that comes; a stop is still repeated once a tick.
    let mut rig = driving();
    let mut stops = 0;
    for ms in 0..200 {
        rig.now_ms += 1;
        let unread = BodyReport { last_frame_at: Some(rig.now()), ..BodyReport::default() };
        rig.gate.step(Input::Tick(&unread), rig.now(), &mut rig.out);
        stops += rig.out.orders.iter().filter(|order| **order == Order::Stop).count();
        assert!(ms > 0 || stops == 1, "the first goes out at once");
    }
    assert!((10..=20).contains(&stops), "{stops}");
}

#[test]
fn an_mcu_that_an_agent_left_armed_is_stopped_unless_the_start_opens() {
    for (ended_open, state) in [(OpenLimbs::NONE, State::Stopped), (OpenLimbs::ALL, State::Armed)] {
        let mut rig = Rig::start(SIM, CLEAR, ended_open);
        (rig.mcu.state, rig.mcu.reason) = (State::Armed, Reason::None);
        rig.step_body();
        rig.run(100);
        assert_eq!(rig.mcu.state, state);
        rig.take(local(1), Resource::Base);
    }
}

#[test]
fn an_opening_whose_time_is_over_leaves_the_other_alone() {
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.mcu.obeys = false;
    assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
    let base = rig.newest_ticket();
    rig.run(200);
    assert_eq!(kind(&rig.ask(local(2), take_request(Resource::Head))), "pending");
    rig.run(60);
    assert_eq!(kind(&rig.answer_to(base)), "link-down");
    assert_eq!(kind(&rig.late_answer()), "pending", "its own time is not over");
    rig.mcu.obeys = true;
    rig.run(60);
    assert_eq!(kind(&rig.late_answer()), "ok");
    assert!(rig.snapshot().head_closed.is_none() && rig.snapshot().base_closed.is_some());
}

#[test]
fn a_second_take_of_the_same_token_replaces_the_first_that_waits() {
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.ask(local(1), take_request(Resource::Base));
    let first = rig.newest_ticket();
    rig.ask(local(1), take_request(Resource::Base));
    assert_eq!(kind(&rig.answer_to(first)), "lease-gone");
    rig.run(100);
    assert_eq!(kind(&rig.late_answer()), "ok");
}

#[track_caller]
fn check_left_to_stop(end: impl FnOnce(&mut Rig), left: bool, what: &str) {
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    assert!(!rig.snapshot().is_anything_to_stop);
    end(&mut rig);
    assert_eq!(rig.snapshot().is_anything_to_stop, left, "{what}");
}

#[test]
fn a_stop_has_something_to_stop_until_nothing_can_move() {
    assert!(driving().snapshot().is_anything_to_stop);
    assert!(Rig::start(SIM, CLEAR, OpenLimbs::ALL).snapshot().is_anything_to_stop, "it is about to open");
    check_left_to_stop(|rig| happen(rig, Stop), true, "not shown yet");
    check_left_to_stop(|rig| happen(rig, EStop), true, "not shown yet");
    check_left_to_stop(
        |rig| {
            happen(rig, EStop);
            rig.run(60);
        },
        false,
        "shown",
    );
    check_left_to_stop(
        |rig| {
            rig.mcu.obeys = false;
            rig.ask(local(1), take_request(Resource::Base));
        },
        true,
        "opening",
    );
    check_left_to_stop(|rig| _ = rig.take(local(1), Resource::Head), true, "the head is open");
    check_left_to_stop(|rig| _ = rig.take(local(1), Resource::Lights), false, "lights do not move");
    check_left_to_stop(
        |rig| {
            rig.mcu.state = State::Armed;
            rig.step_body();
        },
        true,
        "armed by nobody",
    );
    check_left_to_stop(
        |rig| {
            rig.mcu.alive = false;
            rig.run(200);
        },
        true,
        "not heard, so not shown",
    );
}

#[test]
fn an_mcu_that_is_heard_but_never_gets_ready_is_no_start() {
    // It speaks another protocol, and its telemetry goes on: 503 link-down after a second, and heard all the while.
    let mut rig = Rig::start(SIM, CLEAR, OpenLimbs::ALL);
    rig.mcu.ready = false;
    let lights = Request::Lights { on: Some(true), rgb: None, brightness: None };
    let requests = [forward(), take_request(Resource::Base), look(0.1), lights];
    rig.run(980);
    for request in requests {
        let expected = if request == lights { "link-down" } else { "starting" };
        assert_eq!(kind(&rig.ask(local(1), request)), expected, "{request:?}");
    }
    rig.run(100);
    for request in requests {
        assert_eq!(kind(&rig.ask(local(1), request)), "link-down", "{request:?}");
    }
    assert!(rig.snapshot().is_heard && !rig.snapshot().link_up);
    // New firmware: the start goes on.
    rig.mcu.ready = true;
    rig.run(100);
    assert!(rig.snapshot().link_up);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
}

#[test]
fn an_mcu_whose_words_say_no_state_is_no_start_either() {
    let mut rig = Rig::start(SIM, CLEAR, OpenLimbs::ALL);
    for _ in 0..60 {
        rig.now_ms += TICK;
        let babble = BodyReport { last_frame_at: Some(rig.now()), ..BodyReport::default() };
        rig.gate.step(Input::Tick(&babble), rig.now(), &mut rig.out);
    }
    assert_eq!(kind(&rig.ask(local(1), forward())), "link-down");
}

#[test]
fn what_an_mcu_reported_before_a_stop_reached_it_opens_nothing() {
    // A take is given up while its arming is on the way. The arming arrives, the stop after it has not yet.
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.mcu.hears = false;
    rig.ask(local(1), take_request(Resource::Base));
    rig.run(260);
    assert_eq!(kind(&rig.late_answer()), "link-down");
    rig.ask(local(1), take_request(Resource::Base));
    rig.run(40);
    rig.mcu.state = State::Armed;
    rig.run(160);
    assert_eq!(kind(&rig.late_answer()), "pending", "armed, and about to be stopped");
    rig.run(60);
    assert_eq!(kind(&rig.late_answer()), "link-down");
    rig.mcu.hears = true;
    rig.run(40);
    assert_eq!(rig.mcu.state, State::Stopped);
    rig.take(local(1), Resource::Base);
    rig.run(200);
    assert!(rig.snapshot().base_closed.is_none());
}
