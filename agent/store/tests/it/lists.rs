//! Lists go on where they stopped, and a cursor leads nowhere but there.

use std::sync::atomic::Ordering;

use cloud_sync_protocol::note::NoteFilter;
use cloud_sync_protocol::store::{ConversationStore, NoteStore, PageAt, PersonaStore, StoreError};

use crate::support::{Home, NOW_MS, abroad, ann, bob, id, note, page, run, turn};

#[test]
fn a_cursor_of_another_list_is_refused() {
    run(async {
        let home = Home::new();
        let store = home.open();
        for number in 0..4 {
            store.add_note(&ann(), note(number, "text")).await.unwrap();
            store
                .add_turns(&ann(), id(50), vec![turn(10 + number, "hi"), turn(20 + number, "ho")])
                .await
                .unwrap();
            store.add_turns(&ann(), id(60 + number), vec![turn(30 + number, "hi")]).await.unwrap();
        }
        let all = NoteFilter::default();
        let notes = store.notes(&ann(), &all, &page(2)).await.unwrap().next;
        let turns = store.turns(&ann(), id(50), &page(2)).await.unwrap().next;
        let conversations = store.conversations(&ann(), &page(2)).await.unwrap().next;
        for cursor in [&notes, &turns, &conversations, &Some("x".to_owned()), &Some(String::new())] {
            let at = PageAt { limit: 2, cursor: cursor.clone() };
            let tagged = NoteFilter { tag: Some("t".to_owned()), ..NoteFilter::default() };
            let refused = |bad: bool, what: &str| assert!(bad, "{what} takes {cursor:?}");
            let is_bad = |error: Option<StoreError>| matches!(error, Some(StoreError::BadCursor));
            refused(is_bad(store.notes(&ann(), &tagged, &at).await.err()), "another filter");
            refused(is_bad(store.notes(&abroad(), &all, &at).await.err()), "another town");
            refused(is_bad(store.turns(&ann(), id(60), &at).await.err()), "another conversation");
            refused(is_bad(store.conversations(&bob(), &at).await.err()), "another user");
            refused(is_bad(store.mood_history(&ann(), &at).await.err()), "another kind");
            if cursor != &notes {
                refused(is_bad(store.notes(&ann(), &all, &at).await.err()), "notes");
            }
        }
    });
}

#[test]
fn conversations_show_their_newest_turn_and_belong_to_one_user() {
    run(async {
        let home = Home::new();
        let store = home.open();
        store.add_turns(&ann(), id(1), vec![turn(10, "first"), turn(11, "second")]).await.unwrap();
        home.now_ms.store(NOW_MS + 5, Ordering::Relaxed);
        store.add_turns(&ann(), id(2), vec![turn(12, "other")]).await.unwrap();
        home.now_ms.store(NOW_MS + 9, Ordering::Relaxed);
        // A retry adds nothing; what is new goes behind.
        store.add_turns(&ann(), id(1), vec![turn(11, "second"), turn(13, &"ü".repeat(500))]).await.unwrap();
        let list = store.conversations(&ann(), &page(10)).await.unwrap().rows;
        assert_eq!(list.iter().map(|one| one.id).collect::<Vec<_>>(), [id(1), id(2)]);
        assert_eq!((list[0].turns, &*list[0].preview), (3, &*"ü".repeat(120)));
        assert_eq!(list[0].last_at.as_millisecond() - list[0].started_at.as_millisecond(), 9);
        let turns = store.turns(&ann(), id(1), &page(10)).await.unwrap().rows;
        assert_eq!(turns.iter().map(|turn| turn.id).collect::<Vec<_>>(), [id(10), id(11), id(13)]);
        assert!(store.conversations(&bob(), &page(10)).await.unwrap().rows.is_empty());
        assert!(matches!(store.turns(&bob(), id(1), &page(1)).await, Err(StoreError::NotFound)));
        assert!(matches!(
            store.add_turns(&bob(), id(1), vec![turn(14, "x")]).await,
            Err(StoreError::NotFound)
        ));
        let refused = store.add_turns(&ann(), id(1), vec![turn(15, "x"), turn(11, "changed")]).await;
        assert!(matches!(refused, Err(StoreError::Conflict { version: 1 })));
        assert_eq!(store.turns(&ann(), id(1), &page(10)).await.unwrap().rows.len(), 3);
    });
}
