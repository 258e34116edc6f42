//! Random histories of a robot: what people, scripts, the MCU and the disk do, and what the gate made of each step.

use std::time::Duration;

use firmware_bridge_link::message::{Reason, State, WheelGoal};
use proptest::prelude::*;

use super::rig::{NO_STAMP, RUN, Rig, caller, press, stamp, twist};
use crate::caller::{Caller, Class, TokenId};
use crate::gate::Order;
use crate::request::{
    Accepted, Answer, Freshness, LeaseId, LeaseView, Request, Seen, SocketId, Ticket, Travel,
};
use crate::resource::Resource;
use crate::snapshot::{Closed, EStopView};

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Run {
        ticks: u64,
    },
    Freeze {
        ms: u64,
    },
    Velocity {
        who: u32,
        linear_mps: f32,
        angular_radps: f32,
        ttl_ms: u64,
        named: bool,
        waited_ms: u64,
        seen_ms: Option<u64>,
    },
    Move {
        who: u32,
        distance_m: f32,
    },
    Turn {
        who: u32,
        angle_rad: f32,
    },
    Head {
        who: u32,
        pan_rad: f32,
    },
    Open {
        who: u32,
    },
    Close {
        who: u32,
    },
    Frame {
        who: u32,
        linear_mps: f32,
        seen_ms: u64,
    },
    Take {
        who: u32,
        resource: Resource,
        over: bool,
    },
    Renew {
        who: u32,
    },
    Release {
        who: u32,
    },
    Stop {
        who: u32,
    },
    EStop {
        who: u32,
    },
    Reset {
        who: u32,
        behind: u32,
    },
    Revoke {
        who: u32,
    },
    McuAlive(bool),
    McuObeys(bool),
    McuResets,
    McuFails,
    McuButton,
    DiskWorks(bool),
    Range {
        mm: u16,
        age_ms: u16,
    },
}

/// What was there after one step of the gate.
pub(super) struct Moment {
    pub(super) op: Op,
    pub(super) at_ms: u64,
    pub(super) goal: WheelGoal,
    pub(super) ttl_ms: u16,
    pub(super) shown: Shown,
    /// End of the newest accepted motion, by its own answer.
    pub(super) accepted_until_ms: u64,
    pub(super) answers: Vec<(Caller, Request, Answer)>,
    pub(super) orders: Vec<Order>,
    /// Takes and resets whose answers are still to come.
    pub(super) waiting: Vec<(Ticket, Caller, Request)>,
    pub(super) mcu: (State, Reason),
}

/// What the gate shows, as far as the invariants speak of it.
pub(super) struct Shown {
    pub(super) base_closed: Option<Closed>,
    pub(super) head_closed: Option<Closed>,
    pub(super) leases: [Option<LeaseView>; 4],
    pub(super) estop: EStopView,
}

pub(super) struct World {
    pub(super) rig: Rig,
    pub(super) moments: Vec<Moment>,
    waiting: Vec<(Ticket, Caller, Request)>,
    seq: u64,
    accepted_until_ms: u64,
    seen_orders: usize,
}

/// Two people beside the robot, one elsewhere, a script, a model.
pub(super) fn player(who: u32) -> Caller {
    const CLASSES: [Class; 5] = [Class::Local, Class::Local, Class::Remote, Class::Autonomy, Class::Ai];
    caller(who, CLASSES[who as usize])
}

impl World {
    pub(super) fn play(ops: &[Op]) -> Self {
        let mut world = Self {
            rig: Rig::open(),
            moments: Vec::new(),
            waiting: Vec::new(),
            seq: 0,
            accepted_until_ms: 0,
            seen_orders: 0,
        };
        world.seen_orders = world.rig.orders.len();
        for op in ops {
            world.apply(*op);
        }
        // Whatever waits for MCU or disk has its answer by then.
        world.apply(Op::Run { ticks: 130 });
        world
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Run { ticks } => {
                for _ in 0..ticks {
                    self.rig.tick();
                    self.note(op);
                }
                return;
            }
            Op::Freeze { ms } => {
                self.rig.freeze(ms);
                self.rig.step_body();
            }
            Op::McuAlive(alive) => self.rig.mcu.alive = alive,
            Op::McuObeys(obeys) => self.rig.mcu.obeys = obeys,
            Op::McuResets => self.rig.mcu.reset(),
            Op::McuFails => (self.rig.mcu.state, self.rig.mcu.reason) = (State::Fault, Reason::EncoderStuck),
            Op::McuButton => (self.rig.mcu.state, self.rig.mcu.reason) = (State::EStop, Reason::ButtonEStop),
            Op::DiskWorks(works) => self.rig.disk_works = works,
            Op::Range { mm, age_ms } => (self.rig.mcu.range_mm, self.rig.mcu.range_age_ms) = (mm, age_ms),
            _ => {
                let Some((who, request, waited_ms)) = self.request(op) else {
                    return;
                };
                self.rig.ask_received_at(player(who), request, self.rig.now_ms - waited_ms);
                self.waiting.push((self.rig.newest_ticket(), player(who), request));
            }
        }
        self.note(op);
    }

    fn request(&mut self, op: Op) -> Option<(u32, Request, u64)> {
        let now_ms = self.rig.now_ms;
        self.seq += 1;
        let own = |world: &Self, who: u32| {
            let held =
                world.rig.snapshot().leases.into_iter().flatten().find(|lease| lease.token == TokenId(who));
            held.map_or(LeaseId(1), |lease| lease.id)
        };
        let blind = |travel| Request::Move { travel, lease: None, freshness: NO_STAMP };
        Some(match op {
            Op::Velocity { who, linear_mps, angular_radps, ttl_ms, named, waited_ms, seen_ms } => {
                let freshness = seen_ms.map_or(NO_STAMP, |ago| stamp(now_ms.saturating_sub(ago)));
                let lease = named.then(|| own(self, who));
                let twist = twist(linear_mps, angular_radps, ttl_ms);
                (who, Request::Velocity { twist, lease, seq: Some(self.seq), freshness }, waited_ms)
            }
            Op::Move { who, distance_m } => (who, blind(Travel::Distance { distance_m, speed_mps: None }), 0),
            Op::Turn { who, angle_rad } => (who, blind(Travel::Turn { angle_rad, speed_radps: None }), 0),
            Op::Head { who, pan_rad } => (who, super::rig::look(pan_rad), 0),
            Op::Open { who } => (who, Request::TeleopOpen(SocketId(u64::from(who))), 0),
            Op::Close { who } => (who, Request::TeleopClose(SocketId(u64::from(who))), 0),
            Op::Frame { who, linear_mps, seen_ms } => (
                who,
                super::rig::frame(u64::from(who), self.seq, linear_mps, now_ms.saturating_sub(seen_ms)),
                0,
            ),
            Op::Take { who, resource, over } => {
                let seen = Some(Seen { run: RUN, mono_ms: now_ms });
                (who, Request::Take { resource, ttl: Duration::from_millis(1500), take_over: over, seen }, 0)
            }
            Op::Renew { who } => (who, Request::Renew { lease: own(self, who), ttl: None }, 0),
            Op::Release { who } => (who, Request::Release(own(self, who)), 0),
            Op::EStop { who } => (who, press(), 0),
            Op::Reset { who, behind } => {
                (who, Request::Reset { epoch: self.rig.snapshot().estop.epoch.saturating_sub(behind) }, 0)
            }
            Op::Revoke { who } => (who, Request::Revoke(TokenId(who)), 0),
            Op::Stop { who } => (who, Request::Stop, 0),
            _ => return None,
        })
    }

    fn note(&mut self, op: Op) {
        let mut answers = Vec::new();
        let rig = &self.rig;
        self.waiting.retain(|(ticket, caller, request)| match rig.answer_to(*ticket) {
            Some(answer) => {
                answers.push((*caller, *request, answer));
                false
            }
            None => true,
        });
        for (_, _, answer) in &answers {
            let length = match answer {
                Ok(Accepted::Driving { expires_in, .. }) => *expires_in,
                Ok(Accepted::Moving { deadline, .. }) => *deadline,
                // A refused one leaves the newest accepted alone.
                _ => continue,
            };
            self.accepted_until_ms = self.rig.now_ms + u64::try_from(length.as_millis()).unwrap();
        }
        let snapshot = self.rig.snapshot();
        self.moments.push(Moment {
            op,
            at_ms: self.rig.now_ms,
            goal: self.rig.out.goal,
            ttl_ms: self.rig.out.ttl_ms,
            shown: Shown {
                base_closed: snapshot.base_closed,
                head_closed: snapshot.head_closed,
                leases: snapshot.leases,
                estop: snapshot.estop,
            },
            accepted_until_ms: self.accepted_until_ms,
            answers,
            orders: self.rig.orders[self.seen_orders..].to_vec(),
            waiting: self.waiting.clone(),
            mcu: (self.rig.mcu.state, self.rig.mcu.reason),
        });
        self.seen_orders = self.rig.orders.len();
    }
}

fn resource() -> impl Strategy<Value = Resource> {
    prop_oneof![4 => Just(Resource::Base), 2 => Just(Resource::Head), 1 => Just(Resource::Lights)]
}

fn driving_op(who: u32) -> impl Strategy<Value = Op> {
    let velocity = (
        -0.7..0.7f32,
        -2.2..2.2f32,
        0..700u64,
        any::<bool>(),
        0..300u64,
        proptest::option::weighted(0.2, 0..600u64),
    );
    prop_oneof![
        6 => velocity.prop_map(move |(linear_mps, angular_radps, ttl_ms, named, waited_ms, seen_ms)| {
            Op::Velocity { who, linear_mps, angular_radps, ttl_ms, named, waited_ms, seen_ms }
        }),
        2 => (-1.0..1.0f32).prop_map(move |distance_m| Op::Move { who, distance_m }),
        1 => (-1.0..1.0f32).prop_map(move |angle_rad| Op::Turn { who, angle_rad }),
        1 => (-1.6..1.6f32).prop_map(move |pan_rad| Op::Head { who, pan_rad }),
        2 => Just(Op::Open { who }),
        1 => Just(Op::Close { who }),
        2 => (0..400u64).prop_map(move |seen_ms| Op::Frame { who, linear_mps: 0.0, seen_ms }),
        4 => (-0.6..0.6f32, 0..400u64).prop_map(move |(linear_mps, seen_ms)| Op::Frame { who, linear_mps, seen_ms }),
        4 => (resource(), any::<bool>()).prop_map(move |(resource, over)| Op::Take { who, resource, over }),
        1 => Just(Op::Renew { who }),
        1 => Just(Op::Release { who }),
        1 => Just(Op::Stop { who }),
        1 => Just(Op::EStop { who }),
        2 => (0..2u32).prop_map(move |behind| Op::Reset { who, behind }),
        1 => Just(Op::Revoke { who }),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => (0..5u32).prop_flat_map(driving_op),
        6 => (1..15u64).prop_map(|ticks| Op::Run { ticks }),
        1 => (1..30u64).prop_map(|ticks| Op::Freeze { ms: ticks * 20 }),
        1 => Just(Op::McuAlive(false)),
        2 => Just(Op::McuAlive(true)),
        1 => Just(Op::McuObeys(false)),
        2 => Just(Op::McuObeys(true)),
        1 => Just(Op::McuResets),
        1 => Just(Op::McuFails),
        1 => Just(Op::McuButton),
        1 => any::<bool>().prop_map(Op::DiskWorks),
        1 => (0..3000u16, 0..3000u16).prop_map(|(mm, age_ms)| Op::Range { mm, age_ms }),
    ]
}

pub(super) fn history() -> impl Strategy<Value = Vec<Op>> {
    proptest::collection::vec(op(), 1..80)
}

/// What a request must carry to be judged fresh or not.
pub(super) fn with_freshness(freshness: Freshness) -> Request {
    Request::Velocity { twist: twist(0.2, 0.0, 250), lease: None, seq: None, freshness }
}
