//! Events come with their cause, in order, to those they are for; who was away too long is told to look afresh.

use std::sync::atomic::Ordering;

use cloud_sync_protocol::event::{Event, EventKind, Replay};
use cloud_sync_protocol::persona::MoodUpdate;
use cloud_sync_protocol::store::{EventStore, Feed, NoteStore, PersonaStore, StoreError, Whose};

use crate::support::{Home, abroad, ann, bob, id, note, run, turn};

async fn after(
    store: &agent_store::Store,
    whose: &Whose,
    kinds: &[EventKind],
    id: u64,
) -> Option<Vec<Event>> {
    match store.events_after(whose, kinds, id).await.unwrap() {
        Replay::Events(events) => Some(events),
        Replay::Reset { .. } => None,
    }
}

#[test]
fn what_happens_is_told_in_order_and_can_be_read_again() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let mut feed = store.follow();
        store.add_note(&ann(), note(1, "hello")).await.unwrap();
        let update = MoodUpdate { energy: Some(9), source: "t".to_owned(), ..MoodUpdate::default() };
        store.change_mood(&bob(), update).await.unwrap();
        store.add_turns(&ann(), id(2), vec![turn(3, "hi")]).await.unwrap();
        store.delete_note(&ann(), id(1), None).await.unwrap();
        assert!(store.add_note(&ann(), note(3, "refused")).await.is_err());
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(feed.next().await.unwrap().unwrap());
        }
        assert!(told.windows(2).all(|two| two[0].1.id < two[1].1.id));
        let users: Vec<&str> = told.iter().map(|(whose, _)| &*whose.user).collect();
        assert_eq!(users, ["", "bob", "ann", ""]);
        let of = |place: usize| told[place].1.clone();
        assert!(of(0).data.contains("\"content\":\"hello\"") && of(3).data.contains("\"deleted\":true"));
        assert!(of(2).data.contains(&format!("\"conversation_id\":\"{}\"", id(2))));
        assert_eq!(after(&store, &ann(), &[], 0).await, Some(vec![of(0), of(2), of(3)]));
        assert_eq!(after(&store, &bob(), &[EventKind::Personality], 0).await, Some(vec![of(1)]));
        assert_eq!(after(&store, &abroad(), &[], 0).await, Some(vec![]));
        assert_eq!(after(&store, &ann(), &[], of(2).id).await, Some(vec![of(3)]));
        assert_eq!(after(&store, &ann(), &[], of(3).id + 1).await, None);
        store.end().await;
        assert!(feed.next().await.is_none());
        // They are there after a restart, too, and another store's ids mean nothing here.
        assert_eq!(after(&home.open(), &ann(), &[], of(2).id).await, Some(vec![of(3)]));
        let other = Home::new().open();
        assert_eq!(after(&other, &ann(), &[], of(3).id).await, None);
    });
}

#[test]
fn the_old_and_the_many_make_room() {
    run(async {
        let mut home = Home::new();
        home.limits.events = 5;
        let store = home.open();
        for number in 0..8 {
            store.add_note(&ann(), note(number, "n")).await.unwrap();
        }
        let Replay::Reset { newest } = store.events_after(&ann(), &[], 0).await.unwrap() else { panic!() };
        assert_eq!(after(&store, &ann(), &[], newest - 5).await.unwrap().len(), 5);
        assert_eq!(after(&store, &ann(), &[], newest - 6).await, None);
        home.now_ms.fetch_add(24 * 60 * 60 * 1000 + 1, Ordering::Relaxed);
        store.delete_note(&ann(), id(1), None).await.unwrap();
        assert_eq!(after(&store, &ann(), &[], newest - 1).await, None);
        assert_eq!(after(&store, &ann(), &[], newest).await.unwrap().len(), 1);
    });
}

#[test]
fn a_slow_reader_is_told_that_he_lost_some() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let mut feed = store.follow();
        for number in 0..300 {
            store.add_turns(&ann(), id(999), vec![turn(number, "x")]).await.unwrap();
        }
        assert!(feed.next().await.unwrap().is_err());
        assert!(feed.next().await.unwrap().is_ok());
        assert!(matches!(store.note(&ann(), id(1)).await, Err(StoreError::NotFound)));
    });
}
