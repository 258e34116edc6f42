//! Every route with a body gets what no client should send: each a clear problem, never a 500, never motion. The same at
//! `stop` and `estop` stops.

use serde_json::{Value, json};

use crate::http_rig::{
    Ask, ESTOP, HEAD, LEASES, LIGHTS, MOVE, RESET, Rig, STATE, STOP, UNLIMITED, VELOCITY, check_problem,
};
use crate::support::http::Answer;

const RENEW: &str = "/api/robot/leases/l-1";

/// Every route with a body, and a body that it would take.
const BODIES: [(&str, &str, &str); 7] = [
    ("POST", VELOCITY, r#"{"linear_mps":0.3,"angular_radps":0.5}"#),
    ("POST", MOVE, r#"{"distance_m":0.5}"#),
    ("POST", HEAD, r#"{"pan_rad":0.3,"tilt_rad":0.1}"#),
    ("POST", LIGHTS, r#"{"on":true}"#),
    ("POST", LEASES, r#"{"resource":"base"}"#),
    ("PUT", RENEW, r#"{"ttl_ms":1000}"#),
    ("POST", RESET, r#"{"epoch":1}"#),
];

fn good_body(path: &str) -> Value {
    let body = BODIES.iter().find(|(_, known, _)| *known == path).map(|(_, _, body)| *body);
    serde_json::from_str(body.unwrap()).unwrap()
}

fn send(rig: &Rig, method: &str, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let ask = Ask::new(method, path).token(rig.owner()).header("content-type", "application/json");
    ask.body(body).send(rig)
}

/// Pose, head, lights, holders: what a refused request must leave as it was.
fn untouched(rig: &Rig) -> Value {
    let state = rig.agent.state();
    json!({
        "pose": state["base"]["pose"], "setpoint": state["base"]["setpoint"], "closed": state["base"]["closed"],
        "pan": state["head"]["pan_rad"], "lights": state["lights"], "control": state["control"], "estop": state["estop"],
    })
}

fn broken_bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        "  \n",
        "{",
        "}",
        "null",
        "true",
        "7",
        "\"text\"",
        "[]",
        "[0.1,0.1]",
        "{} {}",
        "{\"a\"}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"\\ud800\":1}",
        "linear_mps=0.1&angular_radps=0",
        "<xml/>",
        "NaN",
        "{\"nobody\":1}",
        "{\"__proto__\":{}}",
        "\u{feff}{}",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    bodies.push(b"\xff\xfe\x00".to_vec());
    bodies.push(b"{\"linear_mps\":\"\xff\"}".to_vec());
    bodies.push(b"{\"resource\":\"\xc3\x28\",\"epoch\":1,\"ttl_ms\":1000}".to_vec());
    bodies.push(b"\x1f\x8b\x08\x00\x00\x00\x00\x00".to_vec());
    bodies.push("[".repeat(60_000).into_bytes());
    bodies.push("{\"seen\":".repeat(8_000).into_bytes());
    bodies.push(format!("{{\"{}\":1}}", "ä".repeat(20_000)).into_bytes());
    bodies
}

#[test]
fn what_is_no_fitting_json_is_told() {
    // 400 for each, from each route, and the robot stays as it was.
    Rig::with(UNLIMITED, |rig| {
        let before = untouched(rig);
        for (method, path, _) in BODIES {
            for body in broken_bodies() {
                let what =
                    format!("{method} {path} {}", String::from_utf8_lossy(&body[..body.len().min(40)]));
                check_problem(&send(rig, method, path, body), 400, "bad-request", &what);
            }
        }
        assert_eq!(untouched(rig), before);
    });
}

/// Fields that hold a number: path, name, and whether null means absent.
const NUMBERS: [(&str, &str, bool); 17] = [
    (VELOCITY, "linear_mps", false),
    (VELOCITY, "angular_radps", false),
    (VELOCITY, "ttl_ms", true),
    (VELOCITY, "seq", true),
    (VELOCITY, "max_age_ms", true),
    (MOVE, "distance_m", true),
    (MOVE, "angle_rad", true),
    (MOVE, "speed_mps", true),
    (MOVE, "speed_radps", true),
    (MOVE, "max_age_ms", true),
    (HEAD, "pan_rad", false),
    (HEAD, "tilt_rad", false),
    (HEAD, "max_age_ms", true),
    (LIGHTS, "brightness", true),
    (LEASES, "ttl_ms", true),
    (RENEW, "ttl_ms", true),
    (RESET, "epoch", false),
];

/// A body with this text where `field` has its value.
fn with_raw(path: &str, field: &str, raw: &str) -> String {
    let mut body = good_body(path);
    body[field] = json!("\u{1}here");
    body.to_string().replace("\"\\u0001here\"", raw)
}

fn method_of(path: &str) -> &'static str {
    BODIES.iter().find(|(_, known, _)| *known == path).map_or("POST", |(method, _, _)| method)
}

#[test]
fn what_is_no_number_is_told_with_its_field() {
    // 400 that names the field, for every field that holds a number.
    Rig::with(UNLIMITED, |rig| {
        let before = untouched(rig);
        let no_numbers =
            ["NaN", "Infinity", "-Infinity", "1e999", "\"0.1\"", "\"\"", "[]", "[0.1]", "{}", "true"];
        for (path, field, is_optional) in NUMBERS {
            for raw in no_numbers.into_iter().chain((!is_optional).then_some("null")) {
                let what = format!("{path} {field} {raw}");
                let answer = send(rig, method_of(path), path, with_raw(path, field, raw));
                let problem = check_problem(&answer, 400, "bad-request", &what);
                assert_eq!(problem["field"], field, "{what}: {problem}");
            }
            // What breaks the whole text belongs to no field.
            for raw in ["0x10", "+1", ".5", "1_000", "01", "1e", "-", "undefined", "1;"] {
                let answer = send(rig, method_of(path), path, with_raw(path, field, raw));
                check_problem(&answer, 400, "bad-request", &format!("{path} {field} {raw}"));
            }
        }
        assert_eq!(untouched(rig), before);
    });
}

#[test]
fn missing_unknown_and_misshaped_fields_are_told_with_their_name() {
    // 400 with the field; a colour is written one way only.
    Rig::with(UNLIMITED, |rig| {
        let before = untouched(rig);
        let check = |path: &str, body: &str, field: &str| {
            let answer = send(rig, method_of(path), path, body);
            let problem = check_problem(&answer, 400, "bad-request", &format!("{path} {body}"));
            assert_eq!(problem["field"], field, "{path} {body}: {problem}");
        };
        for (_, path, _) in BODIES {
            check(path, &with_raw(path, "ttl", "250"), "ttl");
            check(path, &with_raw(path, "Linear_mps", "0.1"), "Linear_mps");
        }
        check(VELOCITY, r#"{"angular_radps":0}"#, "linear_mps");
        check(VELOCITY, r#"{"linear_mps":0}"#, "angular_radps");
        check(VELOCITY, r#"{"linear_mps":0,"linear_mps":0.2,"angular_radps":0}"#, "linear_mps");
        check(HEAD, r#"{"pan_rad":0}"#, "tilt_rad");
        check(LEASES, "{}", "resource");
        check(RESET, "{}", "epoch");
        check(MOVE, "{}", "distance_m");
        check(MOVE, r#"{"distance_m":0.1,"angle_rad":0.1}"#, "distance_m");
        check(MOVE, r#"{"distance_m":0.1,"speed_radps":0.1}"#, "speed_radps");
        check(MOVE, r#"{"angle_rad":0.1,"speed_mps":0.1}"#, "speed_mps");
        for raw in ["250.5", "2e2", "99999999999999999999.5"] {
            check(VELOCITY, &with_raw(VELOCITY, "ttl_ms", raw), "ttl_ms");
        }
        for raw in ["-1", "1.5", "18446744073709551616"] {
            check(VELOCITY, &with_raw(VELOCITY, "seq", raw), "seq");
            check(RESET, &with_raw(RESET, "epoch", raw), "epoch");
        }
        for raw in ["7", "true", "[]", "{}"] {
            check(VELOCITY, &with_raw(VELOCITY, "lease", raw), "lease");
        }
        check(VELOCITY, &with_raw(VELOCITY, "seen", "3"), "seen");
        check(VELOCITY, &with_raw(VELOCITY, "seen", "{}"), "seen.run");
        check(VELOCITY, &with_raw(VELOCITY, "seen", r#"{"run":1,"mono_ms":1}"#), "seen.run");
        check(VELOCITY, &with_raw(VELOCITY, "seen", r#"{"run":"x","mono_ms":-1}"#), "seen.mono_ms");
        check(VELOCITY, &with_raw(VELOCITY, "seen", r#"{"run":"x","mono_ms":1,"now":1}"#), "seen.now");
        for raw in ["\"wheels\"", "\"Base\"", "\"speaker\"", "null", "1", "[\"base\"]"] {
            check(LEASES, &with_raw(LEASES, "resource", raw), "resource");
        }
        check(LEASES, &with_raw(LEASES, "take_over", "\"yes\""), "take_over");
        for raw in [
            "\"\"",
            "\"red\"",
            "\"#fff\"",
            "\"#gggggg\"",
            "\"#ff88001\"",
            "\"ff8800\"",
            "\" #ff8800\"",
            "\"#ff880\u{ff10}\"",
            "\"#+f8800\"",
            "\"rgb(1,2,3)\"",
            "5",
            "[]",
            "{}",
        ] {
            check(LIGHTS, &with_raw(LIGHTS, "color", raw), "color");
        }
        check(LIGHTS, r#"{"on":"yes"}"#, "on");
        assert_eq!(untouched(rig), before);
    });
}

#[test]
fn numbers_outside_their_range_are_told_with_their_range() {
    // 422 with field, min and max; a negative time to live among them.
    Rig::with(UNLIMITED, |rig| {
        let before = untouched(rig);
        let check = |path: &str, field: &str, raws: &[&str], min: f64, max: f64| {
            for raw in raws {
                let what = format!("{path} {field} {raw}");
                let answer = send(rig, method_of(path), path, with_raw(path, field, raw));
                let problem = check_problem(&answer, 422, "out-of-range", &what);
                let told = (&problem["field"], problem["min"].as_f64(), problem["max"].as_f64());
                assert_eq!(told, (&json!(field), Some(min), Some(max)), "{what}: {problem}");
            }
        };
        check(VELOCITY, "linear_mps", &["0.61", "-0.601", "1e9", "1e39", "-1e300"], -0.6, 0.6);
        check(VELOCITY, "angular_radps", &["2.01", "-3", "1e39"], -2.0, 2.0);
        check(VELOCITY, "ttl_ms", &["-1", "0", "19", "501", "100000", "-9223372036854775808"], 20.0, 500.0);
        check(VELOCITY, "max_age_ms", &["-1", "0", "99", "1001"], 100.0, 1000.0);
        check(MOVE, "distance_m", &["1e9", "-1e9", "18.1", "1e39"], -18.0, 18.0);
        check(MOVE, "speed_mps", &["0", "-0.1", "0.61", "1e39"], 0.01, 0.6);
        check(MOVE, "max_age_ms", &["99", "1001"], 100.0, 1000.0);
        check(HEAD, "pan_rad", &["1.51", "-1.51", "1e39"], -1.5, 1.5);
        check(HEAD, "tilt_rad", &["0.71", "-0.71", "1e39"], -0.7, 0.7);
        check(LIGHTS, "brightness", &["-0.01", "1.01", "1e39"], 0.0, 1.0);
        check(LEASES, "ttl_ms", &["-1", "0", "499", "30001"], 500.0, 30_000.0);
        check(RENEW, "ttl_ms", &["-1", "0", "499", "30001"], 500.0, 30_000.0);
        for (body, field) in [
            (r#"{"angle_rad":1e9}"#, "angle_rad"),
            (r#"{"angle_rad":1,"speed_radps":2.1}"#, "speed_radps"),
            (r#"{"angle_rad":1,"speed_radps":0}"#, "speed_radps"),
        ] {
            let problem = check_problem(&send(rig, "POST", MOVE, body), 422, "out-of-range", body);
            assert_eq!(problem["field"], field, "{body}");
        }
        assert_eq!(untouched(rig), before);
    });
}

#[test]
fn a_body_of_10_megabytes_is_refused_unread() {
    // 413 with the limit, announced or not, and the next request is served.
    Rig::with(UNLIMITED, |rig| {
        let before = untouched(rig);
        let big = vec![b' '; 10_000_000];
        for (method, path, _) in BODIES {
            let answer = send(rig, method, path, big.clone());
            let problem = check_problem(&answer, 413, "too-long", path);
            assert_eq!(problem["limit_bytes"], 65_536, "{problem}");
            assert_eq!(answer.header("connection"), Some("close"), "nobody sends another request behind it");
        }
        let mut chunked = format!("{:x}\r\n", big.len()).into_bytes();
        chunked.extend(&big);
        chunked.extend(b"\r\n0\r\n\r\n");
        let mut ask = Ask::new("POST", VELOCITY).token(rig.owner()).header("transfer-encoding", "chunked");
        ask = ask.unannounced_body(chunked);
        check_problem(&ask.send(rig), 413, "too-long", "chunked");
        let just_over = format!("{{\"linear_mps\":0,\"angular_radps\":0{}}}", " ".repeat(65_536));
        check_problem(&send(rig, "POST", VELOCITY, just_over), 413, "too-long", "just over");
        assert_eq!(untouched(rig), before);
    });
}

#[test]
fn the_content_type_does_not_matter() {
    // JSON is taken whatever it is called, so that `curl -d` just works; what is no JSON is refused whatever it is called.
    Rig::with(UNLIMITED, |rig| {
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "multipart/form-data"]
        {
            let ask = |body: &str| {
                Ask::new("POST", VELOCITY)
                    .token(rig.owner())
                    .header("content-type", kind)
                    .body(body)
                    .send(rig)
            };
            ask(r#"{"linear_mps":0,"angular_radps":0}"#).expect(202);
            check_problem(&ask("linear_mps=0.1"), 400, "bad-request", kind);
        }
    });
}

#[test]
fn unknown_routes_are_told_to_everybody_and_both_slash_forms_answer() {
    // 404 as a problem for any method; a known path answers with and without its last slash, and to HEAD.
    Rig::with(UNLIMITED, |rig| {
        for path in [
            "/api",
            "/api/robot",
            "/api/robot/",
            "/api/robot/fly",
            "/api/robot/leases/l-1/x",
            "/api/robot/tasks",
            "/api/robot/velocity/now",
            "/API/robot/state",
            "/api/robot/%73tate/x",
            "/%00",
            "/..%2f..%2fetc/passwd",
            "/page/",
            "/api/robot/sensors",
            "/api/robot/%ff",
        ] {
            for method in ["GET", "POST", "DELETE", "OPTIONS"] {
                let what = format!("{method} {path}");
                check_problem(&Ask::new(method, path).send(rig), 404, "not-found", &what);
                check_problem(&Ask::new(method, path).token(rig.owner()).send(rig), 404, "not-found", &what);
            }
        }
        for path in [STATE, "/api/robots", LEASES, "/api/robot/control/why", "/health", "/docs"] {
            for path in [path.to_owned(), format!("{path}/")] {
                Ask::new("GET", &path).token(rig.owner()).send(rig).expect(200);
                let head = Ask::new("HEAD", &path).token(rig.owner()).send(rig).expect(200);
                assert!(head.body.is_empty(), "HEAD {path} has no body");
            }
        }
        let slashed = format!("{VELOCITY}/");
        rig.post(rig.owner(), &slashed, &json!({"linear_mps": 0, "angular_radps": 0})).expect(202);
        Ask::new("POST", "/api/robot/stop/").send(rig).expect(200);
    });
}

/// Requests at `path` with everything wrong that can be wrong.
fn wrong_asks<'a>(path: &'a str, owner: &str) -> Vec<(&'static str, Ask<'a>)> {
    let ask = || Ask::new("POST", path);
    let chunked = || ask().header("transfer-encoding", "chunked");
    vec![
        ("no body", ask()),
        ("no JSON", ask().body("{")),
        ("NaN", ask().body("{\"reason\":NaN}")),
        ("null", ask().body("null")),
        ("a list", ask().body("[1,2]")),
        ("a wrong type", ask().body("{\"reason\":7}")),
        ("unknown fields", ask().body("{\"reason\":\"x\",\"linear_mps\":1}")),
        ("broken UTF-8", ask().body(b"{\"reason\":\"\xff\"}".to_vec())),
        ("deep nesting", ask().body("[".repeat(60_000))),
        ("10 MB", ask().body(vec![b' '; 10_000_000])),
        ("a broken chunk", chunked().unannounced_body(b"zz\r\n".to_vec())),
        ("a body that never comes", ask().header("content-length", "5").header("expect", "nothing")),
        ("a content type", ask().header("content-type", "image/png").body("{}")),
        ("a bad token", ask().token("rb_wrong")),
        ("a token of another kind", ask().header("authorization", "Basic x")),
        ("a foreign Origin", ask().token(owner).header("origin", "http://evil.example")),
        ("a wrong Host", ask().token(owner).host("evil.example")),
        ("a proxy", ask().header("x-forwarded-for", "203.0.113.9")),
        ("an old stamp", ask().body("{\"seen\":{\"run\":\"0\",\"mono_ms\":1}}")),
    ]
}

#[test]
fn whatever_is_wrong_with_a_stop_it_stops() {
    // 200 and closed, while it turns, each time.
    Rig::with(UNLIMITED, |rig| {
        for (what, ask) in wrong_asks(STOP, rig.owner()) {
            rig.spin(rig.owner());
            let answer = ask.send(rig).expect(200).json();
            assert_eq!(answer["stopped"], true, "{what}: {answer}");
            let state = rig.agent.state();
            assert_eq!(state["base"]["closed"]["by"], "stop", "{what}");
            assert_eq!(state["base"]["setpoint"], Value::Null, "{what}");
        }
        rig.wait_for_standstill();
    });
}

#[test]
fn whatever_is_wrong_with_an_estop_it_stops() {
    // 200 and latched, while it turns, each time; the reason is kept where it can be read.
    Rig::with(UNLIMITED, |rig| {
        let mut epoch = 0;
        for (what, ask) in wrong_asks(ESTOP, rig.owner()) {
            rig.spin(rig.owner());
            let answer = ask.send(rig).expect(200).json();
            epoch += 1;
            assert_eq!(
                (&answer["latched"], &answer["epoch"]),
                (&json!(true), &json!(epoch)),
                "{what}: {answer}"
            );
            let state = rig.agent.state();
            assert_eq!(state["base"]["closed"]["by"], "estop", "{what}");
            assert_eq!(state["base"]["setpoint"], Value::Null, "{what}");
            rig.agent.wait_for_state("the body's e-stop", |state| state["estop"]["stage"] == "confirmed");
            rig.post(rig.owner(), RESET, &json!({"epoch": epoch})).expect(200);
        }
        rig.wait_for_standstill();
    });
}

#[test]
fn a_stop_acts_where_nothing_else_is_answered_any_more() {
    // The token's rate is used up; its stop and e-stop act all the same.
    Rig::with(
        &["limits.motion_per_s=1", "limits.read_per_s=1000", "limits.write_per_s=1", "limits.write_burst=2"],
        |rig| {
            rig.spin(rig.owner());
            let velocity = r#"{"linear_mps":0,"angular_radps":1.5}"#;
            while send(rig, "POST", VELOCITY, velocity).status != 429 {}
            Ask::new("POST", STOP).token(rig.owner()).send(rig).expect(200);
            assert_eq!(rig.agent.state()["base"]["closed"]["by"], "stop");
            Ask::new("POST", ESTOP).token(rig.owner()).send(rig).expect(200);
            assert_eq!(rig.agent.state()["estop"]["latched"], true);
        },
    );
}
