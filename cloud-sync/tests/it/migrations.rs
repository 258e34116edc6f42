//! Schemas: made, brought up to date, interrupted, refused.

use cloud_sync::store::{Database, DatabaseConfig, Migration, MigrationError, Migrations, OpenError};
use cloud_sync_api::supervise::spawn;
use cloud_sync_protocol::sync::op::Scope;
use sqlx::{Executor, PgConnection};

use crate::support::database::{TestDatabase, named, token, town};
use crate::support::within;

const BROKEN: Migrations = Migrations {
    registry: &[
        Migrations::OWN.registry[0],
        Migration { number: 2, name: "0002_broken", sql: "CREATE TABLE registry.half (a int); SELECT 1/0" },
    ],
    town: Migrations::OWN.town,
};

const MENDED: Migrations = Migrations {
    registry: &[
        Migrations::OWN.registry[0],
        Migration { number: 2, name: "0002_mended", sql: "CREATE TABLE registry.whole (a int)" },
    ],
    town: &[
        Migrations::OWN.town[0],
        Migrations::OWN.town[1],
        Migration {
            number: 3,
            name: "0003_more",
            sql: "CREATE TABLE more (v vector(3)); INSERT INTO more VALUES ('[1,2,3]')",
        },
    ],
};

async fn is_there(connection: &mut PgConnection, table: &str) -> bool {
    let found: Option<String> = sqlx::query_scalar("SELECT to_regclass($1)::text")
        .bind(table)
        .fetch_one(connection)
        .await
        .expect("an answer");
    found.is_some()
}

async fn with_two_towns(test: &TestDatabase) -> Database {
    let database = test.open().await;
    let registry = database.registry();
    registry.first_start(&town("home"), &token("owner", "first")).await.expect("a first town");
    registry.add_town(&town("side-town"), &token("owner", "second")).await.expect("a second town");
    database
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    // Also one of several replicas at the same moment, on an empty database.
    let test = TestDatabase::empty().await;
    let opened = within("three starts", async {
        tokio::join!(
            test.try_open(Migrations::OWN),
            test.try_open(Migrations::OWN),
            test.try_open(Migrations::OWN)
        )
    });
    let (first, second, third) = opened.await;
    assert!(first.is_ok() && second.is_ok() && third.is_ok(), "{first:?} {second:?} {third:?}");
    with_two_towns(&test).await.end().await;
    test.open().await.look().await.unwrap();
    assert_eq!(test.open().await.registry().towns(None).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_step_that_fails_leaves_nothing_and_the_next_start_goes_on() {
    let test = TestDatabase::empty().await;
    with_two_towns(&test).await.end().await;
    let failed = test.try_open(BROKEN).await.unwrap_err();
    let said = failed.to_string();
    assert!(said.contains("0002_broken"), "{said}");
    let mut look = test.connection().await;
    assert!(!is_there(&mut look, "registry.half").await, "the broken step left a table behind");

    let database = test.try_open(MENDED).await.unwrap();
    assert!(is_there(&mut look, "registry.whole").await);
    for table in ["town_home.more", "\"town_side-town\".more"] {
        assert!(is_there(&mut look, table).await, "{table}");
    }
    database.registry().add_town(&town("third"), &token("owner", "third")).await.unwrap();
    assert!(is_there(&mut look, "town_third.more").await, "a new town has every step at once");
}

#[tokio::test]
async fn a_start_that_dies_in_the_middle_is_taken_up_by_the_next() {
    // Its connection breaks while a step waits: what the step did is undone, and its lock is free again.
    let test = TestDatabase::empty().await;
    with_two_towns(&test).await.end().await;
    let mut block = test.connection().await;
    block.execute("BEGIN; CREATE TABLE town_home.more (other int)").await.unwrap();
    let (config, mut kill) = (test.config(), test.connection().await);
    let start = spawn("start", async move { Database::open(&config, MENDED).await.map(|_database| ()) });
    within("the step that waits is killed", async {
        let waits = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
            AND application_name = 'robbie-cloud' AND datname = current_database()";
        while kill.execute(waits).await.unwrap().rows_affected() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(start.await.unwrap().unwrap().is_err());
    block.execute("ROLLBACK").await.unwrap();
    assert!(!is_there(&mut kill, "town_home.more").await);
    test.try_open(MENDED).await.unwrap();
    assert!(is_there(&mut kill, "town_home.more").await);
}

#[tokio::test]
async fn a_newer_database_is_refused_as_it_is() {
    // An older program that comes back after an update must not write into what it does not know; nor may one that still runs
    // make a town that lacks what the newer one needs.
    let test = TestDatabase::empty().await;
    let older = with_two_towns(&test).await;
    test.try_open(MENDED).await.unwrap();
    let refused = test.try_open(Migrations::OWN).await.unwrap_err();
    assert!(
        matches!(&refused, OpenError::Migration(MigrationError::Newer { found: 2, known: 1, .. })),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("newer version"), "{refused}");
    let made = older.registry().add_town(&town("late"), &token("owner", "late")).await;
    assert!(made.is_err());
    assert_eq!(older.registry().towns(None).await.unwrap().len(), 2, "nothing of the town is there");
    let mut look = test.connection().await;
    assert!(!is_there(&mut look, "town_late.sync_rows").await);
    // What is there already, it goes on serving.
    older.town(&named("home")).begin_write(&[Scope::Town]).await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_user_of_the_database_who_may_not_make_schemas_is_told_what_to_do() {
    let test = TestDatabase::empty().await;
    let mut administrator = test.connection().await;
    let role = format!("{}_weak", test.name());
    administrator.execute(sqlx::AssertSqlSafe(format!("CREATE ROLE {role} LOGIN"))).await.unwrap();
    let url = test.url_of(&role);
    let config = DatabaseConfig::from_url(&url, 1).unwrap();
    let refused = Database::open(&config, Migrations::OWN).await;
    administrator.execute(sqlx::AssertSqlSafe(format!("DROP ROLE {role}"))).await.unwrap();
    let refused = refused.unwrap_err();
    assert!(matches!(&refused, OpenError::Migration(MigrationError::NotAllowed(_))), "{refused:?}");
    assert!(refused.to_string().contains("CREATE EXTENSION vector"), "{refused}");
}
