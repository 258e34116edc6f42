//! What apps ask for again and again, kept for a moment: personalities for 2 s, pages of notes for 5 s.
//!
//! An entry belongs to the state of its town that its reader found. Every commit that tells something makes a new state: one of
//! this program before it is answered, one of another replica as soon as [`super::tell`] hears of it. While nobody listens to the
//! others, nothing is taken from here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cloud_sync_protocol::note::{NoteFilter, StickyNote};
use cloud_sync_protocol::store::{Page, PageAt, Whose};
use cloud_sync_protocol::town::TownId;
use moka::sync::Cache;

use super::persona::StateColumns;

/// How long a personality is kept.
const PERSONALITY_FOR: Duration = Duration::from_secs(2);
/// How long a page of notes is kept.
const NOTES_FOR: Duration = Duration::from_secs(5);
/// Personalities at most: those that are asked for stay.
const PERSONALITIES_MAX: u64 = 4096;
/// Bytes of pages at most, about: those that are asked for stay.
const NOTES_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// What a note takes beside its texts, bytes.
const NOTE_BYTES: usize = 160;
/// The others were heard of so recently, or nothing is taken from here.
const HEARD_WITHIN: Duration = Duration::from_millis(1500);

/// Rows of a person, in one state of their town.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    whose: Whose,
    state: u64,
}

/// A page of notes: what is asked for of a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    place: Place,
    /// Tag, text, author, cursor.
    texts: [Option<String>; 4],
    limit: u32,
}

/// What is known of a town.
#[derive(Debug, Default)]
struct Known {
    state: u64,
    /// When it was known the last time what other replicas did there.
    heard: Option<Instant>,
}

/// All that is kept.
#[derive(Debug)]
pub(super) struct Caches {
    /// As many as there are towns.
    towns: Mutex<HashMap<TownId, Known>>,
    personalities: Cache<Place, Option<StateColumns>>,
    notes: Cache<Asked, Page<StickyNote>>,
}

impl Default for Caches {
    fn default() -> Self {
        let personalities = Cache::builder().max_capacity(PERSONALITIES_MAX).time_to_live(PERSONALITY_FOR);
        let notes = Cache::builder().max_capacity(NOTES_BYTES_MAX).time_to_live(NOTES_FOR).weigher(weight);
        Self { towns: Mutex::default(), personalities: personalities.build(), notes: notes.build() }
    }
}

/// About the bytes of a page.
fn weight(_asked: &Asked, page: &Page<StickyNote>) -> u32 {
    let of_note = |note: &StickyNote| {
        let texts = note.tags.iter().map(String::len).sum::<usize>() + note.content.len();
        NOTE_BYTES + note.created_by.len() + texts
    };
    let bytes = NOTE_BYTES + page.rows.iter().map(of_note).sum::<usize>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl Caches {
    fn towns(&self) -> MutexGuard<'_, HashMap<TownId, Known>> {
        self.towns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows of this town were committed: what is kept of it is old.
    pub(super) fn changed(&self, town: &TownId) {
        self.towns().entry(town.clone()).or_default().state += 1;
    }

    /// What other replicas did in this town up to now has been heard.
    pub(super) fn heard(&self, town: &TownId) {
        self.towns().entry(town.clone()).or_default().heard = Some(Instant::now());
    }

    /// The place that a reader looks into, taken before it reads; `None` while nothing is to be kept.
    pub(super) fn place(&self, town: &TownId, whose: &Whose) -> Option<Place> {
        let towns = self.towns();
        let known = towns.get(town)?;
        known.heard.filter(|heard| heard.elapsed() < HEARD_WITHIN)?;
        Some(Place { whose: whose.clone(), state: known.state })
    }

    /// The personality as it was written.
    pub(super) fn personality(&self, place: Option<&Place>) -> Option<Option<StateColumns>> {
        count("personality", place.and_then(|place| self.personalities.get(place)))
    }

    pub(super) fn keep_personality(&self, place: Option<Place>, found: &Option<StateColumns>) {
        if let Some(place) = place {
            self.personalities.insert(place, found.clone());
        }
    }

    /// A page of notes.
    pub(super) fn notes(&self, asked: Option<&Asked>) -> Option<Page<StickyNote>> {
        count("notes", asked.and_then(|asked| self.notes.get(asked)))
    }

    pub(super) fn keep_notes(&self, asked: Option<Asked>, page: &Page<StickyNote>) {
        if let Some(asked) = asked {
            self.notes.insert(asked, page.clone());
        }
    }
}

impl Asked {
    pub(super) fn of(place: Place, filter: &NoteFilter, at: &PageAt) -> Self {
        let NoteFilter { tag, text, author } = filter.clone();
        Self { place, texts: [tag, text, author, at.cursor.clone()], limit: at.limit }
    }
}

/// Says how often something was there.
fn count<T>(what: &'static str, found: Option<T>) -> Option<T> {
    let answer = if found.is_some() { "kept" } else { "read" };
    metrics::counter!("robbie_cache_total", "what" => what, "answer" => answer).increment(1);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose(user: &str) -> Whose {
        Whose { town: "home".to_owned(), user: user.to_owned() }
    }

    fn written(mood: &str) -> Option<StateColumns> {
        Some((mood.to_owned(), 50, 50, 50, 0))
    }

    #[test]
    fn what_was_read_before_a_commit_is_not_taken_after_it() {
        let (caches, home) = (Caches::default(), TownId::home());
        assert_eq!(caches.place(&home, &whose("ann")), None, "nobody listens to the others yet");
        caches.heard(&home);
        let before = caches.place(&home, &whose("ann"));
        // A commit while the reader reads: what it keeps then is of no use to anybody.
        caches.changed(&home);
        caches.keep_personality(before, &written("friendly"));
        let now = caches.place(&home, &whose("ann"));
        assert_eq!(caches.personality(now.as_ref()), None);
        caches.keep_personality(now.clone(), &written("grumpy"));
        assert_eq!(caches.personality(now.as_ref()), Some(written("grumpy")));
        let other = caches.place(&home, &whose("ben"));
        assert_eq!(caches.personality(other.as_ref()), None, "each has their own");
        caches.changed(&"greenfield".parse().unwrap());
        assert_eq!(caches.place(&home, &whose("ann")), now, "another town's commit changes nothing here");
    }

    #[test]
    fn a_page_is_kept_for_what_was_asked() {
        let (caches, home) = (Caches::default(), TownId::home());
        caches.heard(&home);
        let asked = |tag: Option<&str>, cursor: Option<&str>, limit| {
            let filter = NoteFilter { tag: tag.map(str::to_owned), ..NoteFilter::default() };
            let at = PageAt { limit, cursor: cursor.map(str::to_owned) };
            caches.place(&home, &whose("ann")).map(|place| Asked::of(place, &filter, &at))
        };
        let page = Page { rows: Vec::new(), next: Some("here".to_owned()) };
        caches.keep_notes(asked(Some("house"), None, 50), &page);
        assert_eq!(caches.notes(asked(Some("house"), None, 50).as_ref()), Some(page));
        for other in
            [asked(None, None, 50), asked(Some("house"), Some("there"), 50), asked(Some("house"), None, 9)]
        {
            assert_eq!(caches.notes(other.as_ref()), None);
        }
    }
}
