//! What was asked and what was answered: from that alone, who holds base and head, what is open, and until when the body
//! may be driven. It never looks into the gate; an answer that these books cannot explain is a violation.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use agent_core::access::OpenLimbs;
use agent_core::caller::{Caller, Class, TokenId};
use agent_core::refusal::Refusal;
use agent_core::request::{
    Accepted, Answer, Asked, Freshness, LeaseId, LeaseView, Request, Resource, SocketId, TaskId, Ticket,
    Twist,
};

/// Violated or not; the text says what.
pub(crate) type Check = Result<(), String>;

/// Fails with a text unless `holds`.
pub(crate) fn ensure(holds: bool, text: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(text()) }
}

pub(crate) const BASE: usize = 0;
pub(crate) const HEAD: usize = 1;

/// Whether a limb may be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    Closed,
    /// Ended open in order: the agent may open it by itself once it has read the MCU.
    Starting,
}

/// Who holds a limb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    /// `None`: taken implicitly by a command whose answer names no lease.
    id: Option<LeaseId>,
    pub(crate) token: TokenId,
    class: Class,
    ttl_us: u64,
    pub(crate) ends_us: u64,
    newest_seq: Option<u64>,
}

/// The accepted command in force on the base.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drive {
    pub(crate) ends_us: u64,
    /// It is not a zero. A driver's own zero slows gently, so it counts until its own end.
    pub(crate) moves: bool,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Origin {
    Velocity,
    Teleop(SocketId),
    Task(TaskId),
}

#[derive(Clone, Copy, Debug)]
struct Socket {
    id: SocketId,
    accepted_us: Option<u64>,
    newest_seq: Option<u64>,
}

/// The books of one run of the agent.
pub(crate) struct Ledger {
    run: u64,
    pub(crate) doors: [Door; 2],
    pub(crate) holders: [Option<Holder>; 2],
    pub(crate) drive: Option<Drive>,
    pub(crate) latched: bool,
    pub(crate) epoch: u32,
    /// Commands that came in before this must show a stamp.
    pub(crate) wary_until_us: u64,
    held_back: HashMap<TokenId, u64>,
    sockets: HashMap<TokenId, Socket>,
    revoked: HashSet<TokenId>,
    waiting: HashMap<Ticket, Asked>,
}

/// How far `seen` may be behind for a take after a gap, ms.
const TAKE_AGE_MS: u64 = 300;
const IMPLICIT_US: u64 = 1_000_000;
const HELD_BACK_US: u64 = 1_000_000;
const NEUTRAL_US: u64 = 500_000;

impl Ledger {
    pub(crate) fn new(run: u64, open: OpenLimbs, latched: bool, epoch: u32) -> Self {
        let door = |was_open: bool| if was_open && !latched { Door::Starting } else { Door::Closed };
        Self {
            run,
            doors: [door(open.base), door(open.head)],
            holders: [None; 2],
            drive: None,
            latched,
            epoch,
            wary_until_us: 0,
            held_back: HashMap::new(),
            sockets: HashMap::new(),
            revoked: HashSet::new(),
            waiting: HashMap::new(),
        }
    }

    /// The base may be driven now, by everything that was answered.
    pub(crate) fn may_drive(&self, now_us: u64) -> bool {
        self.drive.is_some_and(|drive| drive.moves) && self.may_follow(now_us)
    }

    /// A command is in force, if only a zero.
    pub(crate) fn may_follow(&self, now_us: u64) -> bool {
        let holder_lives = self.holders[BASE].is_some_and(|holder| now_us < holder.ends_us);
        let drive_lives = self.drive.is_some_and(|drive| now_us < drive.ends_us);
        drive_lives && holder_lives && self.doors[BASE] == Door::Open && !self.latched
    }

    /// Something closed base and head.
    pub(crate) fn close(&mut self) {
        self.doors = [Door::Closed; 2];
        self.holders = [None; 2];
        self.drive = None;
        for socket in self.sockets.values_mut() {
            socket.accepted_us = None;
        }
    }

    /// The gate shows a limb closed, for a reason that these books need not know.
    pub(crate) fn close_one(&mut self, limb: usize) {
        self.doors[limb] = Door::Closed;
        self.drop_holder(limb);
    }

    /// The gate shows a limb free, for a reason that these books need not know.
    pub(crate) fn drop_holder(&mut self, limb: usize) {
        self.holders[limb] = None;
        if limb == BASE {
            self.drive = None;
        }
    }

    pub(crate) fn asked(&mut self, asked: &Asked) {
        self.waiting.insert(asked.ticket, *asked);
    }

    /// Whose answer this is.
    pub(crate) fn asker(&self, ticket: Ticket) -> Option<Asked> {
        self.waiting.get(&ticket).copied()
    }

    /// Takes an answer in. Fails when it should not have been given.
    pub(crate) fn answered(&mut self, now_us: u64, ticket: Ticket, answer: &Answer) -> Check {
        self.drop_expired(now_us);
        let asked =
            self.waiting.remove(&ticket).ok_or_else(|| format!("an answer nobody waits for: {answer:?}"))?;
        let result = match answer {
            Ok(accepted) => self.accepted(now_us, &asked, accepted),
            Err(refusal) => self.refused(now_us, &asked, refusal),
        };
        result.map_err(|text| format!("{text}: {} {:?} -> {answer:?}", asked.caller.name, asked.request))
    }

    fn refused(&mut self, now_us: u64, asked: &Asked, refusal: &Refusal) -> Check {
        if matches!(
            refusal,
            Refusal::LeaseHeld { .. }
                | Refusal::Closed { .. }
                | Refusal::EStopLatched { .. }
                | Refusal::LeaseNeeded
        ) {
            self.held_back.insert(asked.caller.token, now_us + HELD_BACK_US);
        }
        let never = matches!(asked.request, Request::Stop | Request::EStop { .. });
        ensure(!never, || "a stop was refused".into())
    }

    fn accepted(&mut self, now_us: u64, asked: &Asked, accepted: &Accepted) -> Check {
        let (caller, token) = (&asked.caller, asked.caller.token);
        let only_ends = matches!(
            asked.request,
            Request::Stop | Request::EStop { .. } | Request::TeleopClose(_) | Request::Revoke(_)
        );
        ensure(only_ends || !self.revoked.contains(&token), || "a dead token is obeyed".into())?;
        match (&asked.request, accepted) {
            (Request::Velocity { twist, lease, seq, freshness }, Accepted::Driving { lease: used, .. }) => {
                self.check_fresh(now_us, asked, freshness)?;
                self.check_seq(*seq, token)?;
                self.use_lease(now_us, BASE, asked, *lease, Some(*used))?;
                if let (Some(holder), Some(seq)) = (&mut self.holders[BASE], *seq) {
                    holder.newest_seq = Some(seq);
                }
                self.driven(now_us, asked, twist, Origin::Velocity)
            }
            (Request::TeleopFrame { socket, twist, seq, freshness }, Accepted::Driving { lease, .. }) => {
                self.check_fresh(now_us, asked, freshness)?;
                ensure(freshness.seen.is_some(), || "a teleop frame without a stamp".into())?;
                self.check_socket(now_us, token, *socket, twist, *seq)?;
                self.use_lease(now_us, BASE, asked, None, Some(*lease))?;
                self.driven(now_us, asked, twist, Origin::Teleop(*socket))
            }
            (Request::Move { lease, freshness, .. }, Accepted::Moving { task, lease: used, deadline }) => {
                self.check_fresh(now_us, asked, freshness)?;
                ensure(*deadline <= Duration::from_secs(30), || "a move without an end".into())?;
                self.use_lease(now_us, BASE, asked, *lease, Some(*used))?;
                let ends_us = now_us + us(*deadline);
                if let Some(holder) = &mut self.holders[BASE] {
                    holder.ends_us = holder.ends_us.max(ends_us);
                }
                self.drive = Some(Drive { ends_us, moves: true, origin: Origin::Task(*task) });
                Ok(())
            }
            (Request::Head { lease, freshness, .. }, Accepted::Done) => {
                self.check_fresh(now_us, asked, freshness)?;
                self.use_lease(now_us, HEAD, asked, *lease, None)
            }
            (Request::Take { resource, take_over, .. }, Accepted::Lease(view)) => {
                self.taken(now_us, asked, *resource, *take_over, view)
            }
            (Request::Renew { lease, ttl }, Accepted::Lease(view)) => {
                self.renewed(now_us, caller, (*lease, *ttl), view)
            }
            (Request::EStop { .. }, Accepted::Latched { epoch }) => {
                ensure(*epoch >= self.epoch, || format!("the epoch went back from {}", self.epoch))?;
                (self.latched, self.epoch) = (true, *epoch);
                self.close();
                Ok(())
            }
            (Request::Reset { .. }, Accepted::Done) => {
                ensure(caller.class == Class::Local, || "a reset that is not local".into())?;
                self.latched = false;
                Ok(())
            }
            (request, _) => {
                self.ended(token, request);
                Ok(())
            }
        }
    }

    /// What ends something and is answered with `Done`.
    fn ended(&mut self, token: TokenId, request: &Request) {
        match request {
            Request::Stop => self.close(),
            Request::Release(lease) => {
                self.drop_where(|holder| holder.token == token && holder.id == Some(*lease))
            }
            Request::Revoke(dead) => {
                self.drop_where(|holder| holder.token == *dead);
                self.sockets.remove(dead);
                self.revoked.insert(*dead);
            }
            Request::TeleopOpen(id) => {
                let socket = Socket { id: *id, accepted_us: None, newest_seq: None };
                if let Some(ended) = self.sockets.insert(token, socket) {
                    self.end_drive(Origin::Teleop(ended.id));
                }
            }
            Request::TeleopClose(id) if self.sockets.get(&token).is_some_and(|socket| socket.id == *id) => {
                self.end_drive(Origin::Teleop(*id));
                self.sockets.remove(&token);
            }
            Request::CancelTask(task) => self.end_drive(Origin::Task(*task)),
            _ => {}
        }
    }

    fn end_drive(&mut self, origin: Origin) {
        self.drive = self.drive.filter(|drive| drive.origin != origin);
    }

    fn drop_where(&mut self, is_over: impl Fn(&Holder) -> bool) {
        for limb in [BASE, HEAD] {
            if self.holders[limb].as_ref().is_some_and(&is_over) {
                self.drop_holder(limb);
            }
        }
    }

    /// A speed is in force until its own end or its lease's, whichever is first.
    fn driven(&mut self, now_us: u64, asked: &Asked, twist: &Twist, origin: Origin) -> Check {
        let ttl_us = us(twist.ttl).clamp(20_000, 500_000);
        let lease_ends_us = self.holders[BASE].map_or(0, |holder| holder.ends_us);
        let ends_us = (asked.received_at.as_us() + ttl_us).min(lease_ends_us);
        let moves = twist.linear_mps != 0.0 || twist.angular_radps != 0.0;
        self.drive = Some(Drive { ends_us, moves, origin });
        ensure(ends_us > now_us, || "accepted after its own end".into())
    }

    /// Whoever is accepted holds the limb, or is a person who takes it with the command.
    fn use_lease(
        &mut self,
        now_us: u64,
        limb: usize,
        asked: &Asked,
        named: Option<LeaseId>,
        used: Option<LeaseId>,
    ) -> Check {
        let caller = &asked.caller;
        ensure(caller.class != Class::Ai, || "a model moves something by itself".into())?;
        ensure(self.doors[limb] == Door::Open && !self.latched, || format!("limb {limb} is not open"))?;
        let Some(holder) = &mut self.holders[limb] else {
            let held_back = self.held_back.get(&caller.token).is_some_and(|until_us| now_us < *until_us);
            ensure(caller.class.is_human() && !held_back && named.is_none(), || {
                "an implicit take that may not be".into()
            })?;
            let ends_us = now_us + IMPLICIT_US;
            let (token, class) = (caller.token, caller.class);
            let holder = Holder { id: used, token, class, ttl_us: IMPLICIT_US, ends_us, newest_seq: None };
            self.holders[limb] = Some(holder);
            return Ok(());
        };
        ensure(holder.token == caller.token, || format!("{:?} holds limb {limb}", holder.token))?;
        let is_its = |id: Option<LeaseId>| id.is_none() || holder.id.is_none() || id == holder.id;
        ensure(is_its(named) && is_its(used), || format!("another lease than {:?}", holder.id))?;
        holder.ends_us = holder.ends_us.max(now_us + holder.ttl_us);
        Ok(())
    }

    /// Leases that are over by now.
    pub(crate) fn drop_expired(&mut self, now_us: u64) {
        self.drop_where(|holder| holder.ends_us <= now_us);
    }

    fn taken(
        &mut self,
        now_us: u64,
        asked: &Asked,
        resource: Resource,
        take_over: bool,
        view: &LeaseView,
    ) -> Check {
        let limb = match resource {
            Resource::Base => BASE,
            Resource::Head => HEAD,
            Resource::Lights | Resource::Presence => return Ok(()),
        };
        let Caller { token, class, .. } = asked.caller;
        ensure(class != Class::Ai, || "a model takes".into())?;
        ensure(!self.latched, || "taken while latched".into())?;
        ensure(class.is_human() || self.doors[limb] == Door::Open, || {
            "a program opens what is closed".into()
        })?;
        if let Request::Take { seen, .. } = asked.request {
            let is_of_run = seen.is_none_or(|seen| seen.run == self.run);
            ensure(is_of_run && (seen.is_some() || !asked.caller.must_show_seen), || "taken blindly".into())?;
            if asked.received_at.as_us() < self.wary_until_us {
                // The answer may have waited for the MCU after the stamp was judged.
                let is_fresh = seen.is_some_and(|seen| seen.mono_ms + TAKE_AGE_MS + 260 >= now_us / 1000);
                ensure(is_fresh, || "taken without a fresh stamp after a gap".into())?;
            }
        }
        if let Some(holder) = self.holders[limb] {
            let outranks =
                class > holder.class || (class == holder.class && take_over) || token == holder.token;
            ensure(outranks, || format!("two holders of limb {limb}"))?;
        }
        self.drop_holder(limb);
        let ttl_us = us(view.expires_in);
        let (id, ends_us) = (Some(view.id), now_us + ttl_us);
        self.holders[limb] = Some(Holder { id, token, class, ttl_us, ends_us, newest_seq: None });
        self.doors[limb] = Door::Open;
        ensure((500_000..=30_000_000).contains(&ttl_us), || "a lease without a legal end".into())
    }

    fn renewed(
        &mut self,
        now_us: u64,
        caller: &Caller,
        (lease, ttl): (LeaseId, Option<Duration>),
        view: &LeaseView,
    ) -> Check {
        let limb = match view.resource {
            Resource::Base => BASE,
            Resource::Head => HEAD,
            Resource::Lights | Resource::Presence => return Ok(()),
        };
        let Some(holder) = &mut self.holders[limb] else {
            return Err("a renewal takes".into());
        };
        let is_own = holder.token == caller.token && holder.id.is_none_or(|id| id == lease);
        ensure(is_own, || "a renewal of another's lease".into())?;
        holder.ends_us = holder.ends_us.max(now_us + us(view.expires_in));
        if let Some(ttl) = ttl {
            holder.ttl_us = us(ttl).clamp(500_000, 30_000_000);
        }
        Ok(())
    }

    fn check_fresh(&self, now_us: u64, asked: &Asked, freshness: &Freshness) -> Check {
        let must_show = asked.caller.must_show_seen || asked.received_at.as_us() < self.wary_until_us;
        let Some(seen) = freshness.seen else {
            return ensure(!must_show, || "accepted without a stamp".into());
        };
        let age_ms = (now_us / 1000).checked_sub(seen.mono_ms);
        let is_fresh = seen.run == self.run
            && age_ms.is_some_and(|age_ms| u128::from(age_ms) <= freshness.max_age.as_millis());
        ensure(is_fresh, || format!("accepted with a stamp of age {age_ms:?} ms"))
    }

    fn check_seq(&self, seq: Option<u64>, token: TokenId) -> Check {
        let newest =
            self.holders[BASE].filter(|holder| holder.token == token).and_then(|holder| holder.newest_seq);
        let rises = seq.is_none_or(|seq| newest.is_none_or(|newest| seq > newest));
        ensure(rises, || format!("seq after {newest:?}"))
    }

    fn check_socket(&mut self, now_us: u64, token: TokenId, id: SocketId, twist: &Twist, seq: u64) -> Check {
        let Some(socket) = self.sockets.get_mut(&token).filter(|socket| socket.id == id) else {
            return Err("a frame of a socket that is not open".into());
        };
        ensure(socket.newest_seq.is_none_or(|newest| seq > newest), || {
            "a socket's seq that does not rise".into()
        })?;
        let is_zero = twist.linear_mps == 0.0 && twist.angular_radps == 0.0;
        let let_go = socket.accepted_us.is_some_and(|at_us| now_us - at_us < NEUTRAL_US);
        ensure(is_zero || let_go, || "a stick that was not let go".into())?;
        (socket.accepted_us, socket.newest_seq) = (Some(now_us), Some(seq));
        Ok(())
    }
}

fn us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
