//! A small store in memory that does what the traits say, and, asked to, one thing that it should not.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};

use cloud_sync_protocol::chat::{Answered, Begun, HISTORY_MAX, Opened, Said};
use cloud_sync_protocol::event::{Event, EventKind, Replay};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::{Embedded, Found, Hit, MemoryKind, Moment, Search, Signal, Surfaced};
use cloud_sync_protocol::note::{Changed, NewNote, NoteFilter, NotePatch, StickyNote};
use cloud_sync_protocol::persona::{Mood, MoodChange, MoodUpdate, PersonalityState};
use cloud_sync_protocol::store::{
    ChatStore, ConversationStore, EventStore, Feed, Lost, MemoryStore, NoteStore, Page, PageAt, PersonaStore,
    StoreError, Stored, Whose,
};
use cloud_sync_protocol::turn::{Conversation, Sender, Turn};
use jiff::Timestamp;
use models_mind::lexical::lexical_embedding;
use serde_json::json;
use tokio::sync::broadcast;

/// Events that are kept.
const EVENTS_KEPT: usize = 10_000;
/// Events of one answer.
const EVENTS_AT_ONCE: usize = 40;

/// What a store does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    IgnoresVersions,
    WritesTwice,
    AnswersTwice,
    MixesTowns,
    MixesUsers,
    FindsDeleted,
    TellsOthers,
    Full,
    Failing,
}

#[derive(Clone)]
pub(crate) struct Memory {
    rows: Arc<Mutex<Rows>>,
    live: broadcast::Sender<(Whose, Event)>,
    fault: Option<Fault>,
}

#[derive(Default)]
struct Rows {
    notes: Vec<Note>,
    personas: HashMap<Whose, PersonalityState>,
    moods: Vec<(Whose, MoodChange)>,
    conversations: Vec<(Whose, RowId, Vec<Turn>)>,
    /// By key: the conversation, the message, and its answer.
    messages: HashMap<(Whose, String), (RowId, String, Option<String>)>,
    events: VecDeque<(Whose, Event)>,
    newest: u64,
    ids: u64,
}

#[derive(Clone)]
struct Note {
    town: String,
    note: Changed<StickyNote>,
    is_deleted: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self { rows: Arc::default(), live: broadcast::channel(1024).0, fault: None }
    }
}

impl Rows {
    fn id(&mut self) -> RowId {
        self.ids += 1;
        RowId::from_bytes((u128::from(self.ids) | 0xabcd << 96).to_be_bytes())
    }

    fn turn(&mut self, sender: Sender, text: &str) -> Turn {
        Turn {
            id: self.id(),
            sender,
            speaker: (sender == Sender::Robbie).then(|| "robbie".to_owned()),
            message_text: text.to_owned(),
            timestamp: Timestamp::now(),
            mood_at_time: Mood::Friendly,
        }
    }

    fn find(&mut self, town: &str, id: RowId, fault: Option<Fault>) -> Stored<&mut Note> {
        let is_it = |note: &&mut Note| {
            note.note.row.id == id
                && !note.is_deleted
                && (note.town == town || fault == Some(Fault::MixesTowns))
        };
        self.notes.iter_mut().find(is_it).ok_or(StoreError::NotFound)
    }
}

/// Words in lower case, their commonest endings cut.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let cut = |word: &str| {
        let ends = ["ing", "ed", "s"];
        ends.iter()
            .find_map(|end| word.strip_suffix(end))
            .filter(|stem| stem.len() > 2)
            .unwrap_or(word)
            .to_owned()
    };
    words.map(|word| cut(&word.to_lowercase())).collect()
}

/// A cursor of one list: its mark, then where it goes on.
fn cursor(list: &impl Hash, place: &str) -> String {
    format!("{}.{place}", mark(list))
}

/// Where a cursor goes on, if it is of this list.
fn place<'a>(list: &impl Hash, cursor: &'a str) -> Stored<&'a str> {
    let place = cursor.split_once('.').filter(|(known, _)| *known == mark(list)).map(|(_, place)| place);
    place.ok_or(StoreError::BadCursor)
}

fn mark(list: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    list.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// One page by offset: nothing changes below a reader in these lists.
fn page<T>(list: &impl Hash, rows: Vec<T>, at: &PageAt) -> Stored<Page<T>> {
    let from: usize = match &at.cursor {
        None => 0,
        Some(cursor) => place(list, cursor)?.parse().map_err(|_wrong| StoreError::BadCursor)?,
    };
    let next = from + at.limit as usize;
    let next = (next < rows.len()).then(|| cursor(list, &next.to_string()));
    Ok(Page { rows: rows.into_iter().skip(from).take(at.limit as usize).collect(), next })
}

impl Memory {
    pub(crate) fn with(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// Takes in a conversation, the user first.
    pub(crate) fn said(&self, whose: &Whose, texts: &[&str]) {
        let mut rows = self.rows.lock().unwrap();
        let id = rows.id();
        let mut turns = Vec::new();
        for (text, sender) in texts.iter().zip([Sender::User, Sender::Robbie].into_iter().cycle()) {
            let id = rows.id();
            let (timestamp, mood_at_time) = (Timestamp::now(), Mood::Friendly);
            turns.push(Turn {
                id,
                sender,
                speaker: None,
                message_text: (*text).to_owned(),
                timestamp,
                mood_at_time,
            });
        }
        rows.conversations.push((whose.clone(), id, turns));
    }

    fn read(&self) -> Stored<MutexGuard<'_, Rows>> {
        match self.fault {
            Some(Fault::Failing) => Err(StoreError::Failed("the disk is on fire".to_owned())),
            _ => Ok(self.rows.lock().unwrap()),
        }
    }

    fn write(&self) -> Stored<MutexGuard<'_, Rows>> {
        match self.fault {
            Some(Fault::Full) => Err(StoreError::Full),
            _ => self.read(),
        }
    }

    fn tell(&self, rows: &mut Rows, whose: Whose, kind: EventKind, data: String) {
        rows.newest += 1;
        let event = Event { id: rows.newest, kind, data };
        rows.events.push_back((whose.clone(), event.clone()));
        if rows.events.len() > EVENTS_KEPT {
            rows.events.pop_front();
        }
        self.live.send((whose, event)).ok();
    }

    fn tell_note(&self, rows: &mut Rows, town: &str, note: &Note) {
        let whose = Whose { town: town.to_owned(), user: String::new() };
        let mut data = json!({ "id": note.note.row.id, "deleted": note.is_deleted });
        if !note.is_deleted {
            data["note"] = json!(note.note.row);
        }
        self.tell(rows, whose, EventKind::Note, data.to_string());
    }

    fn check(&self, note: &Note, expected: Option<u64>) -> Stored<()> {
        let version = note.note.version;
        let fits =
            expected.is_none_or(|expected| expected == version) || self.fault == Some(Fault::IgnoresVersions);
        if fits { Ok(()) } else { Err(StoreError::Conflict { version }) }
    }
}

impl NoteStore for Memory {
    async fn notes(&self, whose: &Whose, filter: &NoteFilter, at: &PageAt) -> Stored<Page<StickyNote>> {
        let rows = self.read()?;
        let asked = filter.text.as_deref().map(words).unwrap_or_default();
        let passes = |note: &&Note| {
            let row = &note.note.row;
            let content = words(&row.content);
            !note.is_deleted
                && (note.town == whose.town || self.fault == Some(Fault::MixesTowns))
                && filter.tag.as_ref().is_none_or(|tag| row.tags.contains(tag))
                && filter.author.as_ref().is_none_or(|author| row.created_by == *author)
                && asked.iter().all(|word| content.contains(word))
        };
        let key = |row: &StickyNote| Reverse((row.priority, row.created_at, row.id));
        let mut found: Vec<StickyNote> =
            rows.notes.iter().filter(passes).map(|note| note.note.row.clone()).collect();
        found.sort_by_key(key);
        let list = ("notes", whose, &filter.tag, &filter.text, &filter.author);
        if let Some(cursor) = &at.cursor {
            // The key of the last row that was shown, so that others may write and delete meanwhile.
            let key_then = place(&list, cursor)?.replace('~', "\"");
            let last: (u8, Timestamp, RowId) =
                serde_json::from_str(&key_then).map_err(|_wrong| StoreError::BadCursor)?;
            found.retain(|row| key(row) > Reverse(last));
        }
        let limit = at.limit as usize;
        let next = found.get(limit - 1).filter(|_| found.len() > limit);
        let next = next.map(|row| {
            let key = json!((row.priority, row.created_at, row.id)).to_string();
            cursor(&list, &key.replace('"', "~"))
        });
        found.truncate(limit);
        Ok(Page { rows: found, next })
    }

    async fn note(&self, whose: &Whose, id: RowId) -> Stored<Changed<StickyNote>> {
        Ok(self.read()?.find(&whose.town, id, self.fault)?.note.clone())
    }

    async fn add_note(&self, whose: &Whose, new: NewNote) -> Stored<Changed<StickyNote>> {
        let mut rows = self.write()?;
        let row = StickyNote {
            id: new.id,
            content: new.content,
            created_by: new.created_by,
            created_at: Timestamp::now(),
            tags: new.tags,
            priority: new.priority,
            surfaced: false,
        };
        let known = rows
            .notes
            .iter()
            .find(|note| note.note.row.id == row.id && self.fault != Some(Fault::WritesTwice));
        if let Some(known) = known {
            let is_same =
                known.town == whose.town && known.note.row.content == row.content && !known.is_deleted;
            return if is_same {
                Ok(known.note.clone())
            } else {
                Err(StoreError::Conflict { version: known.note.version })
            };
        }
        let note = Note { town: whose.town.clone(), note: Changed { row, version: 1 }, is_deleted: false };
        rows.notes.push(note.clone());
        self.tell_note(&mut rows, &whose.town, &note);
        Ok(note.note)
    }

    async fn change_note(
        &self,
        whose: &Whose,
        id: RowId,
        patch: NotePatch,
        expected: Option<u64>,
    ) -> Stored<Changed<StickyNote>> {
        let mut rows = self.write()?;
        let note = rows.find(&whose.town, id, self.fault)?;
        self.check(note, expected)?;
        let row = &mut note.note.row;
        row.content = patch.content.unwrap_or_else(|| row.content.clone());
        row.tags = patch.tags.unwrap_or_else(|| row.tags.clone());
        row.priority = patch.priority.unwrap_or(row.priority);
        row.surfaced = patch.surfaced.unwrap_or(row.surfaced);
        note.note.version += 1;
        let note = note.clone();
        self.tell_note(&mut rows, &whose.town, &note);
        Ok(note.note)
    }

    async fn delete_note(&self, whose: &Whose, id: RowId, expected: Option<u64>) -> Stored<()> {
        let mut rows = self.write()?;
        let note = rows.find(&whose.town, id, self.fault)?;
        self.check(note, expected)?;
        note.is_deleted = true;
        let note = note.clone();
        self.tell_note(&mut rows, &whose.town, &note);
        Ok(())
    }
}

impl PersonaStore for Memory {
    async fn personality(&self, whose: &Whose) -> Stored<PersonalityState> {
        Ok(self.read()?.personas.get(whose).cloned().unwrap_or_default())
    }

    async fn change_mood(&self, whose: &Whose, update: MoodUpdate) -> Stored<PersonalityState> {
        let mut rows = self.write()?;
        let old = rows.personas.get(whose).cloned().unwrap_or_default();
        let new = PersonalityState::new(
            update.mood.unwrap_or(old.mood),
            update.attraction_level.unwrap_or(old.attraction_level),
            update.gandhi_genghis.unwrap_or(old.gandhi_genghis),
            update.energy.unwrap_or(old.energy),
        );
        let change = MoodChange {
            id: rows.id(),
            at: Timestamp::now(),
            from: old.mood,
            mood: new.mood,
            attraction_level: new.attraction_level,
            gandhi_genghis: new.gandhi_genghis,
            energy: new.energy,
            reason: update.reason.unwrap_or_else(|| "asked for".to_owned()),
            context: update.context,
            source: update.source,
        };
        rows.moods.push((whose.clone(), change));
        rows.personas.insert(whose.clone(), new.clone());
        self.tell(&mut rows, whose.clone(), EventKind::Personality, json!(new).to_string());
        Ok(new)
    }

    async fn mood_history(&self, whose: &Whose, at: &PageAt) -> Stored<Page<MoodChange>> {
        let rows = self.read()?;
        let own = rows.moods.iter().rev().filter(|(other, _)| other == whose);
        page(&("moods", whose), own.map(|(_, change)| change.clone()).collect(), at)
    }
}

impl ConversationStore for Memory {
    async fn conversations(&self, whose: &Whose, at: &PageAt) -> Stored<Page<Conversation>> {
        let rows = self.read()?;
        let own = rows.conversations.iter().rev().filter(|(other, ..)| other == whose);
        let shown = own.map(|(_, id, turns)| Conversation {
            id: *id,
            started_at: turns[0].timestamp,
            last_at: turns[turns.len() - 1].timestamp,
            turns: turns.len() as u64,
            preview: turns[turns.len() - 1].message_text.clone(),
        });
        page(&("conversations", whose), shown.collect(), at)
    }

    async fn turns(&self, whose: &Whose, id: RowId, at: &PageAt) -> Stored<Page<Turn>> {
        let rows = self.read()?;
        let is_it = |other: &Whose| other == whose || self.fault == Some(Fault::MixesUsers);
        let found = rows.conversations.iter().find(|(other, known, _)| *known == id && is_it(other));
        page(&("turns", whose, id), found.ok_or(StoreError::NotFound)?.2.clone(), at)
    }
}

impl ChatStore for Memory {
    async fn begin_chat(&self, whose: &Whose, said: Said) -> Stored<Begun> {
        let mut rows = self.write()?;
        let name = (whose.clone(), said.key);
        if let Some((id, message, answer)) = rows.messages.get(&name)
            && self.fault != Some(Fault::AnswersTwice)
        {
            return Ok(match answer {
                _ if *message != said.message => Begun::KeyTaken,
                Some(answer) => Begun::Answered(answer.clone()),
                None => Begun::Unanswered { conversation: *id },
            });
        }
        let conversation = said.conversation.unwrap_or_else(|| rows.id());
        let turn = Turn { speaker: Some(said.speaker), ..rows.turn(Sender::User, &said.message) };
        let known = rows.conversations.iter().position(|(_, id, _)| *id == conversation);
        let place = known.unwrap_or_else(|| {
            rows.conversations.push((whose.clone(), conversation, Vec::new()));
            rows.conversations.len() - 1
        });
        let (owner, _, turns) = &mut rows.conversations[place];
        if owner != whose {
            return Err(StoreError::NotFound);
        }
        let history = turns[turns.len().saturating_sub(HISTORY_MAX as usize)..].to_vec();
        turns.push(turn.clone());
        let personality = rows.personas.get(whose).cloned().unwrap_or_default();
        rows.messages.insert(name, (conversation, said.message, None));
        Ok(Begun::New(Opened { conversation, turn: turn.id, history, personality }))
    }

    async fn finish_chat(&self, whose: &Whose, answered: Answered) -> Stored<()> {
        if let Some(change) = answered.change {
            self.change_mood(whose, change).await?;
        }
        let mut rows = self.write()?;
        let turn = rows.turn(Sender::Robbie, &answered.reply);
        let talk = rows.conversations.iter_mut().find(|(_, id, _)| *id == answered.conversation);
        talk.ok_or(StoreError::NotFound)?.2.push(turn);
        let message = rows.messages.get_mut(&(whose.clone(), answered.key));
        message.ok_or(StoreError::NotFound)?.2 = Some(answered.answer);
        Ok(())
    }
}

impl MemoryStore for Memory {
    async fn search(&self, whose: &Whose, search: &Search) -> Stored<Found> {
        let rows = self.read()?;
        let asked = words(&search.query);
        let mut hits = Vec::new();
        let mut consider = |kind, id, text: &str, at, conversation_id| {
            let content = words(text);
            let share =
                asked.iter().filter(|word| content.contains(word)).count() as f32 / asked.len().max(1) as f32;
            if share > 0.0 && (search.kinds.is_empty() || search.kinds.contains(&kind)) {
                let signals = vec![Signal { name: "words".to_owned(), share }];
                let (text, why) = (text.to_owned(), "has these words".to_owned());
                hits.push(Hit {
                    id,
                    kind,
                    text,
                    speaker: None,
                    at,
                    conversation_id,
                    score: share,
                    signals,
                    why,
                });
            }
        };
        for note in
            rows.notes.iter().filter(|note| !note.is_deleted || self.fault == Some(Fault::FindsDeleted))
        {
            if note.town == whose.town || self.fault == Some(Fault::MixesTowns) {
                let row = &note.note.row;
                consider(MemoryKind::Note, row.id, &row.content, row.created_at, None);
            }
        }
        for (_, id, turns) in rows.conversations.iter().filter(|(other, ..)| other == whose) {
            for turn in turns {
                consider(MemoryKind::Turn, turn.id, &turn.message_text, turn.timestamp, Some(*id));
            }
        }
        hits.sort_by(|one, other| other.score.total_cmp(&one.score));
        hits.truncate(search.limit as usize);
        Ok(Found { hits, embedding: "lexical".to_owned(), embedded: 1.0 })
    }

    async fn embed(&self, texts: Vec<String>) -> Stored<Embedded> {
        let vectors = texts.iter().map(|text| lexical_embedding(text).to_vec()).collect();
        Ok(Embedded { model: self.embedding_model(), vectors })
    }

    fn embedding_model(&self) -> String {
        "lexical".to_owned()
    }

    async fn surface(&self, whose: &Whose, moment: &Moment) -> Stored<Vec<Surfaced>> {
        let rows = self.read()?;
        let about = words(&format!("{} {}", moment.about, moment.place));
        let mut notes: Vec<Surfaced> = rows
            .notes
            .iter()
            .filter(|note| {
                !note.is_deleted && (note.town == whose.town || self.fault == Some(Fault::MixesTowns))
            })
            .map(|note| {
                let row = note.note.row.clone();
                let content = words(&row.content);
                let score = about.iter().filter(|word| content.contains(word)).count() as f32;
                Surfaced { note: row, reason: "it is about this".to_owned(), score }
            })
            .collect();
        notes.sort_by(|one, other| other.score.total_cmp(&one.score));
        notes.truncate(moment.limit as usize);
        Ok(notes)
    }
}

impl EventStore for Memory {
    async fn events_after(&self, whose: &Whose, kinds: &[EventKind], after: u64) -> Stored<Replay> {
        let rows = self.read()?;
        let oldest = rows.newest - rows.events.len() as u64;
        if after > rows.newest || after < oldest {
            return Ok(Replay::Reset { newest: rows.newest });
        }
        let tells_all = self.fault == Some(Fault::TellsOthers);
        let is_theirs = |other: &Whose| {
            tells_all || other.town == whose.town && (other.user.is_empty() || other.user == whose.user)
        };
        let missed = rows
            .events
            .iter()
            .filter(|(other, event)| event.id > after && is_theirs(other) && kinds.contains(&event.kind));
        let events = missed.take(EVENTS_AT_ONCE).map(|(_, event)| event.clone());
        Ok(Replay::Events(events.collect()))
    }

    fn follow(&self) -> impl Feed + 'static {
        Following(self.live.subscribe())
    }
}

struct Following(broadcast::Receiver<(Whose, Event)>);

impl Feed for Following {
    async fn next(&mut self) -> Option<Result<(Whose, Event), Lost>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Err(Lost)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
