//! One message from its arrival to its answer: kept, understood, carried out call by call, answered, kept.
//!
//! It decides nothing that moves a body: what a call may do, the [`Body`] decides. A call that fails ends the message: what
//! comes after it is skipped, and the answer says so.

use std::time::Instant;

use cloud_sync_protocol::chat::{Answered, Begun, Opened, Said};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::Hit;
use cloud_sync_protocol::persona::{Mood, MoodUpdate};
use cloud_sync_protocol::store::{MemoryStore, Whose};
use cloud_sync_protocol::turn::{Sender, TURN_BYTES_MAX};
use models_mind::answer;
use models_mind::mood::Change;
use models_mind::persona::{Towards, decide};
use models_mind::reflex::{Heard, Meaning, Pass, Said as Spoken, Speaker, Who};
use models_mind::skills::Call;
use models_mind::understood::{self, Understood};
use models_mind::words::cut_at_word;
use tokio::sync::mpsc;

use super::reply::{ChatEvent, ChatReply, Status, Tier, ToolCall};
use super::running::Attended;
use super::{Chat, ChatStores, rows};
use crate::access::Principal;
use crate::assistant::body::{Body, Done};
use crate::problem::{Answer, Problem};

/// A message as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    pub(super) principal: Principal,
    pub(super) whose: Whose,
    pub(super) said: Said,
    /// Whether its sender named it, and so may come back for its answer.
    pub(super) is_named: bool,
    pub(super) at: Instant,
    /// What became of a stop that it begins with: that acted before anything was looked at.
    pub(super) stopped: Option<Done>,
}

/// A turn under way.
pub(super) struct Turn<'a, S, M, B: Body> {
    pub(super) chat: &'a Chat<S, M, B>,
    pub(super) arrived: Arrived,
    pub(super) opened: Opened,
    events: mpsc::Sender<ChatEvent>,
    pub(super) attended: Attended,
    errand: B::Errand,
    /// What was said so far.
    pub(super) reply: String,
    pub(super) sources: Vec<Hit>,
    change: Option<MoodUpdate>,
}

/// Carries a message out and answers it. Events go to whoever listens; the answer does not depend on them.
pub(super) async fn take<S: ChatStores, M: MemoryStore, B: Body>(
    chat: &Chat<S, M, B>,
    arrived: Arrived,
    events: mpsc::Sender<ChatEvent>,
    attended: Attended,
) -> Answer<ChatReply> {
    let begun = chat.rows.store.begin_chat(&arrived.whose, arrived.said.clone()).await?;
    let opened = match begun {
        Begun::New(opened) => opened,
        Begun::Answered(answer) => return again(&answer),
        Begun::Unanswered { conversation } => {
            let mood = chat.rows.store.personality(&arrived.whose).await?.mood;
            return Ok(interrupted(conversation, mood, &arrived));
        }
        Begun::KeyTaken => {
            return Err(Problem::unfitting(
                "Idempotency-Key",
                "This key names another message; a new message needs a key of its own.",
            ));
        }
    };
    let errand = chat.body.errand(&arrived.principal).await;
    let turn = Turn {
        chat,
        arrived,
        opened,
        events,
        attended,
        errand,
        reply: String::new(),
        sources: Vec::new(),
        change: None,
    };
    turn.run().await
}

impl<S: ChatStores, M: MemoryStore, B: Body> Turn<'_, S, M, B> {
    async fn run(mut self) -> Answer<ChatReply> {
        let Understood { meaning, change } = self.understand();
        if !self.chat.chain.is_empty() && self.is_for_a_model(&meaning).await {
            let (tier, done) = self.think().await;
            // What failed of it was the model's wish, not the person's.
            self.follow_mood(chosen(&done).or(change), &[]).await;
            return self.finish(tier, done).await;
        }
        let tier = if matches!(meaning, Meaning::Pass(Pass::Unknown)) { Tier::None } else { Tier::Reflex };
        self.tell(ChatEvent::Tier(tier)).await;
        let mut done = Vec::new();
        match &meaning {
            Meaning::Act(calls) => done = self.carry_out(calls).await,
            Meaning::Pass(pass) => {
                let sentence = self.answer_to(*pass).await;
                self.say(sentence).await;
            }
            other => self.say(other.reply().unwrap_or_default()).await,
        }
        self.follow_mood(change, &done).await;
        self.finish(tier, done).await
    }

    /// Whether the reflexes have no answer: nothing was understood, or it was a question that the memory knows nothing about.
    async fn is_for_a_model(&self, meaning: &Meaning) -> bool {
        match meaning {
            Meaning::Pass(Pass::Unknown | Pass::Language) => true,
            Meaning::Act(calls) => match calls.as_slice() {
                [Call::Recall { query }] => {
                    let found = self.recalled(query).await;
                    found.is_ok_and(|hits| answer::fitting(query, &hits, |hit| self.is_other(hit)).is_empty())
                }
                _ => false,
            },
            _ => false,
        }
    }

    pub(super) async fn recalled(&self, query: &str) -> Answer<Vec<Hit>> {
        let before = self.opened.history.last().map_or("", |turn| &turn.message_text);
        rows::recall(&self.chat.memory, &self.arrived.whose, query, before).await
    }

    /// Whether a hit is not the message itself.
    pub(super) fn is_other(&self, hit: &Hit) -> bool {
        hit.id != self.opened.turn
    }

    fn understand(&self) -> Understood {
        let history: Vec<Spoken<'_>> = self
            .opened
            .history
            .iter()
            .map(|turn| Spoken { who: who(turn.sender), text: &turn.message_text })
            .collect();
        let speaker = if self.is_owner() { Speaker::Owner } else { Speaker::Guest };
        let text = &self.arrived.said.message;
        let bounds = self.chat.body.bounds();
        let heard = Heard { text, history: &history, speaker, bounds: &bounds };
        understood::of(&heard, &self.opened.personality, self.towards())
    }

    fn is_owner(&self) -> bool {
        self.chat.rows.is_owner(&self.arrived.principal, &self.arrived.whose)
    }

    /// Carries calls out in order, until one fails or the sender leaves.
    async fn carry_out(&mut self, calls: &[Call]) -> Vec<ToolCall> {
        let mut told = Vec::with_capacity(calls.len());
        let mut is_over = false;
        for (number, call) in calls.iter().enumerate() {
            if is_over {
                told.push(ToolCall {
                    call: call.clone(),
                    status: Status::Skipped,
                    detail: None,
                    problem: None,
                });
                continue;
            }
            let tool = self.carry_out_one(number, call).await;
            is_over = tool.status == Status::Failed;
            self.say(tool.detail.clone().unwrap_or_default()).await;
            told.push(tool);
        }
        if told.iter().any(|call| call.status == Status::Skipped) {
            self.say("I did not do what comes after that.".to_owned()).await;
        }
        told
    }

    /// Carries one call out, and tells of it. `number` counts the calls of the message.
    pub(super) async fn carry_out_one(&mut self, number: usize, call: &Call) -> ToolCall {
        let running = ToolCall { call: call.clone(), status: Status::Running, detail: None, problem: None };
        self.tell(ChatEvent::ToolCall(running)).await;
        let (status, detail, problem) = match self.one(number, call).await {
            Done::Well(detail) => (Status::Done, detail, None),
            Done::Unable { problem, detail } => (Status::Failed, detail, Some(problem.to_owned())),
        };
        let tool = ToolCall { call: call.clone(), status, detail: Some(detail), problem };
        self.tell(ChatEvent::ToolCall(tool.clone())).await;
        tool
    }

    async fn one(&mut self, number: usize, call: &Call) -> Done {
        match call {
            Call::Stop => match self.arrived.stopped.take() {
                Some(done) => done,
                None => self.chat.body.stop(&self.arrived.principal).await,
            },
            Call::Remember { text } => self.remember(number, text).await,
            Call::Recall { query } => self.recall(query).await,
            Call::SetMood { mood } => self.set_mood(*mood),
            other => tokio::select! {
                // Whoever has left already begins nothing more.
                biased;
                () = self.attended.left() => Done::Unable {
                    problem: "left",
                    detail: "Whoever asked for it left, so I stopped.".to_owned(),
                },
                done = self.chat.body.carry_out(&mut self.errand, other) => done,
            },
        }
    }

    async fn remember(&self, number: usize, text: &str) -> Done {
        let id = RowId::named(&format!("chat/{}/{number}", self.opened.turn));
        let author = self.arrived.whose.user.as_str();
        match rows::remember(&self.chat.rows.store, &self.arrived.whose, id, author, text).await {
            Ok(()) => Done::Well(answer::remembered(text)),
            Err(problem) => Done::Unable { problem: problem.word(), detail: problem.detail().to_owned() },
        }
    }

    async fn recall(&mut self, query: &str) -> Done {
        match self.recalled(query).await {
            Ok(hits) => {
                let fit = answer::fitting(query, &hits, |hit| self.is_other(hit));
                let said = answer::recalled(&fit);
                for hit in fit {
                    if self.sources.iter().all(|known| known.id != hit.id) {
                        self.sources.push(hit.clone());
                    }
                }
                Done::Well(said)
            }
            Err(problem) => Done::Unable { problem: problem.word(), detail: problem.detail().to_owned() },
        }
    }

    /// Whether the mood fits the person; it is taken on with the answer.
    fn set_mood(&self, mood: Mood) -> Done {
        let wish = MoodUpdate { mood: Some(mood), source: self.source(), ..MoodUpdate::default() };
        match decide(&self.opened.personality, wish, self.towards()) {
            Ok(_fits) => Done::Well(answer::in_mood(mood)),
            Err(unfit) => {
                Done::Unable { problem: "out-of-range", detail: answer::sentence(&unfit.to_string()) }
            }
        }
    }

    pub(super) fn towards(&self) -> Towards {
        if self.is_owner() { Towards::Owner } else { Towards::Other }
    }

    fn source(&self) -> String {
        format!("chat: {}", self.arrived.principal.name())
    }

    /// Takes on the mood that the message leaves, and shows it. An order that was not come to leaves none.
    async fn follow_mood(&mut self, change: Option<Change>, done: &[ToolCall]) {
        let is_undone =
            |call: &ToolCall| matches!(call.call, Call::SetMood { .. }) && call.status != Status::Done;
        let Some(change) = change.filter(|_| !done.iter().any(is_undone)) else { return };
        if change.mood != self.opened.personality.mood {
            tokio::select! {
                biased;
                () = self.attended.left() => {}
                () = self.chat.body.show(&mut self.errand, change.mood) => {}
            }
        }
        self.change = Some(MoodUpdate {
            mood: Some(change.mood),
            reason: Some(change.reason),
            source: self.source(),
            ..MoodUpdate::default()
        });
    }

    async fn answer_to(&self, pass: Pass) -> String {
        match pass {
            Pass::Time => answer::time(self.chat.body.clock().as_ref()),
            Pass::Date => answer::date(self.chat.body.clock().as_ref()),
            Pass::Abilities => answer::abilities(&self.chat.skills()),
            Pass::Mood => {
                let reason = rows::mood_reason(&self.chat.rows.store, &self.arrived.whose).await;
                answer::why_mood(self.opened.personality.mood, reason.as_deref())
            }
            other => Meaning::Pass(other).reply().unwrap_or_else(|| answer::UNKNOWN.to_owned()),
        }
    }

    /// Says a sentence, parted from what was said before.
    pub(super) async fn say(&mut self, sentence: String) {
        if sentence.is_empty() {
            return;
        }
        let is_parted = self.reply.is_empty() || self.reply.ends_with(char::is_whitespace);
        let between = if is_parted { "" } else { " " };
        self.speak(format!("{between}{sentence}")).await;
    }

    /// Says words as they are.
    pub(super) async fn speak(&mut self, words: String) {
        self.reply.push_str(&words);
        self.tell(ChatEvent::Token(words)).await;
    }

    /// Nobody may be listening; the answer is made all the same.
    pub(super) async fn tell(&self, event: ChatEvent) {
        self.events.send(event).await.ok();
    }

    async fn finish(self, tier: Tier, tool_calls: Vec<ToolCall>) -> Answer<ChatReply> {
        let Self { chat, arrived, opened, reply, sources, change, errand, .. } = self;
        // What moves because of it has ended; what it is answered with is decided.
        drop(errand);
        let mood = change.as_ref().and_then(|change| change.mood).unwrap_or(opened.personality.mood);
        let reply = ChatReply {
            reply: cut_at_word(reply.trim(), TURN_BYTES_MAX).to_owned(),
            conversation_id: opened.conversation,
            mood,
            tier,
            tool_calls,
            sources,
            latency_ms: u64::try_from(arrived.at.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        let answered = Answered {
            key: arrived.said.key,
            conversation: opened.conversation,
            reply: reply.reply.clone(),
            mood,
            change,
            answer: serde_json::to_string(&reply).unwrap_or_default(),
        };
        chat.rows.store.finish_chat(&arrived.whose, answered).await?;
        Ok(reply)
    }
}

/// The mood that a model took on.
fn chosen(done: &[ToolCall]) -> Option<Change> {
    done.iter().rev().find_map(|tool| match tool.call {
        Call::SetMood { mood } if tool.status == Status::Done => {
            Some(Change { mood, reason: "it fits what you said".to_owned() })
        }
        _ => None,
    })
}

const fn who(sender: Sender) -> Who {
    match sender {
        Sender::User => Who::User,
        Sender::Robbie => Who::Robbie,
    }
}

/// The answer that was given before.
fn again(answer: &str) -> Answer<ChatReply> {
    serde_json::from_str(answer)
        .map_err(|error| Problem::memory_down(format!("The answer that was kept cannot be read: {error}.")))
}

/// The answer to a message that was kept and never answered: a program ended in the middle of it.
fn interrupted(conversation_id: RowId, mood: Mood, arrived: &Arrived) -> ChatReply {
    ChatReply {
        reply: answer::INTERRUPTED.to_owned(),
        conversation_id,
        mood,
        tier: Tier::None,
        tool_calls: Vec::new(),
        sources: Vec::new(),
        latency_ms: u64::try_from(arrived.at.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
