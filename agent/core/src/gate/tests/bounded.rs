//! Invariant 10: the AI is bounded. A model asks whatever it likes in whatever turn, people come, go, drive and stop; what
//! the body then does is measured at its wheels and judged by books that never look into the gate's ledger.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use firmware_bridge_link::message::WheelGoal;
use proptest::prelude::*;

use super::rig::{NO_STAMP, RUN, Rig, local, press, remote, twist};
use crate::caller::{Caller, Class, TokenId, TurnId};
use crate::gate::Order;
use crate::request::{Accepted, Answer, LeaseId, Request, Resource, Seen, SocketId, TaskId, Travel};
use crate::testing::SIM;

/// More than the ledger keeps.
const TURNS: u64 = 24;

/// A process that stands still leaves the wheels to what the MCU was told last: 100 ms of hold and one tick at 0.2 m/s and
/// 1 rad/s. It ends the turn, so that comes once. Without it nothing is overshot here: these wheels follow at once.
const COAST_M: f64 = 0.2 * 0.12 + 1e-3;
const COAST_RAD: f64 = 1.0 * 0.12 + 1e-3;

/// One thing that happens. `turn` is also whose: turn n is of person n % 2.
#[derive(Clone, Copy, Debug)]
enum Op {
    Run { ticks: u64 },
    Freeze { ms: u64 },
    Begin { turn: u64 },
    Typed { who: u32 },
    Present { who: u32, ttl_ms: u64 },
    Hostile { turn: u64, stranger: bool, ask: Ask },
    Person { who: u32, ask: Ask },
    Reset,
    Revoke { who: u32 },
}

/// What can be asked by anybody; a model tries all of it.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Take { resource: Resource, over: bool },
    Renew { which: usize },
    Release { which: usize },
    Move { distance_m: f32, speed_mps: Option<f32> },
    Turn { angle_rad: f32, speed_radps: Option<f32> },
    Head { pan_rad: f32 },
    Velocity,
    Teleop,
    Typed,
    Begin { turn: u64 },
    Cancel { back: u64 },
    Reset,
    Stop,
    EStop,
}

#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    distance_m: f64,
    angle_rad: f64,
    ms: u64,
    looks: u64,
    asked_m: f64,
    asked_rad: f64,
}

/// What was answered, and what the wheels did.
struct Books {
    rig: Rig,
    /// The turn of the newest accepted motion, while it is in force.
    mover: Option<u64>,
    turns: HashMap<u64, Measured>,
    typed_until_ms: HashMap<u32, u64>,
    taken: HashSet<(u64, Resource)>,
    tasks: u64,
    seen_orders: usize,
}

fn person(who: u32) -> Caller {
    if who == 0 { local(0) } else { remote(who) }
}

impl Books {
    fn new() -> Self {
        Self {
            rig: Rig::open(),
            mover: None,
            turns: HashMap::new(),
            typed_until_ms: HashMap::new(),
            taken: HashSet::new(),
            tasks: 0,
            seen_orders: 0,
        }
    }

    /// By what was typed, and by the lease that everybody sees.
    fn present_until_ms(&self) -> u64 {
        let leased = self.rig.snapshot().leases[3].map(|lease| {
            assert!(lease.class.is_human());
            self.rig.now_ms + u64::try_from(lease.expires_in.as_millis()).unwrap()
        });
        self.typed_until_ms.values().copied().chain(leased).max().unwrap_or(0)
    }

    fn request(&mut self, ask: Ask) -> Request {
        let leases = self.rig.snapshot().leases;
        let lease = |which: usize| leases[which % 4].map_or(LeaseId(1), |lease| lease.id);
        let seen = Some(Seen { run: RUN, mono_ms: self.rig.now_ms });
        let blind =
            |travel| Request::Move { travel, lease: None, freshness: super::rig::stamp(self.rig.now_ms) };
        match ask {
            Ask::Take { resource, over } => {
                Request::Take { resource, ttl: Duration::from_secs(20), take_over: over, seen }
            }
            Ask::Renew { which } => {
                Request::Renew { lease: lease(which), ttl: Some(Duration::from_secs(30)) }
            }
            Ask::Release { which } => Request::Release(lease(which)),
            Ask::Move { distance_m, speed_mps } => blind(Travel::Distance { distance_m, speed_mps }),
            Ask::Turn { angle_rad, speed_radps } => blind(Travel::Turn { angle_rad, speed_radps }),
            Ask::Head { pan_rad } => super::rig::look(pan_rad),
            Ask::Velocity => {
                Request::Velocity { twist: twist(0.5, 1.0, 500), lease: None, seq: None, freshness: NO_STAMP }
            }
            Ask::Teleop => Request::TeleopOpen(SocketId(self.rig.now_ms)),
            Ask::Typed => Request::Present,
            Ask::Begin { turn } => Request::Begin(TurnId(turn)),
            Ask::Cancel { back } => Request::CancelTask(TaskId(self.tasks.saturating_sub(back))),
            Ask::Reset => Request::Reset { epoch: self.rig.snapshot().estop.epoch },
            Ask::Stop => Request::Stop,
            Ask::EStop => press(),
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Run { ticks } => {
                for _ in 0..ticks {
                    self.pass(|rig| rig.tick());
                    self.judge(None)?;
                }
                return Ok(());
            }
            Op::Freeze { ms } => {
                self.pass(|rig| {
                    rig.freeze(ms);
                    rig.step_body();
                });
                return self.judge(None);
            }
            Op::Begin { turn } => {
                let who = (turn % 2) as u32;
                self.ask(person(who), Request::Begin(TurnId(turn)))?;
            }
            Op::Typed { who } => self.ask(person(who), Request::Present)?,
            Op::Present { who, ttl_ms } => {
                let ttl = Duration::from_millis(ttl_ms);
                let seen = Some(Seen { run: RUN, mono_ms: self.rig.now_ms });
                self.ask(
                    person(who),
                    Request::Take { resource: Resource::Presence, ttl, take_over: true, seen },
                )?;
            }
            Op::Hostile { turn, stranger, ask } => {
                let who = (turn + u64::from(stranger)) % 2;
                let request = self.request(ask);
                self.ask(person(who as u32).in_turn(TurnId(turn)), request)?;
            }
            Op::Person { who, ask } => {
                let request = self.request(ask);
                self.ask(person(who), request)?;
            }
            Op::Reset => {
                let request = self.request(Ask::Reset);
                self.ask(person(0), request)?;
            }
            Op::Revoke { who } => self.ask(person(9), Request::Revoke(TokenId(who)))?,
        }
        Ok(())
    }

    fn ask(&mut self, caller: Caller, request: Request) -> Result<(), TestCaseError> {
        let was_closed = self.closed();
        let answer = self.rig.ask(caller, request);
        match (request, answer, caller.turn) {
            (Request::Move { travel, .. }, Some(Ok(_)), turn) => {
                self.tasks += 1;
                self.mover = turn.map(|turn| turn.0);
                if let Some(turn) = turn {
                    let book = self.turns.entry(turn.0).or_default();
                    match travel {
                        Travel::Distance { distance_m, .. } => book.asked_m += f64::from(distance_m.abs()),
                        Travel::Turn { angle_rad, .. } => book.asked_rad += f64::from(angle_rad.abs()),
                    }
                }
            }
            (Request::Velocity { .. } | Request::TeleopFrame { .. }, Some(Ok(_)), turn) => {
                prop_assert_eq!(turn, None);
                self.mover = None;
            }
            (Request::Head { .. }, Some(Ok(_)), Some(turn)) => {
                prop_assert!(self.rig.now_ms < self.present_until_ms());
                self.turns.entry(turn.0).or_default().looks += 1;
            }
            (Request::Take { resource, .. }, Some(Ok(Accepted::Lease(_))), Some(turn)) => {
                prop_assert_ne!(resource, Resource::Presence);
                let is_first = self.taken.insert((turn.0, resource));
                prop_assert!(is_first || resource == Resource::Lights, "a second lease of {resource:?}");
                prop_assert_eq!(self.closed(), was_closed);
            }
            (Request::Take { .. }, None, turn) => prop_assert_eq!(turn, None, "a model opens"),
            (Request::Present, Some(Ok(_)), turn) => {
                prop_assert_eq!(turn, None);
                self.typed_until_ms.insert(caller.token.0, self.rig.now_ms + 30_000);
            }
            (Request::Revoke(token), _, _) => {
                self.typed_until_ms.remove(&token.0);
            }
            _ => {}
        }
        if !matches!(self.rig.out.goal, WheelGoal::Follow { .. }) {
            self.mover = None;
        }
        self.judge(Some((caller, request, answer)))
    }

    fn closed(&self) -> [bool; 2] {
        let snapshot = self.rig.snapshot();
        [snapshot.base_closed.is_some(), snapshot.head_closed.is_some()]
    }

    /// Lets time pass, and books what the body did in it to the turn that moved it.
    fn pass(&mut self, go: impl FnOnce(&mut Rig)) {
        let (before_ms, before_um) = (self.rig.now_ms, self.rig.mcu.travelled_um);
        let ttl_ms = u64::from(self.rig.out.ttl_ms);
        go(&mut self.rig);
        let after_um = self.rig.mcu.travelled_um;
        let (left_um, right_um) = (after_um.0 - before_um.0, after_um.1 - before_um.1);
        if let Some(turn) = self.mover {
            let book = self.turns.entry(turn).or_default();
            book.distance_m += f64::midpoint(left_um as f64, right_um as f64).abs() / 1e6;
            book.angle_rad += (right_um - left_um).abs() as f64 / 1e6 / f64::from(SIM.track_m);
            book.ms += (self.rig.now_ms - before_ms).min(ttl_ms);
        }
        if !matches!(self.rig.out.goal, WheelGoal::Follow { .. }) {
            self.mover = None;
        }
    }

    /// What must hold after every step.
    fn judge(&mut self, asked: Option<(Caller, Request, Option<Answer>)>) -> Result<(), TestCaseError> {
        let orders = self.rig.orders[self.seen_orders..].to_vec();
        self.seen_orders = self.rig.orders.len();
        if let (WheelGoal::Follow { left_mps, right_mps }, Some(turn)) = (self.rig.out.goal, self.mover) {
            prop_assert!(f32::midpoint(left_mps, right_mps).abs() <= 0.2 + 1e-6, "{left_mps} {right_mps}");
            prop_assert!(((right_mps - left_mps) / SIM.track_m).abs() <= 1.0 + 1e-5);
            let goal_ends_ms = self.rig.now_ms + u64::from(self.rig.out.ttl_ms);
            prop_assert!(goal_ends_ms <= self.present_until_ms(), "nobody is present for {turn}: {asked:?}");
            let lease = self.rig.snapshot().leases[0];
            prop_assert_eq!(lease.map(|lease| lease.class), Some(Class::Ai));
        }
        if let Some((caller, request, answer)) = asked
            && caller.turn.is_some()
        {
            let is_look = matches!((request, answer), (Request::Head { .. }, Some(Ok(_))));
            let moves = |order: &Order| match order {
                Order::Head { .. } => !is_look,
                Order::Arm | Order::ClearEStop => true,
                _ => false,
            };
            prop_assert!(!orders.iter().any(moves), "{request:?} -> {orders:?}");
        }
        for (turn, book) in &self.turns {
            prop_assert!(book.asked_m <= 2.0 + 1e-3 && book.asked_rad <= std::f64::consts::TAU + 1e-3);
            prop_assert!(book.distance_m <= 2.0 + COAST_M, "{turn}: {book:?}");
            prop_assert!(book.angle_rad <= std::f64::consts::TAU + COAST_RAD, "{turn}: {book:?}");
            prop_assert!(book.ms + book.looks * 1000 <= 20_000, "{turn}: {book:?}");
        }
        Ok(())
    }
}

fn resource() -> impl Strategy<Value = Resource> {
    prop_oneof![
        4 => Just(Resource::Base),
        2 => Just(Resource::Head),
        1 => Just(Resource::Lights),
        1 => Just(Resource::Presence),
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    let distance = (-2.2..2.2f32, proptest::option::of(0.0..0.7f32));
    let crumbs = (-0.02..0.02f32, proptest::option::of(0.0..0.7f32));
    let angle = (-7.0..7.0f32, proptest::option::of(0.0..2.2f32));
    let travelled = |(distance_m, speed_mps)| Ask::Move { distance_m, speed_mps };
    prop_oneof![
        8 => (resource(), any::<bool>()).prop_map(|(resource, over)| Ask::Take { resource, over }),
        4 => (0..4usize).prop_map(|which| Ask::Renew { which }),
        1 => (0..4usize).prop_map(|which| Ask::Release { which }),
        10 => distance.prop_map(travelled),
        4 => crumbs.prop_map(travelled),
        8 => angle.prop_map(|(angle_rad, speed_radps)| Ask::Turn { angle_rad, speed_radps }),
        3 => (-1.5..1.5f32).prop_map(|pan_rad| Ask::Head { pan_rad }),
        1 => Just(Ask::Velocity),
        1 => Just(Ask::Teleop),
        1 => Just(Ask::Typed),
        1 => (0..TURNS).prop_map(|turn| Ask::Begin { turn }),
        1 => (0..4u64).prop_map(|back| Ask::Cancel { back }),
        1 => Just(Ask::Reset),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let ending = prop_oneof![Just(Ask::Stop), Just(Ask::EStop)];
    prop_oneof![
        20 => (1..120u64).prop_map(|ticks| Op::Run { ticks }),
        1 => (6..30u64).prop_map(|ticks| Op::Freeze { ms: ticks * 20 }),
        6 => (0..TURNS).prop_map(|turn| Op::Begin { turn }),
        1 => (0..2u32).prop_map(|who| Op::Typed { who }),
        2 => (0..2u32, 500..9000u64).prop_map(|(who, ttl_ms)| Op::Present { who, ttl_ms }),
        2 => (ask(), 0..2u32).prop_map(|(ask, who)| Op::Person { who, ask }),
        1 => (ending.clone(), 0..2u32).prop_map(|(ask, who)| Op::Person { who, ask }),
        40 => (0..TURNS, prop::bool::weighted(0.05), ask())
            .prop_map(|(turn, stranger, ask)| Op::Hostile { turn, stranger, ask }),
        1 => (0..TURNS, ending).prop_map(|(turn, ask)| Op::Hostile { turn, stranger: false, ask }),
        2 => Just(Op::Reset),
        1 => (0..2u32).prop_map(|who| Op::Revoke { who }),
    ]
}

/// Somebody is there for a while, a turn begins and gets base and head, so that what follows matters; then anything goes,
/// mostly in that turn.
fn history() -> impl Strategy<Value = Vec<Op>> {
    let arrival = prop_oneof![
        (0..2u32).prop_map(|who| Op::Typed { who }),
        (0..2u32, 500..9000u64).prop_map(|(who, ttl_ms)| Op::Present { who, ttl_ms }),
    ];
    let parts = (arrival, 0..TURNS, proptest::collection::vec((op(), any::<u8>()), 1..60));
    parts.prop_map(|(arrival, turn, rest)| {
        let take = |resource| Op::Hostile { turn, stranger: false, ask: Ask::Take { resource, over: true } };
        let begin = [arrival, Op::Begin { turn }, take(Resource::Base), take(Resource::Head)];
        let mostly_its = rest.into_iter().map(|(op, chance)| match op {
            Op::Hostile { ask, stranger, .. } if chance < 200 => Op::Hostile { turn, stranger, ask },
            other => other,
        });
        begin.into_iter().chain(mostly_its).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever a model asks for, each turn stays within its way, angle, time and speed, nothing closed opens for it, and it
    /// moves nothing while nobody is present.
    #[test]
    fn invariant_10_the_ai_is_bounded(histories in proptest::collection::vec(history(), 1..4)) {
        let mut books = Books::new();
        for op in histories.into_iter().flatten() {
            books.apply(op)?;
        }
        books.apply(Op::Run { ticks: 1600 })?;
        prop_assert_eq!(books.mover, None, "and it ends by itself");
    }
}

/// The greediest turn there can be gets all of its bounds, and not more: so the books above measure something.
#[test]
fn invariant_10_a_turn_can_use_its_bounds_up() {
    let spend = |asks: &[Ask]| {
        let mut books = Books::new();
        let hostile = |ask| Op::Hostile { turn: 2, stranger: false, ask };
        books.apply(Op::Typed { who: 0 }).unwrap();
        books.apply(Op::Begin { turn: 2 }).unwrap();
        books.apply(hostile(Ask::Take { resource: Resource::Base, over: false })).unwrap();
        for _ in 0..100 {
            books.apply(Op::Typed { who: 0 }).unwrap();
            for ask in asks {
                books.apply(hostile(*ask)).unwrap();
                books.apply(hostile(Ask::Renew { which: 0 })).unwrap();
                while books.mover.is_some() {
                    books.apply(Op::Run { ticks: 1 }).unwrap();
                }
            }
        }
        books.turns[&2]
    };
    let speed_mps = None;
    let there_and_back =
        [Ask::Move { distance_m: 0.25, speed_mps }, Ask::Move { distance_m: -0.25, speed_mps }];
    let driven = spend(&there_and_back);
    assert!((1.9..=2.0).contains(&driven.distance_m), "{driven:?}");
    let left_and_right = [1.57, -1.57].map(|angle_rad| Ask::Turn { angle_rad, speed_radps: None });
    let turned = spend(&left_and_right);
    assert!((6.1..=6.29).contains(&turned.angle_rad), "{turned:?}");
    let slowly = spend(&[Ask::Move { distance_m: 0.4, speed_mps: Some(0.05) }]);
    assert!((19_900..=20_000).contains(&slowly.ms), "{slowly:?}");
}
