//! One seed: robots, network and cloud, moved from event to event in virtual time.

use std::collections::BTreeSet;

use cloud_sync_protocol::sync::frame::{Frame, Poke};
use cloud_sync_protocol::sync::op::{RowKey, Scope};
use cloud_sync_protocol::sync::replica::Change;
use cloud_sync_protocol::sync::server::{Who, scopes_of};
use cloud_sync_protocol::sync::table::Table;

use super::chance::Chance;
use super::clock::DAY_MS;
use super::figures::Figures;
use super::history::{History, Value};
use super::judge::{self, Broken, CAUSAL_LOST, DIVERGED, RESURRECTED, broken, stands};
use super::memory::Memory;
use super::mistakes::{Mistake, Server};
use super::net::{Net, To, Ways};
use super::picture;
use super::robot::Robot;
use super::setup::Setup;
use super::trace::{self, Trace};

/// When a seed starts, ms since 1970: 2026-09-01.
const START_MS: i64 = 1_788_220_800_000;
/// How long all may take to come to rest, ms.
const REST_MS: i64 = 2 * 60 * 60 * 1000;
/// The town.
const TOWN: &str = "town";
/// The cloud among the sites that write; robots are numbered from 0.
pub(super) const CLOUD_SITE: usize = 99;

/// Everything of one seed.
pub(super) struct World {
    pub(super) now_ms: i64,
    pub(super) setup: Setup,
    pub(super) chance: Chance,
    pub(super) robots: Vec<Robot>,
    pub(super) server: Server,
    pub(super) net: Net,
    pub(super) history: History,
    pub(super) figures: Figures,
    pub(super) trace: Trace,
    /// A copy of a robot's card, and when it was made.
    pub(super) card: Option<(usize, Robot, i64)>,
    pub(super) values: u64,
    dead: BTreeSet<RowKey>,
    found: Vec<Broken>,
}

impl World {
    pub(super) fn new(seed: u64, mistake: Option<Mistake>, trace: Trace) -> Self {
        let mut chance = Chance::seeded(seed);
        let setup = Setup::draw(&mut chance);
        let robots = setup.users.iter().enumerate();
        let robots = robots
            .map(|(place, user)| Robot::new(format!("robbie-{}", place + 1), user, START_MS, &mut chance))
            .collect();
        let net = Net::new(setup.ways, chance.fork());
        let mut world = Self {
            now_ms: START_MS,
            robots,
            server: Server::with(mistake),
            net,
            history: History::default(),
            figures: Figures::default(),
            trace,
            card: None,
            values: 0,
            dead: BTreeSet::new(),
            found: Vec::new(),
            setup,
            chance,
        };
        for robot in 0..world.robots.len() {
            // The others join in the middle.
            if world.chance.percent(70) {
                world.pair(robot);
            }
        }
        world
    }

    /// Runs the seed to its end.
    pub(super) fn run(mut self) -> (Figures, Vec<Broken>, Trace) {
        for _ in 0..self.setup.steps {
            self.turn();
            if !self.found.is_empty() {
                break;
            }
        }
        if self.found.is_empty() {
            self.heal();
            self.judge();
        }
        self.figures.virtual_ms = self.now_ms - START_MS;
        self.figures.dropped = self.net.dropped;
        self.figures.doubled = self.net.doubled;
        self.figures.conflicts = judge::kept(&self.server.cloud).len() as u64;
        (self.figures, self.found, self.trace)
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        self.trace.note(self.now_ms - START_MS, line);
    }

    pub(super) fn pair(&mut self, place: usize) {
        let robot = &mut self.robots[place];
        let (name, user, now) = (robot.name.clone(), robot.user.clone(), robot.clock.now(self.now_ms));
        robot.memory.pair(TOWN, &name, &user, now);
        robot.begin(self.now_ms, &mut self.chance);
        self.note(|| format!("{place} joins as {name}"));
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, ms: i64) {
        let end_ms = self.now_ms + ms;
        loop {
            let robots = self.robots.iter().filter_map(Robot::next_ms);
            let next_ms = robots.chain(self.net.next_ms()).min();
            let Some(next_ms) = next_ms.filter(|next_ms| *next_ms <= end_ms) else { break };
            self.now_ms = self.now_ms.max(next_ms);
            while let Some((to, bytes)) = self.net.arrived(self.now_ms) {
                match to {
                    To::Cloud(robot) => self.cloud_hears(robot, &bytes),
                    To::Robot(robot) => self.robot_hears(robot, &bytes),
                }
            }
            for place in 0..self.robots.len() {
                if let Some(bytes) = self.robots[place].says(self.now_ms, &mut self.chance) {
                    self.send(To::Cloud(place), bytes);
                }
            }
        }
        self.now_ms = end_ms;
    }

    fn send(&mut self, to: To, bytes: Vec<u8>) {
        self.figures.frames += 1;
        let (To::Cloud(place) | To::Robot(place)) = to;
        if !self.robots[place].is_linked {
            self.net.dropped += 1;
            return;
        }
        let robot = &mut self.robots[place];
        let ways = self.net.ways;
        if robot.other_way > 0 {
            robot.other_way -= 1;
            self.net.ways.bytes_max = usize::MAX;
        }
        let is_sent = self.net.send(self.now_ms, to, bytes);
        self.net.ways = ways;
        if !is_sent {
            self.figures.hung_up += 1;
            self.net.cut(place);
            robot.hung_up(self.now_ms, &mut self.chance);
            self.note(|| format!("{place} is hung up on: a frame is too large"));
        }
    }

    fn cloud_hears(&mut self, place: usize, bytes: &[u8]) {
        let frame = Frame::decode(bytes).expect("robots send frames");
        let (name, user) = (self.robots[place].name.clone(), self.robots[place].user.clone());
        let who = Who { device: &name, user: &user };
        let before = self.heads();
        let answer = self.server.handle(who, &frame, self.now_ms);
        self.note(|| format!("{place} -> {}", trace::frame(&frame)));
        self.note(|| format!("{place} <- {}", trace::frame(&answer)));
        self.look_at(&frame, &answer);
        self.poke(&before);
        let bytes = answer.encode().expect("the server's frames are short enough");
        // Both copies of a card go by one name, and hear what is said to it.
        for twin in 0..self.robots.len() {
            let is_twin = self.robots[twin].name == name;
            if twin == place || (is_twin && self.chance.percent(30)) {
                self.send(To::Robot(twin), bytes.clone());
            }
        }
    }

    /// What must hold after each transaction of the cloud.
    fn look_at(&mut self, frame: &Frame, answer: &Frame) {
        let (Frame::Push(push), Frame::PushAck(_)) = (frame, answer) else { return };
        for op in &push.ops {
            let Some(held) = self.server.cloud.rows().get(&op.key) else { continue };
            if held.state.deleted {
                self.dead.insert(op.key);
                continue;
            }
            if self.dead.contains(&op.key) && !self.history.is_brought_back(op.key) {
                self.found.push(broken(RESURRECTED, format!("{:?} after {op:?}", op.key)));
            }
            for field in &op.fields {
                let Some(value) = stands(&self.server.cloud, op.key, field.id) else { continue };
                let stands = Value { key: op.key, field: field.id, value };
                let written = Value { value: field.value.clone(), ..stands.clone() };
                let saw = |one: &super::history::Written| one.saw.as_ref() == Some(&stands.value);
                if written != stands
                    && self.history.writers(&stands).count() == 1
                    && self.history.writers(&written).count() == 1
                    && self.history.writers(&written).any(|one| !one.is_void && saw(one))
                {
                    self.found.push(broken(
                        CAUSAL_LOST,
                        format!("{} stands over {}, whose writer saw it", stands.told(), written.told()),
                    ));
                }
            }
        }
    }

    /// The cloud has deleted a row.
    pub(super) fn dies(&mut self, key: RowKey) {
        self.dead.insert(key);
    }

    pub(super) fn heads(&self) -> Vec<(Scope, u64)> {
        let scopes: BTreeSet<Scope> = self.robots.iter().flat_map(|robot| scopes_of(&robot.user)).collect();
        scopes.into_iter().map(|scope| (scope.clone(), self.server.cloud.head(&scope).version)).collect()
    }

    /// Tells those whom it concerns that something changed.
    pub(super) fn poke(&mut self, before: &[(Scope, u64)]) {
        let after = self.heads();
        for (scope, head) in after.into_iter().filter(|one| !before.contains(one)) {
            let bytes = Frame::Poke(Poke { scope: scope.clone(), head }).encode().expect("short");
            for place in 0..self.robots.len() {
                if scopes_of(&self.robots[place].user).contains(&scope) {
                    self.send(To::Robot(place), bytes.clone());
                }
            }
        }
    }

    fn robot_hears(&mut self, place: usize, bytes: &[u8]) {
        let robot = &mut self.robots[place];
        if !robot.is_on || !robot.is_linked {
            self.net.dropped += 1;
            return;
        }
        let heard = robot.hears(self.now_ms, bytes);
        assert!(!heard.is_unreadable, "the cloud sends frames");
        let change = heard.change;
        if change == Change::None {
            return;
        }
        let now = robot.clock.now(self.now_ms);
        let resets = |memory: &Memory| {
            memory
                .durable()
                .map_or(0, |durable| durable.scopes.iter().filter(|scope| scope.is_resetting).count())
        };
        let before = resets(&robot.memory);
        let is_cut = self.chance.percent(self.setup.trouble_percent) && self.chance.percent(10);
        robot.memory.apply(&change, now, is_cut);
        let after = resets(&robot.memory);
        match &change {
            Change::Acked { upto, .. } if self.server.mistake == Some(Mistake::AckIntoBase) => {
                robot.memory.write_acked_into_base(*upto);
            }
            Change::Page(_) if after > before => {
                self.found.push(broken(
                    DIVERGED,
                    format!("{place} finds that its sum is another after {change:?}"),
                ));
            }
            Change::Greeted { is_new_life, resets, .. } => {
                self.figures.new_lives += u64::from(*is_new_life);
                self.figures.resets += resets.len() as u64;
            }
            _ => {}
        }
        if is_cut {
            self.figures.crashes += 1;
            self.robots[place].reboot(self.now_ms, &mut self.chance);
        }
        let told = if is_cut { ", and is cut off" } else { "" };
        self.note(|| format!("{place} takes over{told}: {}", trace::change(&change)));
    }

    /// Everything works again, and goes on until nobody has anything to say.
    fn heal(&mut self) {
        self.net.ways = Ways::CLEAN;
        self.note(|| "all heals".to_owned());
        for place in 0..self.robots.len() {
            let robot = &mut self.robots[place];
            (robot.is_on, robot.is_linked) = (true, true);
            robot.clock.is_set(&mut self.chance);
            if robot.memory.durable().is_none() {
                self.pair(place);
            }
            self.robots[place].begin(self.now_ms, &mut self.chance);
        }
        let end_ms = self.now_ms + REST_MS;
        // Late frames, and copies that find out about each other by turns.
        self.pass(10 * 60_000);
        while self.now_ms < end_ms {
            if self.net.next_ms().is_none() && self.robots.iter().all(Robot::rests) {
                return;
            }
            self.pass(10_000);
        }
        self.found.push(broken(DIVERGED, "they do not come to rest"));
    }

    fn judge(&mut self) {
        if !self.found.is_empty() {
            return;
        }
        for place in 0..self.robots.len() {
            self.compare(place);
        }
        self.found.extend(judge::judge(&self.history, &self.server.cloud));
    }

    fn compare(&mut self, place: usize) {
        let robot = &self.robots[place];
        let scopes = scopes_of(&robot.user);
        let durable = robot.memory.durable().expect("all have joined");
        let mut wrong = Vec::new();
        for scope in &scopes {
            let (head, state) = (self.server.cloud.head(scope), durable.scope(scope).expect("theirs"));
            if (state.cursor, state.checksum) != (head.version, head.checksum) {
                wrong.push(format!("{state:?} where the server has {head:?}"));
            }
        }
        if robot.memory.waiting() > 0 {
            wrong.push("the outbox is not empty".to_owned());
        }
        for table in Table::ALL {
            let cloud = picture::of_cloud(&self.server.cloud, table, &scopes);
            wrong.extend(picture::difference(table, &cloud, &robot.memory.shown(table)));
        }
        self.found.extend(wrong.into_iter().map(|what| broken(DIVERGED, format!("robot {place}: {what}"))));
    }

    pub(super) fn days(&mut self, most: i64) -> i64 {
        self.chance.ms(DAY_MS / 24, most * DAY_MS)
    }
}
