//! A disk that takes nothing more: a real one, of 16 MB, that only this test sees. Reading and deleting go on, what is new is
//! refused, and all is well again once there is room.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_store::Store;
use cloud_sync_protocol::note::NoteFilter;
use cloud_sync_protocol::store::{NoteStore, StoreError};

use crate::support::{Home, all_notes, ann, id, note, run};

/// Where the small disk is, for the process that sees it.
const DISK: &str = "ROBBIE_TEST_SMALL_DISK";

const RESERVE_BYTES: u64 = 1024 * 1024;

/// Runs a test once more in a process of its own, which has a disk of 16 MB to itself, or the one that `DISK` names.
fn on_a_small_disk(name: &str, test: impl FnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(DISK) {
        return test(Path::new(&disk));
    }
    let place = tempfile::tempdir().unwrap();
    let alone = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(place.path());
        command
    };
    const MOUNT: &str = "mount -t tmpfs -o size=16m tmpfs \"$1\"";
    if !alone(MOUNT).status().is_ok_and(|done| done.success()) {
        eprintln!("not tested: a small disk cannot be mounted here");
        return;
    }
    let mut command = alone(&format!("{MOUNT} && shift && exec \"$@\""));
    command
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DISK, place.path());
    assert!(command.status().unwrap().success());
}

/// Takes whatever room there is, to the last byte.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::options().append(true).create(true).open(&path).unwrap();
    for piece in [65_536, 4_096, 1] {
        loop {
            match file.write_all(&vec![0xaa; piece]).and_then(|()| file.sync_all()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
    path
}

fn text() -> String {
    "the garden and the sea ".repeat(40)
}

async fn count(store: &Store) -> u64 {
    all_notes(store, &ann(), &NoteFilter::default(), 500).await.len() as u64
}

/// Writes until nothing more is taken. Returns how many notes there are.
async fn write_until_full(store: &Store, from: u64) -> u64 {
    for number in from..from + 2_000 {
        match store.add_note(&ann(), note(number, &text())).await {
            Ok(_) => {}
            Err(StoreError::Full) => return number,
            Err(refusal) => panic!("{refusal}"),
        }
    }
    panic!("it is never full");
}

async fn is_refused(store: &Store) {
    let refused = store.add_note(&ann(), note(90_000, "new")).await;
    assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
    assert!(store.health().unwrap().contains("no room"));
}

#[test]
fn deleting_goes_on_and_what_is_new_waits_for_room() {
    on_a_small_disk("full_disk::deleting_goes_on_and_what_is_new_waits_for_room", |disk| {
        run(async {
            let home = Home::under(disk);
            let reserve = home.dir.path().join("memory.db.reserve");
            let store = home.open();
            assert_eq!(fs::metadata(&reserve).unwrap().len(), RESERVE_BYTES);
            for number in 0..200 {
                store.add_note(&ann(), note(number, &text())).await.unwrap();
            }
            let filler = fill(disk);
            let notes = write_until_full(&store, 200).await;
            assert!(store.health().unwrap().contains("no room"));
            assert_eq!(count(&store).await, notes);
            // The log held most of the disk: with the room kept back it can be worked into the file, and room is kept back anew.
            for number in 0..50 {
                store.delete_note(&ann(), id(number), None).await.unwrap();
            }
            assert!(reserve.exists());
            // Now the disk fills beside an empty log, so that nothing but the room kept back is left.
            let other = rusqlite::Connection::open(home.db()).unwrap();
            other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
            fill(disk);
            for number in 50..150 {
                store.delete_note(&ann(), id(number), None).await.unwrap();
            }
            assert!(!reserve.exists());
            is_refused(&store).await;
            assert_eq!(count(&store).await, notes - 150);
            fs::remove_file(filler).unwrap();
            store.add_note(&ann(), note(90_000, "new")).await.unwrap();
            assert_eq!(store.health(), None);
            assert_eq!(fs::metadata(&reserve).unwrap().len(), RESERVE_BYTES);
            store.end().await;
            assert_eq!(count(&home.open()).await, notes - 150 + 1);
        });
    });
}

#[test]
fn a_memory_opens_on_a_full_disk_and_lets_go() {
    on_a_small_disk("full_disk::a_memory_opens_on_a_full_disk_and_lets_go", |disk| {
        run(async {
            let home = Home::under(disk);
            let store = home.open();
            for number in 0..100 {
                store.add_note(&ann(), note(number, &text())).await.unwrap();
            }
            store.end().await;
            let filler = fill(disk);
            let store = home.open();
            assert_eq!(count(&store).await, 100);
            is_refused(&store).await;
            for number in 0..100 {
                store.delete_note(&ann(), id(number), None).await.unwrap();
            }
            is_refused(&store).await;
            fs::remove_file(filler).unwrap();
            store.add_note(&ann(), note(90_000, "new")).await.unwrap();
            assert_eq!((store.health(), count(&store).await), (None, 1));
        });
    });
}
