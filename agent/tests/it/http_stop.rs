//! Stop, e-stop and reset over REST: how fast, how it is told, who may take it back, and a flood of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http_rig::{Ask, ESTOP, HEAD, LEASES, MOVE, RESET, Rig, STOP, UNLIMITED, VELOCITY, check_problem};

/// The contract says 250 ms; the rest is for tests that share two cores.
const STOP_WITHIN: Duration = Duration::from_millis(600);

#[test]
fn a_stop_ends_everything_that_moves_and_names_who() {
    // Answered and confirmed in time; setpoint, task and leases gone; base and head closed; the presser's name is told.
    Rig::with(UNLIMITED, |rig| {
        let [pad] = rig.tokens([("pad", "local", "read,drive")]);
        rig.spin(&pad);
        rig.post(&pad, LEASES, &json!({"resource": "head"})).expect(201);
        let task = rig.post(&pad, MOVE, &json!({"angle_rad": 6.0})).expect(202).json();
        let asked = Instant::now();
        let answer = Ask::new("POST", STOP).token(&pad).send(rig).expect(200).json();
        assert!(asked.elapsed() < STOP_WITHIN, "{:?}", asked.elapsed());
        assert_eq!(answer, json!({"stopped": true, "confirmed_by_mcu": true}));

        let state = rig.agent.state();
        for limb in ["base", "head"] {
            let closed = &state[limb]["closed"];
            assert_eq!(closed["by"], "stop", "{limb}");
            assert!(closed["reason"].as_str().unwrap().contains("pad"), "{limb}: {closed}");
            assert_eq!(state["control"][limb], Value::Null, "{limb}");
        }
        assert_eq!((&state["base"]["setpoint"], &state["mcu"]["armed"]), (&Value::Null, &json!(false)));
        assert_eq!(rig.get(&pad, LEASES).json(), json!([]));
        let task = rig.get(&pad, &format!("/api/robot/tasks/{}", task["task"].as_str().unwrap())).json();
        assert_eq!((&task["state"], &task["reason"]), (&json!("cancelled"), &json!("stop")), "{task}");
        rig.wait_for_standstill();
    });
}

#[test]
fn what_a_stop_closed_only_a_person_opens_and_only_what_they_name() {
    // Commands and a program's take are refused with who closed it; a person's take of the base leaves the head closed.
    Rig::with(UNLIMITED, |rig| {
        let [program] = rig.tokens([("program", "autonomy", "read,drive")]);
        Ask::new("POST", STOP).send(rig).expect(200);
        let head = json!({"pan_rad": 0.1, "tilt_rad": 0});
        let zero = json!({"linear_mps": 0, "angular_radps": 0});
        for (path, body, limb) in
            [(VELOCITY, &zero, "base"), (MOVE, &json!({"distance_m": 0.1}), "base"), (HEAD, &head, "head")]
        {
            let problem = check_problem(&rig.post(rig.owner(), path, body), 409, "closed", path);
            assert_eq!((&problem["by"], &problem["resource"]), (&json!("stop"), &json!(limb)), "{path}");
            assert!(
                problem["detail"].as_str().unwrap().contains("/api/robot/leases"),
                "names the call that opens it"
            );
        }
        check_problem(&rig.take(&program, true), 409, "closed", "a program's take");
        let why = rig.get(rig.owner(), "/api/robot/control/why").json();
        assert_eq!(why["closed"]["by"], "stop", "{why}");
        assert!(
            why["closed"]["reason"].as_str().unwrap().contains("127.0.0.1"),
            "somebody without a token: {why}"
        );

        rig.take(rig.owner(), false).expect(201);
        let state = rig.agent.state();
        assert_eq!((&state["base"]["closed"], &state["mcu"]["armed"]), (&Value::Null, &json!(true)));
        check_problem(&rig.post(rig.owner(), HEAD, &head), 409, "closed", "the head is still closed");
        rig.post(rig.owner(), LEASES, &json!({"resource": "head"})).expect(201);
        rig.post(rig.owner(), HEAD, &head).expect(202);
    });
}

#[test]
fn an_estop_tells_its_stages_and_keeps_its_epoch() {
    // Latched, durable, confirmed by the body in order; pressed again it stays the same e-stop; state shows it to everyone.
    Rig::with(UNLIMITED, |rig| {
        rig.spin(rig.owner());
        let clear = rig.get(rig.owner(), ESTOP).json();
        assert_eq!(
            (&clear["latched"], &clear["stage"], &clear["epoch"]),
            (&json!(false), &json!("clear"), &json!(0)),
            "{clear}"
        );
        let asked = Instant::now();
        let pressed =
            rig.post(rig.owner(), ESTOP, &json!({"reason": "cat on the stairs"})).expect(200).json();
        assert!(asked.elapsed() < STOP_WITHIN, "{:?}", asked.elapsed());
        assert_eq!((&pressed["latched"], &pressed["epoch"]), (&json!(true), &json!(1)), "{pressed}");
        assert_eq!(
            (&pressed["reason"], &pressed["source"]),
            (&json!("cat on the stairs"), &json!("owner")),
            "{pressed}"
        );
        assert!(matches!(pressed["stage"].as_str(), Some("sent" | "confirmed")), "{pressed}");

        rig.agent.wait_for_state("confirmation", |state| state["estop"]["stage"] == "confirmed");
        let shown = rig.get(rig.owner(), ESTOP).json();
        let times = ["requested_ms", "sent_ms", "confirmed_ms"].map(|name| shown[name].as_u64().unwrap());
        assert!(times.is_sorted(), "{shown}");
        assert!(times[2] - times[0] < 250, "{shown}");
        assert_eq!(shown["durable"], true, "{shown}");
        assert!(shown["since_ms"].as_u64().is_some(), "{shown}");

        let again = rig.post(rig.owner(), ESTOP, &json!({"reason": "again"})).expect(200).json();
        assert_eq!((&again["epoch"], &again["reason"]), (&json!(1), &json!("cat on the stairs")), "{again}");
        let state = rig.agent.state();
        assert_eq!(
            (&state["estop"]["latched"], &state["base"]["closed"]["by"]),
            (&json!(true), &json!("estop"))
        );
        for (path, body) in
            [(VELOCITY, json!({"linear_mps": 0, "angular_radps": 0})), (LEASES, json!({"resource": "base"}))]
        {
            let problem = check_problem(&rig.post(rig.owner(), path, &body), 423, "estop-latched", path);
            assert_eq!(problem["epoch"], 1);
        }
        rig.wait_for_standstill();
    });
}

#[test]
fn only_an_admin_beside_the_robot_resets_the_estop_they_saw() {
    // Scope, class and epoch are checked; a reset opens nothing; the next e-stop has a new epoch.
    Rig::with(UNLIMITED, |rig| {
        let [driver, remote, admin] = rig.tokens([
            ("driver", "local", "read,drive,speak,view"),
            ("remote", "remote", "read,admin"),
            ("admin", "local", "admin"),
        ]);
        Ask::new("POST", ESTOP).send(rig).expect(200);
        let reset = |token: &str, epoch: u32| rig.post(token, RESET, &json!({"epoch": epoch}));
        check_problem(&reset(&driver, 1), 403, "no-right", "without scope admin");
        check_problem(&reset(&remote, 1), 403, "no-right", "of class remote");
        for epoch in [0, 2, u32::MAX] {
            let problem = check_problem(&reset(&admin, epoch), 409, "newer-estop", "another epoch");
            assert_eq!(problem["epoch"], 1);
        }
        assert_eq!(rig.agent.state()["estop"]["latched"], true);

        let cleared = reset(&admin, 1).expect(200).json();
        assert_eq!((&cleared["latched"], &cleared["stage"]), (&json!(false), &json!("clear")), "{cleared}");
        let state = rig.agent.state();
        assert_eq!(
            (&state["base"]["closed"]["by"], &state["mcu"]["armed"]),
            (&json!("estop"), &json!(false))
        );
        check_problem(&rig.drive(rig.owner(), 0.0, 1.0), 409, "closed", "a reset opens nothing");
        reset(&admin, 1).expect(200);
        rig.spin(rig.owner());

        let second = rig.post(rig.owner(), ESTOP, &json!({})).expect(200).json();
        assert_eq!((&second["latched"], &second["epoch"]), (&json!(true), &json!(2)), "{second}");
        let problem = check_problem(&reset(&admin, 1), 409, "newer-estop", "the one before");
        assert_eq!(problem["epoch"], 2);
    });
}

#[test]
fn a_flood_of_stops_keeps_answering_and_keeps_the_robot_stopped() {
    // 200 of each as fast as they come from one address: 200 every time; one more while it turns stops it.
    Rig::with(UNLIMITED, |rig| {
        Ask::new("POST", STOP).send(rig).expect(200);
        let mut client = rig.client("rb_nobody");
        let started = Instant::now();
        for _ in 0..200 {
            let answer = client.ask("POST", STOP, None).expect(200).json();
            assert_eq!(answer, json!({"stopped": true, "confirmed_by_mcu": true}));
        }
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "an idle stop costs little: {:?}",
            started.elapsed()
        );
        rig.spin(rig.owner());
        assert_eq!(client.ask("POST", STOP, None).expect(200).json()["stopped"], true);
        assert_eq!(rig.agent.state()["base"]["closed"]["by"], "stop");
        for _ in 0..200 {
            let answer = client.ask("POST", ESTOP, None).expect(200).json();
            assert_eq!((&answer["latched"], &answer["epoch"]), (&json!(true), &json!(1)));
        }
        rig.wait_for_standstill();
    });
}

#[test]
fn the_safety_budget_adds_up() {
    // Each time to standstill is what its parts give, and within the promise.
    Rig::with(&[], |rig| {
        let budget = rig.get(rig.owner(), "/api/robot/safety/budget").expect(200).json();
        let promise_ms = budget["promise_ms"].as_u64().unwrap();
        assert_eq!(promise_ms, 1000, "the contract's promise for the profile sim");
        for name in ["client_silent_ms", "agent_dead_ms", "mcu_dead_ms"] {
            assert!((1..=promise_ms).contains(&budget[name].as_u64().unwrap()), "{name} of {budget}");
        }
        let part = |name: &str| budget["parts"][name].as_u64().unwrap();
        assert!(budget["client_silent_ms"].as_u64().unwrap() >= part("ttl_ms") + part("ramp_ms"), "{budget}");
        assert!(budget["agent_dead_ms"].as_u64().unwrap() >= part("hold_ms") + part("ramp_ms"), "{budget}");
        assert!(budget["mcu_dead_ms"].as_u64().unwrap() >= part("watchdog_ms"), "{budget}");
    });
}
