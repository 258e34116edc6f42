//! May this command move this limb now? The checks of the contract, in its order; nothing here changes anything.

use super::{Gate, LINK_LOST_AFTER, READY_WITHIN};
use crate::access::Limb;
use crate::caller::Caller;
use crate::refusal::{ClosedBy, Refusal};
use crate::request::{Asked, Freshness, LeaseId, SocketId, Travel, Twist};
use crate::resource::Resource;
use crate::time::BootTime;
use crate::travel::DEADLINE_MAX;

/// The lease that a command would use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeaseUse {
    /// The token holds it, in the same turn.
    Own,
    /// Free, and a person may take it with the command itself.
    Implicit,
    /// It named one that is over, or its turn is.
    Gone,
}

/// A command that moves something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command<'a> {
    pub(super) asked: &'a Asked,
    /// The lease it names.
    pub(super) lease: Option<LeaseId>,
    pub(super) freshness: &'a Freshness,
    pub(super) kind: Kind,
}

/// What it wants.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `velocity`: ages by its own time to live, and rises within its lease.
    Velocity { twist: Twist, seq: Option<u64> },
    /// A teleop frame: as `velocity`, but rises within its socket, which must be open and its stick let go once.
    Teleop { twist: Twist, socket: SocketId, seq: u64 },
    /// `move`.
    Travel(Travel),
    /// `head`.
    Head { pan_rad: f32, tilt_rad: f32 },
}

impl Command<'_> {
    /// What it moves.
    pub(super) const fn limb(&self) -> Limb {
        match self.kind {
            Kind::Velocity { .. } | Kind::Teleop { .. } | Kind::Travel(_) => Limb::Base,
            Kind::Head { .. } => Limb::Head,
        }
    }

    /// The speed it asks for, where it asks for one.
    const fn twist(&self) -> Option<&Twist> {
        match &self.kind {
            Kind::Velocity { twist, .. } | Kind::Teleop { twist, .. } => Some(twist),
            Kind::Travel(_) | Kind::Head { .. } => None,
        }
    }
}

impl Gate {
    /// Runs every check after 403, in the contract's order: 400, 422, 404, 423, 503, 409, 410.
    pub(super) fn admit(&self, command: &Command<'_>, now: BootTime) -> Result<(), Refusal> {
        let caller = &command.asked.caller;
        check_seen(caller, command.freshness.seen.is_some())?;
        if matches!(command.kind, Kind::Teleop { .. }) && command.freshness.seen.is_none() {
            return Err(Refusal::SeenMissing);
        }
        self.check_ranges(&command.kind)?;
        self.check_bounds(command, now)?;
        if let Kind::Teleop { socket, .. } = command.kind
            && !self.sockets.is_open(socket, caller.token)
        {
            return Err(Refusal::NotFound);
        }
        self.check_latch()?;
        self.check_link()?;
        self.check_open(command.limb())?;
        self.check_sent_after_close(command.limb(), command.asked.received_at)?;
        let lease_use = self.check_lease(command.limb().resource(), command.lease, caller, now)?;
        self.check_presence(caller, now)?;
        if let Kind::Teleop { twist, socket, .. } = command.kind
            && !is_zero(&twist)
            && !self.sockets.is_neutral_passed(socket, now)
        {
            return Err(Refusal::NeutralFirst);
        }
        self.check_age(command, lease_use, now)
    }

    /// 423.
    pub(super) const fn check_latch(&self) -> Result<(), Refusal> {
        if self.estop.is_latched() {
            return Err(Refusal::EStopLatched { epoch: self.estop.epoch() });
        }
        Ok(())
    }

    /// 503: the start is over, the MCU's state is known and it answers.
    pub(super) fn check_link(&self) -> Result<(), Refusal> {
        if self.access.is_any_closed_by(ClosedBy::Starting) && !self.is_never_ready() {
            return Err(Refusal::Starting);
        }
        self.check_mcu()
    }

    /// 503: the MCU's state is known and it answers.
    pub(super) fn check_mcu(&self) -> Result<(), Refusal> {
        if !self.is_started && !self.is_never_ready() {
            return Err(Refusal::Starting);
        }
        if !self.is_link_up() || self.ended.is_some() {
            return Err(Refusal::LinkDown);
        }
        Ok(())
    }

    /// The MCU is heard, but its handshake does not get done: it speaks another protocol, or refuses this agent's limits.
    fn is_never_ready(&self) -> bool {
        let at = self.ticked_at.unwrap_or_default();
        self.unready_since.is_some_and(|since| at.since(since) > READY_WITHIN)
    }

    /// Orders can be given: a valid frame came lately, and this connection's handshake is over. Judged at the newest tick, like everything else of
    /// the body.
    pub(super) fn is_link_up(&self) -> bool {
        self.is_heard() && self.body.ready && self.body.state.is_some()
    }

    /// A valid frame came lately. It says nothing about whether orders can be given.
    pub(super) fn is_heard(&self) -> bool {
        let at = self.ticked_at.unwrap_or_default();
        self.body.last_frame_at.is_some_and(|frame_at| at.since(frame_at) <= LINK_LOST_AFTER)
    }

    /// 409 `closed`.
    pub(super) fn check_open(&self, limb: Limb) -> Result<(), Refusal> {
        self.access.refusal(limb).map_or(Ok(()), Err)
    }

    /// 409 `closed`: what was on its way when the limb was closed does not move it, even if somebody has opened it since.
    pub(super) fn check_sent_after_close(&self, limb: Limb, received_at: BootTime) -> Result<(), Refusal> {
        self.access.refusal_of_older(limb, received_at).map_or(Ok(()), Err)
    }

    /// 422: what is left to a model's turn.
    fn check_bounds(&self, command: &Command<'_>, now: BootTime) -> Result<(), Refusal> {
        let caller = &command.asked.caller;
        match &command.kind {
            Kind::Travel(travel) => self.check_travel_bounds(caller, travel, now),
            Kind::Head { .. } => self.check_head_bounds(caller),
            Kind::Velocity { .. } | Kind::Teleop { .. } => Ok(()),
        }
    }

    /// 409 `lease-held`, `lease-needed`. A lease that is over is not yet a refusal: 410 comes later in the order.
    fn check_lease(
        &self,
        resource: Resource,
        named: Option<LeaseId>,
        caller: &Caller,
        now: BootTime,
    ) -> Result<LeaseUse, Refusal> {
        match (named, self.leases.held(resource)) {
            (_, Some(held)) if !held.is_of(caller) => Err(held.held()),
            _ if self.is_turn_over(caller) => Ok(LeaseUse::Gone),
            (Some(named), Some(held)) if held.id == named => Ok(LeaseUse::Own),
            (Some(_), _) => Ok(LeaseUse::Gone),
            (None, Some(_)) => Ok(LeaseUse::Own),
            (None, None) if !caller.class.is_human() || self.backoff.holds_back(caller.token, now) => {
                Err(Refusal::LeaseNeeded)
            }
            (None, None) => Ok(LeaseUse::Implicit),
        }
    }

    /// 410 `stale`, `lease-gone`, `not-rising`.
    fn check_age(&self, command: &Command<'_>, lease_use: LeaseUse, now: BootTime) -> Result<(), Refusal> {
        let received_at = command.asked.received_at;
        self.judge.judge(command.freshness, received_at, now)?;
        if let Some(twist) = command.twist()
            && received_at + twist.ttl <= now
        {
            return Err(Refusal::Stale {
                age_ms: Some(whole_ms(now.since(received_at))),
                max_age_ms: whole_ms(twist.ttl),
            });
        }
        if lease_use == LeaseUse::Gone {
            return Err(Refusal::LeaseGone);
        }
        match command.kind {
            Kind::Velocity { seq: Some(seq), .. } if lease_use == LeaseUse::Own => {
                match self.leases.held(command.limb().resource()).and_then(|lease| lease.newest_seq) {
                    Some(newest) if seq <= newest => Err(Refusal::NotRising { newest }),
                    _ => Ok(()),
                }
            }
            Kind::Teleop { socket, seq, .. } => self.sockets.check_seq(socket, seq),
            Kind::Velocity { .. } | Kind::Travel(_) | Kind::Head { .. } => Ok(()),
        }
    }

    /// 422.
    fn check_ranges(&self, kind: &Kind) -> Result<(), Refusal> {
        match kind {
            Kind::Velocity { twist, .. } | Kind::Teleop { twist, .. } => {
                let (linear, angular) = (self.profile.linear_mps_max, self.profile.angular_radps_max);
                check_range("linear_mps", twist.linear_mps, -linear, linear)?;
                check_range("angular_radps", twist.angular_radps, -angular, angular)
            }
            Kind::Travel(travel) => self.check_travel(travel),
            Kind::Head { pan_rad, tilt_rad } => {
                let limits = self.profile.head;
                check_range("pan_rad", *pan_rad, -limits.pan_rad_max, limits.pan_rad_max)?;
                check_range("tilt_rad", *tilt_rad, -limits.tilt_rad_max, limits.tilt_rad_max)
            }
        }
    }

    /// 422: a travel that the body could make within the longest deadline.
    fn check_travel(&self, travel: &Travel) -> Result<(), Refusal> {
        let farthest = |per_s: f32| per_s * DEADLINE_MAX.as_secs_f32();
        match *travel {
            Travel::Distance { distance_m, speed_mps } => {
                let limit = self.profile.linear_mps_max;
                check_range("distance_m", distance_m, -farthest(limit), farthest(limit))?;
                speed_mps.map_or(Ok(()), |speed| check_range("speed_mps", speed, SPEED_MIN.min(limit), limit))
            }
            Travel::Turn { angle_rad, speed_radps } => {
                let limit = self.profile.angular_radps_max;
                check_range("angle_rad", angle_rad, -farthest(limit), farthest(limit))?;
                speed_radps
                    .map_or(Ok(()), |speed| check_range("speed_radps", speed, SPEED_MIN.min(limit), limit))
            }
        }
    }
}

/// Slowest cruise that a `move` can name, m/s or rad/s.
const SPEED_MIN: f32 = 0.01;

/// 400: where the request came over a network, it shows what its sender saw.
pub(super) fn check_seen(caller: &Caller, is_shown: bool) -> Result<(), Refusal> {
    if caller.must_show_seen && !is_shown { Err(Refusal::SeenMissing) } else { Ok(()) }
}

/// 422. What is not a number is out of every range.
pub(super) fn check_range(field: &'static str, value: f32, min: f32, max: f32) -> Result<(), Refusal> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Refusal::OutOfRange { field, min: shown(min), max: shown(max) })
}

/// 0.6 is stored as 0.60000002 and shall be shown as 0.6.
fn shown(value: f32) -> f64 {
    (f64::from(value) * 1e6).round() / 1e6
}

fn is_zero(twist: &Twist) -> bool {
    twist.linear_mps == 0.0 && twist.angular_radps == 0.0
}

fn whole_ms(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
