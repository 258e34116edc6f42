//! The whole server in memory, over the same decisions as the real one: for simulation, and to compare the real one with.
//! Its maps are Postgres' tables; a call is a transaction.

use std::collections::{BTreeMap, HashMap};

use super::frame::{Frame, Page, Pull, Refusal, Why};
use super::op::{Op, RowKey, Scope};
use super::server::{
    Device, Head, Held, PAGE_BYTES, TRACE_MS, Who, Work, apply_own, conflicts_of, greet, page, push,
    scopes_of,
};
use super::table::SCHEMA;

/// The server of one town.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    rows: BTreeMap<RowKey, Held>,
    heads: BTreeMap<Scope, Head>,
    lives: HashMap<(String, u64), Life>,
}

/// What is known of one life of a device's database.
#[derive(Clone, Debug, Default)]
struct Life {
    device: Device,
    user: String,
    seen_ms: i64,
    cursors: BTreeMap<Scope, u64>,
}

impl Cloud {
    /// Answers a frame of a device.
    pub fn handle(&mut self, who: Who<'_>, frame: &Frame, now_ms: i64) -> Frame {
        let refused = |session, why| Frame::Refusal(Refusal { session, why });
        match frame {
            Frame::Hello(hello) if hello.device != who.device => refused(hello.session, Why::NotYours),
            Frame::Hello(hello) if hello.schema > SCHEMA => refused(hello.session, Why::TooNew),
            Frame::Hello(hello) => {
                let key = (who.device.to_owned(), hello.incarnation);
                let known = self.lives.get(&key).map(|life| life.device);
                let greeted = greet(hello, who, known, &self.heads, now_ms);
                let life = self.lives.entry(key).or_default();
                (life.device, life.seen_ms) = (greeted.device, now_ms);
                who.user.clone_into(&mut life.user);
                Frame::HelloAck(greeted.answer)
            }
            Frame::Push(frame) => {
                let Some(life) = self.lives.get(&(who.device.to_owned(), frame.incarnation)) else {
                    return refused(frame.session, Why::GreetAgain);
                };
                let mut device = life.device;
                let mut work = self.work(who.user, &frame.ops);
                match push(&mut work, &mut device, who, frame, now_ms) {
                    Ok(ack) => {
                        self.keep(&work);
                        let life = self.lives.entry((who.device.to_owned(), frame.incarnation)).or_default();
                        (life.device, life.seen_ms) = (device, now_ms);
                        Frame::PushAck(ack)
                    }
                    Err(refusal) => Frame::Refusal(refusal),
                }
            }
            Frame::Pull(pull) => {
                let is_theirs = scopes_of(who.user).contains(&pull.scope);
                let continues = self.head(&pull.scope).continues(pull.cursor, pull.floor);
                match self.lives.get_mut(&(who.device.to_owned(), pull.incarnation)) {
                    Some(life) if is_theirs && continues => {
                        life.seen_ms = now_ms;
                        life.cursors.insert(pull.scope.clone(), pull.cursor);
                        Frame::Page(self.page(pull))
                    }
                    Some(_) if !is_theirs => refused(pull.session, Why::NotYours),
                    // Or what it misses has left no trace: the greeting tells it to begin from nothing.
                    Some(_) | None => refused(pull.session, Why::GreetAgain),
                }
            }
            _ => refused(0, Why::Malformed),
        }
    }

    /// An app's write through the server: it sees what stands.
    pub fn write(&mut self, user: &str, op: &Op, now_ms: i64) {
        let mut work = self.work(user, std::slice::from_ref(op));
        apply_own(&mut work, user, op, now_ms);
        self.keep(&work);
    }

    /// Takes away the traces of deletions that are older than 30 days and that every device
    /// which holds them, and was seen in that time, has read.
    pub fn purge(&mut self, now_ms: i64) {
        let since = now_ms - TRACE_MS;
        let lives: Vec<&Life> = self.lives.values().filter(|life| life.seen_ms >= since).collect();
        let mut gone = Vec::new();
        for (key, held) in &self.rows {
            let mut holders = lives.iter().filter(|life| scopes_of(&life.user).contains(&held.scope));
            let is_read = holders.all(|life| {
                life.cursors.get(&held.scope).is_some_and(|cursor| *cursor >= held.state.version)
            });
            if held.state.deleted && held.state.at_ms < since && is_read {
                gone.push(*key);
            }
        }
        for key in gone {
            if let Some(held) = self.rows.remove(&key) {
                let head = self.heads.entry(held.scope).or_default();
                head.floor = head.floor.max(held.state.version);
            }
        }
    }

    /// The rows, deleted ones that still leave a trace included.
    #[must_use]
    pub const fn rows(&self) -> &BTreeMap<RowKey, Held> {
        &self.rows
    }

    /// Where a scope stands.
    #[must_use]
    pub fn head(&self, scope: &Scope) -> Head {
        self.heads.get(scope).copied().unwrap_or_default()
    }

    fn work(&self, user: &str, ops: &[Op]) -> Work {
        let heads = scopes_of(user).into_iter().map(|scope| (scope.clone(), self.head(&scope))).collect();
        let held = |key: RowKey| Some((key, self.rows.get(&key)?.clone()));
        let rows: Vec<(RowKey, Held)> = Work::needs(ops).filter_map(held).collect();
        let lost: Vec<(RowKey, Held)> =
            rows.iter().flat_map(|(_, row)| conflicts_of(row)).filter_map(held).collect();
        Work::new(heads, rows.into_iter().chain(lost))
    }

    fn keep(&mut self, work: &Work) {
        self.rows.extend(work.changed().map(|(key, held)| (key, held.clone())));
        self.heads.extend(work.heads.iter().map(|(scope, head)| (scope.clone(), *head)));
    }

    fn page(&self, pull: &Pull) -> Page {
        let is_new = |held: &Held| held.scope == pull.scope && held.state.version > pull.cursor;
        let new = self.rows.iter().filter(|(_, held)| is_new(held));
        let mut rows: Vec<(RowKey, &Held)> = new.map(|(key, held)| (*key, held)).collect();
        rows.sort_unstable_by_key(|(_, held)| held.state.version);
        let rows = rows.into_iter().map(|(key, held)| (key, held.state.clone()));
        page(pull, self.head(&pull.scope), rows, PAGE_BYTES)
    }
}
