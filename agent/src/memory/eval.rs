//! Measures how well the memory finds again, on conversations whose answers are known: the same store, embedder and ranking
//! as the running robot's, in a folder of its own that is gone afterwards.

mod left_out;

use std::path::Path;

use agent_store::{Limits, NewTurn, Store};
use anyhow::Context;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::Search;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::turn::Sender;
use jiff::Timestamp;
use serde::Serialize;
use tempfile::TempDir;

use super::locomo::{self, Conversation, Question};
use super::{Memory, embedding};
pub use left_out::{LeftOut, leave_one_out};

/// Hits that are looked at.
const HITS: u32 = 10;

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Whose vectors were compared.
    pub embedding: String,
    /// One conversation a row.
    pub conversations: Vec<Row>,
    /// All questions together.
    pub all: Row,
}

/// Recall over some questions.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// The conversation.
    pub name: String,
    /// Questions asked.
    pub questions: usize,
    /// Mean share of the evidence among the first 5 turns, 0 ..= 1.
    pub recall_at_5: f64,
    /// The same among the first 10.
    pub recall_at_10: f64,
}

impl Row {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn add(&mut self, at_5: f64, at_10: f64) {
        let before = self.questions as f64;
        self.questions += 1;
        let mean = |old: f64, new: f64| (old * before + new) / (before + 1.0);
        (self.recall_at_5, self.recall_at_10) =
            (mean(self.recall_at_5, at_5), mean(self.recall_at_10, at_10));
    }
}

/// Asks every question of every conversation in `folder`, with the weights in `models`. Each conversation is remembered alone.
///
/// # Errors
/// A file cannot be read, or the memory does not work.
pub async fn measure(folder: &Path, models: &Path, mut begins: impl FnMut(&str)) -> anyhow::Result<Figures> {
    let mut figures = Figures { embedding: String::new(), conversations: Vec::new(), all: Row::named("all") };
    for conversation in locomo::load(folder)? {
        begins(&conversation.name);
        let room = Room::with(&conversation, models).await?;
        let mut row = Row::named(&conversation.name);
        for asked in &conversation.questions {
            let found = room.memory.recall.search_at(&room.whose, &search(asked), room.now).await?;
            let ids = found.hits.iter().map(|hit| hit.id);
            let [at_5, at_10] = room.recalls(asked, ids);
            row.add(at_5, at_10);
            figures.all.add(at_5, at_10);
            figures.embedding = found.embedding;
        }
        figures.conversations.push(row);
        room.memory.end().await;
    }
    Ok(figures)
}

fn search(asked: &Question) -> Search {
    Search { query: asked.text.clone(), context: String::new(), kinds: Vec::new(), limit: HITS }
}

/// A memory that holds one conversation and nothing else.
struct Room {
    memory: Memory,
    whose: Whose,
    names: Names,
    /// When its last turn was said.
    now: Timestamp,
    _folder: TempDir,
}

impl Room {
    async fn with(conversation: &Conversation, models: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("no folder for the measurement")?;
        let (memory, _) = Memory::open(folder.path(), models, Limits::default())?;
        let whose = Whose::unpaired();
        let names = remember(&memory.store, &whose, conversation).await?;
        while embedding::batch(&memory.store, &memory.embedder).await? > 0 {}
        let now = conversation.turns.last().map(|turn| turn.at).unwrap_or_default();
        Ok(Self { memory, whose, names, now, _folder: folder })
    }

    /// Shares of the evidence among the first 5 and the first 10 of these rows.
    fn recalls(&self, asked: &Question, found: impl Iterator<Item = RowId>) -> [f64; 2] {
        let ids: Vec<&str> = found.filter_map(|id| self.names.get(&id)).map(String::as_str).collect();
        [5, HITS as usize].map(|count| locomo::recall(&asked.evidence, &ids[..count.min(ids.len())]))
    }
}

type Names = std::collections::HashMap<RowId, String>;

/// Writes a conversation, and says which turn has which name.
async fn remember(store: &Store, whose: &Whose, conversation: &Conversation) -> anyhow::Result<Names> {
    let id = RowId::named(&conversation.name);
    let mut names = Names::new();
    for piece in conversation.turns.chunks(200) {
        let turns = piece
            .iter()
            .map(|turn| NewTurn {
                id: Some(RowId::named(&turn.dia_id)),
                sender: Sender::User,
                speaker: Some(turn.speaker.clone()),
                text: turn.text.clone(),
                at: Some(turn.at),
                mood: Mood::Friendly,
            })
            .collect();
        let ids = store.add_turns(whose, id, turns).await?;
        names.extend(ids.into_iter().zip(piece).map(|(id, turn)| (id, turn.dia_id.clone())));
    }
    Ok(names)
}
