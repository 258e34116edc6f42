//! What the service keeps for a moment is never older than what was written through it.

use serde_json::{Value, json};

use crate::support::cloud::{Cloud, Start};
use crate::support::database::TestDatabase;
use crate::support::within;

const NOTES: &str = "/api/sticky-notes/";
const PERSONALITY: &str = "/api/personality";

async fn notes(cloud: &Cloud) -> Vec<String> {
    let rows = cloud.owner().get(NOTES).await.expect(200).json();
    let content = |row: &Value| row["content"].as_str().unwrap().to_owned();
    rows.as_array().unwrap().iter().map(content).collect()
}

async fn mood(cloud: &Cloud) -> Value {
    cloud.owner().get(PERSONALITY).await.expect(200).json()["mood"].clone()
}

/// How often an answer needed no database.
async fn kept(cloud: &Cloud, what: &str) -> u64 {
    let metrics = cloud.nobody().get("/metrics").await.expect(200).body;
    let of_what = |line: &&str| {
        line.starts_with("robbie_cache_total{") && line.contains(what) && line.contains("answer=\"kept\"")
    };
    let line = metrics.lines().find(of_what).unwrap_or_default();
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_again_and_again_needs_no_database_and_misses_nothing() {
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let cloud = Start::new(folder.path(), &test.url()).run();
    within("answers that were kept", async {
        while kept(&cloud, "notes").await == 0 || kept(&cloud, "personality").await == 0 {
            assert_eq!(notes(&cloud).await, [""; 0]);
            assert_eq!(mood(&cloud).await, "friendly");
        }
    })
    .await;
    for number in 0..20 {
        let note =
            cloud.owner().post(NOTES, &json!({ "content": number.to_string() })).await.expect(201).json();
        assert_eq!(notes(&cloud).await, [number.to_string()]);
        let path = format!("{NOTES}{}", note["id"].as_str().unwrap());
        cloud.owner().ask("PATCH", &path, Some(&json!({ "content": "changed" }))).await.expect(200);
        assert_eq!(notes(&cloud).await, ["changed"]);
        cloud.owner().delete(&path).await;
        assert_eq!(notes(&cloud).await, [""; 0]);
        let wanted = ["playful", "focused"][number % 2];
        cloud.owner().post("/api/mood/update", &json!({ "mood": wanted })).await.expect(200);
        assert_eq!(mood(&cloud).await, wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_replica_wrote_is_there_within_two_seconds() {
    let test = TestDatabase::empty().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let here = Start::new(folders[0].path(), &test.url()).run();
    let there = Start::new(folders[1].path(), &test.url()).run();
    within("pages that are kept", async {
        while kept(&here, "notes").await == 0 {
            notes(&here).await;
        }
    })
    .await;
    there.owner().post(NOTES, &json!({ "content": "of there" })).await.expect(201);
    let written = std::time::Instant::now();
    within("the other's note", async { while notes(&here).await.is_empty() {} }).await;
    assert!(written.elapsed().as_secs() < 2, "{:?}", written.elapsed());
}
