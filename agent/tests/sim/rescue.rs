//! After everything healed: a person resets what is latched, takes the base and drives. That must always work.

use std::time::Duration;

use agent_core::caller::Class;
use agent_core::refusal::ClosedBy;
use agent_core::request::{Accepted, Answer, Asked, Freshness, LeaseId, Request, Resource, Twist};
use agent_core::snapshot::Closed;

use crate::figures::Figures;
use crate::ledger::{Check, ensure};
use crate::people::bystander;
use crate::world::World;

/// Between two velocities, us.
const PERIOD_US: u64 = 50_000;
/// Between two tries to take or reset: the longest that an answer waits for the MCU, and a little, us.
const TAKE_PERIOD_US: u64 = 270_000;
/// Until the take must be answered, us.
const TAKEN_WITHIN_US: u64 = 2_000_000;
/// Until the body must have turned after that, us.
const MOVED_WITHIN_US: u64 = 1_000_000;
/// How long after the end of all faults their news may come, us.
const LEFTOVER_US: u64 = 50_000;
/// How far, rad.
const TURN_RAD: f64 = 0.05;

/// What the body did by itself just before everything healed may still be on its way to the agent when the base is taken:
/// then the person takes it once more. Nothing that the agent does is excused.
fn is_leftover(closed: &Closed, heals_us: u64) -> bool {
    matches!(closed.by, ClosedBy::Hold | ClosedBy::McuFault) && closed.since.as_us() < heals_us + LEFTOVER_US
}

/// How far the person has come.
pub(crate) struct Rescue {
    heals_us: u64,
    next_us: u64,
    lease: Option<(u64, LeaseId)>,
    heading_rad: f64,
    has_moved: bool,
}

impl Rescue {
    pub(crate) fn new(heals_us: u64) -> Self {
        Self { heals_us, next_us: heals_us, lease: None, heading_rad: 0.0, has_moved: false }
    }

    pub(crate) fn next_us(&self) -> Option<u64> {
        (!self.has_moved).then_some(self.next_us)
    }

    pub(crate) fn hears(&mut self, now_us: u64, asked: &Asked, answer: &Answer, figures: &mut Figures) {
        if asked.caller.token != bystander(Class::Local).token {
            return;
        }
        if let (Request::Take { .. }, Ok(Accepted::Lease(view))) = (&asked.request, answer) {
            if self.lease.is_none() {
                figures.takes.push(now_us - self.heals_us);
            }
            self.lease = Some((now_us, view.id));
        }
    }
}

impl World {
    /// One look of the person.
    pub(crate) fn rescue(&mut self) -> Check {
        if self.rescue.has_moved || self.now_us < self.rescue.next_us {
            return Ok(());
        }
        self.rescue.next_us = self.now_us + PERIOD_US;
        let helper = bystander(Class::Local);
        let seen = Some(self.newest_seen());
        let heading_rad = self.body.pose().heading_rad;
        let heals_us = self.rescue.heals_us;
        let shown = &self.process.shown.gate;
        if shown.base_closed.is_some_and(|closed| is_leftover(&closed, heals_us)) {
            self.rescue.lease = None;
        }
        let Some((taken_us, lease)) = self.rescue.lease else {
            self.rescue.heading_rad = heading_rad;
            let waited_us = self.now_us - self.rescue.heals_us;
            ensure(waited_us <= TAKEN_WITHIN_US, || {
                let (closed, state) = (shown.base_closed, shown.body.state);
                let (ready, refusal) = (shown.body.ready, shown.refusals.last());
                format!("no take within 2 s: {closed:?}, MCU {state:?}, ready {ready}, {refusal:?}")
            })?;
            let request = match shown.estop.latched {
                true => Request::Reset { epoch: shown.estop.epoch },
                false => Request::Take {
                    resource: Resource::Base,
                    ttl: Duration::from_secs(3),
                    take_over: true,
                    seen,
                },
            };
            self.send(self.now_us + 1_000, helper, request);
            self.rescue.next_us = self.now_us + TAKE_PERIOD_US;
            return Ok(());
        };
        self.rescue.has_moved = (heading_rad - self.rescue.heading_rad).abs() > TURN_RAD;
        let waited_us = self.now_us - taken_us;
        ensure(waited_us <= MOVED_WITHIN_US, || {
            format!("taken, but it does not move: {:?}", shown.setpoint)
        })?;
        let twist = Twist { linear_mps: 0.0, angular_radps: 1.0, ttl: Duration::from_millis(250) };
        let freshness = Freshness { seen, max_age: Duration::from_millis(300) };
        self.send(
            self.now_us + 1_000,
            helper,
            Request::Velocity { twist, lease: Some(lease), seq: None, freshness },
        );
        Ok(())
    }
}
