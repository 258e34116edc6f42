//! The four known mistakes of sync, put back from outside, to see that the judge finds them.

use std::collections::BTreeMap;

use cloud_sync_protocol::sync::frame::{Frame, Push};
use cloud_sync_protocol::sync::model::Cloud;
use cloud_sync_protocol::sync::op::{Field, Kind, Op};
use cloud_sync_protocol::sync::server::Who;
use cloud_sync_protocol::sync::table::{Table, notes};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// Whoever was away for too long goes on from where it was.
    NoReset,
    /// A write to a row that is not there makes it.
    NoRefusal,
    /// What was acknowledged is written over what the server said.
    AckIntoBase,
    /// What a writer saw is not asked; the clock decides alone.
    ClockOnly,
}

/// The cloud, with a mistake or none.
#[derive(Default)]
pub(super) struct Server {
    pub(super) cloud: Cloud,
    pub(super) mistake: Option<Mistake>,
    /// The outboxes as the robots sum them, by life: how far, and the sum.
    chains: BTreeMap<(String, u64), (u64, u64)>,
}

impl Server {
    pub(super) fn with(mistake: Option<Mistake>) -> Self {
        Self { mistake, ..Self::default() }
    }

    pub(super) fn handle(&mut self, who: Who<'_>, frame: &Frame, now_ms: i64) -> Frame {
        match (self.mistake, frame) {
            (Some(Mistake::NoReset), Frame::Pull(pull)) => {
                let mut pull = pull.clone();
                pull.floor = u64::MAX;
                self.cloud.handle(who, &Frame::Pull(pull), now_ms)
            }
            (Some(Mistake::NoReset), Frame::Hello(_)) => {
                let mut answer = self.cloud.handle(who, frame, now_ms);
                if let Frame::HelloAck(ack) = &mut answer {
                    ack.scopes.iter_mut().for_each(|scope| scope.is_reset = false);
                }
                answer
            }
            (Some(Mistake::NoRefusal), Frame::Push(push)) => {
                self.make_rows(who, push, now_ms);
                self.cloud.handle(who, frame, now_ms)
            }
            (Some(Mistake::ClockOnly), Frame::Push(push)) => self.push_unseen(who, push, now_ms),
            (Some(Mistake::ClockOnly), Frame::Hello(hello)) => {
                let mut answer = self.cloud.handle(who, frame, now_ms);
                if let Frame::HelloAck(ack) = &mut answer {
                    let known = self.chains.get(&(who.device.to_owned(), hello.incarnation));
                    ack.chain = known.map_or(0, |(_, chain)| *chain);
                }
                answer
            }
            _ => self.cloud.handle(who, frame, now_ms),
        }
    }

    fn make_rows(&mut self, who: Who<'_>, push: &Push, now_ms: i64) {
        for op in &push.ops {
            let is_text = Table::of(op.key.table) == Some(Table::Notes) && op.get(notes::CONTENT).is_some();
            if op.kind == Kind::Set && is_text && !self.cloud.rows().contains_key(&op.key) {
                let mut fields = op.fields.clone();
                fields.insert(1, Field::text(notes::CREATED_BY, "nobody"));
                self.cloud.write(who.user, &Op { kind: Kind::Insert, fields, ..op.clone() }, now_ms);
            }
        }
    }

    fn push_unseen(&mut self, who: Who<'_>, push: &Push, now_ms: i64) -> Frame {
        let mut unseen = push.clone();
        unseen.ops.iter_mut().for_each(|op| op.base = 0);
        let answer = self.cloud.handle(who, &Frame::Push(unseen), now_ms);
        if let Frame::PushAck(ack) = &answer {
            let known = self.chains.entry((who.device.to_owned(), push.incarnation)).or_default();
            for op in push.ops.iter().filter(|op| op.seq <= ack.upto) {
                if op.seq == known.0 + 1 {
                    *known = (op.seq, op.chain(known.1));
                }
            }
        }
        answer
    }
}
