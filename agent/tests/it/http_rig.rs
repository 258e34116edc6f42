//! What the tests of the routes share: an agent with its simulated body, tokens, and requests with anything in them.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::http::{Answer, Client};
use crate::support::{DEADLINE, Place, wait_until};

/// The routes that tests name most.
pub(crate) const STATE: &str = "/api/robot/state";
pub(crate) const VELOCITY: &str = "/api/robot/velocity";
pub(crate) const MOVE: &str = "/api/robot/move";
pub(crate) const HEAD: &str = "/api/robot/head";
pub(crate) const LIGHTS: &str = "/api/robot/lights";
pub(crate) const LEASES: &str = "/api/robot/leases";
pub(crate) const STOP: &str = "/api/robot/stop";
pub(crate) const ESTOP: &str = "/api/robot/estop";
pub(crate) const RESET: &str = "/api/robot/estop/reset";

/// An agent whose base is open, in a folder of its own.
pub(crate) struct Rig {
    pub(crate) agent: Agent,
    place: Place,
}

impl Rig {
    /// With these settings besides the profile `sim`.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let place = Place::new();
        let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", *setting]).collect();
        let agent = Start::new(&place).arguments(&arguments).run();
        agent.wait_until_open();
        Self { agent, place }
    }

    /// Without any limit of how often a token may ask, for tests that ask more often than people do.
    pub(crate) fn unlimited() -> Self {
        Self::start(&["limits.motion_per_s=0", "limits.read_per_s=0", "limits.write_per_s=0"])
    }

    /// The folder of this robot.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The owner's token: every scope, class local.
    pub(crate) fn owner(&self) -> &str {
        &self.agent.token
    }

    /// New tokens `(name, class, scopes)`, which the agent knows when this returns.
    pub(crate) fn tokens<const N: usize>(&self, wanted: [(&str, &str, &str); N]) -> [String; N] {
        let tokens = wanted.map(|(name, class, scopes)| {
            self.agent.token_command(&["create", "--name", name, "--class", class, "--scope", scopes])
        });
        for token in &tokens {
            wait_until("a new token", || self.get(token, STATE).status != 401);
        }
        tokens
    }

    /// A connection with this token.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client::connect(self.agent.address, Some(token))
    }

    /// `GET` with this token.
    pub(crate) fn get(&self, token: &str, path: &str) -> Answer {
        self.client(token).ask("GET", path, None)
    }

    /// `POST` with this token.
    pub(crate) fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.client(token).ask("POST", path, Some(body))
    }

    /// `POST velocity` without a lease of its own naming.
    pub(crate) fn drive(&self, token: &str, linear_mps: f64, angular_radps: f64) -> Answer {
        let body = json!({"linear_mps": linear_mps, "angular_radps": angular_radps, "ttl_ms": 500});
        self.post(token, VELOCITY, &body)
    }

    /// `POST leases` for the base.
    pub(crate) fn take(&self, token: &str, take_over: bool) -> Answer {
        self.post(token, LEASES, &json!({"resource": "base", "take_over": take_over}))
    }

    /// Turns on the spot, whatever stood before: open, held by this token, and measurably turning.
    pub(crate) fn spin(&self, token: &str) {
        self.take(token, true).expect(201);
        self.drive(token, 0.0, 1.5).expect(202);
        self.agent.wait_for_state("a turning body", |state| is_turning(state));
    }

    /// Waits until the wheels stand still.
    pub(crate) fn wait_for_standstill(&self) -> Value {
        self.agent.wait_for_state("a standstill", |state| {
            state["base"]["setpoint"].is_null() && !is_turning(state) && !is_going(state)
        })
    }
}

/// It turns.
pub(crate) fn is_turning(state: &Value) -> bool {
    state["base"]["velocity"]["angular_radps"].as_f64().unwrap().abs() > 0.05
}

/// It goes forwards or backwards.
pub(crate) fn is_going(state: &Value) -> bool {
    state["base"]["velocity"]["linear_mps"].as_f64().unwrap().abs() > 0.01
}

/// A request with anything in it, on a connection of its own.
pub(crate) struct Ask<'a> {
    method: &'a str,
    path: &'a str,
    host: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

impl<'a> Ask<'a> {
    /// Without token and body.
    pub(crate) fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, host: "localhost", headers: Vec::new(), body: Vec::new() }
    }

    /// With this token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// With this header.
    pub(crate) fn header(mut self, name: &'a str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// To this host.
    pub(crate) fn host(mut self, host: &'a str) -> Self {
        self.host = host;
        self
    }

    /// With these bytes as body.
    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let length = body.len().to_string();
        self.unannounced_body(body).header("content-length", &length)
    }

    /// With these bytes behind the head, and no header that says how many.
    pub(crate) fn unannounced_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Sends it and reads the answer.
    pub(crate) fn send(&self, rig: &Rig) -> Answer {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.host);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.headers.iter().any(|(name, _)| *name == "connection") {
            head.push_str("connection: close\r\n");
        }
        let mut stream = TcpStream::connect_timeout(&rig.agent.address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // Whoever is refused before the body was read may find the connection closed.
        drop(stream.write_all(&self.body));
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes));
        parse(&bytes).unwrap_or_else(|| panic!("no answer to {} {}: {bytes:?}", self.method, self.path))
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Some(Answer { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() })
}

/// The answer is a problem of this type, with everything that RFC 9457 and the contract ask for; gives its members.
#[track_caller]
pub(crate) fn check_problem(answer: &Answer, status: u16, kind: &str, what: &str) -> Value {
    let problem = answer.json();
    assert_eq!((answer.status, answer.problem().as_str()), (status, kind), "{what}: {problem}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(problem["status"], status, "{what}: {problem}");
    for member in ["title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| text.len() > 3), "{what}: {member} of {problem}");
    }
    assert!(answer.body.len() < 2000, "{what}: an answer repeats little of what it got");
    problem
}
