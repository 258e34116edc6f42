//! What the tests share. A typical test:
//!
//! ```ignore
//! let place = Place::new();                          // a temporary folder: data of the agent, link and trace of the body
//! let agent = Start::new(&place).run();              // robbie-agent with its simulated body, on a free port
//! agent.open();                                      // waits for the body; opens base as a person does
//! let answer = agent.post("/api/robot/velocity", &json!({"linear_mps": 0.1, "angular_radps": 0.0}));
//! assert_eq!(answer.status, 202, "{answer:?}");
//! ```
//!
//! With the body in another process: `let body = Body::start(&place);` then `Start::new(&place).on(&body.link).run()`.
//! For raw bytes and keep-alive: `Client::connect(agent.address, Some(&agent.token))`; for several requests a test needs
//! `agent.client()`. For a second token: `agent.make_token(&["--scope", "drive"])`. Dropping an agent or a body kills it;
//! when a test fails, what the agent logged is printed.

pub(crate) mod agent;
pub(crate) mod body;
pub(crate) mod broker;
pub(crate) mod cloud;
pub(crate) mod driver;
pub(crate) mod http;
pub(crate) mod programs;
pub(crate) mod socket;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Nothing that a test waits for takes so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Waits until `look` finds something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_at_most(DEADLINE, look).unwrap_or_else(|| panic!("waited in vain for {what}"))
}

/// Waits until `look` finds something, or until the time is over.
pub(crate) fn wait_at_most<T>(time: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + time;
    loop {
        let found = look();
        if found.is_some() || Instant::now() > end {
            return found;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `is_true`.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    wait_for(what, || is_true().then_some(()));
}

/// CLOCK_MONOTONIC, us: the clock of the body's trace.
pub(crate) fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1000
}

/// A temporary folder of one robot.
pub(crate) struct Place {
    root: tempfile::TempDir,
}

impl Place {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The agent's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// Where a body puts its link.
    pub(crate) fn link(&self) -> PathBuf {
        self.root.path().join("body")
    }
}
