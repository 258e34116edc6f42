//! Open and closed: the table of the contract, row by row, and "where several apply, the lower row".

use firmware_bridge_link::message::{Reason, State};

use super::rig::{Rig, forward, kind, local, look, press, remote, script, take_request};
use crate::access::OpenLimbs;
use crate::gate::Order;
use crate::latch::Loaded;
use crate::refusal::ClosedBy;
use crate::request::{Accepted, Request};
use crate::resource::Resource;
use crate::testing::SIM;

/// Something that happens to a driving robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Nothing,
    TtlOver,
    LeaseOver,
    Released,
    Taken,
    TickGap,
    HoldOver,
    LinkLost,
    NewBootId,
    Fault,
    Stop,
    EStop,
}

use Event::{
    EStop, Fault, HoldOver, LeaseOver, LinkLost, NewBootId, Nothing, Released, Stop, Taken, TickGap, TtlOver,
};

/// One row of the contract's table.
pub(super) struct Row {
    pub(super) event: Event,
    drives_on: bool,
    leased_to: Option<&'static str>,
    pub(super) closed: Option<ClosedBy>,
}

const fn row(
    event: Event,
    drives_on: bool,
    leased_to: Option<&'static str>,
    closed: Option<ClosedBy>,
) -> Row {
    Row { event, drives_on, leased_to, closed }
}

pub(super) const TABLE: [Row; 12] = [
    row(Nothing, true, Some("local 1"), None),
    row(TtlOver, false, Some("local 1"), None),
    row(LeaseOver, false, None, None),
    row(Released, false, None, None),
    row(Taken, false, Some("local 2"), None),
    row(TickGap, false, None, Some(ClosedBy::TickGap)),
    row(HoldOver, false, None, Some(ClosedBy::Hold)),
    row(LinkLost, false, None, Some(ClosedBy::LinkLost)),
    row(NewBootId, false, None, Some(ClosedBy::McuReset)),
    row(Fault, false, None, Some(ClosedBy::McuFault)),
    row(Stop, false, None, Some(ClosedBy::Stop)),
    row(EStop, false, None, Some(ClosedBy::EStop)),
];

/// A robot that a person drives and whose head they hold.
pub(super) fn driving() -> Rig {
    let mut rig = Rig::open();
    rig.take(local(1), Resource::Base);
    rig.take(local(1), Resource::Head);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
    rig.tick();
    assert!(rig.is_driving());
    rig
}

pub(super) fn happen(rig: &mut Rig, event: Event) {
    match event {
        Nothing => {}
        TtlOver => rig.run(260),
        LeaseOver => rig.run(3100),
        Released => {
            for lease in rig.snapshot().leases.into_iter().flatten() {
                assert_eq!(kind(&rig.ask(local(1), Request::Release(lease.id))), "ok");
            }
        }
        Taken => {
            for resource in [Resource::Base, Resource::Head] {
                assert_eq!(kind(&rig.ask(local(2), super::rig::take_over(resource))), "ok");
            }
        }
        TickGap => {
            // Short enough for the MCU's own hold, so that this row is seen alone.
            rig.mcu.state = State::Armed;
            rig.now_ms += 101;
            rig.step_body();
        }
        HoldOver => {
            (rig.mcu.state, rig.mcu.reason) = (State::Stopped, Reason::HoldOver);
            rig.step_body();
        }
        LinkLost => {
            rig.mcu.alive = false;
            rig.run(120);
            rig.mcu.alive = true;
        }
        NewBootId => {
            rig.mcu.reset();
            rig.step_body();
        }
        Fault => {
            (rig.mcu.state, rig.mcu.reason) = (State::Fault, Reason::EncoderStuck);
            rig.step_body();
        }
        Stop => assert_eq!(kind(&rig.ask(remote(9), Request::Stop)), "ok"),
        EStop => assert_eq!(kind(&rig.ask(remote(9), press())), "ok"),
    }
}

#[track_caller]
fn assert_stands(rig: &Rig, row: &Row, context: &str) {
    let now = rig.snapshot();
    assert_eq!(rig.is_driving(), row.drives_on, "{context}: drives on");
    assert_eq!(now.setpoint.is_some(), row.drives_on, "{context}: setpoint shown");
    for lease in &now.leases[..2] {
        assert_eq!(lease.map(|lease| lease.holder).as_deref(), row.leased_to, "{context}: leases");
    }
    for closed in [now.base_closed, now.head_closed] {
        assert_eq!(closed.map(|closed| closed.by), row.closed, "{context}: closed");
    }
    assert_eq!(now.estop.latched, row.closed == Some(ClosedBy::EStop), "{context}: latched");
}

#[test]
fn every_row_of_the_table_holds() {
    // What happened decides what becomes of setpoint, leases, base and head.
    for row in &TABLE {
        let mut rig = driving();
        happen(&mut rig, row.event);
        assert_stands(&rig, row, &format!("{:?}", row.event));
    }
}

#[test]
fn where_several_apply_the_lower_row_counts() {
    // In whatever order two things happen, base and head are closed by the one further down, and e-stops latch.
    let group = |by| match by {
        None => 0,
        Some(ClosedBy::Stop) => 2,
        Some(ClosedBy::EStop) => 3,
        Some(_) => 1,
    };
    for first in &TABLE[5..] {
        for second in &TABLE {
            let mut rig = driving();
            happen(&mut rig, first.event);
            let leased = second.event == Released || second.event == Taken;
            if leased {
                continue;
            }
            happen(&mut rig, second.event);
            let lower = if group(second.closed) > group(first.closed) { second } else { first };
            assert_stands(&rig, lower, &format!("{:?} then {:?}", first.event, second.event));
        }
    }
}

#[test]
fn a_stopped_robot_says_who_closed_it_until_a_person_takes_it() {
    // Commands are refused with what closed it; a script's take as well; a person's take opens, and only what it names.
    for row in TABLE.iter().filter(|row| row.closed.is_some_and(|by| by != ClosedBy::EStop)) {
        let context = format!("{:?}", row.event);
        let mut rig = driving();
        happen(&mut rig, row.event);
        rig.orders.clear();
        // Past the half second after a gap in which a stamp is needed.
        rig.run(600);
        for (who, what) in [
            (local(1), forward()),
            (script(2), forward()),
            (script(2), take_request(Resource::Base)),
            (remote(3), look(0.1)),
        ] {
            let answer = rig.ask(who, what);
            assert_eq!(kind(&answer), "closed", "{context}");
        }
        assert!(!rig.orders.contains(&Order::Arm), "{context}");
        rig.take(remote(3), Resource::Base);
        assert_eq!(rig.closed_by(), None, "{context}: base");
        assert_eq!(
            rig.snapshot().head_closed.map(|closed| closed.by),
            row.closed,
            "{context}: head stays closed"
        );
        assert_eq!(kind(&rig.ask(remote(3), look(0.1))), "closed", "{context}");
        assert_eq!(kind(&rig.ask(remote(3), forward())), "ok", "{context}");
        assert!(rig.is_driving(), "{context}");
        rig.take(local(1), Resource::Head);
        assert_eq!(kind(&rig.ask(local(1), look(0.1))), "ok", "{context}");
        rig.run(200);
        assert_eq!(rig.closed_by(), None, "{context}: opening the head leaves the base as it is");
    }
}

fn check_start(latch: Loaded, ended_open: OpenLimbs, base: Option<ClosedBy>, head: Option<ClosedBy>) {
    let mut rig = Rig::start(SIM, latch, ended_open);
    // The MCU's state has not been read: whatever comes later, nothing is open yet.
    let before = rig.snapshot();
    assert!(before.base_closed.is_some() && before.head_closed.is_some());
    assert!(!rig.is_driving());
    rig.run(200);
    assert_eq!(rig.snapshot().base_closed.map(|closed| closed.by), base);
    assert_eq!(rig.snapshot().head_closed.map(|closed| closed.by), head);
}

pub(super) const CLEAR: Loaded = Loaded::Clear { serial: 4, epoch: 2 };

#[test]
fn a_first_start_opens() {
    check_start(Loaded::Clear { serial: 0, epoch: 0 }, OpenLimbs::ALL, None, None);
}
#[test]
fn a_start_after_an_end_in_order_opens_what_was_open() {
    check_start(CLEAR, OpenLimbs { base: true, head: false }, None, Some(ClosedBy::Restart));
    check_start(CLEAR, OpenLimbs { base: false, head: true }, Some(ClosedBy::Restart), None);
}
#[test]
fn a_start_after_a_crash_is_closed() {
    check_start(CLEAR, OpenLimbs::NONE, Some(ClosedBy::Restart), Some(ClosedBy::Restart));
}
#[test]
fn a_start_with_a_damaged_latch_is_closed() {
    let unreadable = Loaded::Unreadable { serial: 4, epoch: 3 };
    check_start(unreadable, OpenLimbs::ALL, Some(ClosedBy::EStop), Some(ClosedBy::EStop));
}

#[test]
fn before_the_mcu_was_read_everything_is_starting() {
    // 503 starting, also for a take; afterwards the robot drives.
    let mut rig = Rig::start(SIM, CLEAR, OpenLimbs::ALL);
    rig.mcu.alive = false;
    rig.run(1000);
    for request in [forward(), take_request(Resource::Base), look(0.1)] {
        assert_eq!(kind(&rig.ask(local(1), request)), "starting");
    }
    rig.mcu.alive = true;
    rig.run(100);
    assert_eq!(kind(&rig.ask(local(1), forward())), "ok");
}

#[test]
fn a_later_connection_never_opens() {
    // The link was lost during the start: the connection that comes then does not open.
    let mut rig = Rig::start(SIM, CLEAR, OpenLimbs::ALL);
    rig.mcu.obeys = false;
    rig.run(100);
    rig.mcu.alive = false;
    rig.run(200);
    rig.mcu.alive = true;
    rig.mcu.obeys = true;
    rig.run(400);
    assert_eq!(rig.closed_by(), Some(ClosedBy::LinkLost));
    assert_ne!(rig.mcu.state, State::Armed);
}

#[test]
fn an_opening_waits_for_the_mcu_and_fails_closed() {
    // 201 comes once the MCU shows armed; without that in 250 ms it is 503 and still closed.
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.mcu.obeys = false;
    assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
    rig.run(240);
    assert_eq!(kind(&rig.late_answer()), "pending");
    rig.run(20);
    assert_eq!(kind(&rig.late_answer()), "link-down");
    assert_eq!(rig.closed_by(), Some(ClosedBy::Stop));
    // What may still arrive of the order to arm is taken back.
    rig.mcu.state = State::Armed;
    rig.run(40);
    assert_eq!(rig.mcu.state, State::Stopped);
}

#[test]
fn a_stop_ends_an_opening() {
    // Whoever wanted to open learns that it was stopped; nothing opens afterwards.
    for (event, answer) in [
        (Stop, "closed"),
        (EStop, "estop-latched"),
        (TickGap, "link-down"),
        (LinkLost, "link-down"),
        (NewBootId, "link-down"),
    ] {
        let mut rig = driving();
        happen(&mut rig, Stop);
        rig.run(100);
        rig.mcu.obeys = false;
        assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
        let ticket = rig.newest_ticket();
        happen(&mut rig, event);
        assert_eq!(kind(&rig.answer_to(ticket)), answer, "{event:?}");
        rig.mcu.obeys = true;
        rig.run(500);
        assert!(rig.closed_by().is_some(), "{event:?}");
        assert_ne!(rig.mcu.state, State::Armed, "{event:?}");
    }
}

#[test]
fn a_take_right_behind_a_stop_waits_until_the_stop_is_shown() {
    // The MCU still looks armed when the take comes: that is not the armed state the take is waiting for.
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.now_ms += 1;
    let answer = rig.ask(local(1), take_request(Resource::Base));
    assert_eq!(kind(&answer), "pending");
    rig.tick();
    assert_eq!(kind(&rig.late_answer()), "pending");
    assert!(rig.snapshot().stop_confirmed);
    rig.run(100);
    assert!(matches!(rig.late_answer(), Some(Ok(Accepted::Lease(_)))));
    assert_eq!(rig.mcu.state, State::Armed);
}

#[test]
fn a_take_does_not_overtake_a_stop_that_got_lost() {
    // The MCU goes on reporting armed because no frame reaches it: the stop is repeated, the take fails closed.
    let mut rig = driving();
    rig.mcu.hears = false;
    happen(&mut rig, Stop);
    rig.now_ms += 1;
    assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
    rig.orders.clear();
    rig.run(240);
    assert_eq!(kind(&rig.late_answer()), "pending");
    assert!(rig.orders.len() >= 12 && rig.orders.iter().all(|order| *order == Order::Stop));
    rig.run(20);
    assert_eq!(kind(&rig.late_answer()), "link-down");
    assert_eq!(rig.closed_by(), Some(ClosedBy::Stop));
    rig.mcu.hears = true;
    rig.run(60);
    assert_eq!(rig.mcu.state, State::Stopped);
}

#[test]
fn an_armed_state_from_before_the_take_does_not_open() {
    // Only what the MCU reports after the take says that it is armed now.
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.take(local(1), Resource::Head);
    assert_eq!(rig.mcu.state, State::Armed);
    rig.mcu.alive = false;
    assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
    rig.run(80);
    assert_eq!(kind(&rig.late_answer()), "pending");
    rig.mcu.alive = true;
    rig.run(20);
    assert_eq!(kind(&rig.late_answer()), "ok");
}

#[test]
fn a_stop_is_repeated_until_the_mcu_shows_it() {
    // Lost frames cannot lose a stop, and a silent MCU gets it when it is back.
    let mut rig = driving();
    rig.mcu.alive = false;
    happen(&mut rig, Stop);
    rig.run(1000);
    assert!(rig.orders.iter().filter(|order| **order == Order::Stop).count() >= 50);
    assert!(!rig.snapshot().stop_confirmed);
    rig.mcu.alive = true;
    rig.run(60);
    assert_eq!(rig.mcu.state, State::Stopped);
    assert!(rig.snapshot().stop_confirmed);
    let sent = rig.orders.len();
    rig.run(200);
    assert_eq!(rig.orders.len(), sent, "once it is shown, nothing is repeated");
}

#[test]
fn of_two_openings_the_outranked_one_has_lost() {
    // A waiting take counts as a lease: a lower class waits behind it, a higher one goes before it.
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.mcu.obeys = false;
    assert_eq!(kind(&rig.ask(remote(3), take_request(Resource::Base))), "pending");
    let loser = rig.newest_ticket();
    assert_eq!(kind(&rig.ask(remote(4), take_request(Resource::Base))), "lease-held");
    assert_eq!(kind(&rig.ask(local(1), take_request(Resource::Base))), "pending");
    assert_eq!(kind(&rig.answer_to(loser)), "lease-held");
    rig.mcu.obeys = true;
    rig.run(100);
    assert_eq!(rig.snapshot().leases[0].unwrap().holder.as_str(), "local 1");
}

#[test]
fn an_end_in_order_leaves_the_body_stopped() {
    // Halt, stop, disarm; what was open is remembered for the next start; afterwards nothing moves and stop still works.
    let mut rig = driving();
    rig.shut_down();
    assert!(!rig.is_driving());
    assert_eq!(rig.gate.ends_open(), OpenLimbs::ALL);
    assert!(rig.orders.ends_with(&[Order::Stop, Order::Disarm]));
    rig.tick();
    for request in [forward(), take_request(Resource::Base)] {
        assert_eq!(kind(&rig.ask(local(1), request)), "link-down");
    }
    assert_eq!(rig.gate.ends_open(), OpenLimbs::ALL);
}

#[test]
fn a_run_that_ends_closed_starts_closed() {
    let mut rig = driving();
    happen(&mut rig, Stop);
    rig.run(100);
    rig.take(local(1), Resource::Head);
    rig.shut_down();
    assert_eq!(rig.gate.ends_open(), OpenLimbs { base: false, head: true });
}
