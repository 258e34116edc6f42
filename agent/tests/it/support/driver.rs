//! Somebody who drives: a velocity every 50 ms from a thread of its own, until told to end or until the agent is gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::agent::Agent;
use super::body::{Body, Line};
use super::http::{Answer, Client};
use super::{DEADLINE, monotonic_us, wait_at_most};

/// A small circle, so that no wall limits it.
const LINEAR_MPS: f32 = 0.3;
const ANGULAR_RADPS: f32 = 1.5;
const PERIOD: Duration = Duration::from_millis(50);

/// The outer wheel turns at 0.45 m/s; where a busy machine slows the link, the envelope makes 0.1 of that.
const SPEED_MPS: f32 = 0.08;

/// The driver. Dropping it ends the thread.
pub(crate) struct Driver {
    ending: Arc<AtomicBool>,
    answers: Arc<Mutex<Vec<Answer>>>,
    token: String,
}

impl Driver {
    /// Drives with the owner's token.
    pub(crate) fn start(agent: &Agent) -> Self {
        Self::with_token(agent, &agent.token)
    }

    /// Drives with this token.
    pub(crate) fn with_token(agent: &Agent, token: &str) -> Self {
        let driver = Self { ending: Arc::default(), answers: Arc::default(), token: token.to_owned() };
        let client = Client::connect(agent.address, Some(token));
        let (ending, answers) = (driver.ending.clone(), driver.answers.clone());
        std::thread::spawn(move || drive(client, &ending, &answers));
        driver
    }

    /// Waits until the body turns its wheels for it, and more: so fast that it takes a while to stand.
    ///
    /// A machine that is too busy for either program closes the base; then it takes, as a person would.
    pub(crate) fn wait_until_moving(&self, agent: &Agent, body: &Body) {
        let from_us = monotonic_us();
        let is_moving = |line: &Line| line.is_driven() && line.right_mps > SPEED_MPS;
        let newest = || self.answers.lock().unwrap().last().cloned();
        let found = wait_at_most(DEADLINE, || {
            let problem = newest().map(|answer| answer.problem()).unwrap_or_default();
            if matches!(problem.as_str(), "closed" | "lease-needed") {
                agent.take_with(&self.token);
            }
            body.trace_since(from_us).iter().any(is_moving).then_some(())
        });
        assert!(
            found.is_some(),
            "nothing moves; the newest answer is {:?}",
            newest().map(|answer| answer.json())
        );
    }

    /// The newest answer it got.
    pub(crate) fn newest_answer(&self) -> Answer {
        self.answers.lock().unwrap().last().unwrap().clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

fn drive(mut client: Client, ending: &AtomicBool, answers: &Mutex<Vec<Answer>>) {
    let body = json!({"linear_mps": LINEAR_MPS, "angular_radps": ANGULAR_RADPS, "ttl_ms": 250});
    while !ending.load(Ordering::Relaxed) {
        let Ok(answer) = client.try_ask("POST", "/api/robot/velocity", Some(&body)) else { return };
        answers.lock().unwrap().push(answer);
        std::thread::sleep(PERIOD);
    }
}
