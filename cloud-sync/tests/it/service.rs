//! The program from its start to its end: what it needs, what it leaves, what it does while its database is away.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use cloud_sync::store::{Migration, Migrations};
use cloud_sync_api::data_dir::DataDir;
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::Executor;

use crate::support::cloud::{Cloud, Start, robbie_cloud, wait_until};
use crate::support::database::TestDatabase;
use crate::support::proxy::{Proxy, Way};
use crate::support::within;

#[tokio::test(flavor = "multi_thread")]
async fn first_start_makes_a_town_with_its_owner_and_the_next_one_finds_it() {
    // Ctrl-C ends it in order; the token is for its owner's eyes only, and is not printed where nobody looks.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let mut cloud = Start::new(folder.path(), &test.url()).run();
    let token = cloud.owner_token();
    let towns = cloud.owner().get("/api/towns").await.expect(200).json();
    assert_eq!(
        (&towns[0]["id"], &towns[0]["owner"], &towns[1]),
        (&json!("home"), &json!("owner"), &Value::Null)
    );
    assert_eq!(cloud.owner().get("/health").await.expect(200).json(), json!({"status": "ok", "faults": []}));
    let mode = std::fs::metadata(folder.path().join("owner-token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    cloud.signal(Signal::INT);
    assert!(cloud.ended().success());
    assert!(cloud.log().contains("owner-token"), "{}", cloud.log());
    assert!(!cloud.log().contains(&token), "{}", cloud.log());
    assert!(!folder.path().join("cloud.json").exists());

    let cloud = Start::new(folder.path(), &test.url()).arguments(&["--print-url"]).run();
    assert_eq!(cloud.owner_token(), token);
    wait_until("the URL is printed", || cloud.log().contains(&format!("{}/?token={token}", cloud.url())));
    let tokens = cloud.owner().get("/api/tokens").await.expect(200).json();
    assert_eq!(tokens.as_array().unwrap().len(), 1);

    // A second replica with a folder of its own gets an owner's token of its own.
    let other = tempfile::tempdir().unwrap();
    let replica = Start::new(other.path(), &test.url()).run();
    assert_ne!(replica.owner_token(), token);
    replica.owner().get("/api/towns").await.expect(200);
    replica.with(&token).get("/api/towns").await.expect(200);
    let refused = DataDir::open(&cloud_sync::data_dir::CLOUD, folder.path()).unwrap_err().to_string();
    assert!(refused.contains("another cloud"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_needs_it_says() {
    // Usage 64, configuration 78; a password is never repeated.
    let folder = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], url: Option<&str>, code: i32, words: &[&str]| {
        let mut command = robbie_cloud();
        command.args(arguments).arg("--data").arg(folder.path());
        if let Some(url) = url {
            command.env("DATABASE_URL", url);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        for word in words {
            assert!(said.contains(word), "{said}: {word}");
        }
        assert!(!said.contains("s3cret"), "{said}");
    };
    let fine = "postgres://robbie:s3cret@127.0.0.1:1/x";
    check(&["run"], None, 78, &["DATABASE_URL is not set", "postgres://"]);
    check(&["run"], Some("s3cret"), 78, &["DATABASE_URL is not a Postgres URL"]);
    check(
        &["run", "--listen", "0.0.0.0:8000"],
        Some(fine),
        78,
        &["http.certificate", "http.trusted_proxies"],
    );
    check(&["run", "--set", "warp=9"], Some(fine), 78, &["no such key"]);
    check(&["run", "--warp"], Some(fine), 64, &["--warp"]);
    check(&["device", "list", "--url", "http://127.0.0.1:1"], None, 69, &["ROBBIE_TOKEN"]);

    let test = TestDatabase::empty().await;
    let nowhere = test.url().replace("robbie_test_", "robbie_gone_");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    check(&["run", "--listen", "127.0.0.1:0"], Some(&nowhere), 78, &["does not let us in", "DATABASE_URL"]);
    check(&["run", "--listen", &listen], Some(&nowhere), 69, &["--listen"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_ends_the_start() {
    // With what helps, and without a change.
    const NEWER: Migrations = Migrations {
        registry: Migrations::OWN.registry,
        town: &[Migration { number: 999, name: "0999_later", sql: "SELECT 1" }],
    };
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    drop(test.try_open(NEWER).await.unwrap());
    let mut cloud = Start::new(folder.path(), &test.url()).spawn();
    assert_eq!(cloud.ended().code(), Some(78));
    assert!(cloud.log().contains("newer version"), "{}", cloud.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_its_first_start_it_goes_on_at_the_next() {
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    // The registry's first step waits for a table of the same name that somebody is about to make.
    let mut block = test.connection().await;
    block
        .execute("CREATE SCHEMA registry; BEGIN; CREATE TABLE registry.pairing_codes (other int)")
        .await
        .unwrap();
    let mut cloud = Start::new(folder.path(), &test.url()).spawn();
    let mut look = test.connection().await;
    within("the step waits", async {
        let waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() \
            AND application_name = 'robbie-cloud'";
        while look.fetch_all(waits).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    cloud.signal(Signal::KILL);
    cloud.ended();
    block.execute("ROLLBACK").await.unwrap();
    let cloud = Start::new(folder.path(), &test.url()).run();
    cloud.owner().get("/api/devices").await.expect(200);
}

async fn health(cloud: &Cloud) -> Value {
    cloud.nobody().get("/health").await.expect(200).json()
}

async fn until_health(cloud: &Cloud, status: &str) {
    within(status, async {
        while health(cloud).await["status"] != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_is_503_until_it_is_back() {
    // Whether it breaks off or falls silent; health says so, and everything works again without a restart.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let proxy = Proxy::to(&test.url()).await;
    let cloud = Start::new(folder.path(), &proxy.url(&test.url())).run();
    let owner = cloud.owner();
    for way in [Way::Cut, Way::Silent] {
        owner.get("/api/users").await.expect(200);
        proxy.set(way);
        let asked = Instant::now();
        let refused = owner.get("/api/users").await.expect(503);
        assert_eq!(refused.problem(), "memory-down");
        assert!(asked.elapsed() < Duration::from_secs(4), "{way:?}: {:?}", asked.elapsed());
        until_health(&cloud, "degraded").await;
        let health = health(&cloud).await;
        assert_eq!(health["faults"][0]["part"], "database");
        assert!(!health.to_string().contains("robbie_test_"), "{health}");
        proxy.set(Way::Open);
        until_health(&cloud, "ok").await;
        owner.post("/api/users", &json!({ "id": format!("{way:?}") })).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_database_that_is_not_there_yet() {
    // Meanwhile everything answers 503 starting, and Ctrl-C ends it.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let proxy = Proxy::to(&test.url()).await;
    proxy.set(Way::Cut);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    drop(taken);
    let start = || {
        Start::new(folder.path(), &proxy.url(&test.url()))
            .arguments(&["--set", &format!("http.listen={listen}")])
    };
    let mut cloud = start().spawn();
    wait_until("it says what it waits for", || cloud.log().contains("waiting for it"));
    let client = crate::support::http::Client::new(listen, None);
    for path in ["/health", "/api/towns", "/nothing"] {
        assert_eq!(client.get(path).await.expect(503).problem(), "starting");
    }
    cloud.signal(Signal::TERM);
    assert!(cloud.ended().success());

    let mut cloud = start().spawn();
    wait_until("it says what it waits for", || cloud.log().contains("waiting for it"));
    proxy.set(Way::Open);
    cloud.wait_until_it_serves();
    client.get("/health").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_home_network_it_is_known_by_its_own_certificate() {
    // Commands beside it know it by itself; whoever is given another fingerprint does not show it a token.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let cloud = Start::new(folder.path(), &test.url()).arguments(&["--lan"]).run();
    let list = |arguments: &[&str]| {
        let output = robbie_cloud()
            .args(["user", "list"])
            .args(arguments)
            .arg("--data")
            .arg(folder.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let (code, said) = list(&[]);
    assert!(code == Some(0) && said.contains("owner"), "{said}");
    wait_until("the fingerprint is printed", || cloud.log().contains("fingerprint "));
    let log = cloud.log();
    let print = log.lines().find_map(|line| line.split("fingerprint ").nth(1)).unwrap().trim_end_matches('.');
    assert_eq!(list(&["--fingerprint", print]).0, Some(0));
    let other = print.replacen(&print[..1], if print.starts_with('0') { "1" } else { "0" }, 1);
    let (code, said) = list(&["--fingerprint", &other]);
    assert!(code == Some(69) && said.contains("--fingerprint"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_is_enough() {
    // A database that bears no more says so in its URL; nothing waits for a second one while it holds the first.
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
    let url = format!("{}?robbie.pool_max=1", test.url());
    let cloud = Start::new(folder.path(), &url).run();
    let owner = cloud.owner();
    owner.post("/api/towns", &json!({ "id": "side" })).await.expect(201);
    let code = owner.post("/api/devices", &json!({})).await.expect(201).text("code");
    let pair = json!({ "code": code, "version": "1" });
    let (paired, users, tokens) = tokio::join!(
        async { cloud.nobody().post("/api/devices/pair", &pair).await.expect(200) },
        async { owner.get("/api/users").await.expect(200) },
        async { owner.get("/api/tokens").await.expect(200) }
    );
    assert_eq!(paired.text("town"), "home");
    assert!(users.json().is_array() && tokens.json().is_array());
    let metrics = cloud.nobody().get("/metrics").await.expect(200).body;
    assert!(metrics.contains("robbie_database_connections 1"), "{metrics}");
}
