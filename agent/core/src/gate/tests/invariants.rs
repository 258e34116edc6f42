//! The invariants of motion safety as properties of random histories, each named after its number.

use std::time::Duration;

use firmware_bridge_link::message::{Reason, State, WheelGoal};
use proptest::prelude::*;

use super::rig::{RUN, Rig, kind, local, press, remote};
use super::world::{Moment, Op, World, history, player, with_freshness};
use crate::access::OpenLimbs;
use crate::budget::Budget;
use crate::caller::{Caller, Class, label};
use crate::envelope::EnvelopeState;
use crate::gate::Order;
use crate::latch::{FILE_LEN, LatchFile, LatchRecord, Loaded, SLOT_LEN, encode, first_file};
use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::request::{Accepted, Freshness, Request, Seen};
use crate::resource::Resource;
use crate::testing::{SIM, healthy_body};
use crate::time::BootTime;

fn is_driving(moment: &Moment) -> bool {
    matches!(moment.goal, WheelGoal::Follow { .. })
}

/// Each moment with the one before it.
fn steps(world: &World) -> impl Iterator<Item = (&Moment, &Moment)> {
    world.moments.windows(2).map(|pair| (&pair[0], &pair[1]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Nothing drives past the end of the newest accepted command, and what the MCU is told ends no later.
    #[test]
    fn invariant_1_motion_ages(ops in history()) {
        let world = World::play(&ops);
        for moment in world.moments.iter().filter(|moment| is_driving(moment)) {
            let end_ms = moment.at_ms + u64::from(moment.ttl_ms);
            prop_assert!(end_ms <= moment.accepted_until_ms, "{end_ms} {}", moment.accepted_until_ms);
            prop_assert!(moment.ttl_ms >= 1 && u32::from(moment.ttl_ms) <= SIM.hold_ms);
        }
    }

    /// A command that was accepted once is refused when it comes again, however it waited.
    #[test]
    fn invariant_1_replays_are_refused(gaps in proptest::collection::vec(0..12u64, 1..20)) {
        let mut rig = Rig::open();
        let lease = rig.take(local(1), Resource::Base).id;
        let mut sent = Vec::new();
        for (seq, ticks) in gaps.into_iter().enumerate() {
            let request = super::rig::velocity(Some(lease), Some(seq as u64), super::rig::NO_STAMP);
            prop_assert_eq!(kind(&rig.ask(local(1), request)), "ok");
            sent.push((request, rig.now_ms));
            for (request, received_ms) in &sent {
                prop_assert_ne!(kind(&rig.ask_received_at(local(1), *request, *received_ms)), "ok");
            }
            rig.run(ticks * 20);
        }
    }

    /// A profile that may be driven keeps its promise in all three failures, by the formulas of the design.
    #[test]
    fn invariant_2_nested_deadlines(
        linear in 0.05..2.0f32, angular in 0.1..6.0f32, track in 0.05..0.6f32, emergency in 0.5..8.0f32,
        hold in 40..600u32, lag in 0..200u32, coast in 0..1500u32, promise in 300..2000u32,
    ) {
        let profile = Profile {
            linear_mps_max: linear, angular_radps_max: angular, track_m: track, emergency_mps2: emergency,
            acceleration_mps2: 0.5, hold_ms: hold, motor_lag_ms: lag, coast_ms: coast, standstill_promise_ms: promise, ..SIM
        };
        let ramp_ms = f64::from((linear + angular * track / 2.0) / emergency) * 1000.0 + f64::from(lag);
        match Budget::check(&profile) {
            Ok(budget) => {
                prop_assert!((60..=500).contains(&hold));
                prop_assert!(budget.client_silent_ms <= promise && budget.agent_dead_ms <= promise && budget.mcu_dead_ms <= promise);
                prop_assert!(f64::from(budget.client_silent_ms) >= 520.0 + ramp_ms);
                prop_assert!(f64::from(budget.agent_dead_ms) >= f64::from(hold) + ramp_ms);
                prop_assert_eq!(budget.mcu_dead_ms, 50 + coast);
                prop_assert!(f64::from(budget.client_silent_ms) <= 530.0 + ramp_ms, "and no wider than it must be");
            }
            Err(_) => {
                let broken = 524.0 + ramp_ms > f64::from(promise) || f64::from(hold) + ramp_ms + 1.0 > f64::from(promise)
                    || 50 + coast > promise;
                prop_assert!(broken || !(60..=500).contains(&hold));
            }
        }
    }

    /// Each step says what the wheels shall do: within the hard limits, and often enough that the MCU's hold never fires
    /// while the gate is stepped.
    #[test]
    fn invariant_3_the_gate_always_emits(ops in history()) {
        let world = World::play(&ops);
        let wheel_mps_max = SIM.linear_mps_max + SIM.angular_radps_max * SIM.track_m / 2.0 + 1e-5;
        for (before, moment) in steps(&world) {
            prop_assert!(moment.ttl_ms >= 1 && u32::from(moment.ttl_ms) <= SIM.hold_ms);
            if let WheelGoal::Follow { left_mps, right_mps } = moment.goal {
                prop_assert!(left_mps.abs() <= wheel_mps_max && right_mps.abs() <= wheel_mps_max);
            }
            if moment.mcu == (State::Stopped, Reason::HoldOver) && before.mcu != moment.mcu {
                prop_assert!(matches!(moment.op, Op::Freeze { .. }), "{:?}", moment.op);
            }
        }
    }

    /// Stop and e-stop are never refused and take effect in their own step; motion needs a class above ai and the lease.
    #[test]
    fn invariant_4_anyone_near_may_stop_few_may_move(ops in history()) {
        let world = World::play(&ops);
        for moment in &world.moments {
            for (caller, request, answer) in &moment.answers {
                match request {
                    Request::Stop | Request::EStop { .. } => {
                        prop_assert!(answer.is_ok());
                        prop_assert!(!is_driving(moment));
                        prop_assert!(moment.shown.base_closed.is_some() && moment.shown.head_closed.is_some());
                        prop_assert!(moment.shown.leases[0].is_none() && moment.shown.leases[1].is_none());
                    }
                    Request::Velocity { .. } | Request::TeleopFrame { .. } | Request::Move { .. } if answer.is_ok() => {
                        prop_assert_ne!(caller.class, Class::Ai);
                        prop_assert_eq!(moment.shown.leases[0].map(|lease| lease.token), Some(caller.token));
                    }
                    _ => {}
                }
            }
            if is_driving(moment) {
                prop_assert!(moment.shown.leases[0].is_some() && moment.shown.base_closed.is_none());
            }
        }
    }

    /// The latch drives nothing, its epoch never goes back, and only a local person's reset that was answered takes it back.
    #[test]
    fn invariant_5_estop_is_a_durable_latch_with_an_epoch(ops in history()) {
        let world = World::play(&ops);
        for (before, moment) in steps(&world) {
            let (was, is) = (&before.shown.estop, &moment.shown.estop);
            prop_assert!(is.epoch >= was.epoch);
            prop_assert_eq!(is.epoch > was.epoch, is.latched && (!was.latched || is.epoch > was.epoch));
            if is.latched {
                prop_assert!(!is_driving(moment));
            }
            if was.latched && !is.latched {
                let is_reset = |(caller, request, answer): &(Caller, Request, _)| {
                    matches!((request, answer), (Request::Reset { .. }, Ok(Accepted::Done))) && caller.class == Class::Local
                };
                prop_assert!(moment.answers.iter().any(is_reset));
                prop_assert!(is.durable && moment.shown.base_closed.is_some() && moment.shown.head_closed.is_some());
            }
        }
    }

    /// Whenever the agent dies, the next one is latched if this one was and its record had reached the disk.
    #[test]
    fn invariant_5_the_latch_survives_a_restart(ops in history()) {
        let world = World::play(&ops);
        let shown = world.rig.snapshot().estop;
        let Some(record) = world.rig.disk else {
            return Ok(());
        };
        let latch = if record.latched {
            Loaded::Latched(record)
        } else {
            Loaded::Clear { serial: record.serial, epoch: record.epoch }
        };
        let mut next = Rig::start(SIM, latch, OpenLimbs::ALL);
        (next.mcu.state, next.mcu.reason) = (world.rig.mcu.state, world.rig.mcu.reason);
        next.run(400);
        let after = next.snapshot().estop;
        if shown.latched && (shown.durable || world.rig.mcu.state == State::EStop) {
            prop_assert!(after.latched);
        }
        prop_assert!(after.epoch >= record.epoch);
    }

    /// What was closed is opened only by the answered take of a person who named it.
    #[test]
    fn invariant_6_what_stopped_the_body_keeps_it_closed(ops in history()) {
        let world = World::play(&ops);
        for (before, moment) in steps(&world) {
            let closed = |moment: &Moment| [moment.shown.base_closed, moment.shown.head_closed];
            for (resource, (was, is)) in [Resource::Base, Resource::Head].into_iter().zip(closed(before).into_iter().zip(closed(moment))) {
                if was.is_none() || is.is_some() {
                    continue;
                }
                let opens = moment.answers.iter().any(|(caller, request, answer)| {
                    let names = matches!(request, Request::Take { resource: named, .. } if *named == resource);
                    names && caller.class.is_human() && matches!(answer, Ok(Accepted::Lease(_)))
                });
                prop_assert!(opens, "{resource:?} opened by {:?}", moment.op);
                // The base may follow its driver while the head is opened, if it was open before.
                let was_open = resource == Resource::Head && before.shown.base_closed.is_none();
                prop_assert!(was_open || !is_driving(moment));
            }
        }
    }

    /// Leases arbitrate: who loses one lost it to a higher class, to an equal one that said so, or to its own end.
    #[test]
    fn invariant_6_leases_arbitrate(ops in history()) {
        let world = World::play(&ops);
        for (before, moment) in steps(&world) {
            for (was, is) in before.shown.leases.iter().zip(&moment.shown.leases) {
                let (Some(was), Some(is)) = (was, is) else {
                    continue;
                };
                prop_assert!(is.id >= was.id && is.epoch >= was.epoch);
                if was.token == is.token {
                    continue;
                }
                let is_over = moment.at_ms - before.at_ms >= u64::try_from(was.expires_in.as_millis()).unwrap();
                let said = matches!(moment.op, Op::Take { over: true, .. });
                prop_assert!(is.class > was.class || (is.class == was.class && said) || is_over, "{was:?} {is:?}");
            }
        }
    }

    /// The gate arms only for a person's take, clears an e-stop only for a reset whose file is written, and gives neither
    /// order while the other side of it holds.
    #[test]
    fn invariant_7_the_mcu_is_armed_and_cleared_for_people_only(ops in history()) {
        let world = World::play(&ops);
        for moment in &world.moments {
            // An answer may have come in this very step.
            let asked = moment.waiting.iter().map(|(_, caller, request)| (caller, request));
            let asked: Vec<_> = asked.chain(moment.answers.iter().map(|(caller, request, _)| (caller, request))).collect();
            if moment.orders.contains(&Order::Arm) {
                let is_take = |(caller, request): &(&Caller, &Request)| {
                    matches!(request, Request::Take { .. }) && caller.class.is_human()
                };
                prop_assert!(asked.iter().any(is_take), "{:?}", moment.op);
                prop_assert!(!moment.shown.estop.latched);
            }
            if moment.orders.contains(&Order::ClearEStop) {
                let is_reset = |(caller, request): &(&Caller, &Request)| {
                    matches!(request, Request::Reset { .. }) && caller.class == Class::Local
                };
                prop_assert!(asked.iter().any(is_reset), "{:?}", moment.op);
            }
        }
    }

    /// Older senses never allow more; after 2 s only a person beside the robot may crawl.
    #[test]
    fn invariant_8_stale_senses_are_faults(young in 0..4000u16, older in 0..4000u16, which in 0..2usize, class in 0..4u32) {
        let limit = |age_ms: u16| {
            let now = BootTime::from_ms(60_000);
            let mut body = healthy_body(now);
            body.senses.as_mut().unwrap().1.ranges[which].age_ms = age_ms;
            let mut state = EnvelopeState::new(&SIM);
            state.update(&body, now);
            state.limits(player(class).class).speed
        };
        let (less, more) = (limit(young.max(older)), limit(young.min(older)));
        prop_assert!(less.forward_mps <= more.forward_mps && less.backward_mps <= more.backward_mps);
        prop_assert!(less.angular_radps <= more.angular_radps);
        if young.max(older) > 2000 {
            let crawl = if player(class).class == Class::Local { 0.1 } else { 0.0 };
            prop_assert_eq!(less.forward_mps, crawl);
        }
    }

    /// Over a network a command moves the body exactly when it echoes a stamp of this run that is young enough.
    #[test]
    fn invariant_9_remote_freshness_without_clocks(
        run in prop_oneof![4 => Just(RUN), 1 => any::<u64>()], ago_ms in -50..1500i64, max_age_ms in 100..1000u64, shown in any::<bool>(),
    ) {
        let mut rig = Rig::open();
        rig.run(2000);
        let mono_ms = rig.now_ms.checked_add_signed(-ago_ms).unwrap();
        let seen = shown.then_some(Seen { run, mono_ms });
        let freshness = Freshness { seen, max_age: Duration::from_millis(max_age_ms) };
        let from_afar = Caller { must_show_seen: true, ..remote(1) };
        let answer = rig.ask(from_afar, with_freshness(freshness));
        let is_fresh = shown && run == RUN && ago_ms >= 0 && ago_ms.unsigned_abs() <= max_age_ms;
        prop_assert_eq!(kind(&answer) == "ok", is_fresh, "{:?}", answer);
        prop_assert_eq!(rig.is_driving(), is_fresh);
    }

    /// Everything asked is answered once, and in bounded time.
    #[test]
    fn everything_is_answered(ops in history()) {
        let world = World::play(&ops);
        prop_assert!(world.moments.last().unwrap().waiting.is_empty());
    }
}

/// A write that is torn at any byte never loses an e-stop: the file says the old record, the new one, or counts as latched.
#[test]
fn invariant_5_a_torn_latch_file_is_latched() {
    let record = |serial, latched, epoch| LatchRecord {
        serial,
        latched,
        epoch,
        reason: label("why"),
        source: label("who"),
    };
    let (set, reset) = (record(7, true, 3), record(8, false, 3));
    for (older, newest, new) in [(set, reset, record(9, true, 4)), (record(6, false, 2), set, reset)] {
        let mut file = [0; FILE_LEN];
        let (first, second) = file.split_at_mut(SLOT_LEN);
        encode(&older, first.try_into().unwrap());
        encode(&newest, second.try_into().unwrap());
        let mut slot = [0; SLOT_LEN];
        encode(&new, &mut slot);
        let before = LatchFile::read(&file);
        assert_eq!(before.next_slot, 0, "the older record is overwritten");
        let said = |record: &LatchRecord| match record {
            LatchRecord { latched: true, .. } => Loaded::Latched(*record),
            LatchRecord { serial, epoch, .. } => Loaded::Clear { serial: *serial, epoch: *epoch },
        };
        let mut torn = 0;
        for written in 0..=SLOT_LEN {
            let mut file = file;
            file[..written].copy_from_slice(&slot[..written]);
            let loaded = LatchFile::read(&file).loaded;
            match loaded {
                Loaded::Unreadable { epoch, .. } => {
                    assert!(epoch > newest.epoch || epoch >= new.epoch);
                    torn += 1;
                }
                whole if file[..SLOT_LEN] == slot => assert_eq!(whole, said(&new)),
                whole => {
                    assert_eq!(whole, said(&newest));
                    assert!(written <= 8, "only before the first byte that differs");
                }
            }
        }
        assert!(torn > SLOT_LEN - 20, "{torn}");
        for len in 0..FILE_LEN {
            assert!(
                matches!(LatchFile::read(&file[..len]).loaded, Loaded::Unreadable { .. }),
                "cut off at {len}"
            );
        }
    }
}

/// Whatever one byte of it becomes, a latched file never reads as clear.
#[test]
fn invariant_5_a_damaged_latch_file_is_latched() {
    let mut file = [0; FILE_LEN];
    let record =
        LatchRecord { serial: 2, latched: true, epoch: 1, reason: label("why"), source: label("who") };
    let (first, second) = file.split_at_mut(SLOT_LEN);
    encode(&LatchRecord { serial: 1, latched: false, epoch: 0, ..record }, first.try_into().unwrap());
    encode(&record, second.try_into().unwrap());
    for at in 0..FILE_LEN {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = file;
            damaged[at] ^= flip;
            assert!(!matches!(LatchFile::read(&damaged).loaded, Loaded::Clear { .. }), "byte {at}");
        }
    }
}

#[test]
fn invariant_5_a_wiped_latch_file_is_latched() {
    // Whether all of it was wiped or the page that said latched: zeros never read as clear.
    let mut file = [0; FILE_LEN];
    assert_eq!(LatchFile::read(&file).loaded, Loaded::Unreadable { serial: 0, epoch: 1 });
    first_file(&mut file);
    for slot in 0..2 {
        let mut wiped = file;
        wiped[slot * SLOT_LEN..][..SLOT_LEN].fill(0);
        assert!(matches!(LatchFile::read(&wiped).loaded, Loaded::Unreadable { .. }), "slot {slot}");
    }
}

#[test]
fn records_go_into_the_slot_that_the_newest_is_not_in() {
    let mut file = [0; FILE_LEN];
    first_file(&mut file);
    assert_eq!(LatchFile::read(&file).loaded, Loaded::Clear { serial: 2, epoch: 0 });
    for (serial, expected_slot) in (3..).zip([0, 1, 0, 1]) {
        let read = LatchFile::read(&file);
        assert_eq!(read.next_slot, expected_slot);
        let record = LatchRecord {
            serial,
            latched: true,
            epoch: 1,
            reason: label("é".repeat(60).as_str()),
            source: label(""),
        };
        let slot = &mut file[expected_slot * SLOT_LEN..][..SLOT_LEN];
        encode(&record, slot.try_into().unwrap());
        assert_eq!(LatchFile::read(&file).loaded, Loaded::Latched(record));
    }
}

#[test]
fn a_bystanders_estop_beats_every_order_of_events() {
    // Between any two ticks of a drive: the command that races it loses, whichever comes first.
    for ticks in 0..20 {
        let mut rig = Rig::open();
        rig.take(local(1), Resource::Base);
        for _ in 0..ticks {
            assert_eq!(kind(&rig.ask(local(1), super::rig::forward())), "ok");
            rig.tick();
        }
        assert_eq!(kind(&rig.ask(remote(2), press())), "ok");
        let answer = rig.ask(local(1), super::rig::forward());
        assert!(matches!(answer, Some(Err(Refusal::EStopLatched { epoch: 1 }))));
        assert!(!rig.is_driving());
    }
}
