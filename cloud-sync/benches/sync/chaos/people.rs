//! People who write on both sides while everything around them dies: new notes, edits, deletions, notes that all of them edit,
//! and talks. Each remembers what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use cloud_sync_protocol::id::RowId;
use serde_json::json;

use super::history::{Edit, End, History, Own, Said};
use super::plan::Plan;
use super::world::World;
use crate::stats::Chance;
use crate::system::http::{Answer, Client};

/// On each side.
const PEOPLE: u64 = 2;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Before the next try where nobody answers.
const PAUSE: Duration = Duration::from_millis(40);

/// People at work.
pub(crate) struct Crowd {
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<History>>,
}

/// Lets them begin.
pub(crate) fn begin(world: &World, plan: &Plan, shared: &[String]) -> Crowd {
    let ending = Arc::<AtomicBool>::default();
    let sides = [(world.robot.address, &world.robot.token), (world.cloud.address, &world.cloud.token)];
    let mut threads = Vec::new();
    for (side, (address, token)) in sides.into_iter().enumerate() {
        for number in 0..PEOPLE {
            let name = format!("{}{number}", ["robot", "cloud"][side]);
            let person = Person {
                chance: Chance::new(plan.seed ^ (1 + side as u64 * PEOPLE + number) << 32),
                name: format!("{name} of round {}", plan.seed),
                tag: plan.tag(),
                client: Client::patient(address, token, PATIENCE),
                shared: shared.to_vec(),
                conversation: None,
                count: 0,
                history: History::default(),
            };
            let ending = Arc::clone(&ending);
            threads.push(std::thread::spawn(move || person.live(&ending)));
        }
    }
    Crowd { ending, threads }
}

impl Crowd {
    /// Lets them finish what they are at, and gives what they did.
    pub(crate) fn end(self) -> anyhow::Result<Vec<History>> {
        self.ending.store(true, Ordering::Relaxed);
        self.threads.into_iter().map(|thread| thread.join().ok().context("a person panicked")).collect()
    }
}

impl Plan {
    /// What every note of the round is marked with.
    pub(crate) fn tag(&self) -> String {
        tag(self.seed)
    }
}

/// What every note of a round is marked with.
pub(crate) fn tag(seed: u64) -> String {
    format!("round-{seed}")
}

struct Person {
    chance: Chance,
    name: String,
    tag: String,
    client: Client,
    shared: Vec<String>,
    conversation: Option<String>,
    count: u64,
    history: History,
}

impl Person {
    fn live(mut self, ending: &AtomicBool) -> History {
        while !ending.load(Ordering::Relaxed) {
            match self.chance.within(0, 99) {
                0..=49 => self.add(),
                50..=71 => self.edit(),
                72..=79 => self.delete(),
                80..=93 => self.edit_shared(),
                _ => self.talk(),
            }
            std::thread::sleep(self.chance.up_to_ms(15));
        }
        self.history
    }

    /// Sends a request; `None` where nobody knows what became of it.
    fn ask(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        let mut headers = headers.to_vec();
        headers.push(("content-type", "application/json"));
        let answered = self.client.ask_with(method, path, &headers, body.as_bytes());
        if answered.is_err() {
            std::thread::sleep(PAUSE);
        }
        answered.ok()
    }

    fn end_of(&mut self, answer: Option<&Answer>) -> End {
        let end = match answer.map(|answer| answer.status) {
            Some(200..=299) => End::Acked,
            Some(400..=499) => End::Refused,
            // 503 may mean that the answer of the database got lost.
            _ => End::Unknown,
        };
        self.history.count(end);
        end
    }

    fn next_text(&mut self) -> String {
        self.count += 1;
        format!("{} wrote this as number {}", self.name, self.count)
    }

    fn add(&mut self) {
        let text = self.next_text();
        let id = RowId::named(&text).to_string();
        let body = json!({"id": id, "content": text, "tags": [self.tag]}).to_string();
        let answer = self.ask("POST", "/api/sticky-notes/", &[], &body);
        let end = self.end_of(answer.as_ref());
        let mut own = Own::default();
        own.wrote(text, end);
        self.history.own.insert(id, own);
    }

    /// One of their notes that was there for certain, and that they did not delete.
    fn some_note(&mut self) -> Option<String> {
        let there = |own: &&Own| own.acked.is_some() && own.deleted.is_none();
        let count = self.history.own.values().filter(there).count() as u64;
        let index = usize::try_from(self.chance.within(0, count.checked_sub(1)?)).ok()?;
        let mut notes = self.history.own.iter().filter(|(_, own)| there(own));
        notes.nth(index).map(|(id, _)| id.clone())
    }

    fn edit(&mut self) {
        let Some(id) = self.some_note() else { return };
        let text = self.next_text();
        let body = json!({"content": text}).to_string();
        let answer = self.ask("PATCH", &format!("/api/sticky-notes/{id}"), &[], &body);
        let end = self.end_of(answer.as_ref());
        if let Some(own) = self.history.own.get_mut(&id) {
            own.wrote(text, end);
        }
    }

    fn delete(&mut self) {
        let Some(id) = self.some_note() else { return };
        let answer = self.ask("DELETE", &format!("/api/sticky-notes/{id}"), &[], "");
        let end = self.end_of(answer.as_ref());
        if let Some(own) = self.history.own.get_mut(&id) {
            own.deleted = Some(end);
        }
    }

    fn edit_shared(&mut self) {
        let index = usize::try_from(self.chance.within(0, self.shared.len() as u64 - 1)).unwrap_or_default();
        let note = self.shared[index].clone();
        let path = format!("/api/sticky-notes/{note}");
        let Some(shown) = self.ask("GET", &path, &[], "") else { return };
        let (json, Some(etag)) = (shown.json(), shown.header("etag")) else { return };
        let Some(saw) = json["content"].as_str() else { return };
        let text = self.next_text();
        let body = json!({"content": text}).to_string();
        let answer = self.ask("PATCH", &path, &[("if-match", etag)], &body);
        let end = self.end_of(answer.as_ref());
        self.history.edits.push(Edit { note, saw: saw.to_owned(), text, end });
    }

    fn talk(&mut self) {
        let text = self.next_text();
        let mut body = json!({"message": format!("hello, {text}")});
        if let Some(conversation) = &self.conversation {
            body["conversation_id"] = json!(conversation);
        }
        let answer = self.ask("POST", "/api/chat", &[], &body.to_string());
        if self.end_of(answer.as_ref()) != End::Acked {
            return;
        }
        let Some(conversation) =
            answer.and_then(|answer| answer.json()["conversation_id"].as_str().map(str::to_owned))
        else {
            return;
        };
        self.conversation = Some(conversation.clone());
        self.history.said.push(Said { conversation, text });
    }
}
