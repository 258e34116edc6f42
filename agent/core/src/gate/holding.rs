//! Taking, renewing and giving back leases, and what a token's death takes with it.

use std::time::Duration;

use super::admit::check_seen;
use super::drive::Ending;
use super::opening::Opening;
use super::{DONE, Gate, Output};
use crate::access::Limb;
use crate::caller::{Caller, TokenId};
use crate::lease::{Lease, TTL_MAX, TTL_MIN, may_take_from};
use crate::refusal::Refusal;
use crate::request::{Accepted, Answer, Asked, LeaseId, LeaseView, Seen};
use crate::resource::Resource;
use crate::time::BootTime;

/// `POST leases`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Take<'a> {
    pub(super) asked: &'a Asked,
    pub(super) resource: Resource,
    pub(super) ttl: Duration,
    pub(super) take_over: bool,
    pub(super) seen: Option<Seen>,
}

impl Gate {
    /// Takes a resource. `None`: it is closed and is being opened; the answer comes once the MCU shows armed.
    pub(super) fn take(&mut self, take: &Take<'_>, now: BootTime, out: &mut Output) -> Option<Answer> {
        let Take { asked, resource, ttl, .. } = *take;
        if let Err(refusal) = self.admit_take(take, now) {
            return Some(Err(refusal));
        }
        let ttl = legal(ttl);
        if let Some(limb) = Limb::of(resource)
            && !self.access.is_open(limb)
        {
            self.begin_opening(Opening::new(asked, limb, ttl, now), now, out);
            return None;
        }
        Some(Ok(Accepted::Lease(self.grant(resource, &asked.caller, ttl, now))))
    }

    fn admit_take(&self, take: &Take<'_>, now: BootTime) -> Result<(), Refusal> {
        let Take { asked, resource, take_over, seen, .. } = *take;
        let caller = &asked.caller;
        let limb = Limb::of(resource);
        check_seen(caller, seen.is_some())?;
        if let Some(limb) = limb {
            self.check_latch()?;
            self.check_link()?;
            if !caller.class.is_human() {
                self.check_open(limb)?;
            }
            self.check_sent_after_close(limb, asked.received_at)?;
            self.check_rival_opening(limb, caller, take_over)?;
        }
        if let Some(held) = self.leases.held(resource)
            && !may_take_from(caller, (held.token, held.turn), held.class, take_over)
        {
            return Err(held.held());
        }
        self.check_take_in_turn(caller, limb)?;
        self.judge.judge_take(seen, asked.received_at, now)
    }

    /// Gives a resource to a caller; the setpoint of the lease before ends.
    pub(super) fn grant(
        &mut self,
        resource: Resource,
        caller: &Caller,
        ttl: Duration,
        now: BootTime,
    ) -> LeaseView {
        let view = self.leases.grant(resource, caller, ttl, now).view(resource, now);
        if let (Some(turn), Some(limb)) = (caller.turn, Limb::of(resource)) {
            self.turns.took(turn, limb);
        }
        self.end_drive_without_lease(Ending::LeaseOver);
        view
    }

    /// `PUT leases/{id}`: never takes.
    pub(super) fn renew(
        &mut self,
        id: LeaseId,
        ttl: Option<Duration>,
        caller: &Caller,
        now: BootTime,
    ) -> Answer {
        let (resource, lease) = self.own_lease(id, caller)?;
        lease.ttl = ttl.map_or(lease.ttl, legal);
        lease.touch(now);
        Ok(Accepted::Lease(lease.view(resource, now)))
    }

    /// `DELETE leases/{id}`.
    pub(super) fn release(&mut self, id: LeaseId, caller: &Caller) -> Answer {
        let (resource, _) = self.own_lease(id, caller)?;
        self.leases.revoke(resource);
        self.end_drive_without_lease(Ending::LeaseOver);
        DONE
    }

    /// A living lease, if it is the caller's.
    fn own_lease(&mut self, id: LeaseId, caller: &Caller) -> Result<(Resource, &mut Lease), Refusal> {
        match self.leases.find(id) {
            None => Err(Refusal::LeaseGone),
            Some((_, lease)) if !lease.is_of(caller) => Err(lease.held()),
            Some(found) => Ok(found),
        }
    }

    /// A token died: its leases, turns, setpoint, task, socket and openings end, and it makes nobody present.
    pub(super) fn revoke(&mut self, token: TokenId, now: BootTime, out: &mut Output) -> Answer {
        self.revoked.push(token);
        self.leases.revoke_token(token);
        self.turns.end_token(token);
        self.typed.forget(token);
        self.end_drive_without_lease(Ending::Revoked);
        self.sockets.close_token(token);
        self.abandon_openings_of(token, now, out);
        DONE
    }
}

/// A time to live within the contract's bounds, whatever the edge made of it.
fn legal(ttl: Duration) -> Duration {
    ttl.clamp(TTL_MIN, TTL_MAX)
}
