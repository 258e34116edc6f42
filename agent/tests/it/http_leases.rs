//! Leases over REST: who may take what from whom, what a refused loop may not do, and which check answers first.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http_rig::{
    Ask, ESTOP, HEAD, LEASES, MOVE, RESET, Rig, STATE, STOP, UNLIMITED, VELOCITY, check_problem, is_turning,
};
use crate::support::agent::Start;
use crate::support::http::Answer;
use crate::support::{Place, wait_until};

/// The sender's rate is 20 Hz.
const PERIOD: Duration = Duration::from_millis(50);

const SCOPES: &str = "read,drive";

/// Zero, which an open and free base takes from everybody who may.
fn zero() -> Value {
    json!({"linear_mps": 0, "angular_radps": 0})
}

fn with_lease(lease: &str) -> Value {
    json!({"linear_mps": 0, "angular_radps": 0, "lease": lease})
}

fn id(answer: Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn holder(rig: &Rig) -> Value {
    rig.agent.state()["control"]["base"]["holder"].clone()
}

#[test]
fn the_table_of_who_takes_from_whom() {
    // A higher class takes over at once, an equal one only with `take_over`, a lower one never; ai takes nothing.
    Rig::with(UNLIMITED, |rig| {
        let ranks = ["local", "remote", "autonomy"];
        let holders = rig.tokens(ranks.map(|class| (class, class, SCOPES)));
        let names = ["local-2", "remote-2", "autonomy-2"];
        let takers = rig.tokens([0, 1, 2].map(|rank| (names[rank], ranks[rank], SCOPES)));
        let [ai] = rig.tokens([("model", "ai", SCOPES)]);
        for (held_rank, held_by) in holders.iter().enumerate() {
            for (rank, taker) in takers.iter().enumerate() {
                for take_over in [false, true] {
                    let lease = id(rig.take(held_by, true).expect(201));
                    let what = format!("{} from {}, take_over {take_over}", names[rank], ranks[held_rank]);
                    let answer = rig.take(taker, take_over);
                    if rank < held_rank || (rank == held_rank && take_over) {
                        let taken = answer.expect(201).json();
                        assert_eq!(
                            (&taken["holder"], &taken["class"]),
                            (&json!(names[rank]), &json!(ranks[rank])),
                            "{what}"
                        );
                        let late = rig.post(held_by, VELOCITY, &with_lease(&lease));
                        let problem = check_problem(&late, 409, "lease-held", &what);
                        assert_eq!(
                            (&problem["holder"], &problem["class"]),
                            (&taken["holder"], &taken["class"]),
                            "{what}"
                        );
                        let released = rig.client(taker).ask(
                            "DELETE",
                            &format!("{LEASES}/{}", taken["id"].as_str().unwrap()),
                            None,
                        );
                        assert_eq!(released.status, 204, "{what}");
                    } else {
                        let problem = check_problem(&answer, 409, "lease-held", &what);
                        let told = (&problem["holder"], &problem["class"]);
                        assert_eq!(told, (&json!(ranks[held_rank]), &json!(ranks[held_rank])), "{what}");
                        assert_eq!(holder(rig), ranks[held_rank], "{what}");
                        rig.client(held_by).ask("DELETE", &format!("{LEASES}/{lease}"), None).expect(204);
                    }
                }
            }
            check_problem(&rig.take(&ai, true), 403, "no-right", "ai takes");
        }
        for path in [VELOCITY, MOVE, HEAD] {
            check_problem(&rig.post(&ai, path, &zero()), 403, "no-right", path);
        }
    });
}

#[test]
fn people_take_a_free_base_with_a_command_and_programs_must_ask() {
    // A person's command takes a lease of 1 s, a program's command is told to take one first.
    Rig::with(UNLIMITED, |rig| {
        let [person, program] = rig.tokens([("person", "remote", SCOPES), ("program", "autonomy", SCOPES)]);
        check_problem(&rig.post(&program, VELOCITY, &zero()), 409, "lease-needed", "a program's command");
        check_problem(
            &rig.post(&program, MOVE, &json!({"distance_m": 0.1})),
            409,
            "lease-needed",
            "a program's move",
        );
        assert_eq!(rig.agent.state()["control"]["base"], Value::Null);

        let driving = rig.post(&person, VELOCITY, &zero()).expect(202).json();
        let held = rig.agent.state()["control"]["base"].clone();
        assert_eq!(
            (&held["lease"], &held["holder"], &held["class"]),
            (&driving["lease"], &json!("person"), &json!("remote"))
        );
        assert!(held["expires_in_ms"].as_u64().unwrap() <= 1000, "{held}");
        assert_eq!(
            driving["expires_in_ms"].as_u64().unwrap().div_ceil(10),
            25,
            "the default time to live: {driving}"
        );
        check_problem(&rig.take(&program, true), 409, "lease-held", "a program takes from a person");
        rig.agent.wait_for_state("the implicit lease's end", |state| state["control"]["base"].is_null());

        let lease = id(rig.take(&program, false).expect(201));
        rig.post(&program, VELOCITY, &with_lease(&lease)).expect(202);
        rig.post(&program, VELOCITY, &zero()).expect(202);
        check_problem(&rig.post(&person, VELOCITY, &zero()), 409, "lease-held", "a command never takes over");
        rig.take(&person, false).expect(201);
        check_problem(&rig.post(&program, VELOCITY, &zero()), 409, "lease-held", "the program has lost it");
    });
}

#[test]
fn a_program_in_a_loop_never_wins_against_a_bystanders_stop() {
    // It takes and drives a hundred times a second; one stop of somebody without a token, and nothing moves for as long as it tries.
    Rig::with(UNLIMITED, |rig| {
        let [program] = rig.tokens([("script", "autonomy", SCOPES)]);
        let mut client = rig.client(&program);
        let mut turn = || {
            std::thread::sleep(Duration::from_millis(10));
            let take = client.ask("POST", LEASES, Some(&json!({"resource": "base", "take_over": true})));
            let drive = client.ask(
                "POST",
                VELOCITY,
                Some(&json!({"linear_mps": 0, "angular_radps": 1.5, "ttl_ms": 300})),
            );
            (take.status, take.problem(), drive.status, drive.problem())
        };
        wait_until("the script to turn the body", || {
            turn();
            is_turning(&rig.agent.state())
        });
        Ask::new("POST", STOP).send(rig).expect(200);
        let before = rig.wait_for_standstill();
        let closed = (409, "closed".to_owned(), 409, "closed".to_owned());
        let ends = Instant::now() + Duration::from_millis(1500);
        while Instant::now() < ends {
            assert_eq!(turn(), closed);
        }
        let after = rig.agent.state();
        assert_eq!(after["base"]["pose"], before["base"]["pose"]);
        assert_eq!(after["base"]["closed"]["by"], "stop");

        // A person opens it again, and hands it over.
        let lease = id(rig.take(rig.owner(), false).expect(201));
        assert_eq!(turn().1, "lease-held");
        rig.client(rig.owner()).ask("DELETE", &format!("{LEASES}/{lease}"), None).expect(204);
        assert_eq!(turn().0, 201);
    });
}

#[test]
fn a_refused_loop_never_starts_the_body_by_itself() {
    // A person's loop runs against a holder. The holder leaves: the loop goes on being refused until it pauses for a second.
    Rig::with(UNLIMITED, |rig| {
        let [ann, bob] = rig.tokens([("ann", "local", SCOPES), ("bob", "local", SCOPES)]);
        let lease = id(rig.take(&ann, false).expect(201));
        let mut client = rig.client(&bob);
        let spin = json!({"linear_mps": 0, "angular_radps": 1.0, "ttl_ms": 300});
        let mut turn = || client.ask("POST", VELOCITY, Some(&spin));
        for _ in 0..10 {
            check_problem(&turn(), 409, "lease-held", "while ann holds it");
            std::thread::sleep(PERIOD);
        }
        rig.client(&ann).ask("DELETE", &format!("{LEASES}/{lease}"), None).expect(204);
        for _ in 0..25 {
            check_problem(&turn(), 409, "lease-needed", "after ann has left");
            std::thread::sleep(PERIOD);
        }
        let state = rig.agent.state();
        assert_eq!((&state["control"]["base"], &state["base"]["setpoint"]), (&Value::Null, &Value::Null));
        std::thread::sleep(Duration::from_millis(1050));
        turn().expect(202);
        rig.agent.wait_for_state("bob to drive", is_turning);
    });
}

#[test]
fn two_people_drive_one_after_the_other() {
    // Equal classes: only on purpose, at once, and the first one's motion ends with their lease.
    Rig::with(UNLIMITED, |rig| {
        let [ann, bob] = rig.tokens([("ann", "local", SCOPES), ("bob", "local", SCOPES)]);
        rig.spin(&ann);
        let problem = check_problem(&rig.take(&bob, false), 409, "lease-held", "bob asks");
        assert!(problem["detail"].as_str().unwrap().contains("ann"), "{problem}");
        rig.drive(&ann, 0.0, 1.5).expect(202);
        rig.take(&bob, true).expect(201);
        assert_eq!(rig.agent.state()["base"]["setpoint"], Value::Null);
        let problem = check_problem(&rig.drive(&ann, 0.0, 1.5), 409, "lease-held", "ann goes on");
        assert_eq!(problem["holder"], "bob");
        rig.wait_for_standstill();
        rig.drive(&bob, 0.0, 1.0).expect(202);
        assert_eq!(rig.agent.state()["control"]["base"]["holder"], "bob");
        let why = rig.get(&ann, "/api/robot/control/why").json();
        assert_eq!(why["holder"]["holder"], "bob", "{why}");
        let last = why["refusals"].as_array().unwrap().last().unwrap();
        assert_eq!(
            (&last["source"], &last["status"], &last["type"]),
            (&json!("ann"), &json!(409), &json!("/problems/lease-held"))
        );
    });
}

#[test]
fn a_lease_is_renewed_expires_and_never_comes_back() {
    // `PUT` moves the end and may change its time; commands keep it alive; once gone it is gone for every use.
    Rig::with(UNLIMITED, |rig| {
        let [ann, bob] = rig.tokens([("ann", "local", SCOPES), ("bob", "local", SCOPES)]);
        let taken = rig.post(&ann, LEASES, &json!({"resource": "base", "ttl_ms": 500})).expect(201).json();
        assert_eq!(taken["expires_in_ms"], 500, "{taken}");
        let path = format!("{LEASES}/{}", taken["id"].as_str().unwrap());
        let lease = taken["id"].as_str().unwrap();
        let put = |token: &str, body: &Value| rig.client(token).ask("PUT", &path, Some(body));

        let renewed = put(&ann, &json!({"ttl_ms": 2000})).expect(200).json();
        assert_eq!(
            (&renewed["id"], &renewed["epoch"], &renewed["expires_in_ms"]),
            (&taken["id"], &taken["epoch"], &json!(2000))
        );
        check_problem(&put(&bob, &json!({})), 409, "lease-held", "another renews it");
        check_problem(&rig.client(&bob).ask("DELETE", &path, None), 409, "lease-held", "another releases it");
        check_problem(&rig.post(&bob, VELOCITY, &with_lease(lease)), 409, "lease-held", "another uses it");

        put(&ann, &json!({"ttl_ms": 500})).expect(200);
        for _ in 0..15 {
            rig.post(&ann, VELOCITY, &with_lease(lease)).expect(202);
            std::thread::sleep(PERIOD);
        }
        rig.agent.wait_for_state("the lease's end", |state| state["control"]["base"].is_null());
        check_problem(&put(&ann, &json!({})), 410, "lease-gone", "renewed");
        check_problem(&rig.client(&ann).ask("DELETE", &path, None), 410, "lease-gone", "released");
        for lost in [lease, "l-999", "l-0", "", "base", "l--1", "l-18446744073709551616"] {
            check_problem(&rig.post(&ann, VELOCITY, &with_lease(lost)), 410, "lease-gone", lost);
        }
        rig.take(&bob, false).expect(201);
        check_problem(&put(&ann, &json!({})), 410, "lease-gone", "PUT is always 410");
        check_problem(&rig.post(&ann, VELOCITY, &with_lease(lease)), 409, "lease-held", "while bob holds it");
    });
}

#[test]
fn a_take_is_new_each_time_and_its_seq_starts_anew() {
    // Within a lease seq only rises; a take by its own holder gives a new id, a higher epoch, and a fresh count.
    Rig::with(UNLIMITED, |rig| {
        let first = rig.take(rig.owner(), false).expect(201).json();
        let send = |lease: &Value, seq: u64| {
            rig.post(
                rig.owner(),
                VELOCITY,
                &json!({"linear_mps": 0, "angular_radps": 0, "lease": lease, "seq": seq}),
            )
        };
        send(&first["id"], 5).expect(202);
        for seq in [5, 4, 0] {
            let problem = check_problem(&send(&first["id"], seq), 410, "not-rising", "a replayed seq");
            assert_eq!((&problem["newest"], &problem["field"]), (&json!(5), &json!("seq")));
        }
        rig.post(rig.owner(), VELOCITY, &with_lease(first["id"].as_str().unwrap())).expect(202);
        check_problem(&send(&first["id"], 5), 410, "not-rising", "a command without seq does not reset it");
        send(&first["id"], 6).expect(202);

        let second = rig.take(rig.owner(), false).expect(201).json();
        assert_ne!(first["id"], second["id"]);
        assert!(second["epoch"].as_u64() > first["epoch"].as_u64());
        check_problem(&send(&first["id"], 7), 410, "lease-gone", "the lease before");
        send(&second["id"], 1).expect(202);
        let all = rig.get(rig.owner(), LEASES).json();
        assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    });
}

#[test]
fn what_was_seen_must_be_of_this_run_and_young() {
    // Another run, the future and the past are refused; `max_age_ms` says how old is too old.
    Rig::with(UNLIMITED, |rig| {
        let seen = rig.agent.state()["seen"].clone();
        let mono_ms = seen["mono_ms"].as_u64().unwrap();
        let send = |seen: Value, max_age_ms: Value| {
            let body = json!({"linear_mps": 0, "angular_radps": 0, "seen": seen, "max_age_ms": max_age_ms});
            rig.post(rig.owner(), VELOCITY, &body)
        };
        send(seen.clone(), Value::Null).expect(202);
        let other = json!({"run": "0000000000000001", "mono_ms": mono_ms});
        for run in ["0000000000000001", "", "x", "zzzzzzzzzzzzzzzz"] {
            check_problem(&send(json!({"run": run, "mono_ms": mono_ms}), Value::Null), 410, "stale", run);
        }
        check_problem(
            &send(json!({"run": seen["run"], "mono_ms": mono_ms + 60_000}), Value::Null),
            410,
            "stale",
            "future",
        );
        check_problem(
            &send(json!({"run": seen["run"], "mono_ms": u64::MAX}), Value::Null),
            410,
            "stale",
            "far future",
        );
        check_problem(
            &rig.post(rig.owner(), LEASES, &json!({"resource": "base", "seen": other})),
            410,
            "stale",
            "a take",
        );
        rig.post(rig.owner(), LEASES, &json!({"resource": "base", "seen": seen})).expect(201);

        std::thread::sleep(Duration::from_millis(350));
        let problem = check_problem(&send(seen.clone(), Value::Null), 410, "stale", "350 ms old");
        assert_eq!(problem["max_age_ms"], 300);
        assert!(problem["age_ms"].as_u64().unwrap() >= 350, "{problem}");
        send(seen.clone(), json!(1000)).expect(202);
        std::thread::sleep(Duration::from_millis(700));
        check_problem(&send(seen, json!(1000)), 410, "stale", "1050 ms old");
        assert_eq!(rig.agent.state()["base"]["setpoint"], Value::Null);
    });
}

#[test]
fn through_a_proxy_a_person_counts_as_remote_and_must_show_what_they_saw() {
    // A proxy that nobody named cannot lend its clients its nearness: class remote, and `seen` in each command.
    Rig::with(UNLIMITED, |rig| {
        let ask = |method, path, body: &Value| {
            let ask = Ask::new(method, path).token(rig.owner()).header("x-forwarded-for", "127.0.0.1");
            ask.body(body.to_string()).send(rig)
        };
        for (path, mut body) in [
            (VELOCITY, zero()),
            (MOVE, json!({"distance_m": 0})),
            (HEAD, json!({"pan_rad": 0, "tilt_rad": 0})),
            (LEASES, json!({"resource": "base"})),
        ] {
            let problem = check_problem(&ask("POST", path, &body), 400, "bad-request", path);
            assert_eq!(problem["field"], "seen", "{path}: {problem}");
            body["seen"] = rig.agent.state()["seen"].clone();
            let answer = ask("POST", path, &body);
            assert!(matches!(answer.status, 201 | 202), "{path}: {}", answer.json());
        }
        assert_eq!(rig.agent.state()["control"]["base"]["class"], "remote");
        check_problem(
            &ask("POST", RESET, &json!({"epoch": 0})),
            403,
            "no-right",
            "a reset is for people beside the robot",
        );
    });
}

/// One request at a time, each with what answers it.
fn check_first(rig: &Rig, cases: Vec<(&str, Ask<'_>, u16, &str)>) {
    for (what, ask, status, kind) in cases {
        check_problem(&ask.send(rig), status, kind, what);
    }
}

/// Wrong in two ways that the body can be: an unknown field, and a speed out of range.
const WRONG_BODY: &str = r#"{"linear_mps":9,"fly":1}"#;

fn post(path: &str) -> Ask<'_> {
    Ask::new("POST", path)
}

#[test]
fn the_first_failing_check_of_the_head_answers() {
    // 404, 405, 401, 403 scope, class and Host, 429, 413: each fails its own check and every later one that it can.
    Rig::with(&["limits.motion_per_s=1", "limits.read_per_s=0"], |rig| {
        let [reader, model, tired] =
            rig.tokens([("reader", "local", "read"), ("model", "ai", SCOPES), ("tired", "local", SCOPES)]);
        let big = || vec![b'{'; 100_000];
        let evil = || post(VELOCITY).host("evil.example");
        let tired_out = || while rig.post(&tired, VELOCITY, &zero()).status != 429 {};
        check_first(
            rig,
            vec![
                ("no such route", post("/api/robot/fly").body(big()), 404, "not-found"),
                ("method before token", Ask::new("PUT", VELOCITY).body(big()), 405, "wrong-method"),
                ("token before Host", evil().body(big()), 401, "no-token"),
                ("scope before body", post(VELOCITY).token(&reader).body(big()), 403, "no-right"),
                ("class before body", post(VELOCITY).token(&model).body(big()), 403, "no-right"),
            ],
        );
        tired_out();
        check_first(rig, vec![("Host before rate", evil().token(&tired).body(big()), 403, "no-right")]);
        tired_out();
        let rate = post(VELOCITY).token(&tired).body(big());
        check_first(rig, vec![("rate before length", rate, 429, "rate-limited")]);
    });
}

#[test]
fn the_first_failing_check_of_the_body_and_the_robot_answers() {
    // 413, 400, 422, 404, 423, 409: each fails its own check and every later one that it can.
    Rig::with(UNLIMITED, |rig| {
        let [ann] = rig.tokens([("ann", "local", SCOPES)]);
        let big = vec![b'{'; 100_000];
        let ask = |body: &str| post(VELOCITY).token(&ann).body(body);
        let unseen = r#"{"linear_mps":9,"angular_radps":0,"ttl_ms":1}"#;
        let old = r#"{"linear_mps":0,"angular_radps":0,"lease":"l-9","seen":{"run":"0","mono_ms":1}}"#;
        let no_task = Ask::new("DELETE", "/api/robot/tasks/t-77").token(&ann);
        post(ESTOP).send(rig).expect(200);
        check_first(
            rig,
            vec![
                ("length before JSON", post(VELOCITY).token(&ann).body(big), 413, "too-long"),
                ("an unknown field before a range", ask(WRONG_BODY), 400, "bad-request"),
                ("a stamp before a range", ask(unseen).header("forwarded", "for=_x"), 400, "bad-request"),
                ("a range before the e-stop", ask(unseen), 422, "out-of-range"),
                ("no such task before the e-stop", no_task, 404, "not-found"),
                ("the e-stop before what is closed", ask(old), 423, "estop-latched"),
            ],
        );
        rig.post(rig.owner(), RESET, &json!({"epoch": 1})).expect(200);
        check_first(rig, vec![("closed before stale", ask(old), 409, "closed")]);
        rig.take(rig.owner(), true).expect(201);
        check_first(rig, vec![("the holder before stale", ask(old), 409, "lease-held")]);
    });
}

#[test]
fn a_missing_body_answers_after_the_estop_and_before_what_is_closed() {
    // Nothing at the port: 503 to whatever would move it, over 409; an e-stop latches all the same, and is 423 from then on.
    let place = Place::new();
    let agent = Start::new(&place).on(&place.root().join("no-such-port")).run();
    let state = agent.state();
    assert_eq!((&state["mcu"]["link"], &state["base"]["closed"]["by"]), (&json!("down"), &json!("starting")));
    for (path, body) in
        [(VELOCITY, zero()), (MOVE, json!({"distance_m": 0.1})), (LEASES, json!({"resource": "base"}))]
    {
        check_problem(&agent.post(path, &body), 503, "starting", path);
    }
    let stopped = agent.post(STOP, &json!({})).expect(200).json();
    assert_eq!(stopped, json!({"stopped": true, "confirmed_by_mcu": false}));
    let latched = agent.post(ESTOP, &json!({"reason": "nobody there"})).expect(200).json();
    assert_eq!((&latched["latched"], &latched["durable"]), (&json!(true), &json!(true)), "{latched}");
    assert_ne!(latched["stage"], "confirmed");
    check_problem(&agent.post(VELOCITY, &zero()), 423, "estop-latched", "latched before starting");
    check_problem(&agent.post(RESET, &json!({"epoch": 1})), 503, "starting", "a reset needs the body");
    assert_eq!(agent.get(ESTOP).json()["latched"], true);
    assert_eq!(agent.get(STATE).status, 200);
}

#[test]
fn lights_are_leased_with_the_scope_speak() {
    // Lights need no lease, unless somebody holds one; scope speak takes lights, scope drive takes base and head.
    Rig::with(UNLIMITED, |rig| {
        let [driver, speaker, other] = rig.tokens([
            ("driver", "local", SCOPES),
            ("speaker", "local", "read,speak"),
            ("other", "local", "read,speak"),
        ]);
        let take = |token: &str, resource: &str| rig.post(token, LEASES, &json!({"resource": resource}));
        check_problem(&take(&driver, "lights"), 403, "no-right", "a driver takes lights");
        for resource in ["base", "head"] {
            check_problem(&take(&speaker, resource), 403, "no-right", resource);
        }
        let light = |token: &str| rig.post(token, "/api/robot/lights", &json!({"on": true}));
        light(&other).expect(200);
        let lease = id(take(&speaker, "lights").expect(201));
        check_problem(&light(&other), 409, "lease-held", "another's lights");
        light(&speaker).expect(200);
        let path = format!("{LEASES}/{lease}");
        rig.client(&speaker).ask("PUT", &path, Some(&json!({}))).expect(200);
        rig.client(&speaker).ask("DELETE", &path, None).expect(204);
        light(&other).expect(200);
        take(&driver, "head").expect(201);
    });
}
