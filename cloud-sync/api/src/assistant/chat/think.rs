//! A message that the reflexes pass on: a model is given who Robbie is, what was said and found, and the skills; its words go
//! out as they come, its calls the bounded way of every call, and what became of them goes back to it.
//!
//! Nothing of a model's answer is trusted: a call that was not offered, does not fit or goes beyond the bounds is not carried
//! out, nor are the others that came with it, and the model is told why.

use std::time::Duration;

use cloud_sync_protocol::memory::Hit;
use cloud_sync_protocol::store::MemoryStore;
use cloud_sync_protocol::turn::Sender;
use models_mind::answer;
use models_mind::bounds::Exceeded;
use models_mind::prompt::{self, Parts, Role, Source, Turn as Before, Untrusted};
use models_mind::router::End;
use models_mind::skills::{self, Call, Effect, Skill};
use models_mind::tier::{Asked, Called, Message, Options, Tier};
use tokio::time::timeout;

use super::ChatStores;
use super::reply::{ChatEvent, Status, ToolCall};
use super::turn::Turn;
use crate::assistant::body::Body;
use crate::chain::{Answering, OUTPUT_TOKENS, Piece, Question};
use crate::scope::Scope;

/// Room for a prompt, bytes: about 3,000 tokens, which every model that is worth asking has.
const PROMPT_BYTES: usize = 12 * 1024;
/// How often one message is put to a model: once, and again with what became of its calls.
const ROUNDS_MAX: usize = 4;
/// Calls of one message; what comes beyond is not carried out.
const CALLS_MAX: usize = 8;
/// A message is answered within this, calls included.
const WITHIN: Duration = Duration::from_secs(55);

/// Why a call failed that did not end within that.
const TOO_LATE: &str = "too-late";

/// How one round ended.
struct Round {
    /// What the model said in it.
    text: String,
    calls: Vec<Called>,
    outcome: Outcome,
}

enum Outcome {
    Answered(Tier),
    Broken(Tier),
    Nobody,
    Left,
}

/// What is known of a message's thinking so far.
struct Thought {
    tier: Tier,
    done: Vec<ToolCall>,
}

impl<S: ChatStores, M: MemoryStore, B: Body> Turn<'_, S, M, B> {
    /// Thinks about the message and answers it: who answered, and what was done.
    pub(super) async fn think(&mut self) -> (Tier, Vec<ToolCall>) {
        let mut thought = Thought { tier: Tier::None, done: Vec::new() };
        if timeout(WITHIN, self.rounds(&mut thought)).await.is_err() {
            if let Some(call) = thought.done.last().filter(|call| call.problem.as_deref() == Some(TOO_LATE)) {
                self.tell(ChatEvent::ToolCall(call.clone())).await;
            }
            self.say(answer::TOO_LONG.to_owned()).await;
        }
        (thought.tier, thought.done)
    }

    async fn rounds(&mut self, thought: &mut Thought) {
        let skills = self.offered();
        let (mut asked, mut is_keepable) = self.asked(&skills).await;
        for round in 1..=ROUNDS_MAX {
            let is_last = round == ROUNDS_MAX;
            if is_last {
                // Whatever it wants now, it has to say.
                asked.tools.clear();
            }
            let Round { text, calls, outcome } = self.round(asked.clone(), is_keepable).await;
            match outcome {
                Outcome::Answered(tier) => thought.tier = tier,
                Outcome::Broken(tier) => {
                    thought.tier = tier;
                    return self.say(answer::BROKEN.to_owned()).await;
                }
                Outcome::Nobody => return self.without_a_model(thought).await,
                Outcome::Left => return self.say(answer::LEFT.to_owned()).await,
            }
            if calls.is_empty() || is_last {
                return self.without_an_end(thought, !calls.is_empty()).await;
            }
            // What became of calls came from memory and body.
            is_keepable = false;
            let results = self.carry_out_all(&calls, &skills, &mut thought.done).await;
            asked.messages.push(Message::Assistant { text, calls: calls.clone() });
            let result = |(called, content): (Called, String)| Message::Result {
                id: called.id,
                name: called.name,
                content,
            };
            asked.messages.extend(calls.into_iter().zip(results).map(result));
        }
    }

    /// The model has said all that it says. Where that is nothing, or it would go on calling, the person hears of it.
    async fn without_an_end(&mut self, thought: &mut Thought, wants_more: bool) {
        if self.reply.trim().is_empty() {
            self.without_a_model(thought).await;
        } else if wants_more {
            self.say(answer::TOO_LONG.to_owned()).await;
        }
    }

    /// Nobody answers. What was done is told all the same.
    async fn without_a_model(&mut self, thought: &mut Thought) {
        if thought.done.is_empty() {
            thought.tier = Tier::None;
            self.tell(ChatEvent::Tier(Tier::None)).await;
            return self.say(answer::NOBODY.to_owned()).await;
        }
        for tool in &thought.done {
            self.say(tool.detail.clone().unwrap_or_default()).await;
        }
    }

    /// The skills that a model may use for this message: of those that move only what its sender may.
    fn offered(&self) -> Vec<Skill> {
        let by = &self.arrived.principal;
        let may_move = by.has(Scope::Drive) && by.class.is_human();
        let mut skills = self.chat.skills();
        skills.retain(|skill| may_move || skill.effect() != Effect::Moves);
        skills
    }

    /// What a model is asked, and whether the answer depends on nothing that was found or felt.
    async fn asked(&mut self, skills: &[Skill]) -> (Asked, bool) {
        let found = self.found().await;
        let condition = self.chat.body.out_of_the_ordinary().await;
        let is_keepable = found.is_empty() && condition.is_none();
        let recalled: Vec<Untrusted<'_>> =
            found.iter().map(|hit| Untrusted { source: Source::Memory, text: &hit.text }).collect();
        let speaker = self.arrived.said.speaker.as_str();
        let history: Vec<Before<'_>> = self.opened.history.iter().map(|turn| before(turn, speaker)).collect();
        let acting = prompt::acting(&self.chat.body.bounds(), condition.as_deref());
        let messages = prompt::prompt(&Parts {
            persona: &self.opened.personality,
            towards: self.towards(),
            skills: &acting,
            recalled: &recalled,
            history: &history,
            message: &self.arrived.said.message,
            budget_bytes: PROMPT_BYTES,
        });
        let message = |message: prompt::Message| match message.role {
            Role::System => Message::System(message.content),
            Role::User => Message::User(message.content),
            Role::Assistant => Message::Assistant { text: message.content, calls: Vec::new() },
        };
        let asked = Asked {
            messages: messages.into_iter().map(message).collect(),
            tools: skills::offered(skills),
            options: Options { max_tokens: Some(OUTPUT_TOKENS), ..Options::default() },
        };
        self.sources = found;
        (asked, is_keepable)
    }

    /// What the memory has about the message. A memory that does not answer keeps nobody from thinking.
    async fn found(&self) -> Vec<Hit> {
        let message = &self.arrived.said.message;
        let hits = self.recalled(message).await.unwrap_or_default();
        let is_told = |hit: &Hit| self.opened.history.iter().any(|turn| turn.id == hit.id);
        answer::related(message, &hits, |hit| self.is_other(hit) && !is_told(hit))
            .into_iter()
            .cloned()
            .collect()
    }

    /// Puts the question to the chain, and says what comes.
    async fn round(&mut self, asked: Asked, is_keepable: bool) -> Round {
        let whose = &self.arrived.whose;
        let scope = format!("{}\n{}", whose.town, whose.user);
        let mut answering = self.chat.chain.ask(Question { scope, asked, is_keepable });
        let mut round = Round { text: String::new(), calls: Vec::new(), outcome: Outcome::Nobody };
        loop {
            match self.piece(&mut answering).await {
                Some(Piece::From(tier)) => self.tell(ChatEvent::Tier(tier)).await,
                Some(Piece::Text(words)) => {
                    // Not every store keeps a NUL.
                    let words = words.replace('\0', "");
                    let is_first = round.text.is_empty();
                    round.text.push_str(&words);
                    self.go_on(&words, is_first).await;
                }
                Some(Piece::Calls(calls)) => round.calls = calls,
                Some(Piece::End(end)) => {
                    round.outcome = match end {
                        End::Answered { tier, .. } => Outcome::Answered(tier),
                        End::Broken { tier, .. } => Outcome::Broken(tier),
                        End::Nobody { .. } => Outcome::Nobody,
                    };
                    return round;
                }
                None => {
                    round.outcome = Outcome::Left;
                    return round;
                }
            }
        }
    }

    /// Says words behind what was said; `is_first`: they begin a round. A reply begins with a letter.
    async fn go_on(&mut self, words: &str, is_first: bool) {
        let is_begun = !self.reply.is_empty();
        let words = if is_begun { words } else { words.trim_start() };
        match words.is_empty() {
            true => {}
            false if is_begun && is_first => self.say(words.to_owned()).await,
            false => self.speak(words.to_owned()).await,
        }
    }

    /// What the chain gives next; `None` once nobody waits for it. Whoever named the message may come back for its answer, so
    /// that goes on.
    async fn piece(&mut self, answering: &mut Answering) -> Option<Piece> {
        if self.arrived.is_named {
            return answering.next().await;
        }
        tokio::select! {
            biased;
            () = self.attended.left() => None,
            piece = answering.next() => piece,
        }
    }

    /// Carries out what a model called, all of it or nothing, and says for each what became of it.
    async fn carry_out_all(
        &mut self,
        calls: &[Called],
        skills: &[Skill],
        done: &mut Vec<ToolCall>,
    ) -> Vec<String> {
        let read: Vec<_> = calls.iter().map(|called| skills::read(called, skills)).collect();
        let good: Vec<Call> = read.iter().filter_map(|call| call.as_ref().ok().cloned()).collect();
        if let Some(problem) = self.objection(&good, done).filter(|_| good.len() == calls.len()) {
            return vec![problem; calls.len()];
        }
        if good.len() < calls.len() {
            let why = |call: &Result<Call, skills::BadCall>| match call {
                Ok(_) => "Not done, because of the other call.".to_owned(),
                Err(error) => answer::sentence(&format!("not done: {error}")),
            };
            return read.iter().map(why).collect();
        }
        let mut results = Vec::with_capacity(calls.len());
        let mut is_over = false;
        for call in good {
            if is_over {
                results.push("Not done, because of what failed before.".to_owned());
                done.push(ToolCall { call, status: Status::Skipped, detail: None, problem: None });
                continue;
            }
            // Until it has ended, as it stands if it never does.
            let number = done.len();
            done.push(unended(call.clone()));
            let tool = self.carry_out_one(number, &call).await;
            is_over = tool.status == Status::Failed;
            results.push(told(&tool));
            done[number] = tool;
        }
        results
    }

    /// What speaks against these calls, together with those that were carried out already.
    fn objection(&self, calls: &[Call], done: &[ToolCall]) -> Option<String> {
        if done.len() + calls.len() > CALLS_MAX {
            return Some(format!("Not done: one message causes at most {CALLS_MAX} calls."));
        }
        let all: Vec<Call> = done.iter().map(|tool| tool.call.clone()).chain(calls.iter().cloned()).collect();
        // The number asked for may have 300 digits.
        let Exceeded { bound, allowed, .. } = self.chat.body.bounds().exceeded(&all)?;
        Some(format!(
            "Not done: that is more than one message may cause in all. {bound:?}: {allowed} is allowed."
        ))
    }
}

/// A call whose message ends before it does.
fn unended(call: Call) -> ToolCall {
    let detail = Some(answer::TOO_LONG.to_owned());
    ToolCall { call, status: Status::Failed, detail, problem: Some(TOO_LATE.to_owned()) }
}

/// What a model hears of a call. What the memory says is data.
fn told(tool: &ToolCall) -> String {
    let detail = tool.detail.as_deref().unwrap_or_default();
    match tool.call {
        Call::Recall { .. } => Untrusted { source: Source::Memory, text: detail }.marked(),
        _ => detail.to_owned(),
    }
}

/// A turn of the conversation. What somebody else wrote into it is no word of whoever speaks now.
fn before<'a>(turn: &'a cloud_sync_protocol::turn::Turn, speaker: &str) -> Before<'a> {
    let text = &turn.message_text;
    match turn.sender {
        Sender::Robbie => Before::Robbie(text),
        Sender::User if turn.speaker.as_deref().is_none_or(|other| other == speaker) => Before::User(text),
        Sender::User => Before::Other(Untrusted { source: Source::Person, text }),
    }
}
