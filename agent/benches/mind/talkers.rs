//! What people say to Robbie over a connection that they keep, one message after the other, and many of them at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::busy::yield_to_others;
use crate::http::{Answer, Client};
use crate::notes::{NOTES, thing};
use crate::programs::Agent;

/// Where messages go.
const CHAT: &str = "/api/chat";

/// A question that the memory answers, about another thing for each number.
pub(crate) fn question(number: usize) -> String {
    format!("where is {}?", thing(number % NOTES))
}

/// Says something, in a conversation or in a new one.
pub(crate) fn say(
    client: &mut Client,
    message: &str,
    conversation: Option<&Value>,
) -> anyhow::Result<Answer> {
    let body = json!({ "message": message, "conversation_id": conversation });
    client.ask("POST", CHAT, &body.to_string())
}

/// People who ask for memories without a pause, until their answers are counted.
#[derive(Debug)]
pub(crate) struct Talkers {
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<anyhow::Result<usize>>>,
}

impl Talkers {
    /// So many of them, each in a conversation of its own.
    pub(crate) fn begin(agent: &Agent, count: usize) -> anyhow::Result<Self> {
        let mut talkers = Self { ending: Arc::default(), threads: Vec::with_capacity(count) };
        for number in 0..count {
            let (client, ending) = (agent.client()?, talkers.ending.clone());
            talkers.threads.push(std::thread::spawn(move || talk(client, number * NOTES / count, &ending)));
        }
        Ok(talkers)
    }

    /// How many answers they had.
    pub(crate) fn end(mut self) -> anyhow::Result<usize> {
        self.ending.store(true, Ordering::Relaxed);
        self.threads.drain(..).map(|thread| thread.join().ok().context("a talker panicked")?).sum()
    }
}

impl Drop for Talkers {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

fn talk(mut client: Client, first: usize, ending: &AtomicBool) -> anyhow::Result<usize> {
    yield_to_others();
    let mut conversation = None;
    let mut answers = 0;
    while !ending.load(Ordering::Relaxed) {
        let answer = say(&mut client, &question(first + answers), conversation.as_ref())?.expect(200)?;
        let recalled = answer["tool_calls"][0]["skill"] == "recall";
        ensure!(recalled, "not understood as a question to the memory: {answer}");
        conversation = Some(answer["conversation_id"].clone());
        answers += 1;
    }
    Ok(answers)
}
