//! `robbie-tryout database`: what the cloud needs of Postgres, and what happens to those who come at the wrong time.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use sqlx::{Connection, Executor, PgConnection, Row};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{PATIENCE, Running, output, robbie_tryout, signal};

async fn connect(url: &str) -> PgConnection {
    timeout(PATIENCE, PgConnection::connect(url)).await.unwrap().unwrap()
}

fn address(url: &str) -> &str {
    url.split(['@', '/']).nth(3).unwrap()
}

#[tokio::test]
async fn serves_what_the_cloud_needs_of_postgres() {
    let folder = TempDir::new().unwrap();
    let (_database, url) = Running::database(folder.path());
    let mut db = connect(&url).await;
    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(version / 10_000, 17);
    let found: String = sqlx::query_scalar("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert!(found.starts_with("0.8"), "pgvector {found}");
    db.execute("CREATE EXTENSION IF NOT EXISTS vector").await.unwrap();
    db.execute(
        "CREATE SCHEMA town_a; CREATE TABLE town_a.notes (id int primary key, content text, at vector(3))",
    )
    .await
    .unwrap();

    let mut town = db.begin().await.unwrap();
    town.execute("SET LOCAL search_path TO town_a").await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(7_i64).execute(&mut *town).await.unwrap();
    for (id, at) in [(1, "[1,0,0]"), (2, "[0,1,0]")] {
        let insert =
            sqlx::query("INSERT INTO notes VALUES ($1, $2, $3::vector)").bind(id).bind("keys").bind(at);
        insert.execute(&mut *town).await.unwrap();
    }
    town.commit().await.unwrap();

    let path: String = sqlx::query_scalar("SHOW search_path").fetch_one(&mut db).await.unwrap();
    assert!(!path.contains("town_a"), "SET LOCAL ends with its transaction: {path}");
    let nearest = "SELECT id FROM town_a.notes ORDER BY at <=> '[0,2,0]' LIMIT 1";
    assert_eq!(db.fetch_one(nearest).await.unwrap().get::<i32, _>(0), 2);
    let words = "SELECT to_tsvector('english', 'the spare keys') @@ plainto_tsquery('english', 'key')";
    assert!(db.fetch_one(words).await.unwrap().get::<bool, _>(0));
}

#[tokio::test]
async fn an_answered_row_survives_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut answered = 0;
    for round in 0..4 {
        let (mut database, url) = Running::database(folder.path());
        let mut db = connect(&url).await;
        db.execute("CREATE TABLE IF NOT EXISTS rows (id int primary key)").await.unwrap();
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM rows").fetch_one(&mut db).await.unwrap();
        assert!(there >= answered, "round {round}: {there} rows of {answered} answered ones");
        let mut next = there;
        // Killed from outside while rows are being written: nobody knows in the middle of which.
        while let Ok(_written) = sqlx::query("INSERT INTO rows VALUES ($1)")
            .bind(i32::try_from(next).unwrap())
            .execute(&mut db)
            .await
        {
            next += 1;
            if next - there == 40 + 7 * round {
                let pid = database.child.id();
                std::thread::spawn(move || signal(pid, "KILL"));
            }
        }
        database.wait();
        answered = next;
    }
}

#[tokio::test]
async fn a_client_that_is_killed_makes_room_for_the_next() {
    let folder = TempDir::new().unwrap();
    let (_database, url) = Running::database(folder.path());
    let mut first = connect(&url).await;
    first.execute("CREATE TABLE rows (id int)").await.unwrap();
    first.execute("BEGIN; INSERT INTO rows VALUES (1)").await.unwrap();
    // As the kernel closes the socket of a killed process that has answers unread: with a reset.
    first.close_hard().await.unwrap();
    for _ in 0..3 {
        let mut rude = tokio::net::TcpStream::connect(address(&url)).await.unwrap();
        rude.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        rude.set_zero_linger().unwrap();
        // Postgres at first, and then not any more.
        let mut rude = tokio::net::TcpStream::connect(address(&url)).await.unwrap();
        let hello = b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres";
        rude.write_all(&[hello.as_slice(), b"\0\0GET / HTTP/1.1\r\nHost: x\r\n\r\n"].concat()).await.unwrap();
        rude.shutdown().await.unwrap();
    }
    let mut second = connect(&url).await;
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM rows").fetch_one(&mut second).await.unwrap();
    assert_eq!(there, 0, "an open transaction of somebody who is gone is rolled back");
}

#[tokio::test]
async fn a_second_client_is_told_why_it_waits() {
    let folder = TempDir::new().unwrap();
    let (_database, url) = Running::database(folder.path());
    let _first = connect(&url).await;
    let error = timeout(PATIENCE, PgConnection::connect(&url)).await.unwrap().unwrap_err();
    let error = error.as_database_error().expect("an answer of the database");
    assert_eq!(error.code().as_deref(), Some("53300"));
    assert!(error.message().contains("pool of one"), "{}", error.message());
}

#[tokio::test]
async fn ends_in_order_with_a_client_inside() {
    let folder = TempDir::new().unwrap();
    let (mut database, url) = Running::database(folder.path());
    let mut db = connect(&url).await;
    db.execute("CREATE TABLE rows (id int)").await.unwrap();
    database.signal("TERM");
    assert!(database.wait().success());
    let (_database, url) = Running::database(folder.path());
    connect(&url).await.execute("INSERT INTO rows VALUES (1)").await.unwrap();
}

#[test]
fn names_the_one_that_uses_the_folder() {
    let folder = TempDir::new().unwrap();
    let (first, _) = Running::database(folder.path());
    let pid = first.child.id();
    check_refused(folder.path(), "127.0.0.1:0", 69, &format!("another database (process {pid})"));
}

#[test]
fn says_which_flag_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = TempDir::new().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check_refused(folder.path(), &address, 69, "choose another with --listen");
    check_refused(folder.path(), "0.0.0.0:0", 64, "loopback");
    std::fs::write(folder.path().join("file"), "").unwrap();
    check_refused(&folder.path().join("file/below"), "127.0.0.1:0", 78, "--data");
}

#[test]
fn a_damaged_folder_is_said() {
    let folder = TempDir::new().unwrap();
    drop(Running::database(folder.path()));
    let mut damaged = 0;
    damage(folder.path(), &mut damaged);
    assert!(damaged > 0);
    let mut command = robbie_tryout();
    command.args(["database", "--data"]).arg(folder.path());
    let mut database = Running::start(command.stderr(Stdio::piped()));
    let said = database.said();
    assert_eq!(database.wait().code(), Some(69), "{said}");
    assert!(said.contains("move the folder away"), "{said}");
}

/// Overwrites the file that says where the log is.
fn damage(folder: &Path, damaged: &mut usize) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            damage(&entry.path(), damaged);
        } else if entry.file_name() == "pg_control" {
            std::fs::write(entry.path(), [0xa5; 8192]).unwrap();
            *damaged += 1;
        }
    }
}

#[track_caller]
fn check_refused(folder: &Path, listen: &str, code: i32, why: &str) {
    let ended = output(robbie_tryout().args(["database", "--listen", listen, "--data"]).arg(folder));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(code), "{said}");
    assert!(said.contains(why), "{said}");
}
