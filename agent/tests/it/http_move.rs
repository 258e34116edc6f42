//! Moving over REST with the simulated body: a distance, an angle, walls, the head and the lights.

use std::f64::consts::FRAC_PI_2;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::wait_until;

use crate::http_rig::{
    Ask, HEAD, LEASES, LIGHTS, MOVE, Rig, STOP, UNLIMITED, VELOCITY, check_problem, is_going,
};

/// How near its goal a move ends, by the body's own odometry.
const TOLERANCE_M: f64 = 0.03;
const TOLERANCE_RAD: f64 = 0.05;

fn task(rig: &Rig, id: &Value) -> Value {
    rig.get(rig.owner(), &format!("/api/robot/tasks/{}", id.as_str().unwrap())).expect(200).json()
}

/// Starts a move, and follows it to its end; gives how it ended. Its progress never falls.
fn follow(rig: &Rig, body: &Value) -> Value {
    let started = rig.post(rig.owner(), MOVE, body).expect(202).json();
    let ends = Instant::now() + Duration::from_millis(started["deadline_ms"].as_u64().unwrap() + 1000);
    let mut client = rig.client(rig.owner());
    let path = format!("/api/robot/tasks/{}", started["task"].as_str().unwrap());
    let mut progress = 0.0;
    loop {
        let task = client.ask("GET", &path, None).expect(200).json();
        let now = task["progress"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&now) && now + 0.05 >= progress, "{progress} then {task}");
        progress = now;
        if task["state"] != "running" {
            return task;
        }
        assert!(Instant::now() < ends, "it outlives its deadline: {task}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn pose(state: &Value) -> (f64, f64, f64) {
    let pose = &state["base"]["pose"];
    (pose["x_m"].as_f64().unwrap(), pose["y_m"].as_f64().unwrap(), pose["heading_rad"].as_f64().unwrap())
}

#[track_caller]
fn check_near(name: &str, found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() < tolerance, "{name}: {found}, wanted {wanted}");
}

#[test]
fn a_distance_and_an_angle_arrive_where_they_should() {
    // Forwards 0.4 m, a quarter to the left, back a little: by the odometry the robot stands where that leads.
    Rig::with(UNLIMITED, |rig| {
        let done = follow(rig, &json!({"distance_m": 0.4}));
        assert_eq!(
            (&done["state"], &done["reason"], &done["progress"]),
            (&json!("done"), &json!("arrived"), &json!(1.0)),
            "{done}"
        );
        let (x_m, y_m, heading_rad) = pose(&rig.wait_for_standstill());
        check_near("x", x_m, 0.4, TOLERANCE_M);
        check_near("y", y_m, 0.0, TOLERANCE_M);
        check_near("heading", heading_rad, 0.0, TOLERANCE_RAD);

        assert_eq!(follow(rig, &json!({"angle_rad": FRAC_PI_2, "speed_radps": 1.8}))["state"], "done");
        check_near("heading", pose(&rig.wait_for_standstill()).2, FRAC_PI_2, TOLERANCE_RAD);

        assert_eq!(follow(rig, &json!({"distance_m": -0.2, "speed_mps": 0.3}))["state"], "done");
        let (x_m, y_m, _) = pose(&rig.wait_for_standstill());
        check_near("x", x_m, 0.4, 2.0 * TOLERANCE_M);
        check_near("y", y_m, -0.2, TOLERANCE_M);
        assert_eq!(follow(rig, &json!({"distance_m": 0}))["state"], "done", "no way at all is done at once");
    });
}

#[test]
fn a_move_holds_its_lease_to_its_deadline() {
    // The deadline is twice the planned time and a second, at most 30 s; a stop within it ends both.
    Rig::with(UNLIMITED, |rig| {
        let deadline = |body: Value| {
            rig.post(rig.owner(), MOVE, &body).expect(202).json()["deadline_ms"].as_u64().unwrap()
        };
        let short_ms = deadline(json!({"angle_rad": 3.0, "speed_radps": 1.0}));
        // 3 s on the way and about a tenth for the ramps.
        assert!((7000..8000).contains(&short_ms), "{short_ms}");
        let held = rig.agent.state()["control"]["base"].clone();
        let left_ms = held["expires_in_ms"].as_u64().unwrap();
        assert!(left_ms <= short_ms && left_ms + 2000 > short_ms, "{held}");
        assert_eq!(deadline(json!({"angle_rad": 20.0, "speed_radps": 0.5})), 30_000);
        Ask::new("POST", STOP).send(rig).expect(200);
        assert_eq!(rig.get(rig.owner(), LEASES).json(), json!([]));
        rig.wait_for_standstill();
    });
}

#[test]
fn a_move_is_cancelled_replaced_and_somebody_elses() {
    // Its owner ends it; a velocity or another move replaces it; nobody else's token can cancel it, or find it gone.
    Rig::with(UNLIMITED, |rig| {
        let [other] = rig.tokens([("other", "local", "read,drive")]);
        let start = || {
            let started = rig
                .post(rig.owner(), MOVE, &json!({"angle_rad": 6.0, "speed_radps": 0.8}))
                .expect(202)
                .json();
            let id = started["task"].clone();
            wait_until("progress", || task(rig, &id)["progress"].as_f64().unwrap() > 0.01);
            id
        };
        let cancel = |token: &str, id: &Value| {
            rig.client(token).ask("DELETE", &format!("/api/robot/tasks/{}", id.as_str().unwrap()), None)
        };
        let first = start();
        check_problem(&cancel(&other, &first), 404, "not-found", "another's task");
        assert_eq!(task(rig, &first)["state"], "running");
        let cancelled = cancel(rig.owner(), &first).expect(200).json();
        assert_eq!(
            (&cancelled["state"], &cancelled["reason"]),
            (&json!("cancelled"), &json!("cancelled")),
            "{cancelled}"
        );
        let progress = cancelled["progress"].as_f64().unwrap();
        assert!(progress > 0.0 && progress < 0.9, "{cancelled}");
        rig.wait_for_standstill();
        assert_eq!(
            cancel(rig.owner(), &first).expect(200).json()["state"],
            "cancelled",
            "it stays as it ended"
        );

        let second = start();
        rig.drive(rig.owner(), 0.0, 0.5).expect(202);
        assert_eq!(task(rig, &second)["reason"], "replaced");
        let third = start();
        let fourth = start();
        assert_eq!(
            (&task(rig, &third)["reason"], &task(rig, &fourth)["state"]),
            (&json!("replaced"), &json!("running"))
        );
        rig.take(&other, true).expect(201);
        assert_eq!(task(rig, &fourth)["reason"], "lease-gone", "a task takes its lease once");
        for id in ["t-0", "t-999", "x", "t-1x", "%20", "%ff"] {
            check_problem(&rig.get(rig.owner(), &format!("/api/robot/tasks/{id}")), 404, "not-found", id);
        }
    });
}

#[test]
fn a_wall_limits_the_speed_and_ends_a_move() {
    // Nearer to the wall the forward limit falls and commands say so; a move through the wall fails; backwards is free.
    Rig::with(UNLIMITED, |rig| {
        let state = rig
            .agent
            .wait_for_state("range sensors", |state| state["sensors"]["range_front"]["age_ms"].is_number());
        assert_eq!(state["envelope"]["linear_mps"], 0.6, "3 m to the wall are far: {}", state["envelope"]);

        let failed = follow(rig, &json!({"distance_m": 5.0, "speed_mps": 0.6}));
        assert_eq!((&failed["state"], &failed["reason"]), (&json!("failed"), &json!("blocked")), "{failed}");
        let state = rig.wait_for_standstill();
        let left_m = state["sensors"]["range_front"]["value"].as_f64().unwrap();
        assert!((0.03..0.25).contains(&left_m), "it stands before the wall: {left_m}");
        assert_eq!(state["base"]["closed"], Value::Null);

        let limited = rig.drive(rig.owner(), 0.6, 0.0).expect(202).json();
        assert_eq!(limited["limited"]["reason"], "obstacle", "{limited}");
        assert!(limited["limited"]["linear_mps"].as_f64().unwrap() < 0.3, "{limited}");
        let free = rig.drive(rig.owner(), -0.2, 0.0).expect(202).json();
        assert_eq!(free["limited"], Value::Null, "{free}");
        rig.agent.wait_for_state("it to go back", is_going);
        Ask::new("POST", STOP).send(rig).expect(200);
    });
}

#[test]
fn without_range_sensors_the_limit_is_chosen_and_shown() {
    // An explicit choice with its own limit: in the state, in every answer, and on the wheels.
    Rig::with(&["safety.range=none", "safety.linear_mps_max=0.15"], |rig| {
        let state = rig.agent.state();
        assert_eq!(
            (&state["envelope"]["linear_mps"], &state["envelope"]["reason"]),
            (&json!(0.15), &json!("no-range"))
        );
        let answer = rig.drive(rig.owner(), 0.5, 0.0).expect(202).json();
        assert_eq!(
            answer["limited"],
            json!({"linear_mps": 0.15, "angular_radps": 0.0, "reason": "no-range"})
        );
        assert_eq!(rig.agent.state()["base"]["setpoint"]["linear_mps"], 0.15);
        assert_eq!(rig.drive(rig.owner(), 0.1, 0.0).expect(202).json()["limited"], Value::Null);
    });
}

#[test]
fn a_setpoint_ends_with_its_time_to_live_and_closes_nothing() {
    // A client that falls silent stops within its ttl; the lease stays, the base stays open.
    Rig::with(UNLIMITED, |rig| {
        rig.take(rig.owner(), false).expect(201);
        let body = json!({"linear_mps": 0, "angular_radps": 1.5, "ttl_ms": 300});
        let sent = Instant::now();
        let answer = rig.post(rig.owner(), VELOCITY, &body).expect(202).json();
        assert!((250..=300).contains(&answer["expires_in_ms"].as_u64().unwrap()), "{answer}");
        let state = rig.agent.wait_for_state("no setpoint", |state| state["base"]["setpoint"].is_null());
        assert!(sent.elapsed() >= Duration::from_millis(280), "{:?}", sent.elapsed());
        assert!(sent.elapsed() < Duration::from_millis(900), "{:?}", sent.elapsed());
        assert_eq!(state["base"]["closed"], Value::Null);
        assert_eq!(state["control"]["base"]["holder"], "owner");
        rig.wait_for_standstill();
    });
}

#[test]
fn the_head_points_within_its_limits() {
    // It gets there and says so; its lease is its own; closed, it refuses.
    Rig::with(UNLIMITED, |rig| {
        let head = |pan_rad: f64, tilt_rad: f64| {
            rig.post(rig.owner(), HEAD, &json!({"pan_rad": pan_rad, "tilt_rad": tilt_rad}))
        };
        head(0.5, -0.3).expect(202);
        let state = rig.agent.wait_for_state("the head", |state| {
            let at = |name: &str| state["head"][name].as_f64().unwrap();
            (at("pan_rad") - 0.5).abs() < 0.05 && (at("tilt_rad") + 0.3).abs() < 0.05
        });
        assert_eq!(
            (&state["control"]["head"]["holder"], &state["control"]["base"]),
            (&json!("owner"), &Value::Null)
        );
        head(1.5, 0.7).expect(202);
        for (pan_rad, tilt_rad, field) in [(1.6, 0.0, "pan_rad"), (0.0, -0.8, "tilt_rad")] {
            let problem = check_problem(&head(pan_rad, tilt_rad), 422, "out-of-range", field);
            assert_eq!(problem["field"], field);
        }
        Ask::new("POST", STOP).send(rig).expect(200);
        let problem = check_problem(&head(0.0, 0.0), 409, "closed", "the head after a stop");
        assert_eq!(problem["resource"], "head");
        rig.post(rig.owner(), LEASES, &json!({"resource": "head"})).expect(201);
        head(0.0, 0.0).expect(202);
        assert_eq!(rig.agent.state()["base"]["closed"]["by"], "stop", "a take opens only what it names");
    });
}

#[test]
fn lights_change_what_is_named_and_work_while_closed() {
    // What is absent stays; upper-case colours are the same colour; a stop does not put the lights out.
    Rig::with(UNLIMITED, |rig| {
        let light = |body: Value| rig.post(rig.owner(), LIGHTS, &body).expect(200).json()["lights"].clone();
        let set = light(json!({"on": true, "color": "#FF8800", "brightness": 0.5}));
        assert_eq!(set, json!({"on": true, "color": "#ff8800", "brightness": 0.5}));
        assert_eq!(
            light(json!({"brightness": 1})),
            json!({"on": true, "color": "#ff8800", "brightness": 1.0})
        );
        assert_eq!(light(json!({})), json!({"on": true, "color": "#ff8800", "brightness": 1.0}));
        Ask::new("POST", STOP).send(rig).expect(200);
        assert_eq!(light(json!({"on": false})), json!({"on": false, "color": "#ff8800", "brightness": 1.0}));
        assert_eq!(rig.agent.state()["lights"]["on"], false);
    });
}
