//! The contract of the assistant's routes, kept by the real service over a real Postgres. What was said beforehand comes from
//! paired robots.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, turns};
use serde_json::json;
use tokio::runtime::Handle;

use crate::contract::{self, OTHER_SAID, OWNER_SAID, Person, Program};
use crate::support::cloud::{Cloud, Start};
use crate::support::database::TestDatabase;
use crate::support::robot::{Robot, op};

/// Without limits of rate.
pub(crate) const UNLIMITED: [&str; 8] = [
    "--set",
    "limits.read_per_min=0",
    "--set",
    "limits.write_per_min=0",
    "--set",
    "limits.chat_per_min=0",
    "--set",
    "limits.motion_per_s=0",
];

/// A conversation of the robot's user.
async fn said(robot: &mut Robot, talk: &str, texts: &[&str]) {
    robot.greet().await;
    let turn = |(place, text): (usize, &&str)| {
        let fields = vec![
            Field::row(turns::CONVERSATION, RowId::named(talk)),
            Field::int(turns::SENDER, i64::from(place % 2 == 1)),
            Field::text(turns::TEXT, text),
            Field::int(turns::AT_MS, 1_763_488_800_000 + place as i64 * 60_000),
        ];
        op(Kind::Insert, Table::Turns, RowId::named(&format!("{talk}/{place}")), 0, fields)
    };
    robot.push(texts.iter().enumerate().map(turn).collect()).await;
}

async fn token(cloud: &Cloud, name: &str, user: &str, scopes: &[&str]) -> (String, String) {
    let wish = json!({"name": name, "user_id": user, "scopes": scopes, "class": "remote"});
    let made = cloud.owner().post("/api/tokens", &wish).await.expect(201);
    (made.text("id"), made.text("token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_keeps_the_contract_of_the_assistants_routes() {
    // Every rule that the robot's store has to keep too, and those of two towns.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let cloud = Start::new(folder.path(), &test.url()).arguments(&UNLIMITED).run();
    cloud.owner().post("/api/users", &json!({"id": "ann"})).await.expect(201);
    let elsewhere = cloud.owner().post("/api/towns", &json!({"id": "elsewhere"})).await.expect(201);
    said(&mut Robot::pair(&cloud, "kitchen", "owner").await, "a talk", &OWNER_SAID).await;
    said(&mut Robot::pair(&cloud, "shed", "ann").await, "another talk", &OTHER_SAID).await;
    let (doomed_id, doomed) = token(&cloud, "doomed", "owner", &["read"]).await;
    let (client, runtime) = (cloud.owner(), Handle::current());
    let program = Program {
        address: cloud.address(),
        owner: Person { user_id: "owner".to_owned(), token: cloud.owner_token() },
        other: Person {
            user_id: "ann".to_owned(),
            token: token(&cloud, "ann", "ann", &["read", "speak"]).await.1,
        },
        reader: token(&cloud, "reader", "owner", &["read"]).await.1,
        speaker: token(&cloud, "speaker", "owner", &["speak"]).await.1,
        doomed,
        revoke: Box::new(move || {
            let path = format!("/api/tokens/{doomed_id}");
            runtime.block_on(async { client.delete(&path).await.expect(204) });
        }),
        elsewhere: Some((cloud.address(), elsewhere.text("token"))),
    };
    tokio::task::spawn_blocking(move || contract::check_all(&program)).await.unwrap();
}
