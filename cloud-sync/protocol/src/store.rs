//! What a store behind `/api` must do. The robot's is SQLite, the cloud's Postgres; one contract suite checks both.
//!
//! Every method answers for one person in one town, and shows nothing of others: a foreign row is [`StoreError::NotFound`],
//! as an unknown one. What has been answered with `Ok` survives a power cut.

use std::future::Future;

use crate::chat::{Answered, Begun, Said};
use crate::conflict::{Conflict, Keep, SyncStatus};
use crate::event::{Event, EventKind, Replay};
use crate::id::RowId;
use crate::memory::{Embedded, Found, Moment, Search, Surfaced};
use crate::note::{Changed, NewNote, NoteFilter, NotePatch, StickyNote};
use crate::persona::{MoodChange, MoodUpdate, PersonalityState};
use crate::turn::{Conversation, Turn};

/// For whom a store answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Whose {
    /// The town, `[a-z0-9-]{1,32}`; `home` on a robot that is not paired.
    pub town: String,
    /// The user; `owner` on a robot that is not paired.
    pub user: String,
}

impl Whose {
    /// The owner of a robot that is not paired.
    #[must_use]
    pub fn unpaired() -> Self {
        Self { town: "home".to_owned(), user: "owner".to_owned() }
    }
}

/// Why a store refuses. `Display` is meant for a person.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such row, or not theirs.
    #[error("there is no such row")]
    NotFound,
    /// Somebody wrote in between, or the id is taken by another row.
    #[error("the row is at version {version} now")]
    Conflict {
        /// The version now.
        version: u64,
    },
    /// The cursor belongs to another list, or is older than what is kept.
    #[error("the cursor belongs to another list")]
    BadCursor,
    /// No room: nothing is written until some is made. Reading goes on.
    #[error("the disk is full: nothing more can be remembered until there is room")]
    Full,
    /// The store does not work; its words.
    #[error("the memory does not answer: {0}")]
    Failed(String),
}

/// Result of a store.
pub type Stored<T> = Result<T, StoreError>;

/// One page of a list, and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Opaque; `None` at the end. At most 256 printable ASCII characters.
    pub next: Option<String>,
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAt {
    /// Rows at most, 1 ..= 500.
    pub limit: u32,
    /// [`Page::next`] of the page before.
    pub cursor: Option<String>,
}

/// Sticky notes of a town.
pub trait NoteStore: Clone + Send + Sync + 'static {
    /// The notes that pass the filter: highest priority first, then newest.
    fn notes(
        &self,
        whose: &Whose,
        filter: &NoteFilter,
        at: &PageAt,
    ) -> impl Future<Output = Stored<Page<StickyNote>>> + Send;
    /// One note with its version.
    fn note(&self, whose: &Whose, id: RowId) -> impl Future<Output = Stored<Changed<StickyNote>>> + Send;
    /// Writes a note. Once more with the same id and content: the same answer, no second note; other content: `Conflict`.
    fn add_note(
        &self,
        whose: &Whose,
        note: NewNote,
    ) -> impl Future<Output = Stored<Changed<StickyNote>>> + Send;
    /// Changes a note; with `expected`, only at that version.
    fn change_note(
        &self,
        whose: &Whose,
        id: RowId,
        patch: NotePatch,
        expected: Option<u64>,
    ) -> impl Future<Output = Stored<Changed<StickyNote>>> + Send;
    /// Deletes a note; with `expected`, only at that version. It is gone from search at once.
    fn delete_note(
        &self,
        whose: &Whose,
        id: RowId,
        expected: Option<u64>,
    ) -> impl Future<Output = Stored<()>> + Send;
}

/// Personality and mood of a user.
pub trait PersonaStore: Clone + Send + Sync + 'static {
    /// As it is now; the defaults where nothing was ever written.
    fn personality(&self, whose: &Whose) -> impl Future<Output = Stored<PersonalityState>> + Send;
    /// Changes what `update` names, and keeps the change with its reason in the history.
    fn change_mood(
        &self,
        whose: &Whose,
        update: MoodUpdate,
    ) -> impl Future<Output = Stored<PersonalityState>> + Send;
    /// The changes, newest first.
    fn mood_history(
        &self,
        whose: &Whose,
        at: &PageAt,
    ) -> impl Future<Output = Stored<Page<MoodChange>>> + Send;
}

/// Conversations of a user.
pub trait ConversationStore: Clone + Send + Sync + 'static {
    /// The conversations, newest first.
    fn conversations(
        &self,
        whose: &Whose,
        at: &PageAt,
    ) -> impl Future<Output = Stored<Page<Conversation>>> + Send;
    /// The turns of one, oldest first.
    fn turns(&self, whose: &Whose, id: RowId, at: &PageAt)
    -> impl Future<Output = Stored<Page<Turn>>> + Send;
}

/// Messages of a chat, each carried out at most once.
pub trait ChatStore: Clone + Send + Sync + 'static {
    /// Keeps what was said, before anything is done about it. The same key again never begins a second turn.
    fn begin_chat(&self, whose: &Whose, said: Said) -> impl Future<Output = Stored<Begun>> + Send;
    /// Keeps the answer: Robbie's turn, the change of mood, and what a repetition is answered with, all or none.
    fn finish_chat(&self, whose: &Whose, answered: Answered) -> impl Future<Output = Stored<()>> + Send;
}

/// How a store stands with the other side, and the edits that did not see each other.
pub trait SyncStore: Clone + Send + Sync + 'static {
    /// How it stands, as far as this person may know.
    fn sync_status(&self, whose: &Whose) -> impl Future<Output = Stored<SyncStatus>> + Send;
    /// The conflicts that nobody has resolved, of the town and of this person, the newest first, at most
    /// [`CONFLICTS_MAX`](crate::conflict::CONFLICTS_MAX).
    fn conflicts(&self, whose: &Whose) -> impl Future<Output = Stored<Vec<Conflict>>> + Send;
    /// Chooses a version. Where the row is gone and the other is kept, it gets a new row, see
    /// [`restored`](crate::conflict::restored). One that is resolved already is `NotFound`.
    fn resolve(&self, whose: &Whose, id: RowId, keep: Keep) -> impl Future<Output = Stored<()>> + Send;
}

/// Finding again.
pub trait MemoryStore: Clone + Send + Sync + 'static {
    /// Notes, facts and turns by meaning and by word, best first, each with why.
    fn search(&self, whose: &Whose, search: &Search) -> impl Future<Output = Stored<Found>> + Send;
    /// A vector for each text, all by the model that the memory would make vectors with now.
    fn embed(&self, texts: Vec<String>) -> impl Future<Output = Stored<Embedded>> + Send;
    /// The name of that model.
    fn embedding_model(&self) -> String;
    /// The notes that matter now, each with why.
    fn surface(&self, whose: &Whose, moment: &Moment) -> impl Future<Output = Stored<Vec<Surfaced>>> + Send;
}

/// What happened, in order, for those who look on.
pub trait EventStore: Clone + Send + Sync + 'static {
    /// The events after `after` that this person may see; kept for 24 hours or 10,000 rows. An answer may hold only the next
    /// ones, so that it fits into memory: who asks goes on behind its last id until an answer is empty. `after` is at most
    /// 2^63 - 1; one above the newest id gives a reset.
    fn events_after(
        &self,
        whose: &Whose,
        kinds: &[EventKind],
        after: u64,
    ) -> impl Future<Output = Stored<Replay>> + Send;
    /// Waits for the next event of anybody, in order of ids; a reader that is too slow is told so by [`Lost`].
    fn follow(&self) -> impl Feed + 'static;
}

/// Events as they come.
pub trait Feed: Send {
    /// The next event, and whose it is, an empty user meaning everybody in the town; `None` when the program ends. Dropping
    /// the future loses no event.
    fn next(&mut self) -> impl Future<Output = Option<Result<(Whose, Event), Lost>>> + Send;
}

/// The reader was too slow: events are missing, and it must read on with [`EventStore::events_after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;
