//! `POST /api/memory/import`: conversations that were held elsewhere become memory. A retry writes nothing twice.

use agent_store::{NewTurn, Store};
use axum::extract::State as Shared;
use axum::response::Response;
use cloud_sync_api::access::Principal;
use cloud_sync_api::home::SharedHome;
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::problem::Problem;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::turn::{SPEAKER_BYTES_MAX, Sender, TURN_BYTES_MAX};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Turns of one request.
pub const TURNS_MAX: usize = 500;

/// What the route needs.
#[derive(Clone, Debug)]
pub struct Import {
    /// Where it is written.
    pub store: Store,
    /// Whose memory it becomes.
    pub home: SharedHome,
}

/// Turns of one conversation.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ImportBody {
    /// The conversation; the same name or UUID adds to the same one.
    conversation: String,
    /// The turns, oldest first; at most 500.
    turns: Vec<ImportTurn>,
}

/// One turn.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ImportTurn {
    /// Who spoke; at most 64 bytes.
    speaker: Option<String>,
    /// Which side spoke: `user` (default) or `robbie`.
    #[serde(default = "user")]
    sender: Sender,
    /// What; at most 32 KiB.
    text: String,
    /// When; now where it is missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
    /// Its place in the conversation, from 0; it makes two equal sentences two turns.
    position: u64,
}

const fn user() -> Sender {
    Sender::User
}

/// What was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// Id of the conversation.
    conversation_id: RowId,
    /// Turns that are in the memory now, those of earlier tries included.
    turns: usize,
}

/// Take in a conversation that was held elsewhere, in pieces. Sending the same turns again changes nothing.
#[utoipa::path(post, path = "/api/memory/import", tag = "memory", request_body = ImportBody,
    responses((status = 200, body = Imported)))]
pub async fn import(
    Shared(import): Shared<Import>,
    principal: Principal,
    Body(body): Body<ImportBody>,
) -> Result<Response, Problem> {
    check(&body)?;
    let whose = Whose { town: import.home.now().town, user: principal.user_id().to_owned() };
    let id = body.conversation.parse().unwrap_or_else(|_name| {
        RowId::named(&format!("{}/{}/{}", whose.town, whose.user, body.conversation))
    });
    let turns = body.turns.into_iter().map(|turn| new_turn(id, turn)).collect();
    let written = import.store.add_turns(&whose, id, turns).await?;
    Ok(answer(StatusCode::OK, &Imported { conversation_id: id, turns: written.len() }))
}

fn check(body: &ImportBody) -> Result<(), Problem> {
    if body.conversation.is_empty() || body.conversation.len() > 256 {
        return Err(
            Problem::bad_request("conversation is a name of 1 to 256 bytes, or a UUID").field("conversation")
        );
    }
    if body.turns.len() > TURNS_MAX {
        return Err(Problem::out_of_range("turns", 0.0, TURNS_MAX as f64));
    }
    for turn in &body.turns {
        if turn.text.len() > TURN_BYTES_MAX {
            return Err(Problem::too_long(TURN_BYTES_MAX).field("text"));
        }
        if turn.speaker.as_ref().is_some_and(|speaker| speaker.len() > SPEAKER_BYTES_MAX) {
            return Err(Problem::too_long(SPEAKER_BYTES_MAX).field("speaker"));
        }
    }
    Ok(())
}

fn new_turn(conversation: RowId, turn: ImportTurn) -> NewTurn {
    let name = format!("{conversation}/{}/{}", turn.position, turn.text);
    NewTurn {
        id: Some(RowId::named(&name)),
        sender: turn.sender,
        speaker: turn.speaker,
        text: turn.text,
        at: turn.at,
        mood: Mood::Friendly,
    }
}
