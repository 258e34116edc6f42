//! E-stop and reset.

use firmware_bridge_link::message::{Reason, State};

use super::rig::{Rig, forward, kind, local, press, remote, take_request};
use crate::access::OpenLimbs;
use crate::caller::label;
use crate::gate::Order;
use crate::latch::{LatchRecord, Loaded};
use crate::refusal::{ClosedBy, Refusal};
use crate::request::{Accepted, Request};
use crate::resource::Resource;
use crate::snapshot::EStopStage;
use crate::testing::SIM;

fn latched() -> Rig {
    let mut rig = Rig::open();
    assert!(matches!(rig.ask(remote(2), press()), Some(Ok(Accepted::Latched { epoch: 1 }))));
    rig.run(60);
    rig
}

#[test]
fn an_estop_goes_gate_mcu_file_answer() {
    // In one step: latched, ordered, the record handed out, answered.
    let mut rig = Rig::open();
    rig.disk_works = false;
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    assert!(matches!(rig.ask(remote(2), press()), Some(Ok(Accepted::Latched { epoch: 1 }))));
    assert!(!rig.is_driving());
    assert_eq!(rig.orders.last(), Some(&Order::EStop));
    let view = rig.snapshot().estop;
    assert_eq!((view.stage, view.durable), (EStopStage::Sent, false));
    rig.run(60);
    assert_eq!(rig.snapshot().estop.stage, EStopStage::Confirmed);
    assert!(!rig.snapshot().estop.durable, "a full disk is said, and it stays latched");
    rig.written(1, true);
    assert!(rig.snapshot().estop.durable);
    assert_eq!(rig.snapshot().estop.reason.as_str(), "a cat on the table");
    assert_eq!(rig.snapshot().estop.source.as_str(), "remote 2");
}

#[test]
fn repeating_an_estop_keeps_its_epoch() {
    let mut rig = latched();
    for _ in 0..5 {
        assert!(matches!(rig.ask(local(1), press()), Some(Ok(Accepted::Latched { epoch: 1 }))));
    }
    assert_eq!(rig.disk.unwrap().serial, 1, "the file is written once");
}

#[test]
fn an_estop_is_repeated_until_the_mcu_shows_it() {
    // Also to an MCU that comes back later, or forgot it in a restart.
    let mut rig = Rig::open();
    rig.mcu.alive = false;
    rig.ask(local(1), press());
    rig.run(1000);
    assert!(rig.orders.iter().filter(|order| **order == Order::EStop).count() >= 50);
    rig.mcu.alive = true;
    rig.run(60);
    assert_eq!(rig.snapshot().estop.stage, EStopStage::Confirmed);
    let sent = rig.orders.len();
    rig.run(200);
    assert_eq!(rig.orders.len(), sent);
    rig.mcu.reset();
    rig.run(60);
    assert_eq!(rig.mcu.state, State::EStop);
}

#[test]
fn everything_is_refused_while_latched() {
    let mut rig = latched();
    for request in [forward(), take_request(Resource::Base), take_request(Resource::Head)] {
        assert_eq!(kind(&rig.ask(local(1), request)), "estop-latched");
    }
}

#[test]
fn a_reset_opens_nothing() {
    // File, MCU, gate; then base and head are closed until a take.
    let mut rig = latched();
    assert_eq!(kind(&rig.ask(local(1), Request::Reset { epoch: 1 })), "pending");
    assert!(rig.snapshot().estop.latched);
    rig.run(60);
    assert_eq!(kind(&rig.late_answer()), "ok");
    let view = rig.snapshot().estop;
    assert_eq!((view.latched, view.epoch, view.stage, view.durable), (false, 1, EStopStage::Clear, true));
    assert_eq!(rig.disk.map(|record| (record.latched, record.epoch)), Some((false, 1)));
    assert_eq!(rig.mcu.state, State::Disarmed);
    rig.run(500);
    assert_eq!(rig.mcu.state, State::Disarmed, "a reset arms nothing");
    assert_eq!(rig.closed_by(), Some(ClosedBy::EStop));
    assert_eq!(kind(&rig.ask(local(1), forward())), "closed");
    rig.take(local(1), Resource::Base);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    assert!(matches!(rig.ask(local(1), press()), Some(Ok(Accepted::Latched { epoch: 2 }))));
}

#[test]
fn a_reset_without_the_mcu_writes_nothing() {
    let mut rig = latched();
    rig.mcu.alive = false;
    rig.run(200);
    assert_eq!(kind(&rig.ask(local(1), Request::Reset { epoch: 1 })), "link-down");
    assert_eq!(rig.disk.unwrap().serial, 1);
}

#[test]
fn a_reset_names_the_epoch_that_was_seen() {
    let mut rig = latched();
    assert!(matches!(
        rig.ask(local(1), Request::Reset { epoch: 0 }),
        Some(Err(Refusal::NewerEStop { epoch: 1 }))
    ));
    assert_eq!(kind(&rig.ask(remote(1), Request::Reset { epoch: 1 })), "class-too-low");
    assert!(rig.snapshot().estop.latched);
}

#[test]
fn a_reset_whose_file_fails_is_latched_again() {
    let mut rig = latched();
    rig.disk_works = false;
    rig.ask(local(1), Request::Reset { epoch: 1 });
    assert_eq!(kind(&rig.late_answer()), "not-durable");
    rig.run(500);
    assert!(rig.snapshot().estop.latched);
    assert_eq!(rig.mcu.state, State::EStop, "the MCU was not cleared");
    assert!(rig.out.latch.is_none() && rig.disk.unwrap().latched);
}

#[test]
fn a_reset_that_the_mcu_does_not_show_is_latched_again() {
    let mut rig = latched();
    rig.mcu.obeys = false;
    assert_eq!(kind(&rig.ask(local(1), Request::Reset { epoch: 1 })), "pending");
    assert!(!rig.disk.unwrap().latched, "the file goes first");
    rig.run(240);
    assert_eq!(kind(&rig.late_answer()), "pending");
    rig.run(20);
    assert_eq!(kind(&rig.late_answer()), "link-down");
    assert_eq!(rig.disk.map(|record| (record.latched, record.epoch)), Some((true, 1)));
    // Its order may still arrive late: then the MCU is latched once more.
    rig.mcu.state = State::Disarmed;
    rig.run(60);
    assert_eq!(rig.mcu.state, State::EStop);
}

#[test]
fn what_an_mcu_reported_before_the_estop_reached_it_completes_no_reset() {
    let mut rig = Rig::open();
    rig.mcu.hears = false;
    rig.ask(local(1), press());
    rig.run(20);
    assert_eq!(kind(&rig.ask(local(1), Request::Reset { epoch: 1 })), "pending");
    rig.run(100);
    assert_eq!(kind(&rig.late_answer()), "pending", "armed, and about to be latched");
    (rig.mcu.state, rig.mcu.reason) = (State::EStop, Reason::HostEStop);
    rig.mcu.hears = true;
    rig.run(60);
    assert_eq!(kind(&rig.late_answer()), "ok");
    rig.run(60);
    assert!(!rig.snapshot().estop.latched && rig.mcu.state != State::EStop);
}

#[test]
fn a_reset_of_an_estop_that_never_arrived_brings_it_there_first() {
    let mut rig = Rig::open();
    rig.mcu.hears = false;
    rig.ask(local(1), press());
    rig.run(20);
    rig.ask(local(1), Request::Reset { epoch: 1 });
    rig.mcu.hears = true;
    rig.run(100);
    assert_eq!(kind(&rig.late_answer()), "ok");
    assert_eq!(rig.mcu.state, State::Disarmed);
    let clear = rig.orders.iter().position(|order| *order == Order::ClearEStop).unwrap();
    assert_eq!(rig.orders[clear - 1], Order::EStop);
}

#[test]
fn a_disk_that_never_answers_does_not_hang_a_reset() {
    let mut rig = latched();
    let asked = crate::request::Asked {
        ticket: 1000,
        caller: local(1),
        received_at: rig.now(),
        request: Request::Reset { epoch: 1 },
    };
    // Stepped by hand, so that nothing is written.
    rig.gate.step(crate::gate::Input::Asked(&asked), rig.now(), &mut rig.out);
    assert!(rig.out.latch.is_some_and(|record| !record.latched));
    rig.run(980);
    assert_eq!(kind(&rig.answer_to(1000)), "pending");
    rig.run(20);
    assert_eq!(kind(&rig.answer_to(1000)), "not-durable");
    assert!(rig.disk.unwrap().latched && rig.snapshot().estop.latched);
}

#[test]
fn a_reset_is_answered_within_what_it_says() {
    // The file at the last moment, and an MCU that does not obey: still no later than the edge waits.
    let mut rig = latched();
    rig.mcu.obeys = false;
    let asked = crate::request::Asked {
        ticket: 1000,
        caller: local(1),
        received_at: rig.now(),
        request: Request::Reset { epoch: 1 },
    };
    let deadline = rig.now() + crate::gate::RESET_WITHIN;
    rig.gate.step(crate::gate::Input::Asked(&asked), rig.now(), &mut rig.out);
    let serial = rig.out.latch.unwrap().serial;
    rig.run(980);
    rig.now_ms += 19;
    rig.written(serial, true);
    while rig.answer_to(1000).is_none() {
        let wake = rig.gate.next_wake(rig.now()).unwrap().as_ms();
        rig.now_ms = wake.min(rig.now_ms + 20);
        rig.step_body();
        assert!(rig.now() <= deadline, "{:?} of {deadline:?}", rig.now());
    }
    assert_eq!(kind(&rig.answer_to(1000)), "link-down");
}

#[test]
fn a_reason_that_comes_late_is_kept() {
    // The edge acts first and reads the reason afterwards: same epoch, same source, and the file says it too.
    let mut rig = Rig::open();
    let empty = Request::EStop { reason: label("") };
    assert!(matches!(rig.ask(remote(2), empty), Some(Ok(Accepted::Latched { epoch: 1 }))));
    rig.run(60);
    let confirmed_at = rig.snapshot().estop.confirmed_at;
    assert!(confirmed_at.is_some());
    assert!(matches!(rig.ask(remote(3), press()), Some(Ok(Accepted::Latched { epoch: 1 }))));
    rig.run(60);
    let view = rig.snapshot().estop;
    assert_eq!((view.reason.as_str(), view.source.as_str()), ("a cat on the table", "remote 2"));
    assert_eq!((view.durable, view.confirmed_at), (true, confirmed_at));
    let record = rig.disk.unwrap();
    assert_eq!((record.serial, record.epoch, record.reason.as_str()), (2, 1, "a cat on the table"));
    assert_eq!(rig.snapshot().base_closed.unwrap().reason.as_str(), "a cat on the table");
    rig.ask(remote(4), Request::EStop { reason: label("another") });
    assert_eq!(rig.snapshot().estop.reason.as_str(), "a cat on the table", "the first reason stays");
    assert_eq!(rig.disk.unwrap().serial, 2);
}

#[test]
fn a_late_reason_on_a_full_disk_leaves_the_latch_durable() {
    // The file goes on saying latched, only without the reason.
    let mut rig = Rig::open();
    rig.ask(remote(2), Request::EStop { reason: label("") });
    rig.disk_works = false;
    rig.ask(remote(2), press());
    let view = rig.snapshot().estop;
    assert!(view.latched && view.durable && rig.disk.unwrap().latched);
    // One that never reached the disk is not durable by a later reason.
    let mut rig = Rig::open();
    rig.disk_works = false;
    rig.ask(remote(2), Request::EStop { reason: label("") });
    rig.ask(remote(2), press());
    assert!(!rig.snapshot().estop.durable);
}

#[test]
fn an_estop_during_a_reset_is_a_new_one() {
    // It gets its own epoch, ends the reset, and stays.
    let mut rig = latched();
    rig.mcu.obeys = false;
    rig.ask(local(1), Request::Reset { epoch: 1 });
    let reset = rig.newest_ticket();
    rig.tick();
    assert!(matches!(rig.ask(remote(2), press()), Some(Ok(Accepted::Latched { epoch: 2 }))));
    assert!(matches!(rig.answer_to(reset), Some(Err(Refusal::NewerEStop { epoch: 2 }))));
    rig.mcu.obeys = true;
    rig.run(500);
    assert!(rig.snapshot().estop.latched);
    assert_eq!(rig.mcu.state, State::EStop);
    assert_eq!(rig.disk.map(|record| (record.latched, record.epoch)), Some((true, 2)));
    assert_eq!(kind(&rig.ask(local(1), Request::Reset { epoch: 1 })), "newer-estop");
}

#[test]
fn everybody_who_waits_for_a_reset_is_answered() {
    let mut rig = latched();
    let mut tickets = Vec::new();
    for token in 1..=6 {
        rig.ask(local(token), Request::Reset { epoch: 1 });
        tickets.push(rig.newest_ticket());
    }
    rig.run(60);
    let answers: Vec<_> = tickets.into_iter().map(|ticket| kind(&rig.answer_to(ticket))).collect();
    assert_eq!(answers, ["ok", "ok", "ok", "ok", "link-down", "link-down"]);
    assert_eq!(kind(&rig.ask(local(1), Request::Reset { epoch: 1 })), "ok", "what is clear may be cleared");
}

#[test]
fn an_mcu_that_reports_an_estop_is_a_new_one() {
    // The body's button, or a latch found at connect: source `mcu`, a new epoch, and the file.
    for ended_open in [OpenLimbs::ALL, OpenLimbs::NONE] {
        let mut rig = Rig::start(SIM, Loaded::Clear { serial: 7, epoch: 3 }, ended_open);
        (rig.mcu.state, rig.mcu.reason) = (State::EStop, Reason::ButtonEStop);
        rig.tick();
        let view = rig.snapshot().estop;
        assert_eq!((view.latched, view.epoch, view.source.as_str()), (true, 4, "mcu"));
        assert_eq!(rig.disk.map(|record| (record.serial, record.latched, record.epoch)), Some((8, true, 4)));
        rig.run(60);
        assert_eq!(rig.snapshot().estop.stage, EStopStage::Confirmed);
        assert_eq!(rig.closed_by(), Some(ClosedBy::EStop));
    }
}

#[test]
fn a_latch_found_at_start_reaches_the_mcu() {
    let record =
        LatchRecord { serial: 9, latched: true, epoch: 5, reason: label("smoke"), source: label("page") };
    let mut rig = Rig::start(SIM, Loaded::Latched(record), OpenLimbs::ALL);
    assert_eq!(kind(&rig.ask(local(1), forward())), "estop-latched");
    rig.run(100);
    let view = rig.snapshot().estop;
    assert_eq!((view.epoch, view.reason.as_str(), view.durable), (5, "smoke", true));
    assert_eq!(view.stage, EStopStage::Confirmed);
    assert_eq!(view.requested_at, None);
    assert_eq!(rig.mcu.state, State::EStop);
    assert_eq!(rig.disk, None, "the file says it already");
}

#[test]
fn a_damaged_latch_file_is_written_anew() {
    let mut rig = Rig::start(SIM, Loaded::Unreadable { serial: 9, epoch: 6 }, OpenLimbs::ALL);
    rig.run(100);
    assert_eq!(rig.disk.map(|record| (record.serial, record.latched, record.epoch)), Some((10, true, 6)));
    assert_eq!(rig.snapshot().estop.source.as_str(), "file");
    rig.ask(local(1), Request::Reset { epoch: 6 });
    rig.run(60);
    assert!(!rig.snapshot().estop.latched);
}
