//! The drivers: people near and far, a program and a model. Each asks for what its habit says, whatever it was answered.

use std::time::Duration;

use agent_core::caller::{Caller, Class, TokenId, label};
use agent_core::refusal::Refusal;
use agent_core::request::{
    Accepted, Answer, Freshness, LeaseId, Request, Resource, Seen, SocketId, TaskId, Travel, Twist,
};

use crate::chance::Chance;

/// Time between two turns of a driver: 20 Hz, us.
const PERIOD_US: u64 = 50_000;

/// How a driver goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// Velocity without a lease, whatever the answers say.
    Loop,
    /// Takes once, drives under its lease with rising `seq`.
    Careful,
    /// A teleop socket.
    Stick,
    /// Takes and drives in every turn.
    Greedy,
    /// Takes and moves by distance.
    Mover,
    /// Anything.
    Random,
}

/// One driver.
pub(crate) struct Driver {
    pub(crate) caller: Caller,
    chance: Chance,
    habit: Habit,
    pub(crate) next_us: u64,
    silent_until_us: u64,
    /// It gets no newer states and echoes the last one.
    blind_until_us: u64,
    /// When its newest request arrives: requests of one connection keep their order.
    pub(crate) arrives_us: u64,
    /// The network hands nothing over before.
    pub(crate) held_back_until_us: u64,
    lease: Option<LeaseId>,
    head_lease: Option<LeaseId>,
    task: Option<TaskId>,
    socket: Option<SocketId>,
    sockets: u64,
    seq: u64,
    seen: Option<Seen>,
    speed: (f32, f32),
    ttl_ms: u64,
    /// It was told that somebody has to take.
    wants_to_take: bool,
}

impl Driver {
    pub(crate) fn new(index: usize, start_us: u64, chance: &mut Chance) -> Self {
        let mut own = chance.fork();
        let class = [Class::Local, Class::Local, Class::Remote, Class::Autonomy, Class::Ai][index];
        let name = ["local-a", "local-b", "remote", "autonomy", "ai"][index];
        let habits = [
            Habit::Loop,
            Habit::Careful,
            Habit::Careful,
            Habit::Stick,
            Habit::Greedy,
            Habit::Mover,
            Habit::Random,
        ];
        let must_show_seen = class == Class::Remote || own.percent(15);
        Self {
            caller: Caller {
                token: TokenId(index as u32 + 1),
                class,
                name: label(name),
                must_show_seen,
                turn: None,
            },
            habit: own.pick(&habits),
            next_us: start_us + own.ms(50, 1_500),
            silent_until_us: 0,
            blind_until_us: 0,
            arrives_us: 0,
            held_back_until_us: 0,
            lease: None,
            head_lease: None,
            task: None,
            socket: None,
            sockets: index as u64 * 1_000_000,
            seq: 0,
            seen: None,
            speed: speed(&mut own),
            ttl_ms: 250,
            wants_to_take: false,
            chance: own,
        }
    }

    /// Its token died; it comes back with another one.
    pub(crate) fn gets_new_token(&mut self) {
        self.caller.token = TokenId(self.caller.token.0 + 100);
        (self.lease, self.head_lease, self.socket) = (None, None, None);
    }

    /// Its connections broke.
    pub(crate) fn is_cut_off(&mut self) {
        self.socket = None;
    }

    /// What it learns from an answer.
    pub(crate) fn hears(&mut self, request: &Request, answer: &Answer) {
        match (request, answer) {
            (Request::Take { resource: Resource::Base, .. }, Ok(Accepted::Lease(view))) => {
                (self.lease, self.seq) = (Some(view.id), 0);
            }
            (Request::Take { resource: Resource::Head, .. }, Ok(Accepted::Lease(view))) => {
                self.head_lease = Some(view.id)
            }
            (_, Ok(Accepted::Moving { task, .. })) => self.task = Some(*task),
            (_, Err(Refusal::LeaseGone | Refusal::LeaseHeld { .. })) if self.chance.percent(80) => {
                self.lease = None
            }
            (_, Err(Refusal::NotFound)) => self.socket = None,
            (_, Err(Refusal::Closed { .. } | Refusal::LeaseNeeded)) => {
                self.wants_to_take = self.chance.percent(15)
            }
            _ => {}
        }
    }

    /// One turn: what it asks now. `newest`: the stamp of the newest state.
    pub(crate) fn turn(&mut self, now_us: u64, newest: Seen) -> Vec<Request> {
        self.next_us = now_us + PERIOD_US - self.chance.between(0, 2_000);
        if now_us >= self.blind_until_us {
            let lag_ms = self.chance.between(0, 60);
            self.seen = Some(Seen { mono_ms: newest.mono_ms.saturating_sub(lag_ms), ..newest });
        }
        if now_us < self.silent_until_us {
            return Vec::new();
        }
        self.change_mind(now_us);
        let mut requests = Vec::new();
        if std::mem::take(&mut self.wants_to_take) && self.habit != Habit::Loop {
            requests.push(self.take(Resource::Base));
        }
        match self.habit {
            Habit::Loop => requests.push(self.velocity(None)),
            Habit::Careful => self.careful(&mut requests),
            Habit::Stick => self.stick(&mut requests),
            Habit::Greedy => {
                requests.push(self.take(Resource::Base));
                requests.push(self.velocity(None));
            }
            Habit::Mover => self.mover(&mut requests),
            Habit::Random => requests.push(self.anything()),
        }
        requests
    }

    fn change_mind(&mut self, now_us: u64) {
        if self.chance.percent(8) {
            self.speed = speed(&mut self.chance);
            self.ttl_ms = self.chance.pick(&[20, 60, 100, 250, 250, 500]);
        }
        if self.chance.percent(2) {
            self.silent_until_us = now_us + self.chance.ms(100, 2_000);
        }
        if self.chance.percent(1) {
            self.blind_until_us = now_us + self.chance.ms(200, 1_500);
        }
        if self.chance.percent(1) {
            let habits =
                [Habit::Loop, Habit::Careful, Habit::Stick, Habit::Greedy, Habit::Mover, Habit::Random];
            self.habit = self.chance.pick(&habits);
        }
    }

    fn careful(&mut self, requests: &mut Vec<Request>) {
        match self.lease {
            Some(lease) => requests.push(self.velocity(Some(lease))),
            // Not in every turn: whoever was refused waits a little.
            None if self.chance.percent(20) => requests.push(self.take(Resource::Base)),
            None => {}
        }
    }

    fn stick(&mut self, requests: &mut Vec<Request>) {
        let Some(socket) = self.socket else {
            self.sockets += 1;
            (self.socket, self.seq) = (Some(SocketId(self.sockets)), 0);
            requests.push(Request::TeleopOpen(SocketId(self.sockets)));
            if self.chance.percent(60) {
                requests.push(self.take(Resource::Base));
            }
            return;
        };
        if self.chance.percent(2) {
            self.socket = None;
            requests.push(Request::TeleopClose(socket));
            return;
        }
        if self.chance.percent(5) && self.lease.is_none() {
            requests.push(self.take(Resource::Base));
        }
        let lets_go = self.chance.percent(15);
        let twist = Twist { ttl: self.ttl(), ..self.twist(lets_go) };
        let seq = self.next_seq();
        requests.push(Request::TeleopFrame { socket, twist, seq, freshness: self.freshness(true) });
    }

    fn mover(&mut self, requests: &mut Vec<Request>) {
        if self.lease.is_none() {
            requests.push(self.take(Resource::Base));
        }
        if self.chance.percent(7) {
            requests.push(self.travel());
        }
        if let Some(task) = self.task.filter(|_| self.chance.percent(3)) {
            requests.push(Request::CancelTask(task));
        }
    }

    fn anything(&mut self) -> Request {
        let lease = self.lease.unwrap_or(LeaseId(self.chance.between(1, 9)));
        match self.chance.between(0, 19) {
            0..5 => self.velocity(self.lease),
            5 | 6 => self.velocity(Some(lease)),
            7 | 8 => self.take(Resource::Base),
            9 => self.take(Resource::Head),
            10 | 11 => self.head(),
            12 | 13 => {
                Request::Renew { lease, ttl: self.chance.percent(50).then(|| Duration::from_millis(900)) }
            }
            14 => Request::Release(lease),
            15 | 16 => self.travel(),
            17 => Request::Lights { on: Some(true), rgb: None, brightness: Some(0.5) },
            18 => self.take(Resource::Lights),
            _ => Request::CancelTask(self.task.unwrap_or(TaskId(1))),
        }
    }

    fn velocity(&mut self, lease: Option<LeaseId>) -> Request {
        let twist = Twist { ttl: self.ttl(), ..self.twist(false) };
        let seq = self.next_seq();
        let with_seq = lease.is_some() && self.chance.percent(90);
        let shows = self.caller.must_show_seen || self.chance.percent(50);
        Request::Velocity { twist, lease, seq: with_seq.then_some(seq), freshness: self.freshness(shows) }
    }

    fn twist(&mut self, lets_go: bool) -> Twist {
        let (linear_mps, angular_radps) = if lets_go { (0.0, 0.0) } else { self.speed };
        // Sometimes what no body can do.
        let linear_mps = if self.chance.percent(1) { 7.0 } else { linear_mps };
        Twist { linear_mps, angular_radps, ttl: Duration::ZERO }
    }

    fn ttl(&mut self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// Mostly the next number; sometimes an old one comes again.
    fn next_seq(&mut self) -> u64 {
        if self.chance.percent(4) {
            return self.seq.saturating_sub(self.chance.between(0, 3));
        }
        self.seq += 1;
        self.seq
    }

    fn travel(&mut self) -> Request {
        let way = self.chance.signed();
        let travel = match self.chance.percent(50) {
            true => Travel::Distance { distance_m: way, speed_mps: None },
            false => Travel::Turn { angle_rad: way * 3.0, speed_radps: None },
        };
        let shows = self.caller.must_show_seen || self.chance.percent(50);
        let lease = self.lease.filter(|_| self.chance.percent(50));
        Request::Move { travel, lease, freshness: self.freshness(shows) }
    }

    fn head(&mut self) -> Request {
        let (pan_rad, tilt_rad) = (self.chance.signed(), self.chance.signed() * 0.5);
        let shows = self.caller.must_show_seen || self.chance.percent(50);
        Request::Head { pan_rad, tilt_rad, lease: self.head_lease, freshness: self.freshness(shows) }
    }

    fn take(&mut self, resource: Resource) -> Request {
        let ttl = Duration::from_millis(self.chance.pick(&[500, 1_000, 3_000]));
        let shows = self.caller.must_show_seen || self.chance.percent(70);
        Request::Take { resource, ttl, take_over: self.chance.percent(30), seen: self.seen.filter(|_| shows) }
    }

    fn freshness(&mut self, shows: bool) -> Freshness {
        let max_age = Duration::from_millis(self.chance.pick(&[100, 300, 300, 1_000]));
        let seen = self.seen.filter(|_| shows).map(|seen| {
            // Sometimes another run's, or one from the future.
            match self.chance.between(0, 199) {
                0 => Seen { run: seen.run ^ 1, ..seen },
                1 => Seen { mono_ms: seen.mono_ms + 5_000, ..seen },
                _ => seen,
            }
        });
        Freshness { seen, max_age }
    }
}

/// Straight on, on the spot, a curve, or nothing.
fn speed(chance: &mut Chance) -> (f32, f32) {
    let (linear_mps, angular_radps) = (chance.signed() * 0.6, chance.signed() * 2.0);
    match chance.between(0, 9) {
        0 => (0.0, 0.0),
        1 | 2 => (linear_mps, 0.0),
        3..7 => (0.0, angular_radps),
        _ => (linear_mps, angular_radps),
    }
}
