//! What the gate shows of itself.

use std::time::Duration;

use firmware_bridge_link::message::State;

use super::Gate;
use crate::access::Limb;
use crate::caller::Class;
use crate::refusal::ClosedBy;
use crate::request::Twist;
use crate::resource::Resource;
use crate::snapshot::{Envelope, Snapshot};
use crate::time::BootTime;

impl Gate {
    /// Copies what the gate shows of itself.
    pub fn snapshot(&self, now: BootTime, into: &mut Snapshot) {
        let measured = self.measured();
        let class = self.leases.held(Resource::Base).map_or(Class::Local, |lease| lease.class);
        let limits = self.limits(class);
        into.at = now;
        into.pose = self.odometry.pose();
        (into.linear_mps, into.angular_radps) = (measured.linear_mps, measured.angular_radps);
        into.setpoint = self.setpoint(now);
        into.base_closed = self.access.closed(Limb::Base);
        into.head_closed = self.access.closed(Limb::Head);
        into.leases = [Resource::Base, Resource::Head, Resource::Lights, Resource::Presence]
            .map(|resource| self.leases.view(resource, now));
        into.lights = self.lights;
        into.estop = self.estop.view();
        into.stop_confirmed = self.is_stop_done();
        into.envelope = Envelope {
            linear_mps: limits.speed.forward_mps,
            angular_radps: limits.speed.angular_radps,
            reason: limits.forward_reason,
        };
        self.tasks.copy_into(&mut into.tasks);
        self.why.copy_into(&mut into.refusals);
        into.is_heard = self.is_heard();
        into.link_up = self.is_link_up();
        into.is_anything_to_stop = self.is_anything_to_stop();
        into.body = self.body;
    }

    fn is_anything_to_stop(&self) -> bool {
        let is_held = |limb: Limb| self.leases.held(limb.resource()).is_some();
        let is_armed = self.body.state.is_some_and(|(state, _)| state == State::Armed);
        self.drive.is_some()
            || self.access.is_any_open()
            || self.access.is_any_closed_by(ClosedBy::Starting)
            || self.openings.iter().any(Option::is_some)
            || Limb::ALL.into_iter().any(is_held)
            || is_armed
            || !self.is_stop_done()
            || !self.estop.is_shown()
    }

    /// The setpoint in force, as far as it is in force.
    fn setpoint(&self, now: BootTime) -> Option<Twist> {
        let drive = self.drive.as_ref().filter(|_| self.may_drive())?;
        let ttl = self.drive_end(drive).since(now);
        let speed = drive.wanted.clamped(&self.limits(drive.class).speed);
        (ttl > Duration::ZERO).then_some(Twist {
            linear_mps: speed.linear_mps,
            angular_radps: speed.angular_radps,
            ttl,
        })
    }
}
