//! The assistant's routes over a small store in memory, against the contract that every program has to keep.

mod silence;
pub(crate) mod store;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use agent_core::caller::Class;
use cloud_sync_api::access::{AccessConfig, Guards};
use cloud_sync_api::assistant::body::{Body, NoBody};
use cloud_sync_api::assistant::routes;
use cloud_sync_api::chain::{self, Chain};
use cloud_sync_api::home::{Home, Homes, SharedHome};
use cloud_sync_api::rate::{Limit, Limits};
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::server::{self, Server, ServerConfig};
use cloud_sync_api::token_file::{NewToken, TokenFile};
use cloud_sync_api::token_follower::TokenFollower;
use cloud_sync_api::v1;
use cloud_sync_protocol::store::Whose;
use serde_json::{Value, json};
use tokio::sync::watch;
use utoipa::openapi::InfoBuilder;

use crate::contract::client::NOTES;
use crate::contract::{self, OTHER_SAID, OWNER_SAID, Person, Program, RULES, Rule};
use store::{Fault, Memory};

/// A running program over a store.
pub(crate) struct Town {
    pub(crate) address: SocketAddr,
    dir: tempfile::TempDir,
    pub(crate) tokens: TokenFollower,
    _stop: watch::Sender<bool>,
}

impl Town {
    fn start(name: &str, store: &Memory) -> Self {
        let limits = chain::Limits { first_token_budget: Duration::from_secs(8), hedge: false };
        Self::with_chain(name, store, Chain::start(Vec::new(), Vec::new(), limits))
    }

    fn with_chain(name: &str, store: &Memory, chain: Chain) -> Self {
        Self::with_body(name, store, chain, NoBody)
    }

    pub(crate) fn with_body<B: Body>(name: &str, store: &Memory, chain: Chain, body: B) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tokens = TokenFollower::open(dir.path(), 0).unwrap();
        let off = Limit::OFF;
        let config = AccessConfig {
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits { motion: off, read: off, write: off, chat: off, sync: off, open: off },
            cookie: "robbie-test",
            class_cap: Arc::new(|_peer| Class::Local),
        };
        let guards = Guards::new(tokens.tokens.clone(), config);
        let home = Home { town: name.to_owned(), owner: "owner".to_owned() };
        let homes = Homes::Shared(SharedHome::new(home));
        let router = routes(&guards, homes.clone(), store.clone(), store.clone(), body, chain.clone())
            .merge(v1::routes(&guards, homes, store.clone(), chain));
        let server =
            Server::new(router.finish(InfoBuilder::new().title("test").build()), ServerConfig::default());
        let listener = server::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { server.run(listener, None, stopped, Duration::from_millis(100)).await });
        Self { address, dir, tokens, _stop: stop }
    }

    pub(crate) fn owner(&self) -> String {
        std::fs::read_to_string(TokenFile::in_dir(self.dir.path()).owner_path()).unwrap().trim().to_owned()
    }

    pub(crate) fn token(&self, user: &str, name: &str, scopes: &[Scope]) -> String {
        let scopes: Scopes = scopes.iter().copied().collect();
        let wish =
            NewToken { scopes, class: Class::Remote, user_id: user.to_owned(), name: Some(name.to_owned()) };
        let secret = TokenFile::in_dir(self.dir.path()).create(&wish, 0).unwrap();
        self.tokens.refresh().unwrap();
        secret
    }
}

/// Two towns over one store, as the cloud has them, and what was said beforehand.
fn program(store: &Memory) -> (Program, Town, Town) {
    let (home, elsewhere) = (Town::start("home", store), Town::start("elsewhere", store));
    let whose = |user: &str| Whose { town: "home".to_owned(), user: user.to_owned() };
    store.said(&whose("owner"), &OWNER_SAID);
    store.said(&whose("ann"), &OTHER_SAID);
    let (dir, tokens) = (home.dir.path().to_owned(), home.tokens.clone());
    let program = Program {
        address: home.address,
        owner: Person { user_id: "owner".to_owned(), token: home.owner() },
        other: Person {
            user_id: "ann".to_owned(),
            token: home.token("ann", "ann", &[Scope::Read, Scope::Speak]),
        },
        reader: home.token("owner", "reader", &[Scope::Read]),
        speaker: home.token("owner", "speaker", &[Scope::Speak]),
        doomed: home.token("owner", "doomed", &[Scope::Read]),
        revoke: Box::new(move || {
            TokenFile::in_dir(&dir).revoke("doomed").unwrap();
            tokens.refresh().unwrap();
        }),
        elsewhere: Some((elsewhere.address, elsewhere.owner())),
    };
    (program, home, elsewhere)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routes_keep_the_contract() {
    // Over a store that does what it should, every rule holds.
    let store = Memory::default();
    let (program, _home, _elsewhere) = program(&store);
    tokio::task::spawn_blocking(move || contract::check_all(&program)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_finds_a_store_that_does_not_keep_it() {
    // Each fault of a store breaks the rules that are about it.
    let cases: [(Fault, &[&str]); 7] = [
        (
            Fault::IgnoresVersions,
            &["of_two_writers_who_read_the_same_one_is_refused", "of_many_writers_at_once_exactly_one_wins"],
        ),
        (Fault::WritesTwice, &["a_note_sent_again_with_its_id_is_written_once"]),
        (Fault::AnswersTwice, &["a_message_sent_again_is_carried_out_once"]),
        (Fault::MixesTowns, &["rows_of_another_town_do_not_exist"]),
        (Fault::MixesUsers, &["a_conversation_of_another_does_not_exist"]),
        (Fault::FindsDeleted, &["a_deleted_note_is_gone_at_once"]),
        (Fault::TellsOthers, &["nobody_hears_of_anothers_mood"]),
    ];
    for (fault, rules) in cases {
        let store = Memory::with(fault);
        let (program, _home, _elsewhere) = program(&store);
        let about: Vec<Rule> = RULES.iter().copied().filter(|(name, _)| rules.contains(name)).collect();
        let broken = tokio::task::spawn_blocking(move || contract::broken(&program, &about)).await.unwrap();
        assert_eq!(broken, rules, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_or_failing_store_is_told_as_such() {
    // 503 with the type that says which, never a 500; reading goes on over a full one.
    for (fault, kind, reading) in [(Fault::Full, "memory-full", 200), (Fault::Failing, "memory-down", 503)] {
        let store = Memory::with(fault);
        let (program, _home, _elsewhere) = program(&store);
        let check = move || {
            program.post(NOTES, &json!({"content": "x"})).problem(503, kind);
            program.post("/api/mood/update", &json!({"energy": 1})).problem(503, kind);
            program.post("/api/chat", &json!({"message": "hello"})).problem(503, kind);
            for path in [
                NOTES,
                "/api/personality",
                "/api/mood/history",
                "/api/conversations",
                "/api/memory/search?q=x",
            ] {
                assert_eq!(program.get(path).status, reading, "{path}");
            }
        };
        tokio::task::spawn_blocking(check).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_shows_the_routes() {
    // Every route of the assistant with its tag, every parameter and field explained.
    let store = Memory::default();
    let (program, _home, _elsewhere) = program(&store);
    let document =
        tokio::task::spawn_blocking(move || program.get("/api/openapi.json").json()).await.unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push(format!(
                "{} {path} {}",
                method.to_uppercase(),
                operation["tags"][0].as_str().unwrap()
            ));
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                assert!(is_explained(parameter), "{method} {path} {parameter}");
            }
        }
    }
    found.sort();
    let wanted = [
        "DELETE /api/sticky-notes/{id} memory",
        "GET /api/ai/tiers chat",
        "GET /api/conversations memory",
        "GET /api/conversations/{id} memory",
        "GET /api/memory/search memory",
        "GET /api/mood/history personality",
        "GET /api/personality personality",
        "GET /api/sticky-notes memory",
        "GET /api/sticky-notes/surface memory",
        "GET /api/sticky-notes/{id} memory",
        "GET /v1/models openai",
        "GET /v1/models/{id} openai",
        "GET /ws/chat memory",
        "PATCH /api/sticky-notes/{id} memory",
        "POST /api/chat chat",
        "POST /api/mood/update personality",
        "POST /api/sticky-notes memory",
        "POST /v1/chat/completions openai",
        "POST /v1/embeddings openai",
    ];
    assert_eq!(found, wanted);
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_status = name == "Problem" && field == "status";
            assert!(is_status || is_explained(property), "{name}.{field} {property}");
        }
    }
}

fn is_explained(of: &Value) -> bool {
    let words = of["description"].as_str().or(of["oneOf"][0]["description"].as_str());
    words.is_some_and(|text| text.len() > 3)
}
