//! Beyond this machine only over TLS.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::Place;
use crate::support::agent::{Agent, Start};
use crate::support::http::Client;
use crate::support::programs::robbie_agent;

#[test]
fn plain_http_beyond_loopback_is_refused_with_the_ways_to_do_it() {
    // Exit code 78, and every way out by name.
    let place = Place::new();
    let refused = Start::listening(&place, "0.0.0.0:0").refused();
    assert_eq!(refused.code, Some(78), "{refused:?}");
    for needed in ["0.0.0.0:0", "--lan", "http.certificate", "http.trusted_proxies", "127.0.0.1"] {
        assert!(refused.text.contains(needed), "{needed} is missing in {refused:?}");
    }
}

/// `robbie-agent status` as on a phone's terminal: address, token and fingerprint from the banner.
fn status(agent: &Agent, fingerprint: &str) -> Output {
    let url = format!("https://127.0.0.1:{}/?token={}", agent.address.port(), agent.token);
    let mut command = Command::new(robbie_agent());
    command.env_clear().args(["status", "--json", "--url", &url, "--fingerprint", fingerprint]);
    command.output().unwrap()
}

#[test]
fn lan_serves_tls_with_a_certificate_of_its_own_that_can_be_pinned() {
    // The fingerprint that it prints opens it, any other does not, plain HTTP gets nothing, and it is kept over starts.
    let place = Place::new();
    let agent = Start::listening(&place, "127.0.0.1:0").arguments(&["--lan", "--print-url"]).run();
    let run_file: Value =
        serde_json::from_slice(&std::fs::read(place.data().join("agent.json")).unwrap()).unwrap();
    let fingerprint = run_file["fingerprint"].as_str().unwrap().to_owned();
    assert!(agent.url.starts_with("https://127.0.0.1:"), "{}", agent.url);
    agent.wait_for_log(&fingerprint);
    agent.wait_for_log(&format!("{}/?token={}", agent.url, agent.token));

    let shown = status(&agent, &fingerprint);
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let state: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(state["seen"]["run"].is_string(), "{state}");

    let digit = if fingerprint.starts_with('0') { "1" } else { "0" };
    let other = format!("{digit}{}", &fingerprint[1..]);
    let refused = status(&agent, &other);
    assert_eq!(refused.status.code(), Some(69), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("fingerprint"), "{refused:?}");

    let mut plain = Client::connect(agent.address, Some(&agent.token));
    assert!(plain.try_ask("GET", "/health", None).is_err());

    assert!(agent.end().success());
    let again = Start::listening(&place, "127.0.0.1:0").arguments(&["--lan"]).run();
    assert!(status(&again, &fingerprint).status.success());
}
