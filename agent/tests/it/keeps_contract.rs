//! The contract of the assistant's routes, kept by the real agent over its real store.

use serde_json::{Value, json};

use crate::contract::{self, OTHER_SAID, OWNER_SAID, Person, Program};
use crate::http_rig::UNLIMITED;
use crate::support::Place;
use crate::support::agent::{Agent, Start};
use crate::support::http::Client;

/// Takes in a conversation of the token's user.
fn said(agent: &Agent, token: &str, texts: &[&str]) {
    let turn = |(position, text): (usize, &&str)| -> Value {
        let sender = if position % 2 == 0 { "user" } else { "robbie" };
        json!({"sender": sender, "text": text, "position": position, "at": format!("2026-11-18T18:0{position}:00Z")})
    };
    let turns: Vec<Value> = texts.iter().enumerate().map(turn).collect();
    let body = json!({"conversation": "a talk", "turns": turns});
    Client::connect(agent.address, Some(token)).ask("POST", "/api/memory/import", Some(&body)).expect(200);
}

#[test]
fn the_agent_keeps_the_contract_of_the_assistants_routes() {
    // Every rule that the cloud's store has to keep too.
    let place = Place::new();
    let settings: Vec<&str> = UNLIMITED.iter().flat_map(|setting| ["--set", *setting]).collect();
    let agent = Start::new(&place).arguments(&settings).run();
    let make = |name: &str, user: &str, scopes: &str| {
        agent.make_token(&["--name", name, "--user", user, "--scope", scopes, "--class", "remote"])
    };
    said(&agent, &agent.token, &OWNER_SAID);
    said(&agent, &make("importer", "ann", "admin"), &OTHER_SAID);
    let (doomed, data) = (make("doomed", "owner", "read"), place.data());
    let program = Program {
        address: agent.address,
        owner: Person { user_id: "owner".to_owned(), token: agent.token.clone() },
        other: Person { user_id: "ann".to_owned(), token: make("ann", "ann", "read,speak") },
        reader: make("reader", "owner", "read"),
        speaker: make("speaker", "owner", "speak"),
        doomed,
        revoke: Box::new(move || {
            let mut command = std::process::Command::new(crate::support::programs::robbie_agent());
            command.env_clear().args(["token", "revoke", "doomed", "--data"]).arg(&data);
            assert!(command.output().unwrap().status.success());
        }),
        elsewhere: None,
    };
    contract::check_all(&program);
}
