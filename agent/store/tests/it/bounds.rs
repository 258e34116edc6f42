//! At a bound, nothing is dropped that is memory, reads go on, and room that is made is used.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

use cloud_sync_protocol::note::{NoteFilter, NotePatch};
use cloud_sync_protocol::persona::{Mood, MoodUpdate};
use cloud_sync_protocol::store::{ConversationStore, NoteStore, PersonaStore, StoreError};

use crate::support::{Home, NOW_MS, all_notes, ann, id, note, page, run, turn};

#[test]
fn a_full_file_refuses_writes_keeps_reading_and_takes_again_what_fits() {
    run(async {
        let mut home = Home::new();
        home.limits.total_bytes = 1024 * 1024;
        let store = home.open();
        let text = "word ".repeat(800);
        let mut written = 0;
        let refused = loop {
            match store.add_note(&ann(), note(written, &text)).await {
                Ok(_) => written += 1,
                Err(refusal) => break refusal,
            }
            assert!(written < 1_000);
        };
        assert!(matches!(refused, StoreError::Full), "{refused}");
        assert!(store.health().unwrap().contains("no room"));
        assert_eq!(all_notes(&store, &ann(), &NoteFilter::default(), 500).await.len() as u64, written);
        for number in 0..written / 2 {
            store.delete_note(&ann(), id(number), None).await.unwrap();
        }
        store.add_note(&ann(), note(5_000, &text)).await.unwrap();
        assert_eq!(store.health(), None);
        store.end().await;
        let store = home.open();
        let kept = written - written / 2 + 1;
        assert_eq!(all_notes(&store, &ann(), &NoteFilter::default(), 500).await.len() as u64, kept);
    });
}

#[test]
fn each_class_has_its_own_bound() {
    run(async {
        let mut home = Home::new();
        home.limits.notes_bytes = 10_000;
        home.limits.turns_bytes = 2_000;
        let store = home.open();
        let text = "x".repeat(3_000);
        store.add_note(&ann(), note(1, &text)).await.unwrap();
        store.add_note(&ann(), note(2, &text)).await.unwrap();
        assert!(matches!(store.add_note(&ann(), note(3, &text)).await, Err(StoreError::Full)));
        let longer = NotePatch { content: Some("x".repeat(6_000)), ..NotePatch::default() };
        assert!(matches!(store.change_note(&ann(), id(1), longer, None).await, Err(StoreError::Full)));
        // A refused change made no room and took none.
        assert!(matches!(store.add_note(&ann(), note(3, &text)).await, Err(StoreError::Full)));
        store.add_note(&ann(), note(4, "small")).await.unwrap();
        store.add_turns(&ann(), id(10), vec![turn(11, "hi")]).await.unwrap();
        let refused = store.add_turns(&ann(), id(10), vec![turn(12, "ok"), turn(13, &text)]).await;
        assert!(matches!(refused, Err(StoreError::Full)));
        assert_eq!(store.turns(&ann(), id(10), &page(9)).await.unwrap().rows.len(), 1);
        store.end().await;
        let store = home.open();
        assert!(matches!(store.add_note(&ann(), note(5, &text)).await, Err(StoreError::Full)));
        store.delete_note(&ann(), id(1), None).await.unwrap();
        store.add_note(&ann(), note(5, &text)).await.unwrap();
    });
}

#[test]
fn of_the_history_of_moods_the_oldest_go() {
    run(async {
        let mut home = Home::new();
        home.limits.mood_changes = 3;
        let store = home.open();
        assert_eq!(store.personality(&ann()).await.unwrap(), Default::default());
        for energy in 1..=5 {
            home.now_ms.store(NOW_MS + i64::from(energy), Ordering::Relaxed);
            let update =
                MoodUpdate { energy: Some(energy), source: "page".to_owned(), ..MoodUpdate::default() };
            store.change_mood(&ann(), update).await.unwrap();
        }
        let history = store.mood_history(&ann(), &page(9)).await.unwrap();
        assert_eq!(history.rows.iter().map(|change| change.energy).collect::<Vec<_>>(), [5, 4, 3]);
        assert!(history.rows[0].reason.contains("page") && history.rows[0].reason.contains("energy 5"));
        assert_eq!(history.rows[0].mood, Mood::Friendly);
        let (first, rest) = (store.mood_history(&ann(), &page(2)).await.unwrap(), page(2));
        let rest = cloud_sync_protocol::store::PageAt { cursor: first.next, ..rest };
        assert_eq!(store.mood_history(&ann(), &rest).await.unwrap().rows, history.rows[2..]);
        store.end().await;
        assert_eq!(home.open().personality(&ann()).await.unwrap().energy, 5);
    });
}

#[test]
fn only_the_owner_of_the_files_may_read_them() {
    run(async {
        let home = Home::new();
        let store = home.open();
        store.add_note(&ann(), note(1, "secret")).await.unwrap();
        for name in ["memory.db", "memory.db-wal", "memory.db-shm"] {
            let mode = home.dir.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    });
}
