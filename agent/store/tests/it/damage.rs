//! A damaged file costs what cannot be read and nothing else, and the store says what it cost.

use std::fs;
use std::os::unix::fs::FileExt;

use agent_store::{Loss, NewFact, OpenError, Store};
use cloud_sync_protocol::note::NoteFilter;
use cloud_sync_protocol::persona::{Mood, MoodUpdate};
use cloud_sync_protocol::store::{ConversationStore, NoteStore, PersonaStore};

use crate::support::{Home, all_notes, ann, bob, found, id, names_in, note, page, run, turn};

const NOTES: u64 = 300;
const TURNS: u64 = 200;
const PAGE: u64 = 4096;

/// What a note says; some go on over several pages.
fn text_of(number: u64) -> String {
    let times = if number.is_multiple_of(20) { 400 } else { number % 40 };
    format!("note {number} {}", "about the garden and the sea ".repeat(usize::try_from(times).unwrap()))
}

/// A memory with a good number of rows, closed in order.
async fn filled() -> Home {
    let home = Home::new();
    let store = home.open();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..NOTES {
        let store = store.clone();
        let text = text_of(number);
        tasks.spawn(async move { store.add_note(&ann(), note(number, &text)).await.map(|_| ()).unwrap() });
    }
    tasks.join_all().await;
    let turns = (0..TURNS).map(|number| turn(10_000 + number, &format!("turn {number} was said"))).collect();
    store.add_turns(&bob(), id(5_000), turns).await.unwrap();
    let fact =
        NewFact { id: Some(id(7_000)), content: "Ann likes tea".to_owned(), source: None, event: None };
    store.add_facts(&ann(), vec![fact]).await.unwrap();
    let update = MoodUpdate { mood: Some(Mood::Playful), source: "t".to_owned(), ..MoodUpdate::default() };
    store.change_mood(&bob(), update).await.unwrap();
    store.end().await;
    home
}

/// Opens it, and checks that what is said is so: every row is there, or lost and counted.
async fn opened(home: &Home) -> (Store, Option<Loss>) {
    let (store, opened) = home.try_open().unwrap();
    let notes = all_notes(&store, &ann(), &NoteFilter::default(), 500).await;
    for kept in &notes {
        let number = (0..NOTES).find(|number| id(*number) == kept.id).unwrap();
        assert!(kept.content == text_of(number), "note {number} is not what it was");
    }
    let turns = match store.turns(&bob(), id(5_000), &page(500)).await {
        Ok(turns) => turns.rows.len() as u64,
        Err(_) => 0,
    };
    if let Some(loss) = &opened.loss {
        assert_eq!((loss.carried.notes, loss.carried.turns), (notes.len() as u64, turns), "{loss}");
        assert!(loss.set_aside.exists());
        assert!(loss.set_aside.to_string_lossy().contains("memory.db.damaged-2026-11-24T"));
        assert_eq!(store.health(), Some(loss.to_string()));
        if loss.is_exact {
            assert_eq!(
                (loss.lost.notes, loss.lost.turns),
                (NOTES - loss.carried.notes, TURNS - turns),
                "{loss}"
            );
        }
        // It is a memory as any other.
        store.add_note(&ann(), note(90_000, "note after the repair")).await.unwrap();
        assert_eq!(found(&store, "repairs").await, ["note after the repair"]);
        store.delete_note(&ann(), id(90_000), None).await.unwrap();
    } else {
        assert_eq!((notes.len() as u64, turns), (NOTES, TURNS));
    }
    (store, opened.loss)
}

#[test]
fn a_page_overwritten_in_the_middle_costs_little() {
    run(async {
        let home = filled().await;
        let sound = fs::read(home.db()).unwrap();
        let pages = sound.len() as u64 / PAGE;
        let mut repaired = 0;
        for page in (0..pages).step_by(13) {
            let home = Home::new();
            fs::write(home.db(), &sound).unwrap();
            let file = fs::OpenOptions::new().write(true).open(home.db()).unwrap();
            let filler = if page % 2 == 0 { 0xff } else { 0 };
            file.write_all_at(&vec![filler; PAGE as usize], page * PAGE).unwrap();
            let (store, loss) = opened(&home).await;
            if let Some(loss) = loss {
                repaired += 1;
                // Up to a whole inner page of one table; never most of everything.
                assert!(loss.carried.notes + loss.carried.turns > (NOTES + TURNS) / 3, "page {page}: {loss}");
                store.end().await;
                let (_store, opened) = home.try_open().unwrap();
                assert_eq!(opened.loss, None, "the repaired file is sound");
            }
        }
        assert!(repaired > pages / 26, "{repaired} of {pages}");
    });
}

#[test]
fn a_text_that_was_altered_is_noticed_and_not_shown() {
    run(async {
        let home = Home::new();
        let store = home.open();
        store.add_note(&ann(), note(1, &"the lighthouse stands ".repeat(300))).await.unwrap();
        store.add_note(&ann(), note(2, "the sea")).await.unwrap();
        store.end().await;
        // Every copy of it, in rows and in pages that are free: nothing that SQLite itself would notice.
        let mut bytes = fs::read(home.db()).unwrap();
        let places: Vec<usize> =
            (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"lighthouse")).collect();
        places.into_iter().for_each(|at| bytes[at] = b'L');
        fs::write(home.db(), bytes).unwrap();
        let (store, opened) = home.try_open().unwrap();
        let loss = opened.loss.unwrap();
        assert_eq!((loss.carried.notes, loss.lost.notes, loss.is_exact), (1, 1, true), "{loss}");
        let notes = all_notes(&store, &ann(), &NoteFilter::default(), 9).await;
        assert_eq!(notes.iter().map(|note| &*note.content).collect::<Vec<_>>(), ["the sea"]);
    });
}

#[test]
fn a_file_that_was_cut_off_gives_back_what_is_left() {
    run(async {
        let home = filled().await;
        let sound = fs::read(home.db()).unwrap();
        for part in
            [0, 1, 100, 4_096, 5_000, sound.len() / 4, sound.len() / 2, sound.len() - 4_096, sound.len() - 1]
        {
            let home = Home::new();
            fs::write(home.db(), &sound[..part]).unwrap();
            let (_store, loss) = opened(&home).await;
            // The last byte of a page is often one that nobody needs; then nothing is missing.
            let Some(loss) = loss else {
                assert_eq!(part, sound.len() - 1);
                continue;
            };
            assert_eq!(fs::read(&loss.set_aside).unwrap(), &sound[..part], "what was set aside is as it was");
            if part >= sound.len() - 4_096 {
                assert!(loss.carried.notes + loss.carried.turns > (NOTES + TURNS) / 2, "{part}: {loss}");
            }
        }
    });
}

#[test]
fn a_lost_beginning_does_not_cost_the_rest() {
    run(async {
        let home = filled().await;
        let file = fs::OpenOptions::new().write(true).open(home.db()).unwrap();
        file.write_all_at(&[0x55; PAGE as usize], 0).unwrap();
        let (store, loss) = opened(&home).await;
        let loss = loss.unwrap();
        assert_eq!((loss.carried.notes, loss.carried.turns, loss.carried.facts), (NOTES, TURNS, 1), "{loss}");
        assert_eq!(store.personality(&bob()).await.unwrap().mood, Mood::Playful);
        assert_eq!(found(&store, "note 17").await.len(), 1);
    });
}

#[test]
fn what_stands_only_in_the_log_is_carried_over() {
    run(async {
        let home = filled().await;
        let store = home.open();
        store.add_note(&ann(), note(8_000, "note in the log")).await.unwrap();
        let copy = Home::new();
        fs::copy(home.dir.path().join("memory.db-wal"), copy.dir.path().join("memory.db-wal")).unwrap();
        let sound = fs::read(home.db()).unwrap();
        fs::write(copy.db(), &sound[..sound.len() - 10_000]).unwrap();
        let (after, opened) = copy.try_open().unwrap();
        assert!(opened.loss.is_some());
        assert_eq!(found(&after, "log").await, ["note in the log"]);
        assert!(names_in(copy.dir.path()).iter().any(|name| name.ends_with("Z-wal")));
    });
}

#[test]
fn what_is_no_database_is_set_aside_and_a_new_one_begun() {
    run(async {
        for garbage in [&b""[..], b"hello", &[0xa5; 50_000]] {
            let home = Home::new();
            fs::write(home.db(), garbage).unwrap();
            let (store, opened) = home.try_open().unwrap();
            let loss = opened.loss.unwrap();
            assert_eq!(fs::read(&loss.set_aside).unwrap(), garbage);
            assert!(!loss.is_exact && loss.to_string().contains("at least 0 notes"));
            store.add_note(&ann(), note(1, "anew")).await.unwrap();
            store.end().await;
            // Once more, at the same second: nothing that was set aside is written over.
            fs::write(home.db(), b"again").unwrap();
            let second = home.try_open().unwrap().1.loss.unwrap();
            assert_ne!(second.set_aside, loss.set_aside);
            assert_eq!(fs::read(&loss.set_aside).unwrap(), garbage);
        }
    });
}

#[test]
fn a_power_cut_during_the_repair_costs_nothing() {
    run(async {
        let home = filled().await;
        let sound = fs::read(home.db()).unwrap();
        fs::write(home.db(), &sound[..sound.len() - 4_096]).unwrap();
        let (store, loss) = opened(&home).await;
        let (store_dir, loss) = (home.dir.path(), loss.unwrap());
        store.end().await;
        // As it stands when the power goes after the damaged file was moved, and before the new one was.
        fs::rename(home.db(), store_dir.join("memory.db.carried")).unwrap();
        fs::write(store_dir.join("memory.db.new"), b"half").unwrap();
        let (_store, again) = opened(&home).await;
        assert_eq!(again, Some(loss));
        assert!(!names_in(store_dir).iter().any(|name| name.ends_with(".new") || name.ends_with(".carried")));
    });
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    run(async {
        let home = filled().await;
        let db = rusqlite::Connection::open(home.db()).unwrap();
        db.pragma_update(None, "user_version", 99).unwrap();
        // Once with the version in the log only, as after a crash, once closed in order.
        let copy = Home::new();
        for name in ["memory.db", "memory.db-wal"] {
            fs::copy(home.dir.path().join(name), copy.dir.path().join(name)).unwrap();
        }
        drop(db);
        for home in [&copy, &home] {
            let log = home.dir.path().join("memory.db-wal");
            let before = (fs::read(home.db()).unwrap(), fs::read(&log).ok().filter(|log| !log.is_empty()));
            let Err(refused) = home.try_open() else { panic!("opened") };
            assert!(matches!(refused, OpenError::Newer { found: 99, .. }), "{refused}");
            assert!(refused.to_string().contains("newer version"));
            let after = (fs::read(home.db()).unwrap(), fs::read(&log).ok().filter(|log| !log.is_empty()));
            assert!(before == after);
        }
    });
}
