//! Every route of the service, as its own document lists them, and how each is asked. What a route needs in its path, query or
//! body and this test cannot know makes it fail, and say so.

use cloud_sync_api::openapi::DOCUMENT_PATH;
use serde_json::{Value, json};

use super::home::Names;
use crate::support::cloud::Cloud;
use crate::support::http::{Answer, Client};

/// What is open to everybody, and why.
const OPEN: [(&str, &str, &str); 3] = [
    ("GET", "/health", "says whether the service is well, and nothing of what is in it"),
    ("GET", "/metrics", "sums, for programs on this machine"),
    ("POST", "/api/devices/pair", "the code in the body lets a robot in; wrong ones are counted"),
];

/// Open as well, and no part of the document: pages and pictures that are the same in every town.
pub(super) const PAGES: [&str; 7] = [
    DOCUMENT_PATH,
    "/",
    "/docs",
    "/docs/problems",
    "/docs/problems/not-found",
    "/problems/not-found",
    "/moods/friendly.svg",
];

/// In this order, so that nothing is written before it was looked for.
const METHODS: [&str; 5] = ["GET", "DELETE", "PUT", "PATCH", "POST"];

/// Headers that ask for a WebSocket.
const UPGRADE: [(&str, &str); 4] = [
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Headers that ask for events, and for the version that whoever knows the thing has seen.
const KNOWING: [(&str, &str); 2] = [("accept", "text/event-stream"), ("if-match", "\"1\"")];

/// Whose a thing is that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Everybody's in the town, as far as their scopes go.
    Town,
    /// Its owner's alone.
    Owner,
}

/// Where a request may name another user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Query,
    Body,
}

/// One route.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// Parameters that must stand behind the question mark.
    needed: Vec<String>,
    user: Option<Place>,
    has_body: bool,
    is_socket: bool,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    method: &'static str,
    path: String,
    headers: &'static [(&'static str, &'static str)],
    body: Option<Value>,
}

/// All of them.
pub(super) async fn routes(cloud: &Cloud) -> Vec<Route> {
    let document = cloud.nobody().get(DOCUMENT_PATH).await.expect(200).json();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes.push(Route::read(&document, path, &method.to_uppercase(), operation));
        }
    }
    let sockets = routes.iter().filter(|route| route.is_socket).count();
    assert!(routes.len() > 45 && sockets > 2, "only {} routes, {sockets} of them sockets", routes.len());
    routes.sort_by(|one: &Route, other| {
        let by_path = one.path.cmp(&other.path);
        // Backwards, so that nothing is taken away before what hangs on it: a robot's leases before the robot.
        let by_path = if one.method == "DELETE" { by_path.reverse() } else { by_path };
        rank(one.method).cmp(&rank(other.method)).then(by_path)
    });
    routes
}

fn rank(method: &str) -> usize {
    let known = METHODS.iter().position(|known| *known == method);
    known.unwrap_or_else(|| panic!("say in this test when {method} is tried"))
}

/// What a parameter names, and whose that is.
fn named<'a>(path: &str, parameter: &str, names: &'a Names) -> (&'a str, Whose) {
    match (path.split('/').nth(2), parameter) {
        (Some("conversations"), "id") => (&names.talk, Whose::Owner),
        (Some("sync"), "id") => (&names.conflict, Whose::Owner),
        (Some("sticky-notes"), "id") => (&names.note, Whose::Town),
        (Some("towns"), "id") => (&names.town, Whose::Town),
        (Some("models"), "id") => ("robbie", Whose::Town),
        (Some("users"), "id") => (&names.user, Whose::Town),
        (Some("tokens"), "id") => (&names.token, Whose::Town),
        (Some("devices"), "id") | (Some("robots"), "robot") => (&names.robot, Whose::Town),
        (Some("robots"), "task" | "lease") => ("1", Whose::Town),
        _ => panic!("say in this test what {{{parameter}}} in {path} names, and whose that is"),
    }
}

/// Bodies that the route could take.
fn bodies(method: &str, path: &str, names: &Names) -> Vec<Value> {
    let Names { town, user, robot, note, talk, .. } = names;
    match (method, path) {
        ("POST", "/api/towns") => vec![json!({"id": town})],
        ("POST", "/api/users") => vec![json!({"id": format!("a guest of {town}")})],
        ("POST", "/api/tokens") => {
            vec![json!({"scopes": ["read"], "user_id": user}), json!({"scopes": ["read"], "town": town})]
        }
        ("POST", "/api/devices") => vec![json!({"user_id": user}), json!({"robot": robot})],
        ("POST", "/api/devices/pair") => vec![json!({"code": "23456789", "robot": robot, "version": "1"})],
        ("POST", "/api/sync") => vec![json!({})],
        ("POST", "/api/sync/conflicts/{id}/resolve") => vec![json!({"keep": "other"})],
        ("POST", "/api/mood/update") => vec![json!({"mood": "playful"})],
        ("POST", "/api/sticky-notes") => vec![json!({"content": "a guest was here", "id": note})],
        ("PATCH", "/api/sticky-notes/{id}") => vec![json!({"content": "a guest was here"})],
        ("POST", "/v1/chat/completions") => {
            vec![json!({"model": "robbie", "messages": [{"role": "user", "content": "what is a quokka?"}]})]
        }
        ("POST", "/v1/embeddings") => vec![json!({"model": "robbie", "input": "quokka"})],
        ("POST", "/api/chat") => vec![
            json!({"message": "what do you know about the quokka and the numbat?"}),
            json!({"message": "hello", "conversation_id": talk}),
            json!({"message": "stop", "context": {"robot": robot}}),
        ],
        // Whatever it says, the robot reads it.
        (_, path) if path.starts_with("/api/robots/{robot}/") => {
            vec![json!({"linear_mps": 0.1, "angular_radps": 0.0, "seen": {"run": "a", "mono_ms": 1}})]
        }
        _ => panic!("say in this test what {method} {path} takes as its body"),
    }
}

/// What could stand behind the question mark.
fn queries(path: &str, names: &Names) -> Vec<String> {
    match path {
        "/api/memory/search" => vec!["q=quokka+numbat&limit=100".to_owned()],
        "/api/sticky-notes" => ["", "q=quokka", "tag=quokka-tag", "author=owner"].map(str::to_owned).into(),
        "/api/sticky-notes/surface" => {
            vec!["about=quokka+numbat".to_owned(), format!("conversation_id={}", names.talk)]
        }
        _ => vec![String::new()],
    }
}

impl Route {
    fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_query = |one: &&Value| one["in"] == "query";
        let names_user = parameters.iter().filter(in_query).any(|one| one["name"] == "user_id");
        let needed = parameters.iter().filter(in_query).filter(|one| one["required"] == true);
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let schema = schema["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
        let body_names_user = schema.is_some_and(|schema| schema["properties"]["user_id"].is_object());
        Self {
            method: METHODS[rank(method)],
            path: path.to_owned(),
            needed: needed.map(|one| one["name"].as_str().unwrap().to_owned()).collect(),
            user: match (names_user, body_names_user) {
                (true, _) => Some(Place::Query),
                (false, true) => Some(Place::Body),
                (false, false) => None,
            },
            has_body: operation["requestBody"].is_object(),
            is_socket: operation["responses"]["101"].is_object(),
        }
    }

    /// Whether it is open to everybody.
    pub(super) fn is_open(&self) -> bool {
        OPEN.iter().any(|(method, path, _why)| (*method, *path) == (self.method, self.path.as_str()))
    }

    /// Whether it asks the chain of models, which belongs to nobody.
    pub(super) fn is_of_the_chain(&self) -> bool {
        self.path.starts_with("/v1/")
    }

    /// Whose the thing is that its path names; `None` where it names none.
    pub(super) fn whose(&self) -> Option<Whose> {
        // Models are the same in every town.
        let parameter = self.path.split('{').nth(1)?.split('}').next().filter(|_| !self.is_of_the_chain())?;
        Some(named(&self.path, parameter, &Names::never()).1)
    }

    /// Every request that is tried: about these things, and in the name of `user` where one is given and the route takes one.
    pub(super) fn asks(&self, names: &Names, user: Option<&str>) -> Vec<Ask> {
        if user.is_some() && self.user.is_none() {
            return Vec::new();
        }
        let mut asks = Vec::new();
        for query in queries(&self.path, names) {
            let is_whole =
                |name: &String| query.split('&').any(|pair| pair.split('=').next() == Some(name.as_str()));
            assert!(self.needed.iter().all(is_whole), "say in this test what {} is asked for", self.path);
            let mut path = format!("{}?{query}", self.filled(names));
            if let (Some(user), Some(Place::Query)) = (user, self.user) {
                path = format!("{path}&user_id={user}");
            }
            for body in self.bodies(names, user) {
                let ask =
                    |headers| Ask { method: self.method, path: path.clone(), headers, body: body.clone() };
                asks.extend([ask(&[]), ask(&KNOWING)]);
                asks.extend(self.is_socket.then(|| ask(&UPGRADE)));
            }
        }
        asks
    }

    fn filled(&self, names: &Names) -> String {
        let part = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(parameter) => named(&self.path, parameter, names).0.to_owned(),
            None => part.to_owned(),
        };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    fn bodies(&self, names: &Names, user: Option<&str>) -> Vec<Option<Value>> {
        if !self.has_body {
            return vec![None];
        }
        let mut bodies = bodies(self.method, &self.path, names);
        if let (Some(user), Some(Place::Body)) = (user, self.user) {
            bodies.iter_mut().for_each(|body| body["user_id"] = user.into());
        }
        bodies.into_iter().map(Some).collect()
    }
}

impl Ask {
    /// Without a header that asks for more.
    pub(super) fn is_plain(&self) -> bool {
        self.headers.is_empty()
    }

    /// Whether it asks for a WebSocket.
    pub(super) fn is_socket(&self) -> bool {
        *self.headers == UPGRADE
    }

    /// Asks it.
    pub(super) async fn send(&self, client: &Client) -> Answer {
        let client =
            self.headers.iter().fold(client.clone(), |client, (name, value)| client.and(name, *value));
        client.ask(self.method, &self.path, self.body.as_ref()).await
    }

    /// The answer tells none of these words, but for those that were asked about.
    #[track_caller]
    pub(super) fn tells_none_of<'a>(&self, answer: &Answer, secrets: impl IntoIterator<Item = &'a String>) {
        let (asked, told) = (format!("{self:?}"), format!("{:?} {}", answer.headers, answer.body));
        for secret in secrets {
            assert!(asked.contains(secret) || !told.contains(secret), "{asked} tells of {secret}: {told}");
        }
    }

    /// What was answered, as it would be for any other name: refusals letter for letter.
    pub(super) fn without_names(&self, answer: &Answer, names: &Names) -> (u16, String) {
        let asked = format!("{self:?}");
        let mut headers = answer.headers.clone();
        headers.remove("date");
        let told = if answer.status < 400 { String::new() } else { format!("{headers:?} {}", answer.body) };
        let is_asked = |name: &&str| asked.contains(*name);
        let told =
            names.all().into_iter().filter(is_asked).fold(told, |told, name| told.replace(name, "..."));
        (answer.status, told)
    }
}
