//! Transactions of towns: who waits for whom.

use std::time::Duration;

use cloud_sync::store::registry::{Device, DeviceWish, NewCode, PairWish, UserRow};
use cloud_sync::store::{DatabaseError, Id, RegistryError};
use cloud_sync_api::supervise::spawn;
use cloud_sync_protocol::sync::op::Scope;

use crate::support::database::{TestDatabase, hash, named, token, town};
use crate::support::{now_ms, within};

#[tokio::test]
async fn writers_of_one_scope_take_turns_and_others_do_not_wait() {
    // Whatever the order in which they name their scopes.
    let test = TestDatabase::empty().await;
    let database = test.open().await;
    database.registry().first_start(&town("home"), &token("owner", "first")).await.unwrap();
    let home = database.town(&named("home"));
    let (ann, ben) = (Scope::User("ann".to_owned()), Scope::User("ben".to_owned()));

    let first = home.begin_write(&[Scope::Town, ann.clone()]).await.unwrap();
    within("another user's rows", home.begin_write(std::slice::from_ref(&ben)))
        .await
        .unwrap()
        .commit()
        .await
        .unwrap();
    let other_town = database.town(&named("elsewhere"));
    within("another town's rows", other_town.begin_write(&[Scope::Town])).await.unwrap();
    within("a reader", home.begin()).await.unwrap();

    let waiting = home.clone();
    let second = spawn("second", async move { waiting.begin_write(&[ben, ann, Scope::Town]).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!second.is_finished(), "it waits for the one before");
    first.commit().await.unwrap();
    within("the second writer", second).await.unwrap().unwrap().unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn nobody_waits_longer_than_two_seconds_for_a_connection() {
    // Then it is said that the database is busy; afterwards it works again.
    let test = TestDatabase::empty().await;
    let database = test.open().await;
    database.registry().first_start(&town("home"), &token("owner", "first")).await.unwrap();
    let home = database.town(&named("home"));
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(home.begin().await.unwrap());
    }
    let refused = within("a refusal", home.begin()).await;
    assert!(matches!(refused, Err(DatabaseError::Busy)), "{refused:?}");
    held.clear();
    within("a connection that is free again", home.begin()).await.unwrap();
}

#[tokio::test]
async fn whoever_leaves_at_the_beginning_leaves_nothing_behind() {
    // An app that closes its connection while a reader begins: the next writer gets no connection that only reads.
    let test = TestDatabase::empty().await;
    let database = test.open().await;
    let registry = database.registry();
    registry.first_start(&town("home"), &token("owner", "first")).await.unwrap();
    let home = named("home");
    for number in 0..400 {
        let leaves = Duration::from_micros(number * 5);
        drop(tokio::time::timeout(leaves, registry.users(&home)).await);
        let row = UserRow { id: format!("user {number}"), created_ms: now_ms() };
        within("a writer", registry.add_user(&home, &row)).await.unwrap();
    }
}

#[tokio::test]
async fn a_code_makes_one_device_once() {
    // The name it wished, with a number where that is taken; by its old secret it is known again.
    let test = TestDatabase::empty().await;
    let database = test.open().await;
    let registry = database.registry();
    registry.first_start(&town("home"), &token("owner", "first")).await.unwrap();
    let home = named("home");
    let code = async |code: &str, robot: Option<&str>| {
        let wish =
            DeviceWish { user_id: "owner".to_owned(), robot: robot.map(|robot| robot.parse().unwrap()) };
        let new = NewCode { hash: hash(code), now_ms: now_ms() };
        registry.add_code(&home, &wish, &new).await.unwrap();
    };
    let pair = async |code: &str, secret: &str, known: Option<&str>| {
        let wish = PairWish {
            code: hash(code),
            address: "192.0.2.1".to_owned(),
            robot: Some("robbie".parse().unwrap()),
            version: "1".to_owned(),
            known: known.map(hash),
            belongs: None,
            secret: hash(secret),
            now_ms: now_ms(),
        };
        registry.pair(&wish).await.map(|paired| paired.robot.to_string())
    };
    code("A", None).await;
    assert_eq!(pair("A", "s1", None).await.unwrap(), "robbie");
    assert!(matches!(pair("A", "s2", None).await, Err(RegistryError::WrongCode)));
    code("B", None).await;
    assert_eq!(pair("B", "s2", None).await.unwrap(), "robbie-2");
    code("C", None).await;
    assert_eq!(pair("C", "s3", Some("s1")).await.unwrap(), "robbie");
    code("D", Some("kitchen")).await;
    assert_eq!(pair("D", "s4", None).await.unwrap(), "kitchen");
    let devices = registry.devices(&home).await.unwrap();
    let names: Vec<&str> = devices.iter().map(|device: &Device| device.id.as_str()).collect();
    assert_eq!(names, ["kitchen", "robbie", "robbie-2"]);
}

#[tokio::test]
async fn a_row_id_is_a_uuid() {
    // Alone and in a list, to Postgres and back; also as text, as a statement without values gives it.
    let test = TestDatabase::empty().await;
    let mut look = test.connection().await;
    let text = "019ab5b0-7a30-7cc1-9b1e-0f2f6b0c9a11";
    let id = Id(text.parse().unwrap());
    let (back, list, said): (Id, Vec<Id>, String) = sqlx::query_as("SELECT $1, ARRAY[$1] || $2, $1::text")
        .bind(id)
        .bind(vec![id])
        .fetch_one(&mut look)
        .await
        .unwrap();
    assert_eq!((back, list, said.as_str()), (id, vec![id, id], text));
    let row = sqlx::raw_sql("SELECT '019ab5b0-7a30-7cc1-9b1e-0f2f6b0c9a11'::uuid").fetch_one(&mut look).await;
    assert_eq!(sqlx::Row::get::<Id, _>(&row.unwrap(), 0), id);
}
