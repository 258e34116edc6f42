//! The document, its pages, and that both agree with what the routes do.

use serde_json::Value;

use crate::support::{Setup, start};

#[tokio::test]
async fn the_document_tells_who_may() {
    // OpenAPI 3.1; every operation says whether it needs a token, and those that do refuse without one.
    let running = start(Setup::default()).await;
    let reply = running.ask("GET", "/api/openapi.json", &[], b"").await;
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let document = reply.json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    assert!(document["components"]["schemas"]["Problem"]["properties"]["detail"].is_object());
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let needs_token = operation["security"].as_array().is_some_and(|ways| !ways.is_empty());
            let status = running.ask(&method.to_uppercase(), path, &[], b"").await.status;
            assert_eq!(status == 401, needs_token, "{method} {path}: {status}");
            assert_eq!(operation["responses"].get("401").is_some(), needs_token, "{method} {path}");
            seen += 1;
        }
    }
    assert_eq!(seen, 7);
    let velocity = &document["paths"]["/api/robot/velocity"]["post"];
    assert_eq!(velocity["security"][0]["bearer"][0], "drive");
    for status in ["202", "400", "401", "403", "413", "429"] {
        assert!(velocity["responses"].get(status).is_some(), "{status}");
    }
    let content = &velocity["responses"]["403"]["content"]["application/problem+json"];
    assert_eq!(content["schema"]["$ref"], "#/components/schemas/Problem");
}

#[tokio::test]
async fn every_problem_has_a_page() {
    // The type of an answer leads there; unknown names are 404.
    let running = start(Setup::default()).await;
    for kind in cloud_sync_api::catalogue::ALL {
        let reply = running.ask("GET", kind.uri, &[], b"").await;
        assert_eq!(reply.status, 308);
        let page = running.ask("GET", reply.header("location").unwrap(), &[], b"").await;
        assert_eq!(page.status, 200);
        assert!(String::from_utf8_lossy(&page.body).contains(kind.title), "{}", kind.slug);
    }
    running.ask("GET", "/problems/none", &[], b"").await.is_problem(404, "not-found");
    running.ask("GET", "/docs/problems/none", &[], b"").await.is_problem(404, "not-found");
    assert_eq!(running.ask("GET", "/docs/problems/", &[], b"").await.status, 200);
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    // The page, with and without slash, and every file it names; no inline script, and a policy that forbids any.
    let running = start(Setup::default()).await;
    for path in ["/docs", "/docs/"] {
        let reply = running.ask("GET", path, &[], b"").await;
        assert_eq!(reply.status, 200);
        assert!(reply.header("content-security-policy").unwrap().contains("script-src 'self';"));
        let page = String::from_utf8(reply.body).unwrap();
        assert!(!page.contains("://") && !page.contains("<script>"), "{page}");
        for part in page.split('"').filter(|part| part.starts_with("/docs/")) {
            let file = running.ask("GET", part, &[], b"").await;
            assert!(file.status == 200 && file.body.len() > 100, "{part}");
        }
    }
    let start = running.ask("GET", "/docs/swagger-initializer.js", &[], b"").await;
    assert!(String::from_utf8_lossy(&start.body).contains("/api/openapi.json"));
    running.ask("GET", "/docs/nothing.js", &[], b"").await.is_problem(404, "not-found");
}

#[tokio::test]
async fn health_tells_what_is_wrong() {
    // 503 while starting, then ok, then degraded with the fault; open to everybody.
    let running = start(Setup::default()).await;
    running.ask("GET", "/health", &[], b"").await.is_problem(503, "starting");
    running.faults.has_started();
    let reply = running.ask("GET", "/health", &[], b"").await;
    assert_eq!(reply.json(), serde_json::json!({ "status": "ok", "faults": [] }));
    running.faults.set("link", "no answer");
    let health: Value = running.ask("GET", "/health", &[], b"").await.json();
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["faults"][0], serde_json::json!({ "part": "link", "detail": "no answer" }));
}
