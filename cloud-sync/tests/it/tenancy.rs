//! No route tells one town, or one user, of what is another's, and none changes it. The list of routes is that of the service's own
//! document: one that is added is tried here, or this test fails and says what it must know of it.

mod frames;
mod home;
mod routes;
mod sockets;

use serde_json::json;

use crate::support::http::Client;
use home::{ALL_SCOPES, ANN, Home, Names, OWNER, Of};
use routes::{PAGES, Route, Whose, routes};

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_tried_is_there_for_its_owner() {
    // Or the tests below would ask for what is not there, and look for words that nobody wrote.
    let home = Home::make().await;
    let (owner, secrets) = (home.cloud.owner(), home.secrets(Of::Town).await);
    let (taken, mut others): (Vec<Route>, Vec<Route>) =
        routes(&home.cloud).await.into_iter().partition(|route| route.method == "DELETE");
    others.extend(taken);
    let mut told = String::new();
    for route in others.iter().filter(|route| !route.is_open()) {
        for ask in route.asks(&home.names, None).iter().filter(|ask| ask.is_plain() || ask.is_socket()) {
            let answer = ask.send(&owner).await;
            assert!(route.whose().is_none() || answer.status != 404, "{ask:?}: {}", answer.body);
            // Nobody connects the robot here.
            assert!(!ask.is_socket() || [101, 503].contains(&answer.status), "{ask:?}: {}", answer.body);
            told += &answer.body;
        }
    }
    for secret in secrets {
        assert!(told.contains(&secret), "nobody is told of {secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_no_route_answers() {
    // None at all, one that nobody made, a person's and a robot's that were revoked, whichever way they are shown.
    let home = Home::make().await;
    let [person, robot] = home.revoked().await;
    let before = home.rows(Of::Town).await;
    let nobody = || home.cloud.nobody();
    let mut nobodies = vec![nobody(), home.cloud.with("rb_0")];
    for secret in [person, robot] {
        nobodies.push(home.cloud.with(&secret));
        nobodies.push(nobody().and("cookie", format!("robbie_cloud_token={secret}")));
        nobodies.push(nobody().and("sec-websocket-protocol", format!("robbie.token.{secret}")));
    }
    for route in routes(&home.cloud).await.iter().filter(|route| !route.is_open()) {
        for ask in route.asks(&home.names, None) {
            for nobody in &nobodies {
                let answer = ask.send(nobody).await;
                assert_eq!(
                    (answer.status, &*answer.problem()),
                    (401, "no-token"),
                    "{ask:?}: {}",
                    answer.body
                );
            }
        }
    }
    assert_eq!(home.rows(Of::Town).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_to_everybody_tells_of_no_town() {
    let home = Home::make().await;
    let (secrets, nobody) = (home.secrets(Of::Town).await, home.cloud.nobody());
    for route in routes(&home.cloud).await.iter().filter(|route| route.is_open()) {
        for ask in route.asks(&home.names, None) {
            let answer = ask.send(&nobody).await;
            assert_ne!(answer.status, 401, "{ask:?} is not open");
            ask.tells_none_of(&answer, &secrets);
        }
    }
    for page in PAGES {
        let answer = nobody.get(page).await;
        assert!(answer.status < 400, "{page}: {}", answer.body);
        assert!(!secrets.iter().any(|secret| answer.body.contains(secret)), "{page}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_towns_owner_finds_nothing_and_changes_nothing() {
    // What is home's is answered as what never was, letter for letter. They have the same name as home's owner.
    let home = Home::make().await;
    let (side, calm) = (home.side(), home.calm());
    let (secrets, never) = (home.secrets(Of::Town).await, Names::never());
    let before = home.rows(Of::Town).await;
    for route in routes(&home.cloud).await.iter().filter(|route| !route.is_open()) {
        let users = [(None, None), (Some(&*home.names.user), Some(&*never.user))];
        for (user, nobody) in users {
            let theirs = route.asks(&home.names, user);
            for (ask, other) in theirs.iter().zip(route.asks(&never, nobody)) {
                let (found, nothing) = (ask.send(&side).await, other.send(&calm).await);
                ask.tells_none_of(&found, &secrets);
                assert!(route.whose().is_none() || found.status == 404, "{ask:?}: {}", found.body);
                assert_eq!(
                    ask.without_names(&found, &home.names),
                    other.without_names(&nothing, &never),
                    "{ask:?}"
                );
            }
        }
    }
    let status = side.get("/api/sync/status").await.expect(200).json();
    assert_eq!((&status["conflicts"], &status["pending"]), (&json!(0), &json!(0)));
    assert_eq!(home.rows(Of::Town).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_of_the_town_finds_nothing_of_its_owners() {
    // With every scope, as long as they do not ask in the owner's name. What is the town's they may read, and change.
    let home = Home::make().await;
    let (ann, secrets, never) =
        (home.person(ANN, &ALL_SCOPES).await, home.secrets(Of::Owner).await, Names::never());
    let before = home.rows(Of::Owner).await;
    for route in routes(&home.cloud).await.iter().filter(|route| !route.is_open()) {
        let whose = route.whose();
        if whose == Some(Whose::Town) && route.method != "GET" {
            continue;
        }
        for (ask, other) in route.asks(&home.names, None).iter().zip(route.asks(&never, None)) {
            let found = ask.send(&ann).await;
            ask.tells_none_of(&found, &secrets);
            match whose {
                Some(Whose::Town) => assert_ne!(found.status, 404, "{ask:?}: {}", found.body),
                Some(Whose::Owner) => assert_eq!(found.status, 404, "{ask:?}: {}", found.body),
                None => {}
            }
            if whose == Some(Whose::Owner) || route.method == "GET" && whose.is_none() {
                let nothing = other.send(&ann).await;
                let found = ask.without_names(&found, &home.names);
                assert_eq!(found, other.without_names(&nothing, &never), "{ask:?}");
            }
        }
    }
    nobody_goes_on_with_anothers_talk(&home, &ann).await;
    // The town's conflict and not the owner's.
    assert_eq!(ann.get("/api/sync/status").await.expect(200).json()["conflicts"], 1);
    // Nor does an admin see the other towns, as the owner of the first one does.
    assert!(!ann.get("/api/towns").await.expect(200).body.contains("side"));
    ann.delete("/api/towns/side").await.expect(404);
    assert_eq!(home.rows(Of::Owner).await, before);
}

/// As one that was never begun is not told.
async fn nobody_goes_on_with_anothers_talk(home: &Home, other: &Client) {
    let talk = json!({"message": "go on", "conversation_id": home.names.talk});
    let refused = other.post("/api/chat", &talk).await.expect(404);
    let unknown = other.get(&format!("/api/conversations/{}", Names::never().talk)).await.expect(404);
    assert_eq!(refused.body, unknown.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_anothers_name_only_an_admin_asks() {
    // On every route that takes a `user_id`, before anything is looked for.
    let home = Home::make().await;
    let ann = home.person(ANN, &["read", "view", "speak", "drive"]).await;
    let before = home.rows(Of::Town).await;
    let mut tried = 0;
    for route in routes(&home.cloud).await.iter().filter(|route| !route.is_open()) {
        for user in [OWNER, "nobody-here"] {
            for ask in route.asks(&home.names, Some(user)) {
                let answer = ask.send(&ann).await;
                assert_eq!(
                    (answer.status, &*answer.problem()),
                    (403, "no-right"),
                    "{ask:?}: {}",
                    answer.body
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "only {tried} requests");
    assert_eq!(home.rows(Of::Town).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robots_secret_is_good_for_keeping_in_step_and_for_the_chain_and_nothing_else() {
    // Neither its own town's nor another's; not even for a stop.
    let home = Home::make().await;
    let (own, other) = frames::robots(&home).await;
    let before = home.rows(Of::Town).await;
    for route in routes(&home.cloud).await.iter().filter(|route| !route.is_open()) {
        if ["/api/sync", "/api/devices/me"].contains(&route.path.as_str()) || route.is_of_the_chain() {
            continue;
        }
        for ask in route.asks(&home.names, None) {
            for secret in [&own, &other] {
                let answer = ask.send(&home.cloud.with(secret)).await;
                assert!([401, 403].contains(&answer.status), "{ask:?}: {}", answer.body);
            }
        }
    }
    assert_eq!(home.rows(Of::Town).await, before);
}
