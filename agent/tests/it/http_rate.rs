//! How often who may ask: per token, with a word on when to come back, and never for a stop.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::http_rig::{Ask, ESTOP, LEASES, Rig, STATE, STOP, UNLIMITED, VELOCITY, check_problem};
use crate::support::http::{Answer, Client};

fn zero() -> serde_json::Value {
    json!({"linear_mps": 0, "angular_radps": 0})
}

/// How many of `count` requests pass; the refused ones say when to come back.
fn passed(count: usize, mut ask: impl FnMut() -> Answer) -> usize {
    let mut passed = 0;
    for _ in 0..count {
        let answer = ask();
        if answer.status != 429 {
            passed += 1;
            continue;
        }
        let problem = check_problem(&answer, 429, "rate-limited", "refused");
        let wait_ms = problem["retry_after_ms"].as_u64().unwrap();
        let wait_s: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!(wait_ms > 0 && wait_s * 1000 >= wait_ms, "{problem} {wait_s}");
    }
    passed
}

#[test]
fn a_token_that_asks_too_often_is_told_when_to_come_back() {
    // Motion, reads and writes are counted apart, each token for itself; after the wait it is served again.
    let settings =
        ["limits.motion_per_s=5", "limits.read_per_s=8", "limits.write_per_s=1", "limits.write_burst=3"];
    Rig::with(&settings, |rig| {
        let scopes = "read,drive,speak";
        let [hasty, calm] = rig.tokens([("hasty", "local", scopes), ("calm", "local", scopes)]);
        let mut client = rig.client(&hasty);
        let started = Instant::now();
        let motion = passed(40, || client.ask("POST", VELOCITY, Some(&zero())));
        let write = passed(20, || client.ask("POST", LEASES, Some(&json!({"resource": "head"}))));
        let read = passed(40, || client.ask("GET", STATE, None));
        // What comes back while it is asked, rounded up.
        let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
        assert!((5..=5 + 5 * seconds).contains(&motion), "{motion} motion requests in {seconds} s");
        assert!((3..=3 + seconds).contains(&write), "{write} writes in {seconds} s");
        assert!((1..=8 + 8 * seconds).contains(&read), "{read} reads in {seconds} s");

        rig.get(&calm, STATE).expect(200);
        rig.post(&calm, "/api/robot/lights", &json!({})).expect(200);
        std::thread::sleep(Duration::from_millis(300));
        rig.drive(&hasty, 0.0, 0.0).expect(202);
    });
}

#[test]
fn the_usual_limits_are_those_of_the_contract() {
    // 100 motion requests and 100 reads a second, 1,000 writes at once.
    Rig::with(&[], |rig| {
        let [hasty] = rig.tokens([("hasty", "local", "read,drive")]);
        let mut client = rig.client(&hasty);
        let check = |passed: usize, burst: usize, per_s: usize, started: Instant| {
            let most = burst + per_s * (usize::try_from(started.elapsed().as_millis()).unwrap() / 1000 + 1);
            assert!((burst..=most).contains(&passed), "{passed} passed, {burst} to {most} may");
        };
        let started = Instant::now();
        check(passed(500, || client.ask("POST", VELOCITY, Some(&zero()))), 100, 100, started);
        let started = Instant::now();
        check(passed(1500, || client.ask("DELETE", "/api/robot/tasks/t-9", None)), 1000, 50, started);
    });
}

#[test]
fn zero_turns_a_limit_off() {
    // 0 in the configuration: nobody is refused.
    Rig::with(UNLIMITED, |rig| {
        let mut client = rig.client(rig.owner());
        assert_eq!(passed(400, || client.ask("POST", VELOCITY, Some(&zero()))), 400);
        assert_eq!(passed(400, || client.ask("GET", STATE, None)), 400);
    });
}

#[test]
fn open_routes_are_counted_by_address_and_a_stop_never() {
    // A flood of the page from one address is slowed down; another address, tokens and stops are not.
    Rig::with(&[], |rig| {
        let mut flood = Client::connect(rig.agent.address, None);
        let open = passed(2000, || flood.ask("GET", "/health", None));
        assert!(open < 2000, "all {open} passed");
        check_problem(&Ask::new("GET", "/docs").send(rig), 429, "rate-limited", "the same address");
        rig.get(rig.owner(), STATE).expect(200);
        Ask::new("POST", STOP).send(rig).expect(200);
        assert_eq!(rig.agent.state()["base"]["closed"]["by"], "stop");
        Ask::new("POST", ESTOP).send(rig).expect(200);
        assert_eq!(rig.agent.state()["estop"]["latched"], true);
    });
}
