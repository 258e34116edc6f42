//! Leases: who holds base, head, lights and presence, and until when.
//!
//! One holder a resource. Knows tokens, classes and ends; never whether the resource may move at all (see
//! [`access`](crate::access)).

use std::time::Duration;

use crate::caller::{Caller, Class, Label, TokenId, TurnId};
use crate::refusal::Refusal;
use crate::request::{LeaseId, LeaseView};
use crate::resource::Resource;
use crate::time::BootTime;

/// Time to live of a lease that a person's command takes by itself.
pub const IMPLICIT_TTL: Duration = Duration::from_millis(1000);
/// Shortest time to live of a lease.
pub const TTL_MIN: Duration = Duration::from_millis(500);
/// Longest time to live of a lease.
pub const TTL_MAX: Duration = Duration::from_secs(30);

const RESOURCES: [Resource; 4] = [Resource::Base, Resource::Head, Resource::Lights, Resource::Presence];

/// One lease.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lease {
    /// Number.
    pub id: LeaseId,
    /// Rises with every take of the resource.
    pub epoch: u32,
    /// The token it is bound to.
    pub token: TokenId,
    /// The turn of that token; `None`: its person or program.
    pub turn: Option<TurnId>,
    /// Class of the take.
    pub class: Class,
    /// The token's name.
    pub holder: Label,
    /// An accepted command moves the end to at least now + this.
    pub ttl: Duration,
    /// Its end.
    pub ends_at: BootTime,
    /// Newest `seq` accepted under it.
    pub newest_seq: Option<u64>,
}

impl Lease {
    /// Moves the end to at least `at`, never earlier.
    pub fn extend_to(&mut self, at: BootTime) {
        self.ends_at = self.ends_at.max(at);
    }

    /// Moves the end to at least now + its own time to live.
    pub fn touch(&mut self, now: BootTime) {
        self.extend_to(now + self.ttl);
    }

    /// It is this caller's: of the same token and the same turn. So no pad rides on its owner's chat, nor the other way round.
    pub fn is_of(&self, caller: &Caller) -> bool {
        self.token == caller.token && self.turn == caller.turn
    }

    /// As others see it.
    pub fn view(&self, resource: Resource, now: BootTime) -> LeaseView {
        LeaseView {
            id: self.id,
            resource,
            epoch: self.epoch,
            holder: self.holder,
            class: self.class,
            token: self.token,
            expires_in: self.ends_at.since(now),
        }
    }

    /// The refusal that names this lease's holder.
    pub const fn held(&self) -> Refusal {
        Refusal::LeaseHeld { holder: self.holder, class: self.class }
    }
}

/// Whether `caller` may take what `turn` of `token` holds with `class`: a higher class at once, an equal one when it says so,
/// the own token always; of two turns of a token the newer.
pub fn may_take_from(
    caller: &Caller,
    (token, turn): (TokenId, Option<TurnId>),
    class: Class,
    take_over: bool,
) -> bool {
    match (caller.turn, turn) {
        (None, None) if caller.token == token => true,
        (Some(own), Some(held)) if caller.token == token => own >= held,
        _ => caller.class > class || (caller.class == class && take_over),
    }
}

/// All leases of a run. At most one a resource.
#[derive(Debug)]
pub struct Leases {
    slots: [Option<Lease>; 4],
    epochs: [u32; 4],
    next_id: u64,
}

impl Leases {
    /// None held.
    pub const fn new() -> Self {
        Self { slots: [None; 4], epochs: [0; 4], next_id: 1 }
    }

    /// Who holds `resource`.
    pub const fn held(&self, resource: Resource) -> Option<&Lease> {
        self.slots[resource as usize].as_ref()
    }

    /// Who holds `resource`, to be changed.
    pub const fn held_mut(&mut self, resource: Resource) -> Option<&mut Lease> {
        self.slots[resource as usize].as_mut()
    }

    /// The lease with this number, while it lives.
    pub fn find(&mut self, id: LeaseId) -> Option<(Resource, &mut Lease)> {
        let held = RESOURCES.into_iter().zip(&mut self.slots);
        held.filter_map(|(resource, slot)| slot.as_mut().map(|lease| (resource, lease)))
            .find(|(_, lease)| lease.id == id)
    }

    /// Gives `resource` to `caller`; whoever held it has lost it.
    pub fn grant(&mut self, resource: Resource, caller: &Caller, ttl: Duration, now: BootTime) -> &mut Lease {
        let lease = self.draw(resource, caller, ttl, now);
        self.slots[resource as usize].insert(lease)
    }

    /// The lease that an admitted command uses, its end moved: the one that is held, or else an implicit one.
    pub fn use_or_grant(&mut self, resource: Resource, caller: &Caller, now: BootTime) -> &mut Lease {
        let held = self.slots[resource as usize].take();
        let lease = held.unwrap_or_else(|| self.draw(resource, caller, IMPLICIT_TTL, now));
        let lease = self.slots[resource as usize].insert(lease);
        lease.touch(now);
        lease
    }

    /// What a turn holds lives as long as it does something: a head that it does not move for a while is no lost lease.
    pub fn of_turn(&mut self, turn: TurnId) -> impl Iterator<Item = &mut Lease> {
        self.slots.iter_mut().flatten().filter(move |lease| lease.turn == Some(turn))
    }

    fn draw(&mut self, resource: Resource, caller: &Caller, ttl: Duration, now: BootTime) -> Lease {
        let id = LeaseId(self.next_id);
        self.next_id += 1;
        let epoch = &mut self.epochs[resource as usize];
        *epoch = epoch.saturating_add(1);
        Lease {
            id,
            epoch: *epoch,
            token: caller.token,
            turn: caller.turn,
            class: caller.class,
            holder: caller.name,
            ttl,
            ends_at: now + ttl,
            newest_seq: None,
        }
    }

    /// Drops the leases that are over.
    pub fn expire(&mut self, now: BootTime) {
        for slot in &mut self.slots {
            if slot.is_some_and(|lease| lease.ends_at <= now) {
                *slot = None;
            }
        }
    }

    /// Takes a resource from whoever holds it.
    pub const fn revoke(&mut self, resource: Resource) {
        self.slots[resource as usize] = None;
    }

    /// Takes everything from one token.
    pub fn revoke_token(&mut self, token: TokenId) {
        for slot in &mut self.slots {
            if slot.is_some_and(|lease| lease.token == token) {
                *slot = None;
            }
        }
    }

    /// When the next lease ends.
    pub fn next_end(&self) -> Option<BootTime> {
        self.slots.iter().flatten().map(|lease| lease.ends_at).min()
    }

    /// The lease of a resource as others see it.
    pub fn view(&self, resource: Resource, now: BootTime) -> Option<LeaseView> {
        self.held(resource).map(|lease| lease.view(resource, now))
    }
}

impl Default for Leases {
    fn default() -> Self {
        Self::new()
    }
}
