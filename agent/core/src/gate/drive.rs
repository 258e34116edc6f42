//! The setpoint in force, whoever set it, and the tasks that can still be asked for. At most one task runs: it is the setpoint.

use arrayvec::ArrayVec;

use super::Gate;
use crate::access::Limb;
use crate::caller::{Caller, Class, TokenId, TurnId};
use crate::refusal::ClosedBy;
use crate::request::{LeaseId, SocketId, TaskId};
use crate::snapshot::{TASKS_KEPT, TaskState, TaskView};
use crate::time::BootTime;
use crate::travel::{Journey, Progress};
use crate::wheels::BodySpeed;

/// The setpoint in force.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drive {
    /// As asked for; the envelope is applied anew each step.
    pub(super) wanted: BodySpeed,
    /// Class of the command, for the envelope.
    pub(super) class: Class,
    /// It ends with this lease.
    pub(super) lease: LeaseId,
    /// Its own end; see [`Gate::drive_end`].
    pub(super) expires_at: BootTime,
    /// The turn whose time it spends.
    pub(super) turn: Option<TurnId>,
    /// Up to when that turn's time is counted.
    pub(super) counted_to: BootTime,
    /// Who set it.
    pub(super) origin: Origin,
}

/// Who set a setpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// `velocity`.
    Velocity,
    /// A teleop socket: ends with it.
    Teleop(SocketId),
    /// A `move`: sets `wanted` each tick.
    Task(TaskId, Journey),
}

/// Why a setpoint ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Arrived,
    Blocked,
    Deadline,
    Bounds,
    NobodyPresent,
    Replaced,
    Cancelled,
    LeaseOver,
    Revoked,
    SocketClosed,
    Closed(ClosedBy),
}

impl Ending {
    /// What a task's view says then.
    const fn of_task(self) -> (TaskState, &'static str) {
        match self {
            Self::Arrived => (TaskState::Done, "arrived"),
            Self::Blocked => (TaskState::Failed, "blocked"),
            Self::Deadline => (TaskState::Failed, "deadline"),
            Self::Bounds => (TaskState::Failed, "bounds"),
            Self::NobodyPresent => (TaskState::Cancelled, "nobody-present"),
            Self::Replaced => (TaskState::Cancelled, "replaced"),
            Self::Cancelled => (TaskState::Cancelled, "cancelled"),
            Self::LeaseOver => (TaskState::Cancelled, "lease-gone"),
            Self::Revoked => (TaskState::Cancelled, "revoked"),
            Self::SocketClosed => (TaskState::Cancelled, "socket-closed"),
            Self::Closed(by @ (ClosedBy::Stop | ClosedBy::EStop)) => (TaskState::Cancelled, by.as_str()),
            Self::Closed(by) => (TaskState::Failed, by.as_str()),
        }
    }
}

/// Whose a task is.
type Owner = (TokenId, Option<TurnId>);

/// The newest tasks; the oldest drops out.
#[derive(Debug)]
pub(super) struct Tasks {
    kept: ArrayVec<(TaskView, Owner), TASKS_KEPT>,
    next_id: u64,
}

impl Tasks {
    pub(super) const fn new() -> Self {
        Self { kept: ArrayVec::new_const(), next_id: 1 }
    }

    /// Starts a task of `caller`.
    pub(super) fn start(&mut self, caller: &Caller) -> TaskId {
        if self.kept.is_full() {
            // Only the newest can be running, and room is made for a newer one.
            self.kept.remove(0);
        }
        let id = TaskId(self.next_id);
        self.next_id += 1;
        let view = TaskView { id, state: TaskState::Running, reason: "running", progress: 0.0 };
        self.kept.push((view, (caller.token, caller.turn)));
        id
    }

    /// The caller may end it: it is of the same token, and a model's turn ends only its own.
    pub(super) fn may_cancel(&self, id: TaskId, caller: &Caller) -> bool {
        let owner = self.kept.iter().find(|(view, _)| view.id == id).map(|(_, owner)| *owner);
        owner.is_some_and(|(token, turn)| {
            token == caller.token && (caller.turn.is_none() || caller.turn == turn)
        })
    }

    fn update(&mut self, id: TaskId, change: impl FnOnce(&mut TaskView)) {
        if let Some((view, _)) = self.kept.iter_mut().find(|(view, _)| view.id == id) {
            change(view);
        }
    }

    /// Copies them, oldest first.
    pub(super) fn copy_into(&self, into: &mut ArrayVec<TaskView, TASKS_KEPT>) {
        into.clear();
        into.extend(self.kept.iter().map(|(view, _)| *view));
    }
}

impl Gate {
    /// Ends the setpoint in force, and the task behind it.
    pub(super) fn end_drive(&mut self, ending: Ending) {
        let Some(drive) = self.drive.take() else {
            return;
        };
        if let Origin::Task(id, journey) = drive.origin {
            let (state, reason) = ending.of_task();
            let progress = if state == TaskState::Done { 1.0 } else { journey.share(&self.odometry) };
            self.tasks
                .update(id, |view| (view.state, view.reason, view.progress) = (state, reason, progress));
        }
    }

    /// A setpoint never outlives its lease.
    pub(super) fn end_drive_without_lease(&mut self, ending: Ending) {
        let held = self.leases.held(Limb::Base.resource()).map(|lease| lease.id);
        if self.drive.as_ref().is_some_and(|drive| Some(drive.lease) != held) {
            self.end_drive(ending);
        }
    }

    /// Ends the setpoint of one socket, if it is in force.
    pub(super) fn end_drive_of_socket(&mut self, socket: SocketId, ending: Ending) {
        let is_its = |drive: &Drive| matches!(drive.origin, Origin::Teleop(id) if id == socket);
        if self.drive.as_ref().is_some_and(is_its) {
            self.end_drive(ending);
        }
    }

    /// Takes a `move` one tick further.
    pub(super) fn advance_task(&mut self, now: BootTime) {
        let measured = self.measured();
        let Some(drive) = &mut self.drive else {
            return;
        };
        let Origin::Task(id, journey) = &mut drive.origin else {
            return;
        };
        let (id, progress, share) =
            (*id, journey.advance(&self.odometry, measured, now), journey.share(&self.odometry));
        match progress {
            Progress::Going(speed) => {
                drive.wanted = speed;
                self.tasks.update(id, |view| view.progress = share);
            }
            Progress::Arrived => self.end_drive(Ending::Arrived),
            Progress::Blocked => self.end_drive(Ending::Blocked),
        }
    }

    /// The body's speed by its encoders.
    pub(super) fn measured(&self) -> BodySpeed {
        self.body.motion.map_or(BodySpeed { linear_mps: 0.0, angular_radps: 0.0 }, |(_, motion)| BodySpeed {
            linear_mps: f32::midpoint(motion.left_mps, motion.right_mps),
            angular_radps: (motion.right_mps - motion.left_mps) / self.profile.track_m,
        })
    }
}
