//! Whatever people write is kept letter for letter, and nothing in it is obeyed.

use cloud_sync_protocol::note::{NoteFilter, NotePatch};
use cloud_sync_protocol::store::{NoteStore, StoreError};

use crate::support::{Home, abroad, all_notes, ann, bob, found, id, note, random, run};

#[test]
fn every_text_comes_back_as_it_was_written() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let texts = [
            String::new(),
            "x".repeat(16 * 1024),
            "👩‍👩‍👧‍👦 🎈".to_owned(),
            "שלום עולם".to_owned(),
            "'); DROP TABLE notes; --".to_owned(),
            "<script>alert(1)</script>".to_owned(),
            "NEAR(a b) OR \"c* ^d -e {text}: +".to_owned(),
            "zero \0 inside".to_owned(),
        ];
        for (number, text) in (0..).zip(&texts) {
            store.add_note(&ann(), note(number, text)).await.unwrap();
            assert_eq!(store.note(&ann(), id(number)).await.unwrap().row.content, *text);
        }
        store.end().await;
        let store = home.open();
        for (number, text) in (0..).zip(&texts) {
            assert_eq!(store.note(&ann(), id(number)).await.unwrap().row.content, *text);
        }
    });
}

#[test]
fn a_filter_finds_words_by_their_stem_and_obeys_nothing() {
    run(async {
        let home = Home::new();
        let store = home.open();
        for (number, text) in
            (0..).zip(["She was running home", "Café at noon", "a 🎈 and more", "C++ \"quoted\""])
        {
            store.add_note(&ann(), note(number, text)).await.unwrap();
        }
        assert_eq!(found(&store, "runs").await, ["She was running home"]);
        assert_eq!(found(&store, "HOME running").await, ["She was running home"]);
        assert_eq!(found(&store, "cafe").await, ["Café at noon"]);
        assert_eq!(found(&store, "🎈").await, ["a 🎈 and more"]);
        assert_eq!(found(&store, "\"quoted").await, ["C++ \"quoted\""]);
        for operator in [
            "running OR noon",
            "running NOT home",
            "NEAR(running)",
            "text : running",
            "*",
            "runni*",
            "^",
            "\0",
        ] {
            assert!(found(&store, operator).await.is_empty(), "{operator}");
        }
    });
}

#[test]
fn a_filter_takes_tags_and_authors_letter_for_letter() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let mut tagged = note(1, "one");
        tagged.tags = vec!["Home\"s".to_owned(), "b".to_owned()];
        store.add_note(&ann(), tagged).await.unwrap();
        let mut other = note(2, "two");
        other.created_by = "Bob".to_owned();
        store.add_note(&ann(), other).await.unwrap();
        let with = |tag: Option<&str>, author: Option<&str>| NoteFilter {
            tag: tag.map(str::to_owned),
            author: author.map(str::to_owned),
            text: None,
        };
        for (filter, wanted) in [
            (with(Some("Home\"s"), None), vec!["one"]),
            (with(Some("home\"s"), None), vec![]),
            (with(None, Some("Bob")), vec!["two"]),
            (with(Some("b"), Some("Bob")), vec![]),
        ] {
            let notes = all_notes(&store, &ann(), &filter, 1).await;
            assert_eq!(notes.iter().map(|note| &*note.content).collect::<Vec<_>>(), wanted);
        }
    });
}

#[test]
fn a_retry_writes_nothing_and_another_text_with_its_id_is_refused() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let first = store.add_note(&ann(), note(1, "milk")).await.unwrap();
        assert_eq!(store.add_note(&bob(), note(1, "milk")).await.unwrap(), first);
        let refused = store.add_note(&ann(), note(1, "bread")).await;
        assert!(matches!(refused, Err(StoreError::Conflict { version: 1 })));
        assert!(matches!(store.add_note(&abroad(), note(1, "milk")).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(store.note(&abroad(), id(1)).await, Err(StoreError::NotFound)));
        store.delete_note(&ann(), id(1), Some(1)).await.unwrap();
        assert_eq!(store.add_note(&ann(), note(1, "bread")).await.unwrap().version, 1);
        assert_eq!(found(&store, "milk").await, [""; 0]);
        // An id that a turn has is no note's.
        let said = store.add_turns(&ann(), id(9), vec![crate::support::turn(5, "hello")]).await.unwrap();
        assert!(matches!(store.add_note(&ann(), note(5, "x")).await, Err(StoreError::Conflict { .. })));
        assert_eq!(said, [id(5)]);
    });
}

#[test]
fn of_two_who_change_the_same_version_one_is_told() {
    run(async {
        let home = Home::new();
        let store = home.open();
        store.add_note(&ann(), note(1, "start")).await.unwrap();
        let text = |text: &str| NotePatch { content: Some(text.to_owned()), ..NotePatch::default() };
        let (whose, other) = (ann(), bob());
        let (one, two) = tokio::join!(
            store.change_note(&whose, id(1), text("one"), Some(1)),
            store.change_note(&other, id(1), text("two"), Some(1))
        );
        let refused =
            [&one, &two].into_iter().filter(|done| matches!(done, Err(StoreError::Conflict { version: 2 })));
        assert_eq!(refused.count(), 1);
        let now = store.note(&ann(), id(1)).await.unwrap();
        assert_eq!(now.version, 2);
        assert_eq!(Some(&now), one.as_ref().or(two.as_ref()).ok());
        assert!(matches!(
            store.delete_note(&ann(), id(1), Some(1)).await,
            Err(StoreError::Conflict { version: 2 })
        ));
        // The word of before leads nowhere.
        assert_eq!(found(&store, "start").await, [""; 0]);
    });
}

#[test]
fn in_1970_it_works_as_ever() {
    run(async {
        let home = Home::new();
        home.now_ms.store(0, std::sync::atomic::Ordering::Relaxed);
        let store = home.open();
        let written = store.add_note(&ann(), note(1, "early")).await.unwrap();
        assert_eq!(written.row.created_at, jiff::Timestamp::UNIX_EPOCH);
        store
            .add_turns(
                &ann(),
                id(2),
                vec![agent_store::NewTurn { id: None, ..crate::support::turn(0, "hi") }],
            )
            .await
            .unwrap();
        assert_eq!(store.health(), None);
        assert_ne!(random(), random());
    });
}
