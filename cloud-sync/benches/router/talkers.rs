//! People whom a language model answers through their robot, word by word, without a pause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, ensure};
use serde_json::json;

use crate::busy::yield_to_others;
use crate::http::Client;
use crate::programs::Agent;

/// So many of them, until their answers are counted.
#[derive(Debug)]
pub(crate) struct Talkers {
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<Heard>>>,
}

/// What they heard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heard {
    /// Whole answers.
    pub(crate) answers: usize,
    /// Events with words.
    pub(crate) pieces: usize,
}

impl Talkers {
    /// Each in a conversation of its own, about something that only a model knows.
    pub(crate) fn begin(agent: &Agent, count: usize) -> anyhow::Result<Self> {
        let mut talkers = Self { ending: Arc::default(), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let (client, ending) = (agent.client()?, talkers.ending.clone());
            talkers.threads.push(std::thread::spawn(move || talk(client, number, &ending)));
        }
        Ok(talkers)
    }

    /// What all of them heard.
    pub(crate) fn end(mut self) -> anyhow::Result<Heard> {
        self.ending.store(true, Ordering::Relaxed);
        let mut all = Heard::default();
        for thread in self.threads.drain(..) {
            let heard = thread.join().ok().context("a talker panicked")??;
            all.answers += heard.answers;
            all.pieces += heard.pieces;
        }
        Ok(all)
    }
}

impl Drop for Talkers {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

fn talk(mut client: Client, number: usize, ending: &AtomicBool) -> anyhow::Result<Heard> {
    yield_to_others();
    let mut heard = Heard::default();
    let headers = [("accept", "text/event-stream"), ("content-type", "application/json")];
    while !ending.load(Ordering::Relaxed) {
        let message = format!("Why do cats purr? Question {} of person {number}.", heard.answers);
        let body = json!({ "message": message }).to_string();
        let answer = client.ask_with("POST", "/api/chat", &headers, body.as_bytes())?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(
            text.contains(r#""tier":"cloud""#) && text.contains("event: done"),
            "no model answered: {text}"
        );
        heard.answers += 1;
        heard.pieces += text.matches("event: token").count();
    }
    Ok(heard)
}
