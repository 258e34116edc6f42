//! The skills that need nothing but the assistant's own rows: remember, recall, and why a mood is as it is.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::{Hit, QUERY_BYTES_MAX, Search};
use cloud_sync_protocol::note::{CONTENT_BYTES_MAX, NewNote, PRIORITY_DEFAULT};
use cloud_sync_protocol::store::{MemoryStore, NoteStore, PageAt, PersonaStore, Whose};
use models_mind::words::cut_at_word;

use crate::problem::{Answer, Problem};

/// Memories that are looked at for an answer.
const HITS: u32 = 8;
/// The tag of notes that were made in a chat.
const TAG: &str = "chat";

/// Keeps a note. Its id is drawn from the message, so that it is written once.
pub(super) async fn remember<S: NoteStore>(
    store: &S,
    whose: &Whose,
    id: RowId,
    author: &str,
    text: &str,
) -> Answer<()> {
    if text.len() > CONTENT_BYTES_MAX {
        return Err(Problem::too_long(CONTENT_BYTES_MAX));
    }
    let note = NewNote {
        id,
        content: text.to_owned(),
        created_by: author.to_owned(),
        tags: vec![TAG.to_owned()],
        priority: PRIORITY_DEFAULT,
    };
    store.add_note(whose, note).await?;
    Ok(())
}

/// What the memory finds for a question; `before` is the turn before it.
pub(super) async fn recall<M: MemoryStore>(
    memory: &M,
    whose: &Whose,
    query: &str,
    before: &str,
) -> Answer<Vec<Hit>> {
    let search = Search {
        query: cut_at_word(query, QUERY_BYTES_MAX).to_owned(),
        context: cut_at_word(before, QUERY_BYTES_MAX).to_owned(),
        kinds: Vec::new(),
        limit: HITS,
    };
    Ok(memory.search(whose, &search).await?.hits)
}

/// The reason of the newest change of mood, where there is one.
pub(super) async fn mood_reason<S: PersonaStore>(store: &S, whose: &Whose) -> Option<String> {
    let newest = store.mood_history(whose, &PageAt { limit: 1, cursor: None }).await.ok()?;
    newest.rows.into_iter().next().map(|change| change.reason)
}
