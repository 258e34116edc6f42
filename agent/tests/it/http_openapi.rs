//! The document at `/api/openapi.json` against the table of the contract, and every route against the document.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::http_rig::{Ask, Rig, UNLIMITED, check_problem};

/// Method, path and who may: a scope, `speak|drive`, `everybody`. Every route there is, besides `/health` and `/metrics`.
const ROUTES: [(&str, &str, &str); 45] = [
    ("GET", "/api/robots", "read"),
    ("GET", "/api/robot/state", "read"),
    ("GET", "/api/robot/stream", "read"),
    ("POST", "/api/robot/velocity", "drive"),
    ("GET", "/api/robot/teleop", "drive"),
    ("POST", "/api/robot/move", "drive"),
    ("GET", "/api/robot/tasks/{task}", "read"),
    ("DELETE", "/api/robot/tasks/{task}", "drive"),
    ("POST", "/api/robot/head", "drive"),
    ("POST", "/api/robot/lights", "speak"),
    ("POST", "/api/robot/stop", "everybody"),
    ("GET", "/api/robot/estop", "read"),
    ("POST", "/api/robot/estop", "everybody"),
    ("POST", "/api/robot/estop/reset", "admin"),
    ("POST", "/api/robot/leases", "speak|drive"),
    ("GET", "/api/robot/leases", "read"),
    ("PUT", "/api/robot/leases/{lease}", "speak|drive"),
    ("DELETE", "/api/robot/leases/{lease}", "speak|drive"),
    ("GET", "/api/robot/control/why", "read"),
    ("GET", "/api/robot/safety/budget", "read"),
    ("GET", "/api/sticky-notes", "read"),
    ("POST", "/api/sticky-notes", "speak"),
    ("GET", "/api/sticky-notes/surface", "read"),
    ("GET", "/api/sticky-notes/{id}", "read"),
    ("PATCH", "/api/sticky-notes/{id}", "speak"),
    ("DELETE", "/api/sticky-notes/{id}", "speak"),
    ("GET", "/api/memory/search", "read"),
    ("POST", "/api/memory/import", "admin"),
    ("GET", "/api/sync/status", "read"),
    ("GET", "/api/sync/conflicts", "read"),
    ("POST", "/api/sync/conflicts/{id}/resolve", "speak"),
    ("GET", "/api/personality", "read"),
    ("GET", "/api/mood/history", "read"),
    ("POST", "/api/mood/update", "speak"),
    ("POST", "/api/chat", "speak"),
    ("GET", "/api/ai/tiers", "read"),
    ("GET", "/api/conversations", "read"),
    ("GET", "/api/conversations/{id}", "read"),
    ("GET", "/ws/chat", "read"),
    ("POST", "/v1/chat/completions", "speak"),
    ("GET", "/v1/models", "speak"),
    ("GET", "/v1/models/{id}", "speak"),
    ("POST", "/v1/embeddings", "speak"),
    ("GET", "/health", "everybody"),
    // Not open: only for programs on this machine, which `http_names` tests.
    ("GET", "/metrics", "everybody"),
];

/// What is open besides the document's own routes.
const OPEN_FILES: [&str; 8] = [
    "/",
    "/docs",
    "/docs/problems",
    "/docs/problems/closed",
    "/api/openapi.json",
    "/page/style.css",
    "/page/main.js",
    "/moods/friendly.svg",
];

fn document(rig: &Rig) -> Value {
    Ask::new("GET", "/api/openapi.json").send(rig).expect(200).json()
}

/// Every operation of the document: method, path, itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    found
}

fn who_may(operation: &Value) -> String {
    let requirements = operation["security"].as_array().expect("every operation says who may");
    let scopes: Vec<&str> =
        requirements.iter().filter_map(|requirement| requirement["bearer"][0].as_str()).collect();
    if requirements.is_empty() { "everybody".to_owned() } else { scopes.join("|") }
}

/// A path that can be asked for.
fn concrete(path: &str) -> String {
    path.replace("{task}", "t-1")
        .replace("{lease}", "l-1")
        .replace("{id}", "019ab5b0-7a30-7cc1-9b1e-0f2f6b0c9a11")
}

#[test]
fn the_document_has_exactly_the_routes_of_the_contract() {
    // Both ways: nothing of the table is missing, nothing else is documented, and who may is the same.
    Rig::with(&[], |rig| {
        let documented: BTreeSet<(String, String, String)> = operations(&document(rig))
            .into_iter()
            .map(|(method, path, operation)| (method, path, who_may(&operation)))
            .collect();
        let wanted = ROUTES
            .into_iter()
            .map(|(method, path, who)| (method.to_owned(), path.to_owned(), who.to_owned()));
        assert_eq!(documented, wanted.collect());
    });
}

#[test]
fn every_operation_is_explained() {
    // A sentence, answers of which one is no refusal, the refusals of its rule, and no reference into nothing.
    Rig::with(&[], |rig| {
        let document = document(rig);
        assert_eq!(document["openapi"], "3.1.0");
        for (method, path, operation) in operations(&document) {
            let what = format!("{method} {path}");
            assert!(
                operation["summary"].as_str().is_some_and(|text| text.len() > 10),
                "{what} says what it does"
            );
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with(['1', '2'])),
                "{what} has a good answer"
            );
            let needed: &[&str] = match who_may(&operation).as_str() {
                "everybody" => &[],
                _ => &["401", "403", "429"],
            };
            for status in needed {
                let kind = &responses[*status]["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(kind, "#/components/schemas/Problem", "{what} {status}");
            }
        }
        let text = document.to_string();
        for name in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap())
        {
            assert!(document["components"]["schemas"][name].is_object(), "{name} is described");
        }
    });
}

#[test]
fn every_route_refuses_a_missing_token_except_the_open_ones() {
    // 401, with the way to log in, for exactly the routes that are not open.
    Rig::with(&[], |rig| {
        for (method, path, who) in ROUTES.into_iter() {
            let answer = Ask::new(method, &concrete(path)).send(rig);
            let what = format!("{method} {path}");
            if who == "everybody" {
                assert_eq!(answer.status, 200, "{what}");
                continue;
            }
            check_problem(&answer, 401, "no-token", &what);
            assert!(answer.header("www-authenticate").is_some_and(|way| way.starts_with("Bearer")), "{what}");
            let unknown = Ask::new(method, &concrete(path)).token("rb_unknown").send(rig);
            check_problem(&unknown, 401, "no-token", &what);
        }
        for path in OPEN_FILES {
            Ask::new("GET", path).send(rig).expect(200);
        }
    });
}

#[test]
fn every_route_refuses_a_token_without_its_scope() {
    // 403 that names what is missing, even to a token that has all the others, and before the body is looked at.
    Rig::with(UNLIMITED, |rig| {
        let all = ["read", "view", "speak", "drive", "admin"];
        let lacking = |who: &str| {
            let left: Vec<&str> =
                all.into_iter().filter(|scope| !who.split('|').any(|one| one == *scope)).collect();
            left.join(",")
        };
        let kinds = ["read", "drive", "speak", "admin", "speak|drive"];
        let scopes = kinds.map(lacking);
        let wanted = std::array::from_fn(|index| (kinds[index], "local", scopes[index].as_str()));
        let tokens: [String; 5] = rig.tokens(wanted);
        for (method, path, who) in ROUTES.into_iter().filter(|(_, _, who)| *who != "everybody") {
            let token = &tokens[kinds.iter().position(|kind| *kind == who).unwrap()];
            let answer = Ask::new(method, &concrete(path)).token(token).body("{\"broken\":").send(rig);
            let problem = check_problem(&answer, 403, "no-right", &format!("{method} {path}"));
            let detail = problem["detail"].as_str().unwrap();
            assert!(who.split('|').all(|scope| detail.contains(scope)), "{method} {path}: {detail}");
        }
    });
}

#[test]
fn every_route_refuses_other_methods_and_names_its_own() {
    // 405 with `Allow`, to everybody: the method is looked at before the token.
    Rig::with(&[], |rig| {
        let paths: BTreeSet<&str> = ROUTES.into_iter().map(|(_, path, _)| path).collect();
        for path in paths {
            let own: Vec<&str> = ROUTES
                .into_iter()
                .filter(|(_, known, _)| *known == path)
                .map(|(method, _, _)| method)
                .collect();
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FLY"] {
                if own.contains(&method) {
                    continue;
                }
                let answer = Ask::new(method, &concrete(path)).send(rig);
                check_problem(&answer, 405, "wrong-method", &format!("{method} {path}"));
                let allow = answer.header("allow").unwrap_or_default();
                let allowed: Vec<&str> = allow.split(',').filter(|method| *method != "HEAD").collect();
                assert_eq!(
                    BTreeSet::from_iter(allowed),
                    BTreeSet::from_iter(own.clone()),
                    "{method} {path}: {allow}"
                );
            }
        }
    });
}
