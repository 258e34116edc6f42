//! The document of the routes that think.

use serde_json::Value;

use super::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn the_document_tells_of_them() {
    let rig = Rig::start(&[]);
    let document = rig.ask("GET", "/api/openapi.json").send().await.expect(200).json();
    for (path, method) in [
        ("/api/ai/tiers", "get"),
        ("/v1/chat/completions", "post"),
        ("/v1/embeddings", "post"),
        ("/v1/models", "get"),
        ("/v1/models/{id}", "get"),
    ] {
        let operation = &document["paths"][path][method];
        assert!(
            operation["summary"]
                .as_str()
                .or(operation["description"].as_str())
                .is_some_and(|text| text.len() > 5),
            "{path}"
        );
        for status in ["200", "401", "403", "429"] {
            assert_ne!(operation["responses"][status], Value::Null, "{path} {status}");
        }
    }
}
