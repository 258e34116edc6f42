//! What one message makes the body do: a turn in the gate, with at most one lease of base and one of head. Dropped, it ends the
//! turn, and what it holds and moves with it, also what was still on its way to the gate.

use std::time::Duration;

use agent_core::caller::Caller;
use agent_core::refusal::Refusal;
use agent_core::request::{Accepted, Freshness, LeaseId, Request, Resource, TaskId, Travel};
use agent_core::snapshot::{TaskState, TaskView};
use cloud_sync_api::access::Principal;
use cloud_sync_api::scope::Scope;

use crate::drive::handle::{DriveError, DriveHandle};
use crate::drive::robot::{Robot, caller};

/// Longer than anything that one message causes: it ends with the turn.
const LEASE_TTL: Duration = Duration::from_secs(30);
/// Turns are numbered within a run; a turn that was made is never a person's any more.
const FRESHNESS: Freshness = Freshness { seen: None, max_age: Duration::from_secs(1) };

/// Why a call was not done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Unable {
    /// The message's token may not move the body.
    NoRight,
    /// The gate refused.
    Refused(Refusal),
    /// The gate gave no answer.
    Silent(DriveError),
    /// The task ended before its goal, with the gate's word for it.
    Ended(&'static str),
}

/// What one message makes the body do.
#[derive(Debug)]
pub struct Errand {
    drive: DriveHandle,
    /// `None`: the message's token may not move the body.
    model: Option<Caller>,
    base: Option<LeaseId>,
    head: Option<LeaseId>,
}

impl Errand {
    /// A message of somebody who typed it just now. Whoever may not drive has an errand that moves nothing.
    pub(super) async fn begin(robot: &Robot, by: &Principal) -> Self {
        let mut errand = Self { drive: robot.drive.clone(), model: None, base: None, head: None };
        if !by.has(Scope::Drive) || !by.class.is_human() {
            return errand;
        }
        // The message itself crossed the network; the commands that it causes are made here and now.
        let person = Caller { must_show_seen: false, ..caller(by) };
        let turn = robot.turns.next();
        for request in [Request::Present, Request::Begin(turn)] {
            // A turn that did not begin is refused whatever it asks for, with the reason.
            if let Err(error) = robot.drive.ask(person, request).await {
                tracing::warn!("the gate did not hear of a chat message: {error}");
            }
        }
        errand.model = Some(person.in_turn(turn));
        errand
    }

    /// Drives or turns, and waits for the end of it.
    pub(super) async fn travel(&mut self, travel: Travel) -> Result<(), Unable> {
        // A future that is dropped half way ends the turn: nobody waits for it any more.
        let mut unfinished = Unfinished { errand: self, is_over: false };
        let ended = unfinished.errand.travelled(travel).await;
        unfinished.is_over = true;
        match ended?.map(|view| (view.state, view.reason)) {
            Some((TaskState::Done, _)) => Ok(()),
            Some((_, reason)) => Err(Unable::Ended(reason)),
            None => Err(Unable::Ended("replaced")),
        }
    }

    async fn travelled(&mut self, travel: Travel) -> Result<Option<TaskView>, Unable> {
        let lease = self.hold(Resource::Base).await?;
        let request = Request::Move { travel, lease: Some(lease), freshness: FRESHNESS };
        match self.ask(request).await? {
            Accepted::Moving { task, .. } => Ok(self.ended(task).await),
            _ => Ok(None),
        }
    }

    /// Points the head.
    pub(super) async fn point(&mut self, pan_rad: f32, tilt_rad: f32) -> Result<(), Unable> {
        let mut unfinished = Unfinished { errand: self, is_over: false };
        let pointed = unfinished.errand.pointed(pan_rad, tilt_rad).await;
        unfinished.is_over = true;
        pointed
    }

    async fn pointed(&mut self, pan_rad: f32, tilt_rad: f32) -> Result<(), Unable> {
        let lease = self.hold(Resource::Head).await?;
        let request = Request::Head { pan_rad, tilt_rad, lease: Some(lease), freshness: FRESHNESS };
        self.ask(request).await.map(|_done| ())
    }

    /// Sets the lights.
    pub(super) async fn light(&self, on: Option<bool>, rgb: Option<[u8; 3]>) -> Result<(), Unable> {
        self.ask(Request::Lights { on, rgb, brightness: None }).await.map(|_done| ())
    }

    /// The lease of a resource, taken once.
    async fn hold(&mut self, resource: Resource) -> Result<LeaseId, Unable> {
        let held = if resource == Resource::Base { self.base } else { self.head };
        if let Some(lease) = held {
            return Ok(lease);
        }
        let take = Request::Take { resource, ttl: LEASE_TTL, take_over: false, seen: None };
        let Accepted::Lease(view) = self.ask(take).await? else {
            return Err(Unable::Refused(Refusal::LeaseGone));
        };
        let slot = if resource == Resource::Base { &mut self.base } else { &mut self.head };
        *slot = Some(view.id);
        Ok(view.id)
    }

    async fn ask(&self, request: Request) -> Result<Accepted, Unable> {
        let model = self.model.ok_or(Unable::NoRight)?;
        match self.drive.ask(model, request).await {
            Ok(Ok(accepted)) => Ok(accepted),
            Ok(Err(refusal)) => Err(Unable::Refused(refusal)),
            Err(error) => Err(Unable::Silent(error)),
        }
    }

    /// Waits for the end of a task. `None`: it is forgotten, so newer ones have replaced it.
    async fn ended(&self, task: TaskId) -> Option<TaskView> {
        let found = |tasks: &[TaskView]| tasks.iter().find(|view| view.id == task).copied();
        let is_over = |view: Option<TaskView>| view.is_none_or(|view| view.state != TaskState::Running);
        self.drive.until(|shown| is_over(found(&shown.tasks))).await;
        found(&self.drive.snapshot().tasks)
    }

    /// Ends the turn: what it holds goes back, and what moves under it ends.
    fn end(&self) {
        if let Some(model) = self.model {
            self.drive.tell(model, Request::End);
        }
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends the motion of an errand, unless it has come to its end.
struct Unfinished<'a> {
    errand: &'a mut Errand,
    is_over: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.errand.end();
        }
    }
}
