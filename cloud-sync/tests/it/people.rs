//! Towns, users and tokens: who may do what to whom, over HTTP and by the commands.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cloud::{Cloud, Start, robbie_cloud};
use crate::support::database::TestDatabase;
use crate::support::http::Client;
use crate::support::within;

/// A service with two towns: the first one's owner, and the other's.
struct Two {
    cloud: Cloud,
    home: Client,
    side: Client,
    test: TestDatabase,
    folder: tempfile::TempDir,
}

async fn two_towns() -> Two {
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().expect("a folder"));
    let cloud = Start::new(folder.path(), &test.url()).run();
    let home = cloud.owner();
    let made = home.post("/api/towns", &json!({ "id": "side", "owner": "zoe" })).await.expect(201);
    let side = cloud.with(&made.text("token"));
    Two { cloud, home, side, test, folder }
}

fn ids(list: &Value, member: &str) -> Vec<String> {
    let rows = list.as_array().expect("a list");
    rows.iter().map(|row| row[member].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_towns_token_finds_nothing_on_any_route() {
    // Every route of the API that names a thing: what is another town's is answered as what is not there, letter for letter.
    let two = two_towns().await;
    two.home.post("/api/users", &json!({ "id": "ann" })).await.expect(201);
    let ann = json!({ "scopes": ["read"], "user_id": "ann", "name": "secret-app" });
    let token = two.home.post("/api/tokens", &ann).await.expect(201).text("id");
    let code = two.home.post("/api/devices", &json!({ "robot": "kitchen" })).await.expect(201).text("code");
    let pair = json!({ "code": code, "version": "1" });
    two.cloud.nobody().post("/api/devices/pair", &pair).await.expect(200);

    let names = |name: &str| match name {
        "/api/towns/{id}" => ("home", "nowhere"),
        "/api/users/{id}" => ("ann", "nobody"),
        "/api/tokens/{id}" => (token.as_str(), "00000000"),
        "/api/devices/{id}" => ("kitchen", "cellar"),
        other => panic!("say in this test what {other} must not tell another town"),
    };
    let document = two.cloud.nobody().get("/api/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().unwrap();
    let admins = paths.iter().filter(|(_, methods)| methods.as_object().unwrap().values().any(is_admins));
    let mut seen = 0;
    for (path, methods) in admins {
        for (method, _) in methods.as_object().unwrap() {
            seen += 1;
            let method = method.to_uppercase();
            if path.contains('{') {
                let (theirs, unknown) = names(path);
                let foreign = two.side.ask(&method, &path.replace("{id}", theirs), None).await.expect(404);
                let nothing = two.side.ask(&method, &path.replace("{id}", unknown), None).await.expect(404);
                assert_eq!(foreign.body, nothing.body, "{method} {path}");
            } else if method == "GET" {
                let list = two.side.get(path).await.expect(200);
                for theirs in ["home", "ann", "secret-app", "kitchen", token.as_str()] {
                    assert!(!list.body.contains(theirs), "{path} tells of {theirs}: {}", list.body);
                }
            }
        }
    }
    assert!(seen >= 12, "only {seen} routes of admins in the document");
    // What names another town's people or the other town itself.
    for (path, body) in [
        ("/api/tokens", json!({ "scopes": ["read"], "user_id": "ann" })),
        ("/api/tokens", json!({ "scopes": ["read"], "town": "home" })),
        ("/api/tokens", json!({ "scopes": ["read"], "town": "nowhere" })),
        ("/api/devices", json!({ "user_id": "ann" })),
    ] {
        two.side.post(path, &body).await.expect(404);
    }
    two.side.post("/api/towns", &json!({ "id": "home" })).await.expect(403);
    two.side.post("/api/towns", &json!({ "id": "third" })).await.expect(403);
    two.side.delete("/api/towns/side").await.expect(403);
    // Nor does the first town's owner get into another's, though they see that it is there.
    assert_eq!(ids(&two.home.get("/api/towns").await.expect(200).json(), "id"), ["home", "side"]);
    assert_eq!(ids(&two.side.get("/api/towns").await.expect(200).json(), "id"), ["side"]);
    two.home.delete("/api/users/zoe").await.expect(404);
    two.home.post("/api/tokens", &json!({ "scopes": ["read"], "town": "side" })).await.expect(404);
    assert_eq!(ids(&two.side.get("/api/users").await.expect(200).json(), "id"), ["zoe"]);
}

fn is_admins(operation: &Value) -> bool {
    operation["tags"].as_array().is_some_and(|tags| tags.contains(&json!("admin")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_what_its_scopes_say_and_dies_within_a_second() {
    // On the replica that revokes it and on every other.
    let two = two_towns().await;
    let other = tempfile::tempdir().unwrap();
    let replica = Start::new(other.path(), &two.test.url()).run();
    let made = two.home.post("/api/tokens", &json!({ "scopes": ["read", "speak"] })).await.expect(201);
    let (reader, id) = (made.text("token"), made.text("id"));
    assert_eq!(two.cloud.with(&reader).get("/api/users").await.expect(403).problem(), "no-right");
    within("the token is known on the other replica", async {
        while replica.with(&reader).get("/api/users").await.status != 403 {}
    })
    .await;
    let admin =
        two.home.post("/api/tokens", &json!({ "scopes": ["admin"], "class": "remote" })).await.expect(201);
    let admin = two.cloud.with(&admin.text("token"));
    admin.get("/api/users").await.expect(200);
    admin.delete(&format!("/api/tokens/{id}")).await.expect(204);
    two.cloud.with(&reader).get("/api/users").await.expect(401);
    let revoked = Instant::now();
    within("the token is refused on the other replica", async {
        while replica.with(&reader).get("/api/users").await.status != 401 {}
    })
    .await;
    assert!(revoked.elapsed() < Duration::from_secs(1), "{:?}", revoked.elapsed());
    admin.delete(&format!("/api/tokens/{id}")).await.expect(404);
    for nobody in ["", "rb_0", "rd_0"] {
        two.cloud.with(nobody).get("/api/users").await.expect(401);
    }
    two.cloud.nobody().get("/api/users").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_goes_with_their_tokens_and_the_owner_stays() {
    let two = two_towns().await;
    two.home.post("/api/users", &json!({ "id": "ann b/ä" })).await.expect(201);
    two.home.post("/api/users", &json!({ "id": "ann b/ä" })).await.expect(409);
    let made = two.home.post("/api/tokens", &json!({ "scopes": ["admin"], "user_id": "ann b/ä" })).await;
    let ann = two.cloud.with(&made.expect(201).text("token"));
    ann.get("/api/tokens").await.expect(200);
    assert_eq!(two.home.delete("/api/users/owner").await.expect(422).problem(), "out-of-range");
    assert_eq!(two.home.delete("/api/towns/home").await.expect(422).problem(), "out-of-range");
    two.home.delete("/api/users/ann%20b%2F%C3%A4").await.expect(204);
    ann.get("/api/tokens").await.expect(401);
    assert_eq!(ids(&two.home.get("/api/users").await.expect(200).json(), "id"), ["owner"]);
    // A town goes with its people, and its name is free again.
    two.home.delete("/api/towns/side").await.expect(204);
    two.side.get("/api/users").await.expect(401);
    two.home.post("/api/towns", &json!({ "id": "side" })).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_named() {
    // The field at fault, and never a 500.
    let two = two_towns().await;
    let long = "a".repeat(97);
    let check = async |path: &str, body: Value, status: u16, field: &str| {
        let refused = two.home.post(path, &body).await.expect(status);
        assert_eq!(refused.json()["field"], field, "{path} {body}: {}", refused.body);
    };
    for id in ["", "Home", "a b", "ä", "a_b", "\"", &"a".repeat(33)] {
        check("/api/towns", json!({ "id": id }), 400, "id").await;
        check("/api/devices", json!({ "robot": id }), 400, "robot").await;
    }
    for id in ["", " ", "a\0b", "a\nb", &long] {
        check("/api/users", json!({ "id": id }), 400, "id").await;
        check("/api/towns", json!({ "id": "t", "owner": id }), 400, "owner").await;
        check("/api/tokens", json!({ "scopes": ["read"], "user_id": id }), 400, "user_id").await;
        check("/api/tokens", json!({ "scopes": ["read"], "name": id }), 400, "name").await;
        check("/api/devices", json!({ "user_id": id }), 400, "user_id").await;
    }
    check("/api/tokens", json!({ "scopes": [] }), 400, "scopes").await;
    check("/api/tokens", json!({ "scopes": ["fly"] }), 400, "scopes").await;
    check("/api/tokens", json!({}), 400, "scopes").await;
    check("/api/tokens", json!({ "scopes": ["read"], "class": "king" }), 400, "class").await;
    for path in ["/api/users/a%00b", "/api/users/%ff", "/api/tokens/a%00", "/api/devices/A", "/api/towns/%22"]
    {
        two.home.delete(path).await.expect(404);
    }
    two.home.post("/api/users", &json!({ "id": "x", "more": "y".repeat(70_000) })).await.expect(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_do_the_same_and_print_only_what_was_asked_for() {
    let two = two_towns().await;
    let run = |arguments: &[&str]| {
        let output = robbie_cloud().args(arguments).arg("--data").arg(two.folder.path()).output().unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        (output.status.code().unwrap(), said[0].clone(), said[1].clone())
    };
    let prints = |arguments: &[&str]| {
        let (code, said, error) = run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        said
    };
    let town = prints(&["town", "add", "third"]);
    two.cloud.with(town.trim_end()).get("/api/users").await.expect(200);
    assert!(prints(&["town", "list"]).contains("third"));
    prints(&["user", "add", "ann/b"]);
    let token = prints(&["token", "create", "--scope", "read,admin", "--user", "ann/b", "--name", "app"]);
    assert_eq!(token.lines().count(), 1);
    two.cloud.with(token.trim_end()).get("/api/users").await.expect(200);
    assert!(prints(&["token", "list"]).contains("app"));
    prints(&["token", "revoke", "app"]);
    two.cloud.with(token.trim_end()).get("/api/users").await.expect(401);
    let code = prints(&["device", "add", "--robot", "kitchen"]);
    let pair = json!({ "code": code.trim_end(), "version": "1" });
    assert_eq!(
        two.cloud.nobody().post("/api/devices/pair", &pair).await.expect(200).text("robot"),
        "kitchen"
    );
    assert!(prints(&["device", "list"]).contains("kitchen"));
    prints(&["device", "revoke", "kitchen"]);
    prints(&["user", "remove", "ann/b"]);
    assert_eq!(run(&["town", "remove", "third"]).0, 64);
    prints(&["town", "remove", "third", "--yes"]);
    // A refusal says why, and is no success.
    let (code, said, error) = run(&["user", "remove", "owner"]);
    assert_eq!((code, said.as_str()), (1, ""));
    assert!(error.contains("owner stays"), "{error}");
    assert_eq!(run(&["token", "create", "--scope", "read", "--town", "side"]).0, 1);
    let elsewhere = tempfile::tempdir().unwrap();
    let output = robbie_cloud()
        .args(["user", "list", "--url", &two.cloud.url(), "--data"])
        .arg(elsewhere.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(69), "no token of another folder is sent");
}
