//! Commands that come over the cloud's broker. Each is answered by the very route that HTTP has for it, in the name of whoever
//! the cloud says asks; nothing here decides what may move.
//!
//! Only the cloud may write commands, which the broker sees to. What it says of its people is believed, but never more than class
//! remote: it stands for them, and knows their tokens.

mod callers;
mod command;
mod events;
mod moves;
mod recent;
mod show;
mod sockets;

use std::sync::Arc;

use agent_core::caller::TokenId;
use agent_core::request::Request;
use axum::Router;
use cloud_sync_api::access::{Principal, Vouched};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::Problem;
use cloud_sync_protocol::command::{By, Kind};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tower::ServiceExt;

use super::robot::{Robot, caller};
use super::routes::robot_routes;
use crate::link::{Command, Commands, Link};
use callers::Callers;
use command::{Envelope, Outcome};
use moves::Moves;
use recent::Recent;
use sockets::Sockets;

/// Commands that are answered at the same time. More wait in their queue.
const RUNNING_MAX: usize = 64;
/// The longest answer of a route.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// What the parts share.
struct Station {
    robot: Robot,
    link: Link,
    routes: Router,
    callers: Callers,
    sockets: Sockets,
    recent: Recent,
    moves: Moves,
    watched: watch::Sender<Option<Instant>>,
}

/// Serves the broker until the program ends.
pub async fn serve(robot: Robot, link: Link, commands: Commands) {
    let routes =
        ApiRouter::new(&robot.guards).merge(robot_routes(&robot.guards).with_state(robot.clone())).bare();
    let station = Arc::new(Station {
        callers: Callers::default(),
        sockets: Sockets::default(),
        recent: Recent::default(),
        moves: Moves::default(),
        watched: watch::Sender::new(None),
        robot,
        link,
        routes,
    });
    tokio::join!(
        answer_all(&station, commands.urgent),
        answer_all(&station, commands.others),
        show::keep(&station),
        events::tell(&station.robot, &station.link),
        moves::keep(&station),
    );
}

/// Begins commands in the order in which they came; none waits for an earlier one's answer.
async fn answer_all(station: &Station, mut commands: mpsc::Receiver<Command>) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            command = commands.recv(), if running.len() < RUNNING_MAX => match command {
                Some(command) => running.push(station.answer(command)),
                None => return,
            },
            Some(()) = running.next(), if !running.is_empty() => {}
        }
    }
}

impl Station {
    async fn answer(&self, command: Command) {
        let read = Envelope::read(&command.payload);
        let id = read.as_ref().ok().and_then(|envelope| envelope.id.clone());
        let outcome = match command.kind {
            _ if command.retained => {
                Err(Problem::stale("The broker had kept this command: it says nothing about now."))
            }
            None => Err(Problem::not_found("There is no such command.")),
            // These act whatever else is wrong with them.
            Some(kind @ (Kind::Stop | Kind::EStop)) => {
                self.stop(kind, read.unwrap_or_default(), &command.payload).await
            }
            Some(kind) => match read {
                Ok(envelope) => self.carry_out(kind, envelope).await,
                Err(problem) => Err(problem),
            },
        };
        if let Err(problem) = &outcome {
            let kind = command.kind.map_or("unknown", Kind::as_str);
            metrics::counter!("robbie_mqtt_refused_total", "kind" => kind, "type" => problem.word())
                .increment(1);
        }
        // Nobody can be told about a command without an id.
        if let Some(result) = id.and_then(|id| Outcome::result(outcome, id)) {
            self.link.answer(&result);
        }
    }

    async fn stop(&self, kind: Kind, envelope: Envelope, payload: &[u8]) -> Result<Outcome, Problem> {
        let by = envelope.by.as_ref().and_then(|by| self.callers.principal(by).ok());
        let path = if kind == Kind::Stop { "/api/robot/stop" } else { "/api/robot/estop" };
        self.ask(by, Method::POST, path, payload.to_vec()).await
    }

    async fn carry_out(&self, kind: Kind, envelope: Envelope) -> Result<Outcome, Problem> {
        match kind {
            Kind::Watch => {
                self.watched.send_replace(Some(Instant::now()));
                return Ok(Outcome::Silent);
            }
            Kind::Revoke => return self.revoke(&envelope).await,
            _ => {}
        }
        let Some(by) = envelope.by.clone() else {
            return Err(Problem::no_token(
                "A command says for whom: `by`. Only stop, estop, revoke and watch need none.",
            ));
        };
        if !kind.is_repeated() && !self.recent.is_new(envelope.id.as_deref(), Instant::now())? {
            metrics::counter!("robbie_mqtt_repeated_total").increment(1);
            return Ok(Outcome::Silent);
        }
        if kind == Kind::TurnBegin {
            return self.begin_turn(&by, &envelope).await;
        }
        let principal = self.known(&by).await?;
        match kind {
            Kind::Teleop => self.sockets.take(&self.robot, &principal, envelope).await,
            Kind::TurnEnd => {
                self.robot.ask(caller(&principal), Request::End).await?;
                Ok(Outcome::Done)
            }
            _ => {
                let (method, path, body) = command::request(kind, envelope.rest)?;
                let outcome = self.ask(Some(principal.clone()), method, &path, body).await?;
                if kind == Kind::Move {
                    self.moves.begun(caller(&principal), &outcome);
                }
                Ok(outcome)
            }
        }
    }

    /// Whoever the cloud says asks. A token for which there is no room any more is over.
    async fn known(&self, by: &By) -> Result<Principal, Problem> {
        let principal = self.callers.principal(by)?;
        if let Some(forgotten) = self.callers.take_forgotten() {
            self.end(forgotten).await;
        }
        Ok(principal)
    }

    async fn begin_turn(&self, by: &By, envelope: &Envelope) -> Result<Outcome, Problem> {
        let person = self.known(by).await?;
        let begin = command::TurnBegin::read(envelope, &person, &self.robot)?;
        let turn = self.callers.begin_turn(&person, &begin.turn, &self.robot.turns)?;
        for request in [Request::Present, Request::Begin(turn)] {
            self.robot.ask(caller(&person), request).await?;
        }
        Ok(Outcome::Done)
    }

    async fn revoke(&self, envelope: &Envelope) -> Result<Outcome, Problem> {
        let Some(token) = envelope.rest.get("token").and_then(Value::as_str) else {
            return Err(Problem::bad_request("Name the token that died.").field("token"));
        };
        if let Some(number) = self.callers.revoke(token) {
            self.end(number).await;
        }
        Ok(Outcome::Done)
    }

    /// A token is over: its sockets, leases, setpoint and task end.
    async fn end(&self, token: TokenId) {
        self.sockets.forget(&self.robot, token);
        self.robot.drive.revoke(token).await;
    }

    /// Asks the route that answers over HTTP, too.
    async fn ask(
        &self,
        by: Option<Principal>,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Outcome, Problem> {
        let mut request =
            http::Request::builder().method(method).uri(path).header(http::header::HOST, "localhost");
        if let (Some(extensions), Some(by)) = (request.extensions_mut(), by) {
            extensions.insert(Vouched(by));
        }
        let request = request
            .body(axum::body::Body::from(body))
            .map_err(|_no_path| Problem::not_found("There is nothing of that name."))?;
        // The router fails by answering, never by an error.
        let response = self.routes.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
        Ok(Outcome::Answered { status, body: serde_json::from_slice(&body).ok() })
    }
}
