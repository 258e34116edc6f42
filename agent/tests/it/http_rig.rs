//! What the tests of the routes share: an agent with its simulated body, tokens, and requests with anything in them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

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

/// Without any limit of how often a token may ask, for tests that ask more often than people do.
pub(crate) const UNLIMITED: &[&str] =
    &["limits.motion_per_s=0", "limits.read_per_s=0", "limits.write_per_s=0", "limits.chat_per_min=0"];

/// How often a test may start anew because the machine stood still.
pub(crate) const TRIES: usize = 5;

/// An agent that does not run for so long closes the robot after a little more, and a test has nothing left to look at.
pub(crate) const STANDSTILL: Duration = Duration::from_millis(60);

/// An agent with its simulated body, in a folder of its own, with base and head open.
pub(crate) struct Rig {
    pub(crate) agent: Agent,
    machine: Machine,
    _place: Place,
}

impl Rig {
    /// Runs a test against a fresh agent with these settings besides the profile `sim`.
    ///
    /// A machine that gives the processes no time for 100 ms makes the agent close the robot, as it must. A test that fails
    /// then has shown nothing: it starts anew. One that fails on a machine that ran all the time has failed.
    pub(crate) fn with(settings: &[&str], test: impl Fn(&Self)) {
        for turn in 1.. {
            let rig = Self::start(settings);
            let Err(failure) = catch_unwind(AssertUnwindSafe(|| test(&rig))) else { return };
            if turn == TRIES || !rig.stood_still() {
                resume_unwind(failure);
            }
            eprintln!("the machine stood still meanwhile, which closes a robot: once more");
            drop(rig);
            Machine::wait_for_calm();
        }
    }

    fn start(settings: &[&str]) -> Self {
        let place = Place::new();
        let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", *setting]).collect();
        let agent = Start::new(&place).arguments(&arguments).run();
        let rig = Self { agent, machine: Machine::watch(), _place: place };
        rig.agent.wait_for_body();
        wait_until("an open robot", || rig.open());
        rig
    }

    /// Whether base and head are open; a person opens what the machine's standstill has closed.
    fn open(&self) -> bool {
        let state = self.agent.state();
        let closed: Vec<&str> =
            ["base", "head"].into_iter().filter(|limb| state[*limb]["closed"].is_object()).collect();
        for limb in &closed {
            let take = json!({"resource": limb, "take_over": true, "seen": state["seen"]});
            let lease = self.post(self.owner(), LEASES, &take).json()["id"].clone();
            if let Some(lease) = lease.as_str() {
                self.client(self.owner()).ask("DELETE", &format!("{LEASES}/{lease}"), None);
            }
        }
        closed.is_empty()
    }

    /// The machine gave us or the agent no time: by our own clock, by the agent's, or by what the link says.
    fn stood_still(&self) -> bool {
        if self.machine.longest_standstill() > STANDSTILL {
            return true;
        }
        let Ok(answer) = Client::try_connect(self.agent.address, None)
            .and_then(|mut client| client.try_ask("GET", "/metrics", None))
        else {
            return false;
        };
        let metrics = String::from_utf8_lossy(&answer.body);
        let gap_s = metrics.lines().find_map(|line| line.strip_prefix("robbie_gate_longest_gap_seconds "));
        let gap_s: f64 = gap_s.and_then(|text| text.parse().ok()).unwrap_or_default();
        let why = self.get(self.owner(), "/api/robot/control/why").body;
        let why = String::from_utf8_lossy(&why);
        gap_s > STANDSTILL.as_secs_f64()
            || ["link-down", "tick-gap", "hold", "link-lost"].iter().any(|word| why.contains(word))
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
        self.agent.wait_for_state("a turning body", is_turning);
    }

    /// Waits until the wheels stand still.
    pub(crate) fn wait_for_standstill(&self) -> Value {
        self.agent.wait_for_state("a standstill", |state| {
            state["base"]["setpoint"].is_null() && !is_turning(state) && !is_going(state)
        })
    }
}

/// Notices when this machine gives a thread no time.
pub(crate) struct Machine {
    longest_us: Arc<AtomicU64>,
}

impl Machine {
    /// From now on.
    pub(crate) fn watch() -> Self {
        let longest_us = Arc::new(AtomicU64::new(0));
        let seen = Arc::downgrade(&longest_us);
        std::thread::spawn(move || {
            let mut last = Instant::now();
            while let Some(longest_us) = seen.upgrade() {
                std::thread::sleep(Duration::from_millis(5));
                let now = Instant::now();
                longest_us.fetch_max(u64::try_from((now - last).as_micros()).unwrap(), Ordering::Relaxed);
                last = now;
            }
        });
        Self { longest_us }
    }

    /// Waits until the machine has run for a second and a half, but not for ever.
    pub(crate) fn wait_for_calm() {
        let ends = Instant::now() + DEADLINE;
        while Instant::now() < ends {
            let machine = Self::watch();
            std::thread::sleep(Duration::from_millis(1500));
            if machine.longest_standstill() < STANDSTILL / 2 {
                return;
            }
        }
    }

    /// The longest time without any for us.
    pub(crate) fn longest_standstill(&self) -> Duration {
        Duration::from_micros(self.longest_us.load(Ordering::Relaxed))
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
