//! A running program whose models follow a script.

use std::sync::Arc;
use std::time::Duration;

use cloud_sync_api::chain::{Chain, Limits, Link};
use cloud_sync_api::scope::Scope;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::NewNote;
use cloud_sync_protocol::store::{NoteStore, Whose};
use models_mind::router::{Deadlines, Pieces, Price, TierConfig};
use models_mind::tier::Tier;
use serde_json::{Value, json};

use super::body::Legs;
use super::client::{Ask, Reply};
use super::script::Script;
use crate::assistant::Town;
use crate::assistant::store::Memory;

/// What the reflexes pass on.
pub(super) const QUESTION: &str = "explain the second law of thermodynamics in three sentences";
const TIERS: [Tier; 3] = [Tier::Ollama, Tier::OpenAi, Tier::Claude];

pub(super) struct Rig {
    pub(super) town: Town,
    pub(super) store: Memory,
    pub(super) legs: Legs,
    pub(super) owner: String,
}

/// A chain of these models, in this order.
pub(super) fn chain(scripts: &[&Arc<Script>]) -> Chain {
    let second = Duration::from_secs(1);
    let deadlines = Deadlines {
        connect: 5 * second,
        first_token: 5 * second,
        between_tokens: 8 * second,
        total: 40 * second,
    };
    let link = |(script, tier): (&&Arc<Script>, Tier)| Link {
        config: TierConfig {
            tier,
            deadlines,
            pieces: Pieces::Raw,
            price: Price::default(),
            budget_usd: None,
        },
        tier: (*script).clone(),
        model: format!("{}-model", tier.as_str()),
    };
    let links = scripts.iter().zip(TIERS).map(link).collect();
    Chain::start(links, Vec::new(), Limits { first_token_budget: 8 * second, hedge: false })
}

impl Rig {
    /// With these models, in this order.
    pub(super) fn start(scripts: &[&Arc<Script>]) -> Self {
        Self::over("home", Memory::default(), chain(scripts))
    }

    pub(super) fn over(name: &str, store: Memory, chain: Chain) -> Self {
        let legs = Legs::default();
        let town = Town::with_body(name, &store, chain, legs.clone());
        let owner = town.owner();
        Self { town, store, legs, owner }
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Ask {
        Ask::new(self.town.address, method, path, &self.owner)
    }

    pub(super) fn message(&self, message: &str) -> Ask {
        self.ask("POST", "/api/chat").json(&json!({ "message": message }))
    }

    /// Says this and waits for the whole answer.
    pub(super) async fn say(&self, message: &str) -> Value {
        self.message(message).send().await.expect(200).json()
    }

    /// The events of the answer to this.
    pub(super) async fn events(&self, message: &str) -> Vec<(String, Value)> {
        let reply = self.message(message).header("accept", "text/event-stream").send().await.expect(200);
        let data = |(name, data): (String, String)| (name, serde_json::from_str(&data).expect("JSON data"));
        reply.events().into_iter().map(data).collect()
    }

    /// What stands in the conversation of an answer.
    pub(super) async fn turns(&self, reply: &Value) -> Vec<String> {
        let path = format!("/api/conversations/{}?limit=500", reply["conversation_id"].as_str().unwrap());
        let turns = self.ask("GET", &path).send().await.expect(200).json();
        let text = |turn: &Value| turn["message_text"].as_str().unwrap().to_owned();
        turns.as_array().unwrap().iter().map(text).collect()
    }

    /// Every note.
    pub(super) async fn notes(&self) -> Vec<String> {
        let notes = self.ask("GET", "/api/sticky-notes/").send().await.expect(200).json();
        let text = |note: &Value| note["content"].as_str().unwrap().to_owned();
        notes.as_array().unwrap().iter().map(text).collect()
    }

    pub(super) async fn add_note(&self, content: &str) {
        let whose = Whose { town: "home".to_owned(), user: "owner".to_owned() };
        let note = NewNote {
            id: RowId::named(content),
            content: content.to_owned(),
            created_by: "owner".to_owned(),
            tags: Vec::new(),
            priority: 3,
        };
        self.store.add_note(&whose, note).await.unwrap();
    }

    /// `POST /v1/chat/completions` with this question, the request's other members beside it.
    pub(super) fn complete(&self, question: &str, others: Value) -> Ask {
        let mut body = json!({ "model": "robbie", "messages": [{ "role": "user", "content": question }] });
        for (name, value) in others.as_object().unwrap() {
            body[name] = value.clone();
        }
        self.ask("POST", "/v1/chat/completions").json(&body)
    }

    pub(super) fn as_user(&self, user: &str, scopes: &[Scope]) -> String {
        self.town.token(user, user, scopes)
    }
}

/// What an OpenAI client reads out of an answer.
#[track_caller]
pub(super) fn content(reply: &Reply) -> String {
    let json = reply.json();
    json["choices"][0]["message"]["content"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}
