//! Robots become devices by a code, and stop being devices when they are revoked.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::Executor;

use crate::support::cloud::{Cloud, Start};
use crate::support::database::TestDatabase;
use crate::support::http::{Answer, Client};
use crate::support::within;

struct Rig {
    cloud: Cloud,
    owner: Client,
    test: TestDatabase,
    _folder: tempfile::TempDir,
}

async fn rig() -> Rig {
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().expect("a folder"));
    // Behind a proxy, so that a test can come from any address.
    let arguments = ["--set", "http.trusted_proxies=127.0.0.1", "--set", "limits.write_per_min=0"];
    let cloud = Start::new(folder.path(), &test.url()).arguments(&arguments).run();
    Rig { owner: cloud.owner(), cloud, test, _folder: folder }
}

impl Rig {
    async fn code(&self, body: Value) -> String {
        self.owner.post("/api/devices", &body).await.expect(201).text("code")
    }

    async fn pair_from(&self, address: &str, body: Value) -> Answer {
        self.cloud.nobody().and("x-forwarded-for", address).post("/api/devices/pair", &body).await
    }

    async fn pair(&self, code: &str) -> Answer {
        let body = json!({ "code": code, "robot": "robbie", "version": "0.1.0" });
        self.pair_from("192.0.2.1", body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_is_paired_by_a_code_and_told_who_it_is() {
    // Its secret is good for what devices do and for nothing else; a person's token is not good for that.
    let rig = rig().await;
    rig.owner.post("/api/users", &json!({ "id": "ann" })).await.expect(201);
    let code = rig.code(json!({ "user_id": "ann" })).await;
    assert_eq!(code.len(), 8);
    let typed = format!("{}-{}", code[..4].to_lowercase(), &code[4..]);
    let paired = rig.pair(&typed).await.expect(200);
    let device = rig.cloud.with(&paired.text("secret"));
    let me = device.get("/api/devices/me").await.expect(200).json();
    assert_eq!(me, json!({ "town": "home", "robot": "robbie", "user_id": "ann", "mqtt": null }));
    for member in ["town", "robot", "user_id"] {
        assert_eq!(paired.json()[member], me[member]);
    }
    for path in ["/api/towns", "/api/users", "/api/tokens", "/api/devices"] {
        device.get(path).await.expect(403);
        device.post(path, &json!({})).await.expect(403);
    }
    rig.owner.get("/api/devices/me").await.expect(403);
    rig.cloud.nobody().get("/api/devices/me").await.expect(401);
    let listed = rig.owner.get("/api/devices").await.expect(200).json();
    assert_eq!((&listed[0]["id"], &listed[0]["version"]), (&json!("robbie"), &json!("0.1.0")));
    assert!(!listed.to_string().contains(&paired.text("secret")[3..]));
    assert!(!rig.cloud.log().contains(&code) && !rig.cloud.log().contains(&paired.text("secret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_and_for_ten_minutes() {
    // Also when two robots show it at the same moment.
    let rig = rig().await;
    let code = rig.code(json!({})).await;
    let (first, second) = tokio::join!(rig.pair(&code), rig.pair(&code));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    let used = rig.pair(&code).await.expect(404);

    let code = rig.code(json!({})).await;
    let mut clock = rig.test.connection().await;
    clock.execute("UPDATE registry.pairing_codes SET expires_ms = expires_ms - 600001").await.unwrap();
    let late = rig.pair(&code).await.expect(404);
    let unknown = rig.pair("23456789").await.expect(404);
    assert_eq!((&used.body, &used.body), (&late.body, &unknown.body), "nobody learns which codes ever were");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_codes_is_not_listened_to_for_a_while() {
    // Five wrong ones from an address; a right one afterwards does not help, from elsewhere it does. After ten minutes the
    // address may try again.
    let rig = rig().await;
    let code = rig.code(json!({})).await;
    for wrong in ["23456789", "ABCDEFGH", "", "not a code at all", "22222222"] {
        rig.pair(wrong).await.expect(404);
    }
    let held = rig.pair(&code).await.expect(429);
    assert_eq!(held.problem(), "rate-limited");
    let wait_s: u64 = held.header("retry-after").unwrap().parse().unwrap();
    assert!((500..=600).contains(&wait_s), "{wait_s}");
    let body = json!({ "code": code, "version": "1" });
    rig.pair_from("192.0.2.2", body).await.expect(200);

    let code = rig.code(json!({})).await;
    rig.pair(&code).await.expect(429);
    let mut clock = rig.test.connection().await;
    clock.execute("UPDATE registry.wrong_codes SET at_ms = at_ms - 600001").await.unwrap();
    rig.pair(&code).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_robot_is_refused_within_a_second_and_can_be_paired_anew() {
    // On every replica; the secret that it had stays dead.
    let rig = rig().await;
    let other = tempfile::tempdir().unwrap();
    let replica =
        Start::new(other.path(), &rig.test.url()).arguments(&["--set", "limits.read_per_min=0"]).run();
    let first = rig.pair(&rig.code(json!({})).await).await.expect(200).text("secret");
    let there = replica.with(&first);
    within("the other replica knows it", async { while there.get("/api/devices/me").await.status != 200 {} })
        .await;
    rig.owner.delete("/api/devices/robbie").await.expect(204);
    let revoked = Instant::now();
    rig.cloud.with(&first).get("/api/devices/me").await.expect(401);
    within("the other replica refuses it", async {
        while there.get("/api/devices/me").await.status != 401 {}
    })
    .await;
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    rig.owner.delete("/api/devices/robbie").await.expect(404);
    let listed = rig.owner.get("/api/devices").await.expect(200).json();
    assert!(listed[0]["revoked_at"].is_string(), "{listed}");

    let second = rig.pair(&rig.code(json!({})).await).await.expect(200);
    assert_eq!(second.text("robot"), "robbie");
    rig.cloud.with(&second.text("secret")).get("/api/devices/me").await.expect(200);
    rig.cloud.with(&first).get("/api/devices/me").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_robots_that_wish_one_name_get_two() {
    // One that shows its earlier secret keeps its name; a name that the code says is given, whoever had it.
    let rig = rig().await;
    let first = rig.pair(&rig.code(json!({})).await).await.expect(200);
    let second = rig.pair(&rig.code(json!({})).await).await.expect(200);
    assert_eq!([first.text("robot"), second.text("robot")], ["robbie", "robbie-2"]);
    let again = json!({ "code": rig.code(json!({})).await, "robot": "robbie", "version": "2",
        "secret": second.text("secret") });
    let again = rig.pair_from("192.0.2.1", again).await.expect(200);
    assert_eq!(again.text("robot"), "robbie-2");
    rig.cloud.with(&second.text("secret")).get("/api/devices/me").await.expect(401);
    rig.cloud.with(&again.text("secret")).get("/api/devices/me").await.expect(200);
    let named = rig.pair(&rig.code(json!({ "robot": "robbie" })).await).await.expect(200);
    assert_eq!(named.text("robot"), "robbie");
    rig.cloud.with(&first.text("secret")).get("/api/devices/me").await.expect(401);

    for (body, field) in [
        (json!({ "code": "A", "robot": "Robbie", "version": "1" }), "robot"),
        (json!({ "code": "A", "version": "x\ny" }), "version"),
        (json!({ "version": "1" }), "code"),
    ] {
        assert_eq!(rig.pair_from("192.0.2.3", body).await.expect(400).json()["field"], field);
    }
    let long = json!({ "code": "A", "version": "1".repeat(65) });
    rig.pair_from("192.0.2.3", long).await.expect(413);
}
