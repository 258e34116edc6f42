//! A model's turns at the body: presence, bounds, and when a turn is over. Whatever a model asks for, the rest of the gate
//! asks here first; nothing here opens or moves anything.

use std::time::Duration;

use super::drive::{Drive, Ending};
use super::{DONE, Gate, TICK_MS};
use crate::access::Limb;
use crate::ai::{AiBounds, HEAD_TIME};
use crate::caller::{Caller, Class, TurnId};
use crate::envelope::Limits;
use crate::lease::Lease;
use crate::refusal::Refusal;
use crate::request::{Answer, Asked, Request, Travel};
use crate::resource::Resource;
use crate::time::BootTime;
use crate::travel::Journey;

/// A `move` with less time than this left would end before the wheels turn.
const MOVE_TIME_MIN: Duration = Duration::from_millis(TICK_MS);

/// 403: a model acts only inside a turn, by `move`, `head` and lights, and only a person is present or begins a turn. What
/// only ends something is never refused.
pub(super) fn check_class(asked: &Asked) -> Result<(), Refusal> {
    let Caller { class, turn, .. } = asked.caller;
    let needs = match asked.request {
        Request::Stop
        | Request::EStop { .. }
        | Request::TeleopClose(_)
        | Request::End
        | Request::Revoke(_) => return Ok(()),
        Request::Velocity { .. }
        | Request::TeleopOpen(_)
        | Request::TeleopFrame { .. }
        | Request::Reset { .. } => Class::Autonomy,
        Request::Present | Request::Begin(_) | Request::Take { resource: Resource::Presence, .. } => {
            Class::Remote
        }
        Request::Move { .. }
        | Request::Head { .. }
        | Request::Take { resource: Resource::Base | Resource::Head, .. }
            if turn.is_none() =>
        {
            Class::Autonomy
        }
        _ => Class::Ai,
    };
    // Only a model acts in a turn: a person's command must never count as one, nor one as a person's.
    if class < needs || (turn.is_some() && class != Class::Ai) {
        return Err(Refusal::ClassTooLow);
    }
    Ok(())
}

impl Gate {
    /// A person's message begins a turn. One that was sent before the newest stop is over before it began.
    pub(super) fn begin_turn(&mut self, turn: TurnId, asked: &Asked) -> Answer {
        self.check_sent_after_close(Limb::Base, asked.received_at)?;
        let held = Limb::ALL.map(|limb| self.leases.held(limb.resource()).and_then(|lease| lease.turn));
        self.turns.begin(turn, asked.caller.token, |other| held.contains(&Some(other)))?;
        DONE
    }

    /// A turn is over by its own word. What it holds goes with it at the end of this step.
    pub(super) fn end_turn(&mut self, caller: &Caller) -> Answer {
        if let Some(turn) = caller.turn {
            self.turns.end(turn, caller.token);
        }
        DONE
    }

    /// A person typed a message.
    pub(super) fn note_presence(&mut self, asked: &Asked, now: BootTime) -> Answer {
        self.typed.note(asked.caller.token, asked.received_at.min(now));
        DONE
    }

    /// Until when somebody is present; in the past when nobody is.
    fn present_until(&self) -> BootTime {
        let leased = self.leases.held(Resource::Presence).map(|lease| lease.ends_at);
        leased.max(self.typed.until()).unwrap_or_default()
    }

    /// 409 `nobody-present`.
    pub(super) fn check_presence(&self, caller: &Caller, now: BootTime) -> Result<(), Refusal> {
        if caller.turn.is_some() && self.present_until() <= now {
            return Err(Refusal::NobodyPresent);
        }
        Ok(())
    }

    /// The caller acts in a turn that is over or has never begun.
    pub(super) fn is_turn_over(&self, caller: &Caller) -> bool {
        caller.turn.is_some_and(|turn| !self.turns.is_live(turn, caller.token))
    }

    /// 410 `lease-gone`, and 409 `lease-held` by itself: a turn takes base and head once each.
    pub(super) fn check_take_in_turn(&self, caller: &Caller, limb: Option<Limb>) -> Result<(), Refusal> {
        if self.is_turn_over(caller) {
            return Err(Refusal::LeaseGone);
        }
        let (Some(turn), Some(limb)) = (caller.turn, limb) else {
            return Ok(());
        };
        match self.leases.held(limb.resource()) {
            Some(own) if self.turns.has_taken(turn, limb) => Err(own.held()),
            _ => Ok(()),
        }
    }

    /// 422: within what is left of the turn's bounds.
    pub(super) fn check_travel_bounds(
        &self,
        caller: &Caller,
        travel: &Travel,
        now: BootTime,
    ) -> Result<(), Refusal> {
        let Some(turn) = caller.turn else {
            return Ok(());
        };
        self.turns.check_travel(turn, travel)?;
        let journey = Journey::new(self.slowed(caller, *travel), &self.profile, &self.odometry, now);
        let asked = journey.deadline(&self.limits(caller.class).speed);
        self.turns.check_time(turn, MOVE_TIME_MIN, asked)
    }

    /// 422: there is time left to point the head.
    pub(super) fn check_head_bounds(&self, caller: &Caller) -> Result<(), Refusal> {
        caller.turn.map_or(Ok(()), |turn| self.turns.check_time(turn, HEAD_TIME, HEAD_TIME))
    }

    /// The travel as this caller may make it.
    pub(super) fn slowed(&self, caller: &Caller, travel: Travel) -> Travel {
        if caller.turn.is_some() { self.profile.ai.slowed(travel, &self.profile) } else { travel }
    }

    /// Most that a class may ask for now: the envelope, and for a model its own bounds.
    pub(super) fn limits(&self, class: Class) -> Limits {
        let limits = self.envelope.limits(class);
        if class == Class::Ai {
            return limits.within_ai(self.profile.ai.linear_mps, AiBounds::angular_radps(&self.profile));
        }
        limits
    }

    /// When a setpoint is over: by itself, or a model's by its bounds or because nobody is present.
    pub(super) fn drive_end(&self, drive: &Drive) -> BootTime {
        drive.turn.map_or(drive.expires_at, |turn| {
            let time_over = drive.counted_to + self.turns.time_left(turn);
            drive.expires_at.min(time_over).min(self.present_until())
        })
    }

    /// Counts the time that a model's setpoint was in force since the step before.
    pub(super) fn count_time(&mut self, now: BootTime) {
        let Some(drive) = &self.drive else {
            return;
        };
        let Some(turn) = drive.turn else {
            return;
        };
        let counted_to = now.min(self.drive_end(drive)).max(drive.counted_to);
        self.turns.spend_time(turn, counted_to.since(drive.counted_to));
        self.drive = Some(Drive { counted_to, ..*drive });
    }

    /// Ends the setpoint in force once its time is over, with the reason.
    pub(super) fn end_overdue_drive(&mut self, now: BootTime) {
        let Some(drive) = self.drive.as_ref().filter(|drive| self.drive_end(drive) <= now) else {
            return;
        };
        let ending = match drive.turn {
            Some(_) if self.present_until() <= now => Ending::NobodyPresent,
            Some(turn) if self.turns.time_left(turn).is_zero() => Ending::Bounds,
            _ => Ending::Deadline,
        };
        self.end_drive(ending);
    }

    /// A turn that has lost a lease is over, and so is what else it holds.
    pub(super) fn end_turns_without_lease(&mut self) {
        let held = Limb::ALL.map(|limb| self.leases.held(limb.resource()).and_then(|lease| lease.turn));
        self.turns.end_without_lease(|turn, limb| held[limb as usize] == Some(turn));
        for limb in Limb::ALL {
            let is_over =
                |lease: &Lease| lease.turn.is_some_and(|turn| !self.turns.is_live(turn, lease.token));
            if self.leases.held(limb.resource()).is_some_and(is_over) {
                self.leases.revoke(limb.resource());
            }
        }
        self.end_drive_without_lease(Ending::LeaseOver);
    }
}
