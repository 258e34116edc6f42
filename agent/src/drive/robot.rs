//! What the robot's handlers share, and how they ask the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use agent_core::budget::Budget;
use agent_core::caller::{Caller, TurnId, label};
use agent_core::request::{Accepted, Request};
use cloud_sync_api::access::{Guards, Principal};
use cloud_sync_api::problem::Problem;
use cloud_sync_api::rate::StopRule;

use super::handle::DriveHandle;
use super::refusals;
use super::teleop::Sockets;
use super::wire::identity::Identity;
use crate::os;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Robot {
    /// The one door to the body.
    pub drive: DriveHandle,
    /// Who this robot is.
    pub identity: Arc<Identity>,
    /// Computed standstill times.
    pub budget: Budget,
    /// Who presses stop how often.
    pub stops: Arc<StopRule>,
    /// Open teleop sockets.
    pub sockets: Arc<Sockets>,
    /// Numbers the turns of models, whichever way their messages come.
    pub turns: TurnIds,
    /// Who may: for the frames of open sockets, and to notice when the token of one dies.
    pub guards: Guards,
}

/// Numbers turns. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TurnIds(Arc<AtomicU64>);

impl TurnIds {
    /// The next one.
    pub fn next(&self) -> TurnId {
        TurnId(1 + self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Robot {
    /// Asks the gate; a refusal becomes a problem.
    ///
    /// # Errors
    /// The gate's refusal, or that it gave no answer.
    pub async fn ask(&self, caller: Caller, request: Request) -> Result<Accepted, Problem> {
        match self.drive.ask(caller, request).await {
            Ok(Ok(accepted)) => Ok(accepted),
            Ok(Err(refusal)) => Err(refusals::problem(&refusal, os::boot_time())),
            Err(error) => Err(refusals::no_answer(error)),
        }
    }

    /// Completes when `caller`'s token is revoked.
    pub fn revoked(&self, caller: Caller) -> impl Future<Output = ()> + Send + 'static {
        self.guards.tokens().clone().until_revoked(caller.token)
    }
}

/// The gate's view of a token holder.
pub fn caller(principal: &Principal) -> Caller {
    Caller {
        token: principal.token,
        class: principal.class,
        name: label(principal.name()),
        must_show_seen: principal.peer.must_show_seen(),
        turn: principal.turn,
    }
}
