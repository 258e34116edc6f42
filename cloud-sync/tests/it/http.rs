//! What every route has in common: documents, metrics, foreign pages, limits.

use serde_json::json;

use crate::support::cloud::{Cloud, Start};
use crate::support::database::TestDatabase;

async fn start(arguments: &[&str]) -> (Cloud, TestDatabase, tempfile::TempDir) {
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().expect("a folder"));
    let cloud = Start::new(folder.path(), &test.url()).arguments(arguments).run();
    (cloud, test, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_stands_in_the_document_with_who_may() {
    let (cloud, _test, _folder) = start(&[]).await;
    let document = cloud.nobody().get("/api/openapi.json").await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in
        ["/api/towns", "/api/users", "/api/tokens", "/api/devices", "/api/devices/pair", "/api/devices/me"]
    {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    assert_eq!(document["paths"]["/api/devices/pair"]["post"]["security"], json!([]));
    assert_eq!(document["paths"]["/api/devices/me"]["get"]["security"], json!([{ "bearer": [] }]));
    assert!(cloud.nobody().get("/docs").await.expect(200).body.contains("html"));
    cloud.nobody().get("/nothing").await.expect(404);
    cloud.owner().ask("PUT", "/api/towns", None).await.expect(405);
    cloud.owner().get("/api/towns/").await.expect(200);

    // The URL that the start prints logs a browser in, and leads to the documentation.
    let path = format!("/?token={}", cloud.owner_token());
    let entered = cloud.nobody().get(&path).await.expect(303);
    let cookie = entered.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    cloud.nobody().and("cookie", cookie).get("/api/towns").await.expect(200);
    assert_eq!(cloud.nobody().get("/").await.expect(303).header("location"), Some("/docs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_this_machine() {
    let (cloud, _test, _folder) = start(&[]).await;
    cloud.nobody().get("/api/towns").await.expect(401);
    let metrics = cloud.nobody().get("/metrics").await.expect(200).body;
    for figure in ["robbie_database_connections ", "robbie_http_refused_total{status=\"401\"} 1"] {
        assert!(metrics.contains(figure), "{metrics}");
    }
    cloud.nobody().and("x-forwarded-for", "192.0.2.1").get("/metrics").await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_named_pages_from_elsewhere_may_use_it() {
    // Neither asking beforehand nor the request itself, nor by a name that somebody has rebound.
    let (cloud, _test, _folder) = start(&["--set", "http.cors_origins=https://app.example"]).await;
    let preflight = |origin: &str| {
        let asked = cloud.nobody().and("origin", origin).and("access-control-request-method", "DELETE");
        async move { asked.ask("OPTIONS", "/api/tokens/1", None).await }
    };
    let allowed = preflight("https://app.example").await;
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(allowed.header("access-control-allow-credentials"), None);
    assert_eq!(preflight("https://evil.example").await.header("access-control-allow-origin"), None);
    cloud.owner().and("origin", "https://app.example").get("/api/towns").await.expect(200);
    cloud.owner().and("origin", "https://evil.example").get("/api/towns").await.expect(403);
    cloud.owner().and("host", "evil.example").get("/api/towns").await.expect(403);

    let (closed, _test, _folder) = start(&[]).await;
    closed.owner().and("origin", "https://app.example").get("/api/towns").await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_so_many_requests_a_minute_and_others_have_their_own() {
    // The contract's 100 writes; the answer says when to come again.
    let (cloud, _test, _folder) = start(&[]).await;
    let owner = cloud.owner();
    let other = owner.post("/api/tokens", &json!({ "scopes": ["admin"] })).await.expect(201).text("token");
    let other = cloud.with(&other);
    for _ in 0..100 {
        other.post("/api/users", &json!({ "id": "" })).await.expect(400);
    }
    let held = other.post("/api/users", &json!({ "id": "" })).await.expect(429);
    assert_eq!(held.problem(), "rate-limited");
    assert!(held.header("retry-after").is_some());
    other.get("/api/users").await.expect(200);
    owner.post("/api/users", &json!({ "id": "" })).await.expect(400);
}
