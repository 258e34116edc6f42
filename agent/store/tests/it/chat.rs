//! A chat message is kept before it is answered, begins once, and is answered again in the same words. Moods fade by themselves.

use std::sync::atomic::Ordering;

use agent_store::Store;
use cloud_sync_protocol::chat::{Answered, Begun, HISTORY_MAX, Said};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::{Mood, MoodUpdate};
use cloud_sync_protocol::store::{ChatStore, ConversationStore, PersonaStore, StoreError};

use crate::support::{Home, ann, bob, page, run};

const HOUR_MS: i64 = 3_600_000;

fn said(key: &str, conversation: Option<RowId>, message: &str) -> Said {
    Said { key: key.to_owned(), conversation, speaker: "ann".to_owned(), message: message.to_owned() }
}

fn playful() -> MoodUpdate {
    MoodUpdate { mood: Some(Mood::Playful), source: "t".to_owned(), ..MoodUpdate::default() }
}

/// Begins a message and answers it; gives its conversation.
async fn talk(store: &Store, key: &str, conversation: Option<RowId>, message: &str) -> RowId {
    let begun = store.begin_chat(&ann(), said(key, conversation, message)).await.unwrap();
    let Begun::New(opened) = begun else { panic!("{key} is new: {begun:?}") };
    let answered = Answered {
        key: key.to_owned(),
        conversation: opened.conversation,
        reply: format!("re: {message}"),
        mood: Mood::Playful,
        change: Some(MoodUpdate { reason: Some("because".to_owned()), ..playful() }),
        answer: format!("{{\"reply\":\"re: {message}\"}}"),
    };
    store.finish_chat(&ann(), answered).await.unwrap();
    opened.conversation
}

#[test]
fn a_message_begins_once_and_is_answered_again_also_after_a_crash() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let conversation = talk(&store, "k1", None, "hello").await;
        let again = Begun::Answered("{\"reply\":\"re: hello\"}".to_owned());
        assert_eq!(store.begin_chat(&ann(), said("k1", None, "hello")).await.unwrap(), again);
        assert_eq!(store.begin_chat(&ann(), said("k1", None, "other")).await.unwrap(), Begun::KeyTaken);
        // Begun, and its program dies: never carried out again.
        let begun = store.begin_chat(&ann(), said("k2", Some(conversation), "drive")).await.unwrap();
        assert!(matches!(begun, Begun::New(_)), "{begun:?}");
        store.end().await;
        let store = home.open();
        let unanswered = Begun::Unanswered { conversation };
        assert_eq!(
            store.begin_chat(&ann(), said("k2", Some(conversation), "drive")).await.unwrap(),
            unanswered
        );
        assert_eq!(store.begin_chat(&ann(), said("k1", None, "hello")).await.unwrap(), again);
        let turns = store.turns(&ann(), conversation, &page(500)).await.unwrap().rows;
        let texts: Vec<&str> = turns.iter().map(|turn| turn.message_text.as_str()).collect();
        assert_eq!(texts, ["hello", "re: hello", "drive"]);
        // The same key is another's own.
        let other = store.begin_chat(&bob(), said("k1", None, "hello")).await.unwrap();
        assert!(matches!(other, Begun::New(_)), "{other:?}");
        let theirs = store.begin_chat(&bob(), said("k3", Some(conversation), "hello")).await;
        assert!(matches!(theirs, Err(StoreError::NotFound)), "{theirs:?}");
    });
}

#[test]
fn the_newest_turns_come_with_a_message() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let conversation = talk(&store, "k0", None, "m0").await;
        for number in 1..20 {
            talk(&store, &format!("k{number}"), Some(conversation), &format!("m{number}")).await;
        }
        let begun = store.begin_chat(&ann(), said("last", Some(conversation), "and now?")).await.unwrap();
        let Begun::New(opened) = begun else { panic!("it is new: {begun:?}") };
        assert_eq!(opened.history.len(), HISTORY_MAX as usize);
        assert_eq!(opened.history.last().unwrap().message_text, "re: m19");
        assert_eq!(opened.personality.mood, Mood::Playful);
        let newest = store.mood_history(&ann(), &page(1)).await.unwrap().rows;
        assert_eq!(newest[0].reason, "because");
    });
}

#[test]
fn the_oldest_answers_make_room_and_what_was_said_stays() {
    run(async {
        let mut home = Home::new();
        home.limits.chat_messages = 3;
        let store = home.open();
        let conversation = talk(&store, "k0", None, "m0").await;
        for number in 1..5 {
            talk(&store, &format!("k{number}"), Some(conversation), &format!("m{number}")).await;
        }
        let kept = store.begin_chat(&ann(), said("k2", Some(conversation), "m2")).await.unwrap();
        assert!(matches!(kept, Begun::Answered(_)), "{kept:?}");
        let gone = store.begin_chat(&ann(), said("k0", Some(conversation), "m0")).await.unwrap();
        assert!(matches!(gone, Begun::New(_)), "{gone:?}");
        assert_eq!(store.turns(&ann(), conversation, &page(500)).await.unwrap().rows.len(), 11);
    });
}

#[test]
fn a_mood_fades_by_itself_and_nothing_is_written() {
    run(async {
        let home = Home::new();
        let store = home.open();
        let update = MoodUpdate { energy: Some(5), ..playful() };
        assert_eq!(store.change_mood(&ann(), update).await.unwrap().mood, Mood::Playful);
        home.now_ms.fetch_add(6 * HOUR_MS, Ordering::Relaxed);
        let now = store.personality(&ann()).await.unwrap();
        assert_eq!(now.mood, Mood::Friendly);
        assert!(now.energy > 5 && now.energy <= 75, "{now:?}");
        assert_eq!(store.mood_history(&ann(), &page(10)).await.unwrap().rows.len(), 1);
    });
}
