//! Which notes matter now: the most important ones, judged by `models-mind`. Asking changes nothing: whoever brings a note up
//! says so with `PATCH {"surfaced": true}`, and it rests for a while.

use std::collections::HashMap;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::{MemoryKind, Moment, Surfaced};
use cloud_sync_protocol::store::{Stored, Whose};
use jiff::Timestamp;
use models_mind::recall::question;
use models_mind::surface::{self, NoteNow};

use super::recall::Recall;

/// Notes that are judged, most important first.
const JUDGED: u32 = 500;
/// Turns of a conversation that tell what it is about.
const TURNS: u32 = 6;

impl Recall {
    /// The notes that matter at `now`, and why.
    ///
    /// # Errors
    /// The database does not answer; no such conversation.
    pub(super) async fn surface_at(
        &self,
        whose: &Whose,
        moment: &Moment,
        now: Timestamp,
    ) -> Stored<Vec<Surfaced>> {
        let about = self.about(whose, moment).await?;
        let likeness = self.likeness(whose, &about, now).await?;
        let notes = self.rows.notes_to_surface(whose, JUDGED).await?;
        let judged: Vec<NoteNow<'_>> = notes
            .iter()
            .map(|(note, surfaced_at)| NoteNow {
                content: &note.content,
                tags: &note.tags,
                priority: note.priority,
                created_at: note.created_at,
                surfaced_at: *surfaced_at,
                cosine: likeness.get(&note.id).copied(),
            })
            .collect();
        let seen = surface::Moment { about: &about, place: &moment.place, now, zone: &self.zone };
        let found = surface::surface(&seen, &judged, moment.limit as usize);
        let surfaced = |one: surface::Surfacing| Surfaced {
            note: notes[one.index].0.clone(),
            reason: one.reason,
            score: one.score,
        };
        Ok(found.into_iter().map(surfaced).collect())
    }

    /// What is being talked about: what was said, and the newest turns of the conversation.
    async fn about(&self, whose: &Whose, moment: &Moment) -> Stored<String> {
        let mut about = moment.about.clone();
        if let Some(id) = moment.conversation_id {
            for turn in self.rows.newest_turns(whose, id, TURNS).await? {
                about.push('\n');
                about.push_str(&turn.message_text);
            }
        }
        Ok(about)
    }

    /// How like the notes are to what is being talked about.
    async fn likeness(&self, whose: &Whose, about: &str, now: Timestamp) -> Stored<HashMap<RowId, f32>> {
        if about.trim().is_empty() {
            return Ok(HashMap::new());
        }
        let asked = question(about, "", &[], now, &self.zone);
        let (_, _, candidates) = self.candidates(whose, &asked, &[MemoryKind::Note]).await?;
        Ok(candidates.into_iter().filter_map(|note| Some((note.id, note.cosine?))).collect())
    }
}
