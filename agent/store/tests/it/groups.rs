//! What was answered is on the disk, one writer or many, in order or not.

use cloud_sync_protocol::note::NoteFilter;
use cloud_sync_protocol::store::{NoteStore, StoreError};

use crate::support::{Home, all_notes, ann, id, note, run};

#[test]
fn eight_writers_lose_nothing_that_was_answered() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = store.clone();
                async move {
                    for number in 0..50 {
                        store
                            .add_note(&ann(), note(writer * 100 + number, "said by one of eight"))
                            .await
                            .unwrap();
                    }
                }
            })
            .collect();
        let mut tasks = tokio::task::JoinSet::new();
        writers.into_iter().for_each(|writer| drop(tasks.spawn(writer)));
        tasks.join_all().await;
        // A copy of the files as a power cut would leave them: nobody closed anything.
        let copy = Home::new();
        for name in ["memory.db", "memory.db-wal"] {
            std::fs::copy(home.dir.path().join(name), copy.dir.path().join(name)).unwrap();
        }
        let after = copy.open();
        assert_eq!(all_notes(&after, &ann(), &NoteFilter::default(), 500).await.len(), 400);
        let filter = NoteFilter { text: Some("eight".to_owned()), ..NoteFilter::default() };
        assert_eq!(all_notes(&after, &ann(), &filter, 500).await.len(), 400);
    });
}

#[test]
fn a_refused_write_does_not_take_its_neighbours_with_it() {
    run(async {
        let home = Home::new();
        let store = home.open();
        store.add_note(&ann(), note(0, "first")).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..100 {
            let store = store.clone();
            // Every second one has the id that is taken.
            let note = note(if number % 2 == 0 { number + 1 } else { 0 }, "other");
            tasks.spawn(async move { store.add_note(&ann(), note).await });
        }
        let done = tasks.join_all().await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 50);
        assert!(
            done.iter()
                .filter_map(|done| done.as_ref().err())
                .all(|error| matches!(error, StoreError::Conflict { .. }))
        );
        assert_eq!(all_notes(&store, &ann(), &NoteFilter::default(), 500).await.len(), 51);
    });
}

#[test]
fn after_the_end_everything_is_refused_and_what_waited_is_written() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let other = store.clone();
        let (whose, waiting) = (ann(), note(1, "just in time"));
        let (written, ()) = tokio::join!(other.add_note(&whose, waiting), store.end());
        assert!(matches!(other.add_note(&ann(), note(2, "too late")).await, Err(StoreError::Failed(_))));
        assert!(matches!(other.note(&ann(), id(1)).await, Err(StoreError::Failed(_))));
        assert!(other.health().is_some());
        let again = home.open();
        assert_eq!(again.note(&ann(), id(1)).await.is_ok(), written.is_ok());
        assert!(!home.dir.path().join("memory.db-wal").metadata().is_ok_and(|log| log.len() > 0));
    });
}
