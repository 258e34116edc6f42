//! A language model that does what a test says, remembers what it was asked, and notices when nobody listens any more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use models_mind::tier::{
    Answer, Asked, Called, ChatTier, Delta, Failure, FailureKind, Finish, Message, Usage,
};
use serde_json::Value;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::support::DEADLINE;

/// What a model does next.
#[derive(Clone)]
pub(super) enum Step {
    Say(String),
    Call(&'static str, &'static str, Value),
    /// Waits for the test to open the gate.
    Gate(Arc<Semaphore>),
    /// Waits for ever.
    Hang,
    Wait(Duration),
    Fail(FailureKind),
    /// A mistake in our own code.
    Panic,
    End(Finish),
}

pub(super) fn say(words: &str) -> Step {
    Step::Say(words.to_owned())
}

pub(super) fn call(id: &'static str, name: &'static str, arguments: Value) -> Step {
    Step::Call(id, name, arguments)
}

pub(super) fn gate() -> (Arc<Semaphore>, Step) {
    let gate = Arc::new(Semaphore::new(0));
    (gate.clone(), Step::Gate(gate))
}

/// Says this and ends.
pub(super) fn answer(words: &str) -> Vec<Step> {
    vec![say(words), Step::End(Finish::Stop)]
}

/// Makes these calls and ends.
pub(super) fn calls(calls: &[(&'static str, &'static str, Value)]) -> Vec<Step> {
    let mut steps: Vec<Step> = calls.iter().map(|(id, name, slots)| call(id, name, slots.clone())).collect();
    steps.push(Step::End(Finish::Calls));
    steps
}

/// What every finished answer took.
pub(super) const USAGE: Usage = Usage { input_tokens: 11, output_tokens: 7 };

type Mind = Box<dyn Fn(usize, &Asked) -> Vec<Step> + Send + Sync>;

/// The model.
pub(super) struct Script {
    mind: Mind,
    asked: Mutex<Vec<Arc<Asked>>>,
    begun: watch::Sender<usize>,
    dropped: watch::Sender<usize>,
}

impl Script {
    /// One that thinks up what to do from the number of the question, counted from 0, and the question.
    pub(super) fn new(mind: impl Fn(usize, &Asked) -> Vec<Step> + Send + Sync + 'static) -> Arc<Self> {
        let (begun, dropped) = (watch::Sender::new(0), watch::Sender::new(0));
        Arc::new(Self { mind: Box::new(mind), asked: Mutex::default(), begun, dropped })
    }

    /// One that does the same whatever it is asked.
    pub(super) fn always(steps: Vec<Step>) -> Arc<Self> {
        Self::new(move |_, _| steps.clone())
    }

    /// One that follows these lines, the last one for ever.
    pub(super) fn lines(lines: Vec<Vec<Step>>) -> Arc<Self> {
        Self::new(move |number, _| lines[number.min(lines.len() - 1)].clone())
    }

    /// One that nobody reaches.
    pub(super) fn dead() -> Arc<Self> {
        Self::always(vec![Step::Fail(FailureKind::Refused)])
    }

    /// Everything that it was asked.
    pub(super) fn asked(&self) -> Vec<Arc<Asked>> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked.
    pub(super) fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// Waits until so many answers have begun.
    pub(super) async fn until_asked(&self, times: usize) {
        let mut begun = self.begun.subscribe();
        timeout(DEADLINE, begun.wait_for(|now| *now >= times)).await.expect("nobody asks").unwrap();
    }

    /// Waits until so many answers were dropped before their end.
    pub(super) async fn until_dropped(&self, times: usize) {
        let mut dropped = self.dropped.subscribe();
        timeout(DEADLINE, dropped.wait_for(|now| *now >= times)).await.expect("the work goes on").unwrap();
    }

    pub(super) fn dropped(&self) -> usize {
        *self.dropped.borrow()
    }
}

/// What became of the calls, by their ids, as the model hears it.
pub(super) fn results(asked: &Asked) -> Vec<(&str, &str)> {
    let told = asked.messages.iter().filter_map(|message| match message {
        Message::Result { id, content, .. } => Some((id.as_str(), content.as_str())),
        _ => None,
    });
    told.collect()
}

/// Everything that the model reads, as one text.
pub(super) fn read(asked: &Asked) -> String {
    let text = |message: &Message| match message {
        Message::System(text) | Message::User(text) | Message::Assistant { text, .. } => text.clone(),
        Message::Result { content, .. } => content.clone(),
    };
    asked.messages.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// An answer under way.
struct Saying {
    steps: VecDeque<Step>,
    is_over: bool,
    dropped: watch::Sender<usize>,
}

impl Saying {
    const fn end(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Saying {
    fn drop(&mut self) {
        if !self.is_over {
            self.dropped.send_modify(|count| *count += 1);
        }
    }
}

impl ChatTier for Script {
    fn ask(&self, asked: Arc<Asked>) -> Answer {
        let mut all = self.asked.lock().unwrap();
        let steps = (self.mind)(all.len(), &asked).into();
        all.push(asked);
        drop(all);
        self.begun.send_modify(|count| *count += 1);
        let saying = Saying { steps, is_over: false, dropped: self.dropped.clone() };
        Box::pin(stream::unfold(saying, |mut saying| async move {
            let delta = loop {
                let Some(step) = saying.steps.pop_front() else {
                    saying.end();
                    return None;
                };
                match step {
                    Step::Gate(gate) => gate.acquire().await.unwrap().forget(),
                    Step::Hang => std::future::pending().await,
                    Step::Panic => panic!("a mistake of a tier, as a test wants it"),
                    Step::Wait(time) => tokio::time::sleep(time).await,
                    Step::Say(text) => break Ok(Delta::Text(text)),
                    Step::Call(id, name, arguments) => {
                        let called = Called { id: id.to_owned(), name: name.to_owned(), arguments };
                        break Ok(Delta::Call(called));
                    }
                    Step::Fail(kind) => {
                        saying.end();
                        break Err(Failure { kind, detail: "It fails.".to_owned(), retry_after: None });
                    }
                    Step::End(finish) => {
                        saying.end();
                        break Ok(Delta::Finished { finish, usage: Some(USAGE) });
                    }
                }
            };
            Some((delta, saying))
        }))
    }
}
