//! A replica's side of the conversation: what to say next, and what an answer means for what is kept. One frame is under way
//! at a time. It keeps nothing itself: where it stands is in [`Durable`], and every [`Change`] is one transaction.
//!
//! An operation leaves the outbox when the replica has read as far as the scope stood when it was accepted, and not when it is
//! acknowledged: what the server made of it comes with the rows, never out of the acknowledgement.

use std::collections::BTreeMap;

use super::frame::{Frame, Hello, HelloAck, Page, Pull, Push, PushAck, ScopeTold, Why};
use super::op::{Op, Scope};
use super::table::SCHEMA;
use crate::stamp::Stamp;

/// Where a replica stands, as its database has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    /// Its name in the town.
    pub device: String,
    /// The user whose rows it holds beside the town's.
    pub user: String,
    /// Which life of the database: random, never 0.
    pub incarnation: u64,
    /// The next operation that it will write, from 1.
    pub next_seq: u64,
    /// Operations up to this one are at the server.
    pub acked: u64,
    /// Their sum, see [`Op::chain`].
    pub acked_chain: u64,
    /// The life before, and the last operation of it that was acknowledged.
    pub parent: Option<(u64, u64)>,
    /// Operations up to this one were written in a life before.
    pub again_to: u64,
    /// Both scopes, in any order.
    pub scopes: Vec<ScopeState>,
}

/// Where a replica stands in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeState {
    /// The scope.
    pub scope: Scope,
    /// Every change up to this version is kept.
    pub cursor: u64,
    /// The server's floor when it last began from nothing.
    pub floor: u64,
    /// It began from nothing, and has not read everything yet: rows of before that it does not meet are gone.
    pub is_resetting: bool,
    /// Sum of the rows that the server told of, see [`super::row::checksum`].
    pub checksum: u64,
}

impl Durable {
    /// The state of a scope.
    #[must_use]
    pub fn scope(&self, scope: &Scope) -> Option<&ScopeState> {
        self.scopes.iter().find(|state| state.scope == *scope)
    }

    /// Operations that the server does not have, as far as is known.
    #[must_use]
    pub const fn unacked(&self) -> u64 {
        self.next_seq.saturating_sub(self.acked).saturating_sub(1)
    }
}

/// What to say next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A greeting.
    Greet,
    /// Operations from this one on, as many as fit.
    Push {
        /// The first one.
        from: u64,
    },
    /// Ask what changed.
    Pull(Scope),
    /// Nothing: both sides have the same.
    Rest,
}

/// What an answer does to what is kept; each is one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// Operations are in; they leave the outbox when their scope's cursor reaches `at`.
    Acked {
        /// Up to this one.
        upto: u64,
        /// Where the scopes stood.
        at: Vec<(Scope, u64)>,
    },
    /// A greeting was answered.
    Greeted {
        /// Operations that are in, though nobody had said so.
        acked: Option<(u64, Vec<(Scope, u64)>)>,
        /// Another database goes under this one's name (a copied card), or the server has forgotten: the outbox is numbered
        /// anew under a new incarnation, with its operations as they are, see [`Durable::parent`].
        is_new_life: bool,
        /// Scopes that begin from nothing, with the server's floor.
        resets: Vec<(Scope, u64)>,
        /// The server's clock, ms since 1970.
        server_ms: i64,
    },
    /// Rows that follow those that are kept. Where the page carries a checksum and the kept rows have another one, the scope
    /// begins from nothing.
    Page(Page),
    /// The server will not talk: why. Trying again helps only once somebody has done something about it.
    Refused(Why),
}

/// What is known of the server in this conversation.
#[derive(Clone, Debug, Default)]
pub struct Replica {
    session: u64,
    is_open: bool,
    heads: BTreeMap<Scope, u64>,
    /// Cursors at which nothing more was to be told.
    wholes: BTreeMap<Scope, u64>,
}

impl Replica {
    /// Begins anew, under a name drawn at random: at the start, on a new connection, when no answer came.
    pub fn begin(&mut self, session: u64) {
        *self = Self { session, ..Self::default() };
    }

    /// Whether the server has answered the greeting.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// What to say, when nothing is under way.
    #[must_use]
    pub fn step(&self, durable: &Durable) -> Step {
        if !self.is_open {
            return Step::Greet;
        }
        if durable.unacked() > 0 {
            return Step::Push { from: durable.acked + 1 };
        }
        let behind = |state: &&ScopeState| {
            state.is_resetting || self.heads.get(&state.scope).is_some_and(|head| *head > state.cursor)
        };
        durable.scopes.iter().find(behind).map_or(Step::Rest, |state| Step::Pull(state.scope.clone()))
    }

    /// The greeting. Each has a name of its own, or a late answer to the one before would be taken for the answer to this one.
    #[must_use]
    pub fn hello(&mut self, durable: &Durable, now: Stamp) -> Frame {
        (self.session, self.is_open) = (self.session.wrapping_add(1), false);
        let told = |state: &ScopeState| ScopeTold {
            scope: state.scope.clone(),
            cursor: state.cursor,
            floor: state.floor,
        };
        Frame::Hello(Hello {
            device: durable.device.clone(),
            incarnation: durable.incarnation,
            session: self.session,
            next_seq: durable.next_seq,
            schema: SCHEMA,
            sent: now,
            scopes: durable.scopes.iter().map(told).collect(),
        })
    }

    /// These operations, which follow each other.
    #[must_use]
    pub fn push(&self, durable: &Durable, ops: Vec<Op>, now: Stamp) -> Frame {
        Frame::Push(Push {
            session: self.session,
            incarnation: durable.incarnation,
            parent: durable.parent,
            again_to: durable.again_to,
            first_seq: ops.first().map_or(durable.acked + 1, |op| op.seq),
            sent: now,
            ops,
        })
    }

    /// The question what changed; also good as a question whether anything did.
    #[must_use]
    pub fn pull(&self, durable: &Durable, scope: &Scope) -> Frame {
        let stands = durable.scope(scope);
        let (cursor, floor) = stands.map_or((0, 0), |state| (state.cursor, state.floor));
        Frame::Pull(Pull {
            session: self.session,
            incarnation: durable.incarnation,
            scope: scope.clone(),
            cursor,
            floor,
            // In the middle of several pages a row that changed again is only in a later one, and with everything: what
            // changed in it first lies before this cursor.
            is_whole: stands.is_none_or(|state| {
                state.is_resetting || self.wholes.get(scope).is_none_or(|whole| *whole != state.cursor)
            }),
        })
    }

    /// What a frame means. `chain_at` gives the sum of the outbox up to an operation that is still in it.
    pub fn receive(
        &mut self,
        durable: &Durable,
        frame: Frame,
        chain_at: impl FnOnce(u64) -> Option<u64>,
    ) -> Change {
        match frame {
            Frame::HelloAck(ack) if ack.session == self.session && !self.is_open => {
                self.greeted(durable, ack, chain_at)
            }
            Frame::PushAck(ack) if ack.session == self.session => self.acked(durable, ack),
            Frame::Page(page) if page.session == self.session => self.page(durable, page),
            Frame::Poke(poke) => {
                self.hear(poke.scope, poke.head);
                Change::None
            }
            Frame::Refusal(refusal) if refusal.session == self.session || refusal.session == 0 => {
                self.is_open = false;
                match refusal.why {
                    Why::GreetAgain | Why::Gap { .. } => Change::None,
                    why => Change::Refused(why),
                }
            }
            // Late, or another's.
            _ => Change::None,
        }
    }

    fn hear(&mut self, scope: Scope, head: u64) {
        let known = self.heads.entry(scope).or_default();
        *known = head.max(*known);
    }

    fn greeted(
        &mut self,
        durable: &Durable,
        ack: HelloAck,
        chain_at: impl FnOnce(u64) -> Option<u64>,
    ) -> Change {
        let at: Vec<(Scope, u64)> = ack.scopes.iter().map(|one| (one.scope.clone(), one.head)).collect();
        let is_ours = if ack.accepted == durable.acked {
            ack.chain == durable.acked_chain
        } else {
            ack.accepted > durable.acked && chain_at(ack.accepted) == Some(ack.chain)
        };
        let acked = (is_ours && ack.accepted > durable.acked).then(|| (ack.accepted, at.clone()));
        let resets = ack.scopes.iter().filter(|one| one.is_reset);
        let resets = resets.map(|one| (one.scope.clone(), one.floor)).collect();
        // A new life greets once more, under its own name.
        self.is_open = is_ours;
        for (scope, head) in at {
            self.hear(scope, head);
        }
        Change::Greeted { acked, is_new_life: !is_ours, resets, server_ms: ack.server_ms }
    }

    fn acked(&mut self, durable: &Durable, ack: PushAck) -> Change {
        for (scope, head) in &ack.at {
            self.hear(scope.clone(), *head);
        }
        if ack.upto <= durable.acked || ack.upto >= durable.next_seq {
            return Change::None;
        }
        Change::Acked { upto: ack.upto, at: ack.at }
    }

    fn page(&mut self, durable: &Durable, page: Page) -> Change {
        self.hear(page.scope.clone(), page.head);
        let follows = durable.scope(&page.scope).is_some_and(|state| state.cursor == page.from);
        let is_sound = page.to >= page.from && page.items.iter().all(|item| item.version > page.from);
        if !follows || !is_sound {
            return Change::None;
        }
        if page.checksum.is_some() {
            self.wholes.insert(page.scope.clone(), page.to);
        }
        Change::Page(page)
    }
}
