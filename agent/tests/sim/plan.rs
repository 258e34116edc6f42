//! What goes wrong in one seed, and when: drawn before it starts.

use agent_core::caller::Class;
use firmware_bridge_link::message::ResetReason;
use firmware_bridge_sim::{Button, Fault, RangeSide, Wheel};

use crate::chance::Chance;
use crate::line::Spoil;
use crate::setup::{START_US, Setup};

/// Which direction of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToMcu,
    ToHost,
}

/// Something that happens from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// Bytes suffer, from now on.
    Spoil(Way, Spoil),
    /// Nothing arrives for a while, then everything at once. `blocks`: the sender's queue is full meanwhile.
    Stall { way: Way, for_us: u64, blocks: bool },
    /// The cable is pulled, and plugged in again.
    Cut { for_us: u64 },
    /// Something in the body.
    Body(Fault),
    /// SIGKILL or power cut; restarted after a while, or not before everything heals.
    Kill { restart_us: Option<u64> },
    /// Ended in order, and started again.
    EndInOrder { restart_us: u64 },
    /// SIGSTOP. `whole`: the edge stood still too, so that requests were read only afterwards.
    Freeze { for_us: u64, whole: bool },
    /// The disk of the latch file.
    Disk { fail_percent: u64, slow_us: u64 },
    /// A bystander.
    Stop,
    /// A bystander with a reason.
    EStop,
    /// Somebody resets, with the epoch shown now or an older one.
    Reset { class: Class, behind: u32 },
    /// A driver's token dies.
    Revoke { client: usize },
    /// The network holds everything of a driver back, then hands it over at once.
    HoldBack { client: usize, for_us: u64 },
    /// Nobody drives any more and nothing is wrong any more.
    Heal,
}

/// Drivers a seed has.
pub(crate) const CLIENTS: usize = 5;

/// Everything that happens, in order.
pub(crate) fn draw(setup: &Setup, chance: &mut Chance) -> Vec<(u64, Event)> {
    let mut plan = vec![(setup.heals_us, Event::Heal)];
    for _ in 0..setup.faults {
        let at_us = chance.between(START_US + 700_000, setup.heals_us - 300_000);
        fault(at_us, chance, &mut plan);
    }
    for _ in 0..chance.between(0, 5) {
        let at_us = chance.between(START_US + 300_000, setup.heals_us);
        people(at_us, chance, &mut plan);
    }
    plan.retain(|(at_us, _)| *at_us <= setup.heals_us);
    plan.sort_by_key(|(at_us, _)| *at_us);
    plan
}

fn people(at_us: u64, chance: &mut Chance, plan: &mut Vec<(u64, Event)>) {
    let client = chance.between(0, CLIENTS as u64 - 1) as usize;
    match chance.between(0, 9) {
        0..4 => plan.push((at_us, Event::Stop)),
        4..8 => estop(at_us, chance, plan),
        8 => plan.push((at_us, Event::Revoke { client })),
        _ => plan.push((at_us, Event::HoldBack { client, for_us: chance.ms(200, 3_000) })),
    }
}

/// An e-stop, mostly a reset, and sometimes another e-stop that races it.
fn estop(at_us: u64, chance: &mut Chance, plan: &mut Vec<(u64, Event)>) {
    plan.push((at_us, Event::EStop));
    let mut reset_us = at_us + chance.ms(20, 900);
    for _ in 0..chance.between(1, 3) {
        let class = if chance.percent(85) { Class::Local } else { Class::Remote };
        let behind = u32::from(chance.percent(10));
        plan.push((reset_us, Event::Reset { class, behind }));
        if chance.percent(25) {
            plan.push((reset_us + chance.between(0, 60_000), Event::EStop));
        }
        if chance.percent(10) {
            let restart_us = Some(chance.ms(30, 400));
            plan.push((reset_us + chance.between(0, 60_000), Event::Kill { restart_us }));
        }
        reset_us += chance.ms(100, 600);
    }
}

fn fault(at_us: u64, chance: &mut Chance, plan: &mut Vec<(u64, Event)>) {
    let way = chance.pick(&[Way::ToMcu, Way::ToHost]);
    match chance.between(0, 15) {
        0 | 1 => {
            plan.push((at_us, Event::Spoil(way, spoil(chance))));
            plan.push((at_us + chance.ms(50, 2_000), Event::Spoil(way, Spoil::default())));
        }
        2 | 3 => {
            let for_us = if chance.percent(50) { chance.ms(20, 250) } else { chance.ms(250, 2_000) };
            let blocks = way == Way::ToMcu && chance.percent(50);
            plan.push((at_us, Event::Stall { way, for_us, blocks }));
            if chance.percent(50) {
                let way = if way == Way::ToMcu { Way::ToHost } else { Way::ToMcu };
                plan.push((at_us, Event::Stall { way, for_us, blocks: false }));
            }
        }
        4 => plan.push((at_us, Event::Cut { for_us: chance.ms(5, 900) })),
        5 => plan.push((at_us, Event::Body(Fault::Reset(reset_reason(chance))))),
        6 => plan.push((at_us, Event::Body(Fault::Silence { for_ms: chance.between(20, 1_500) as u32 }))),
        7 => plan.push((at_us, Event::Body(Fault::Garbage { bytes: chance.between(1, 3_000) as u32 }))),
        8 => plan.push((at_us, Event::Body(broken_part(chance)))),
        9 => {
            plan.push((at_us, Event::Body(Fault::EStop(Button::Pressed))));
            plan.push((at_us + chance.ms(30, 700), Event::Body(Fault::EStop(Button::Released))));
            plan.push((at_us + chance.ms(50, 1_500), Event::Reset { class: Class::Local, behind: 0 }));
        }
        10 => plan.push((at_us, Event::Kill { restart_us: None })),
        11 => plan.push((at_us, Event::Kill { restart_us: Some(chance.ms(30, 900)) })),
        12 => plan.push((at_us, Event::EndInOrder { restart_us: chance.ms(30, 400) })),
        13 | 14 => {
            // About as long as a hold, or longer than everything.
            let for_us = if chance.percent(40) { chance.ms(50, 220) } else { chance.ms(150, 3_000) };
            plan.push((at_us, Event::Freeze { for_us, whole: chance.percent(60) }));
        }
        _ => {
            let (fail_percent, slow_us) = (chance.pick(&[0, 40, 100]), chance.ms(30, 1_500));
            plan.push((at_us, Event::Disk { fail_percent, slow_us }));
            plan.push((at_us + chance.ms(0, 500), Event::EStop));
            plan.push((at_us + chance.ms(100, 1_000), Event::Reset { class: Class::Local, behind: 0 }));
            if chance.percent(50) {
                plan.push((
                    at_us + chance.ms(50, 1_500),
                    Event::Kill { restart_us: Some(chance.ms(30, 200)) },
                ));
            }
        }
    }
}

fn spoil(chance: &mut Chance) -> Spoil {
    let rate_ppm = chance.pick(&[100, 1_000, 10_000, 100_000]);
    let mut spoil = Spoil::default();
    match chance.between(0, 5) {
        0 => spoil.flip_ppm = rate_ppm,
        1 => spoil.drop_ppm = rate_ppm,
        2 => spoil.double_ppm = rate_ppm,
        3 => spoil.double_chunk_percent = chance.pick(&[10, 50, 100]),
        4 => spoil.swap_percent = chance.pick(&[5, 30, 80]),
        _ => (spoil.flip_ppm, spoil.drop_ppm, spoil.swap_percent) = (rate_ppm / 2, rate_ppm / 2, 10),
    }
    spoil
}

fn reset_reason(chance: &mut Chance) -> ResetReason {
    chance.pick(&[
        ResetReason::PowerOn,
        ResetReason::BrownOut,
        ResetReason::Watchdog,
        ResetReason::Watchdog,
        ResetReason::Software,
        ResetReason::External,
    ])
}

fn broken_part(chance: &mut Chance) -> Fault {
    chance.pick(&[
        Fault::EncoderStuck(Wheel::Left),
        Fault::EncoderStuck(Wheel::Right),
        Fault::RangeDead(RangeSide::Front),
        Fault::RangeDead(RangeSide::Rear),
        Fault::Battery { mv: 9_300 },
        Fault::Battery { mv: 10_000 },
    ])
}
