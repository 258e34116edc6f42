//! A store in a folder, a clock that stands where a test puts it, and short names for what tests write.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use agent_store::{Limits, NewTurn, OpenConfig, OpenError, Opened, Store};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{NewNote, NoteFilter, StickyNote};
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::store::{NoteStore, PageAt, Whose};
use cloud_sync_protocol::turn::Sender;
use jiff::Timestamp;
use tempfile::TempDir;

/// 2026-11-24T17:20:00Z.
pub(crate) const NOW_MS: i64 = 1_795_540_800_000;

/// Runs a test's future, which must end in time.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), future).await.unwrap() })
}

/// A folder with a memory in it.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) limits: Limits,
    pub(crate) now_ms: Arc<AtomicI64>,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self::under(&std::env::temp_dir())
    }

    /// In a folder on a certain disk.
    pub(crate) fn under(disk: &Path) -> Self {
        let dir = tempfile::tempdir_in(disk).unwrap();
        Self { dir, limits: Limits::default(), now_ms: Arc::new(AtomicI64::new(NOW_MS)) }
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.dir.path().join("memory.db")
    }

    pub(crate) fn try_open(&self) -> Result<(Store, Opened), OpenError> {
        let now_ms = Arc::clone(&self.now_ms);
        let clock = move || {
            let now_ms = now_ms.load(Ordering::Relaxed);
            Stamp {
                boot_id: 7,
                mono_ms: u64::try_from(now_ms - NOW_MS).unwrap_or_default(),
                wall: Timestamp::from_millisecond(now_ms).unwrap(),
                clock: ClockState::Unknown,
            }
        };
        Store::open(OpenConfig {
            dir: self.dir.path().to_owned(),
            clock: Arc::new(clock),
            random: Arc::new(random),
            limits: self.limits,
        })
    }

    pub(crate) fn open(&self) -> Store {
        let (store, opened) = self.try_open().unwrap();
        assert_eq!(opened.loss, None);
        store
    }
}

/// Never the same twice in a run.
pub(crate) fn random() -> [u8; 10] {
    static DRAWN: AtomicU64 = AtomicU64::new(1);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&drawn.to_be_bytes());
    bytes
}

pub(crate) fn id(number: u64) -> RowId {
    RowId::from_bytes((u128::from(number) << 64 | 0x8000_0000_0000_0000).to_be_bytes())
}

pub(crate) fn ann() -> Whose {
    Whose { town: "home".to_owned(), user: "ann".to_owned() }
}

pub(crate) fn bob() -> Whose {
    Whose { town: "home".to_owned(), user: "bob".to_owned() }
}

pub(crate) fn abroad() -> Whose {
    Whose { town: "away".to_owned(), user: "ann".to_owned() }
}

pub(crate) fn note(number: u64, content: &str) -> NewNote {
    NewNote {
        id: id(number),
        content: content.to_owned(),
        created_by: "Ann".to_owned(),
        tags: vec![],
        priority: 50,
    }
}

pub(crate) fn turn(number: u64, text: &str) -> NewTurn {
    NewTurn {
        id: Some(id(number)),
        sender: Sender::User,
        speaker: Some("Ann".to_owned()),
        text: text.to_owned(),
        at: None,
        mood: Mood::Playful,
    }
}

pub(crate) fn page(limit: u32) -> PageAt {
    PageAt { limit, cursor: None }
}

/// All notes of a town that pass, page by page.
pub(crate) async fn all_notes(
    store: &Store,
    whose: &Whose,
    filter: &NoteFilter,
    limit: u32,
) -> Vec<StickyNote> {
    let (mut notes, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.notes(whose, filter, &PageAt { limit, cursor }).await.unwrap();
        assert!(page.rows.len() <= limit as usize);
        notes.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return notes;
        }
    }
}

pub(crate) async fn found(store: &Store, text: &str) -> Vec<String> {
    let filter = NoteFilter { text: Some(text.to_owned()), ..NoteFilter::default() };
    all_notes(store, &ann(), &filter, 50).await.into_iter().map(|note| note.content).collect()
}

pub(crate) fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
