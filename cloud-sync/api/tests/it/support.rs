//! A small program with the routes of a robot's kind, and a client that sends exactly what a test says.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_core::caller::Class;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use cloud_sync_api::access::{AccessConfig, Guards, Principal, Rule};
use cloud_sync_api::attached::Attached;
use cloud_sync_api::connections::ConnectionLimits;
use cloud_sync_api::health::{self, Faults};
use cloud_sync_api::json::{self, Body};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InQuery;
use cloud_sync_api::peer::Peer;
use cloud_sync_api::problem::Answer;
use cloud_sync_api::rate::{Limit, Limits, Rate};
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::server::{self, Server, ServerConfig};
use cloud_sync_api::token_file::{NewToken, TokenFile};
use cloud_sync_api::token_follower::TokenFollower;
use cloud_sync_api::{credentials, tls};
use http::StatusCode;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;
use utoipa::ToSchema;
use utoipa::openapi::InfoBuilder;
use utoipa_axum::routes;

/// Nothing in these tests takes longer.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// What the routes did.
#[derive(Clone, Default)]
pub(crate) struct Robot {
    pub(crate) driven: Arc<AtomicUsize>,
    pub(crate) stopped: Arc<AtomicUsize>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it parses matters")]
struct Velocity {
    linear_mps: f64,
    angular_radps: f64,
    ttl_ms: Option<u16>,
}

#[utoipa::path(post, path = "/api/robot/velocity", request_body = Velocity, responses((status = 202)))]
async fn velocity(State(robot): State<Robot>, who: Principal, Body(_): Body<Velocity>) -> Response {
    robot.driven.fetch_add(1, Ordering::Relaxed);
    json::answer(
        StatusCode::ACCEPTED,
        &serde_json::json!({ "class": who.class.as_str(), "holder": who.name() }),
    )
}

#[utoipa::path(get, path = "/api/robot/state", responses((status = 200)))]
async fn state(who: Principal) -> Response {
    json::answer(StatusCode::OK, &serde_json::json!({ "class": who.class.as_str(), "user": who.user_id() }))
}

#[utoipa::path(post, path = "/api/robot/stop", responses((status = 200)))]
async fn stop(State(robot): State<Robot>, who: Option<Principal>) -> Response {
    robot.stopped.fetch_add(1, Ordering::Relaxed);
    json::answer(StatusCode::OK, &serde_json::json!({ "by": who.map(|who| who.name().to_owned()) }))
}

#[utoipa::path(post, path = "/api/robot/estop/reset", responses((status = 200)))]
async fn reset() -> StatusCode {
    StatusCode::OK
}

#[utoipa::path(get, path = "/api/robot/slow", responses((status = 200)))]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(500)).await;
    "done"
}

#[utoipa::path(get, path = "/metrics", responses((status = 200)))]
async fn metrics() -> &'static str {
    "up 1\n"
}

#[derive(Deserialize)]
struct Entry {
    token: Option<String>,
}

async fn page(State(guards): State<Guards>, peer: Peer, InQuery(entry): InQuery<Entry>) -> Answer<Response> {
    match entry.token {
        Some(token) => credentials::login(&guards, &peer, &token),
        None => Ok(Html("<!doctype html><title>page</title>").into_response()),
    }
}

/// What differs between tests.
pub(crate) struct Setup {
    pub(crate) connections: ConnectionLimits,
    pub(crate) limits: Limits,
    pub(crate) trusted: &'static [&'static str],
    pub(crate) is_tls: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let limits = Limits {
            motion: Limit::OFF,
            read: Limit::OFF,
            write: Limit::OFF,
            chat: Limit::OFF,
            open: Limit::OFF,
            sync: Limit::OFF,
        };
        Self { connections: ConnectionLimits::default(), limits, trusted: &[], is_tls: false }
    }
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) robot: Robot,
    pub(crate) server: Server,
    pub(crate) file: TokenFile,
    pub(crate) tokens: TokenFollower,
    pub(crate) faults: Faults,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) ended: tokio::task::JoinHandle<()>,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) fn routes(guards: &Guards, robot: Robot, faults: Faults) -> ApiRouter {
    let of_robot = ApiRouter::new(guards)
        .route(Rule::scope(Scope::Drive, Rate::Motion), routes!(velocity))
        .route(Rule::scope(Scope::Read, Rate::Read), routes!(state))
        .route(Rule::scope(Scope::Read, Rate::Read), routes!(slow))
        .route(Rule::Always, routes!(stop))
        .route(Rule::ranked(Scope::Admin, Class::Local, Rate::Write), routes!(reset))
        .route(Rule::Loopback, routes!(metrics))
        .with_state(robot);
    let of_program = ApiRouter::new(guards).route(Rule::Open, routes!(health::health)).with_state(faults);
    let of_page = ApiRouter::new(guards).page("/", get(page)).with_state(guards.clone());
    of_robot.merge(of_program).merge(of_page)
}

pub(crate) async fn start(setup: Setup) -> Running {
    let dir = tempfile::tempdir().unwrap();
    let tokens = TokenFollower::open(dir.path(), 0).unwrap();
    let attached = Attached::default();
    let config = AccessConfig {
        origins: Vec::new(),
        hosts: vec!["robot.example".to_owned()],
        trusted_proxies: setup.trusted.iter().map(|network| network.parse().unwrap()).collect(),
        limits: setup.limits,
        cookie: "robbie-test",
        class_cap: Arc::new(move |peer| attached.class_of(peer)),
    };
    let guards = Guards::new(tokens.tokens.clone(), config);
    let (robot, faults) = (Robot::default(), Faults::default());
    let router =
        routes(&guards, robot.clone(), faults.clone()).finish(InfoBuilder::new().title("test").build());
    let server = Server::new(router, ServerConfig { connections: setup.connections });
    let listener = server::listen(([0, 0, 0, 0], 0).into()).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
    let (stop, stopped) = watch::channel(false);
    let tls = setup.is_tls.then(|| certificate(dir.path()));
    let running = server.clone();
    let ended = tokio::spawn(async move {
        tokio::select! {
            () = running.keep_deadlines() => {}
            () = running.run(listener, tls, stopped, Duration::from_secs(2)) => {}
        }
    });
    let file = TokenFile::in_dir(dir.path());
    Running { address, robot, server, file, tokens, faults, stop, ended, dir }
}

fn certificate(dir: &std::path::Path) -> Arc<rustls::ServerConfig> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (dir.join("certificate.pem"), dir.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    tls::load(&certificate, &key).unwrap()
}

impl Running {
    pub(crate) fn owner(&self) -> String {
        std::fs::read_to_string(self.file.owner_path()).unwrap().trim_end().to_owned()
    }

    /// A new token, valid at once.
    pub(crate) fn token(&self, scopes: &[Scope], class: Class) -> String {
        let scopes: Scopes = scopes.iter().copied().collect();
        let wish = NewToken { scopes, class, user_id: "ann".to_owned(), name: None };
        let secret = self.file.create(&wish, 0).unwrap();
        self.tokens.refresh().unwrap();
        secret
    }

    /// Sends a request of its own connection and reads the answer to its end.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.ask_from([127, 0, 0, 1].into(), method, path, headers, body).await
    }

    pub(crate) async fn ask_from(
        &self,
        from: IpAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut stream = self.connect_from(from).await;
        let mut all = vec![("connection", "close")];
        all.extend(headers);
        let head = head(method, path, &all, body.len());
        let exchange = async {
            stream.write_all(&head).await.unwrap();
            // The server may answer and stop listening before it has read everything.
            stream.write_all(body).await.ok();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            Reply::parse(&answer)
        };
        tokio::time::timeout(DEADLINE, exchange).await.expect("an answer in time")
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        self.connect_from([127, 0, 0, 1].into()).await
    }

    pub(crate) async fn connect_from(&self, from: IpAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        tokio::time::timeout(DEADLINE, socket.connect(self.address)).await.unwrap().unwrap()
    }
}

/// A request's head. `Host` is a good one unless `headers` has another.
pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)], body_bytes: usize) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        text.push_str("host: 127.0.0.1\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("content-length: {body_bytes}\r\n\r\n"));
    text.into_bytes()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer with a head");
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_lowercase(), body: bytes[at + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON answer")
    }

    /// Asserts that this is a whole problem of that type.
    pub(crate) fn is_problem(&self, status: u16, kind: &str) -> serde_json::Value {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{text}");
        let value = self.json();
        assert_eq!(value["type"], format!("/problems/{kind}"));
        assert_eq!(value["status"], status);
        value
    }
}

/// The header that carries a token.
pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Whether the other side closes the connection within the deadline.
pub(crate) async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0; 1];
    matches!(tokio::time::timeout(DEADLINE, stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}
