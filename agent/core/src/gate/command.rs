//! Commands that move something or light something: what an admitted one does.

use std::time::Duration;

use super::admit::{Command, Kind, check_range};
use super::drive::{Drive, Ending, Origin};
use super::{DONE, Gate, Order, Output};
use crate::ai::HEAD_TIME;
use crate::budget::{TTL_MS_MAX, TTL_MS_MIN};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::request::{Accepted, Answer, Asked, LeaseId, Limited, SocketId, TaskId, Travel, Twist};
use crate::resource::Resource;
use crate::snapshot::Lights;
use crate::time::BootTime;
use crate::travel::Journey;
use crate::wheels::BodySpeed;

impl Gate {
    /// Everything that moves something: checked first, in full, and only then carried out.
    pub(super) fn command(&mut self, command: &Command<'_>, now: BootTime, out: &mut Output) -> Answer {
        self.admit(command, now)?;
        let asked = command.asked;
        if let Some(turn) = asked.caller.turn {
            self.leases.of_turn(turn).for_each(|lease| lease.touch(now));
        }
        let lease = self.leases.use_or_grant(command.limb().resource(), &asked.caller, now);
        match command.kind {
            Kind::Velocity { twist, seq } => {
                lease.newest_seq = seq.or(lease.newest_seq);
                let lease = lease.id;
                Ok(self.drive_by(&twist, Origin::Velocity, asked, lease, now, out))
            }
            Kind::Teleop { twist, socket, seq } => {
                let lease = lease.id;
                self.sockets.accepted(socket, seq, now);
                Ok(self.drive_by(&twist, Origin::Teleop(socket), asked, lease, now, out))
            }
            Kind::Travel(travel) => {
                let lease = lease.id;
                Ok(self.travel(travel, &asked.caller, lease, now, out))
            }
            Kind::Head { pan_rad, tilt_rad } => {
                if let Some(turn) = asked.caller.turn {
                    self.turns.spend_time(turn, HEAD_TIME);
                }
                out.orders.push(Order::Head { pan_rad, tilt_rad });
                DONE
            }
        }
    }

    /// Puts a speed in force. It ages from when the edge had read it.
    fn drive_by(
        &mut self,
        twist: &Twist,
        origin: Origin,
        asked: &Asked,
        lease: LeaseId,
        now: BootTime,
        out: &mut Output,
    ) -> Accepted {
        let wanted = BodySpeed { linear_mps: twist.linear_mps, angular_radps: twist.angular_radps };
        let expires_at = asked.received_at.min(now) + twist.ttl;
        self.end_drive(Ending::Replaced);
        self.drive = Some(Drive {
            wanted,
            class: asked.caller.class,
            lease,
            expires_at,
            turn: asked.caller.turn,
            counted_to: now,
            origin,
        });
        out.urgent = true;
        Accepted::Driving {
            lease,
            expires_in: expires_at.since(now),
            limited: self.limited(wanted, &asked.caller),
        }
    }

    /// What the envelope makes of a speed, when it does not leave it as it is.
    fn limited(&self, wanted: BodySpeed, caller: &Caller) -> Option<Limited> {
        let limits = self.limits(caller.class);
        let speed = wanted.clamped(&limits.speed);
        (speed != wanted).then(|| Limited {
            linear_mps: speed.linear_mps,
            angular_radps: speed.angular_radps,
            reason: limits.reason_for(wanted),
        })
    }

    /// `POST move`: holds the lease until its own deadline.
    fn travel(
        &mut self,
        travel: Travel,
        caller: &Caller,
        lease: LeaseId,
        now: BootTime,
        out: &mut Output,
    ) -> Accepted {
        let travel = self.slowed(caller, travel);
        let journey = Journey::new(travel, &self.profile, &self.odometry, now);
        let mut deadline = journey.deadline(&self.limits(caller.class).speed);
        let own_end = now + deadline;
        if let Some(turn) = caller.turn {
            self.turns.spend_travel(turn, &travel);
            deadline = deadline.min(self.turns.time_left(turn));
        }
        let expires_at = now + deadline;
        if let Some((_, held)) = self.leases.find(lease) {
            held.extend_to(expires_at);
        }
        if let Some(turn) = caller.turn {
            self.leases.of_turn(turn).for_each(|held| held.extend_to(expires_at));
        }
        self.end_drive(Ending::Replaced);
        let task = self.tasks.start(caller);
        let wanted = BodySpeed { linear_mps: 0.0, angular_radps: 0.0 };
        self.drive = Some(Drive {
            wanted,
            class: caller.class,
            lease,
            expires_at: own_end,
            turn: caller.turn,
            counted_to: now,
            origin: Origin::Task(task, journey),
        });
        self.advance_task(now);
        out.urgent = true;
        Accepted::Moving { task, lease, deadline }
    }

    /// `DELETE tasks/{id}`. One that is over already stays as it ended.
    pub(super) fn cancel(&mut self, task: TaskId, caller: &Caller) -> Answer {
        if !self.tasks.may_cancel(task, caller) {
            return Err(Refusal::NotFound);
        }
        if self.drive.as_ref().is_some_and(|drive| matches!(drive.origin, Origin::Task(id, _) if id == task))
        {
            self.end_drive(Ending::Cancelled);
        }
        DONE
    }

    /// `POST lights`: on or off, colour, brightness. Needs no lease unless somebody else holds one.
    pub(super) fn light(
        &mut self,
        caller: &Caller,
        (on, rgb, brightness): (Option<bool>, Option<[u8; 3]>, Option<f32>),
        now: BootTime,
        out: &mut Output,
    ) -> Answer {
        check_range("brightness", brightness.unwrap_or(0.0), 0.0, 1.0)?;
        self.check_mcu()?;
        if let Some(held) = self.leases.held_mut(Resource::Lights) {
            if !held.is_of(caller) {
                return Err(held.held());
            }
            held.touch(now);
        }
        if self.is_turn_over(caller) {
            return Err(Refusal::LeaseGone);
        }
        self.lights = Lights {
            on: on.unwrap_or(self.lights.on),
            rgb: rgb.unwrap_or(self.lights.rgb),
            brightness: brightness.unwrap_or(self.lights.brightness),
        };
        out.orders.push(self.lights_order());
        DONE
    }

    /// The order that shows the lights as they should be.
    pub(super) fn lights_order(&self) -> Order {
        let brightness = if self.lights.on { (self.lights.brightness * 255.0).round() as u8 } else { 0 };
        Order::Lights { rgb: self.lights.rgb, brightness }
    }

    /// A teleop socket opened; the token's earlier one is over, with its setpoint.
    pub(super) fn teleop_open(&mut self, socket: SocketId, caller: &Caller, now: BootTime) -> Answer {
        if let Some(ended) = self.sockets.open(socket, caller.token, now)? {
            self.end_drive_of_socket(ended, Ending::Replaced);
        }
        DONE
    }

    /// A teleop socket closed: its setpoint ends at once.
    pub(super) fn teleop_close(&mut self, socket: SocketId, caller: &Caller) -> Answer {
        if self.sockets.is_open(socket, caller.token) {
            self.end_drive_of_socket(socket, Ending::SocketClosed);
            self.sockets.close(socket);
        }
        DONE
    }
}

/// A time to live within the contract's bounds, whatever the edge made of it.
pub(super) fn with_legal_ttl(twist: &Twist) -> Twist {
    let bounds = (Duration::from_millis(u64::from(TTL_MS_MIN)), Duration::from_millis(u64::from(TTL_MS_MAX)));
    Twist { ttl: twist.ttl.clamp(bounds.0, bounds.1), ..*twist }
}
