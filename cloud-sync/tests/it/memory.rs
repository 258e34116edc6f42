//! What is found again, and by what.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cloud::{Cloud, Start};
use crate::support::database::TestDatabase;
use crate::support::within;

async fn found(cloud: &Cloud, query: &str) -> Value {
    cloud.owner().get(&format!("/api/memory/search?q={query}")).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_gets_its_vectors_in_the_background() {
    // Found by word at once; soon also where no word is the same. Without weights by the look of its letters, which is said.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let cloud = Start::new(folder.path(), &test.url()).run();
    for text in ["The gramophone is below the stairs", "Water the ferns", "Anna arrives on Monday"] {
        cloud.owner().post("/api/sticky-notes/", &json!({"content": text})).await.expect(201);
    }
    let by_word = found(&cloud, "gramophone").await;
    assert_eq!(by_word["hits"][0]["text"], "The gramophone is below the stairs", "{by_word}");
    let by_letters = within("vectors of everything", async {
        loop {
            let answer = found(&cloud, "gramofone").await;
            if answer["embedded"] == 1.0 {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!(by_letters["embedding"], "lexical");
    let hit = &by_letters["hits"][0];
    assert_eq!(hit["text"], "The gramophone is below the stairs", "{by_letters}");
    assert_eq!(hit["signals"][0]["name"], "meaning", "{hit}");
}
