//! A file that the first version of the program wrote: it opens, nothing is lost, and it goes on from there.

use cloud_sync_protocol::event::Replay;
use cloud_sync_protocol::note::NoteFilter;
use cloud_sync_protocol::store::{EventStore, NoteStore};
use rusqlite::{Connection, params};

use crate::support::{Home, all_notes, ann, found, id, note, run};

const FIRST: &str = include_str!("../../../../migrations/edge/0001_memory.sql");

/// Id of the newest event in it.
const EVENT: i64 = 5_003;

/// Writes the file as the first version did: pages of 4096 bytes, three notes, and an event of each.
fn write(home: &Home) {
    let db = Connection::open(home.db()).unwrap();
    db.execute_batch("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL").unwrap();
    db.execute_batch(FIRST).unwrap();
    db.execute_batch("INSERT INTO sqlite_sequence VALUES ('events', 5000); INSERT INTO meta VALUES ('event_first', '5000')")
        .unwrap();
    for number in 1..=3_u32 {
        let text = format!("note {number} of before");
        let id = id(u64::from(number));
        db.execute(
            "INSERT INTO notes VALUES (?1, 'home', ?2, 'Ann', ?3, '[]', 50, 0, NULL, 1, zeroblob(16), 1, 1, 2)",
            params![id.as_bytes(), text, number],
        )
        .unwrap();
        let hash = agent_store::ContentHash::of(&text);
        db.execute(
            "INSERT INTO memory VALUES (?1, 0, ?2, 'home', '', NULL, NULL, 'Ann', 1, ?3)",
            params![number, id.as_bytes(), hash.as_bytes()],
        )
        .unwrap();
        db.execute("INSERT INTO words (rowid, text) VALUES (?1, ?2)", params![number, text]).unwrap();
        // Of now, so that none is dropped for its age.
        db.execute(
            "INSERT INTO events (town, user_id, kind, data, at_ms) VALUES ('home', '', 'note', '{}', ?1)",
            [crate::support::NOW_MS],
        )
        .unwrap();
    }
    db.pragma_update(None, "user_version", 1).unwrap();
    db.close().unwrap();
}

#[test]
fn it_opens_and_goes_on() {
    run(async {
        let home = Home::new();
        write(&home);
        let store = home.open();
        store.add_note(&ann(), note(4, "note of today")).await.unwrap();
        let notes = all_notes(&store, &ann(), &NoteFilter::default(), 2).await;
        assert_eq!(notes.iter().map(|note| note.id).collect::<Vec<_>>(), [id(4), id(3), id(2), id(1)]);
        assert_eq!(found(&store, "before").await.len(), 3);
        // Whoever saw the newest event of before is told the next one, under an id that nobody has seen.
        let Replay::Events(events) = store.events_after(&ann(), &[], EVENT as u64).await.unwrap() else {
            panic!("the state is to be read afresh")
        };
        assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [EVENT as u64 + 1]);
        store.end().await;
        let store = home.open();
        assert_eq!((store.health(), found(&store, "note").await.len()), (None, 4));
    });
}

#[test]
fn a_lost_beginning_does_not_cost_the_rest() {
    run(async {
        let home = Home::new();
        write(&home);
        let mut file = std::fs::read(home.db()).unwrap();
        file[..4096].fill(0x55);
        std::fs::write(home.db(), file).unwrap();
        let (store, opened) = home.try_open().unwrap();
        assert_eq!(opened.loss.unwrap().carried.notes, 3);
        assert_eq!(found(&store, "before").await.len(), 3);
    });
}
