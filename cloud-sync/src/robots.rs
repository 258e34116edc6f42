//! A town's robots, as apps reach them through the cloud: every route that a robot has, but for what only somebody beside it may do.
//!
//! Nothing is decided here but who may ask at all. A command goes to the robot with whoever asks, and its answer comes back; what
//! it saw of the robot a client says itself.

mod answers;
mod chat;
mod commands;
mod reads;
mod stops;
mod stream;
mod teleop;

use cloud_sync_api::access::{Class, Guards, Principal, Rule};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::rate::Rate;
use cloud_sync_api::scope::Scope;
use cloud_sync_api::tokens::TokenStore;
use cloud_sync_protocol::command::{By, CommandResult, Kind};
use cloud_sync_protocol::town::RobotId;
use serde_json::{Map, Value};
use utoipa_axum::routes;

use crate::link::{Away, Link};

pub use chat::TownBody;

/// Who may look.
const READ: Rule = Rule::scope(Scope::Read, Rate::Read);
/// Who may drive. A model moves nothing by itself.
const DRIVE: Rule = Rule::ranked(Scope::Drive, Class::Autonomy, Rate::Motion);
/// Who may end what drives.
const END: Rule = Rule::scope(Scope::Drive, Rate::Write);
/// Who may hold something; which scope it needs, its resource says.
const HOLD: Rule = Rule::either(&[Scope::Drive, Scope::Speak], Rate::Write);
/// Who may light it.
const SPEAK: Rule = Rule::scope(Scope::Speak, Rate::Write);

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Robots {
    /// The way to them.
    pub link: Link,
    /// Who may come in, and which robots there are.
    pub guards: Guards,
}

/// All routes.
pub fn routes(robots: Robots) -> ApiRouter {
    let guards = robots.guards.clone();
    ApiRouter::new(&guards)
        .route(READ, routes!(reads::robots))
        .route(READ, routes!(reads::state))
        .route(READ, routes!(stream::show))
        .route(READ, routes!(reads::why))
        .route(READ, routes!(reads::budget))
        .route(READ, routes!(reads::task))
        .route(READ, routes!(reads::leases))
        .route(READ, routes!(reads::estop))
        .route(DRIVE, routes!(commands::velocity))
        .route(DRIVE, routes!(commands::travel))
        .route(DRIVE, routes!(commands::head))
        .route(DRIVE, routes!(teleop::open))
        .route(END, routes!(commands::cancel_task))
        .route(HOLD, routes!(commands::take))
        .route(HOLD, routes!(commands::renew))
        .route(HOLD, routes!(commands::release))
        .route(SPEAK, routes!(commands::lights))
        .route(Rule::Always, routes!(stops::stop))
        .route(Rule::Always, routes!(stops::estop))
        .with_state(robots)
}

impl Robots {
    fn tokens(&self) -> &TokenStore {
        self.guards.tokens()
    }

    /// The robot of that name, of the town of whoever asks.
    ///
    /// # Errors
    /// 404 for one that is not there, and for another town's. 503 for one whose town has no broker.
    fn find(&self, principal: &Principal, name: &str) -> Result<RobotId, Problem> {
        let robot = name.parse().ok();
        let town = principal.entry.home.as_ref().map(|home| home.town.as_str());
        let found = robot.zip(town).filter(|(robot, town)| self.tokens().robot(town, robot).is_some());
        let Some((robot, town)) = found else {
            return Err(Problem::not_found("There is no such robot here. GET /api/robots lists them."));
        };
        if town != self.link.town().as_str() {
            return Err(away());
        }
        Ok(robot)
    }

    /// Asks a robot in the name of whoever asks.
    async fn ask(
        &self,
        principal: &Principal,
        name: &str,
        kind: Kind,
        body: Map<String, Value>,
    ) -> Result<CommandResult, Problem> {
        let robot = self.find(principal, name)?;
        self.link.ask(&robot, kind, Some(&by(principal)), body).await.map_err(|Away| away())
    }
}

/// Who asks, as a robot is told.
pub(crate) fn by(principal: &Principal) -> By {
    By {
        token: principal.entry.id.clone(),
        user_id: principal.user_id().to_owned(),
        class: principal.class.as_str().to_owned(),
        scopes: principal.entry.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
        turn: None,
    }
}

/// 503.
pub(crate) fn away() -> Problem {
    Problem::robot_away(
        "The robot is not connected. It stands, or does what somebody beside it asks; try again once it is back.",
    )
}
