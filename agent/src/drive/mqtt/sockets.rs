//! Teleop sockets that end in the cloud: by the names that it gives them, one a token, and none comes back once it is over.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use agent_core::caller::TokenId;
use agent_core::request::{Request, SocketId};
use cloud_sync_api::access::Principal;
use cloud_sync_api::problem::Problem;
use cloud_sync_protocol::command::MAX_AGE_MS;
use serde_json::Value;

use super::command::{Envelope, Outcome, is_name};
use crate::drive::robot::{Robot, caller};
use crate::drive::routes::DRIVE;
use crate::drive::teleop::take_frame;

/// Names that are over; the oldest is forgotten for a new one. Its frames are too old by then.
const OVER_MAX: usize = 256;

/// The open sockets, and those that are over.
#[derive(Debug, Default)]
pub(super) struct Sockets(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    /// At most as many as there are tokens.
    open: HashMap<TokenId, (String, SocketId)>,
    over: VecDeque<String>,
}

/// What a frame finds.
enum Found {
    Open(SocketId),
    New(SocketId),
}

impl Sockets {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a frame, or the end of a socket.
    pub(super) async fn take(
        &self,
        robot: &Robot,
        principal: &Principal,
        envelope: Envelope,
    ) -> Result<Outcome, Problem> {
        let mut rest = envelope.rest;
        let name = match rest.remove("socket") {
            Some(Value::String(name)) if is_name(&name) => name,
            _ => return Err(Problem::bad_request("socket is a short text.").field("socket")),
        };
        if rest.remove("closed").is_some_and(|closed| closed != Value::Bool(false)) {
            self.close(robot, principal, &name);
            return Ok(Outcome::Silent);
        }
        let ends = ["stop", "estop"]
            .iter()
            .any(|word| rest.get(*word).is_some_and(|says| *says != Value::Bool(false)));
        if !ends {
            robot.guards.permit(principal, DRIVE)?;
        }
        let socket = match self.find(robot, principal, &name) {
            Ok(Found::Open(socket)) => socket,
            Ok(Found::New(socket)) => {
                robot.ask(caller(principal), Request::TeleopOpen(socket)).await?;
                socket
            }
            // What ends something needs no socket.
            Err(_over) if ends => SocketId(0),
            Err(over) => return Err(over),
        };
        let frame = Value::Object(rest).to_string();
        let (_, result) = take_frame(frame.as_bytes(), robot, principal, socket, Some(MAX_AGE_MS)).await;
        // Whoever drives hears of what is refused, and of nothing else.
        result.map(|()| Outcome::Silent)
    }

    fn find(&self, robot: &Robot, principal: &Principal, name: &str) -> Result<Found, Problem> {
        let mut tables = self.tables();
        if let Some((_, socket)) = tables.open.get(&principal.token).filter(|(open, _)| open == name) {
            return Ok(Found::Open(*socket));
        }
        if tables.over.iter().any(|over| over == name) {
            return Err(Problem::not_found("This socket is over."));
        }
        let (socket, _replaced) = robot.sockets.open(principal.token);
        if let Some((earlier, _)) = tables.open.insert(principal.token, (name.to_owned(), socket)) {
            tables.end(earlier);
        }
        Ok(Found::New(socket))
    }

    fn close(&self, robot: &Robot, principal: &Principal, name: &str) {
        let mut tables = self.tables();
        if let Some((_, socket)) = tables.open.get(&principal.token).filter(|(open, _)| open == name).cloned()
        {
            tables.open.remove(&principal.token);
            robot.drive.end_socket(caller(principal), socket);
            robot.sockets.close(principal.token, socket);
        }
        // Also one whose first frame comes after its end.
        tables.end(name.to_owned());
    }

    /// A token is over, and so is its socket; the gate hears that with the token.
    pub(super) fn forget(&self, robot: &Robot, token: TokenId) {
        let mut tables = self.tables();
        if let Some((name, socket)) = tables.open.remove(&token) {
            robot.sockets.close(token, socket);
            tables.end(name);
        }
    }
}

impl Tables {
    fn end(&mut self, name: String) {
        if self.over.len() >= OVER_MAX {
            self.over.pop_front();
        }
        self.over.push_back(name);
    }
}
