//! The teleop socket: a stick that is let go first, frames in order and fresh, and ends that end the motion.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http_rig::{Ask, Rig, UNLIMITED, is_turning};
use crate::support::socket::Socket;
use crate::support::{DEADLINE, wait_until};

const TELEOP: &str = "/api/robot/teleop";

/// What a refused frame gets, in time.
const SOON: Duration = Duration::from_secs(5);

/// A person with a stick: counts frames, and echoes the newest stamp.
struct Stick<'a> {
    rig: &'a Rig,
    socket: Socket,
    seq: u64,
}

impl<'a> Stick<'a> {
    fn open(rig: &'a Rig, token: &str) -> Self {
        Self { rig, socket: Socket::open(&rig.agent, TELEOP, token), seq: 0 }
    }

    fn frame(&mut self, angular_radps: f64) -> Value {
        self.seq += 1;
        let seen = self.rig.agent.state()["seen"].clone();
        json!({"seq": self.seq, "linear_mps": 0, "angular_radps": angular_radps, "ttl_ms": 500, "seen": seen})
    }

    /// Sends a turn with the newest stamp.
    fn push(&mut self, angular_radps: f64) {
        let frame = self.frame(angular_radps);
        self.socket.send(&frame);
    }

    /// Lets go once, then turns until the body does.
    fn drive(&mut self) {
        self.push(0.0);
        let ends = Instant::now() + DEADLINE;
        while !is_turning(&self.rig.agent.state()) {
            assert!(Instant::now() < ends, "the stick does not drive");
            self.push(1.2);
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// The next refusal is this one.
    #[track_caller]
    fn expect_refused(&mut self, status: u16, kind: &str) -> Value {
        let asked = Instant::now();
        let refused = self.socket.receive_named("refused");
        assert!(asked.elapsed() < SOON);
        let wanted = (json!(status), json!(format!("/problems/{kind}")));
        assert_eq!((refused["status"].clone(), refused["type"].clone()), wanted, "{refused}");
        assert!(refused["detail"].as_str().unwrap().len() > 10, "{refused}");
        refused
    }

    fn setpoint(&self) -> Value {
        self.rig.agent.state()["base"]["setpoint"].clone()
    }
}

#[test]
fn a_stick_must_be_let_go_before_it_drives() {
    // The first frame that is not zero is refused with its number; after one zero it drives and gets `seen` and `state`.
    Rig::with(UNLIMITED, |rig| {
        let mut stick = Stick::open(rig, rig.owner());
        for _ in 0..3 {
            stick.push(1.0);
            let refused = stick.expect_refused(409, "neutral-first");
            assert_eq!(refused["seq"], stick.seq);
        }
        assert_eq!(stick.setpoint(), Value::Null);
        stick.drive();
        let started = Instant::now();
        let (mut seen, mut states) = (0, 0);
        while started.elapsed() < Duration::from_millis(400) {
            let message = stick.socket.receive().unwrap();
            seen += u32::from(message.get("seen").is_some());
            states += u32::from(message.get("state").is_some());
        }
        assert!(
            seen >= 8 && (2..=8).contains(&states),
            "in 400 ms {seen} times `seen`, {states} times `state`"
        );
    });
}

#[test]
fn a_refused_frame_leaves_the_live_setpoint_alone() {
    // Whatever is wrong with a frame, the one before goes on to its own end.
    Rig::with(UNLIMITED, |rig| {
        let mut stick = Stick::open(rig, rig.owner());
        stick.drive();
        let seen = rig.agent.state()["seen"].clone();
        let mono_ms = seen["mono_ms"].as_u64().unwrap();
        let frame = |changes: Value| {
            let mut frame =
                json!({"seq": 1_000_000, "linear_mps": 0, "angular_radps": 0.3, "ttl_ms": 500, "seen": seen});
            frame.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            frame.to_string()
        };
        let old = json!({"run": seen["run"], "mono_ms": mono_ms.saturating_sub(2000)});
        let future = json!({"run": seen["run"], "mono_ms": mono_ms + 60_000});
        let cases = [
            (frame(json!({"angular_radps": 2.1})), 422, "out-of-range"),
            (frame(json!({"linear_mps": -0.61})), 422, "out-of-range"),
            (frame(json!({"ttl_ms": 501})), 422, "out-of-range"),
            (frame(json!({"ttl_ms": -1})), 422, "out-of-range"),
            (frame(json!({"linear_mps": null})), 400, "bad-request"),
            (frame(json!({"linear_mps": "0.1"})), 400, "bad-request"),
            (frame(json!({"seen": null})), 400, "bad-request"),
            (frame(json!({"seq": -1})), 400, "bad-request"),
            (frame(json!({"warp": 9})), 400, "bad-request"),
            (
                frame(json!({"linear_mps": 0})).replace("\"linear_mps\":0", "\"linear_mps\":NaN"),
                400,
                "bad-request",
            ),
            ("{".to_owned(), 400, "bad-request"),
            ("[1,0,0.3]".to_owned(), 400, "bad-request"),
            (String::new(), 400, "bad-request"),
            (frame(json!({"seen": old})), 410, "stale"),
            (frame(json!({"seen": future})), 410, "stale"),
            (frame(json!({"seen": {"run": "0", "mono_ms": mono_ms}})), 410, "stale"),
        ];
        for (text, status, kind) in cases {
            stick.push(1.2);
            stick.socket.send_text(&text);
            stick.expect_refused(status, kind);
            assert_eq!(stick.setpoint()["angular_radps"], 1.2, "{text}");
        }
        stick.push(1.2);
        for seq in [stick.seq, 1, 0] {
            let mut replay = stick.frame(0.3);
            replay["seq"] = json!(seq);
            stick.seq -= 1;
            stick.socket.send(&replay);
            stick.expect_refused(410, "not-rising");
            assert_eq!(stick.setpoint()["angular_radps"], 1.2, "a replay of {seq}");
        }
        assert_eq!(rig.agent.state()["base"]["closed"], Value::Null, "none of it closed anything");
    });
}

#[test]
fn closing_the_socket_ends_the_motion_at_once() {
    // Long before the time to live; the base stays open for others, and the next socket starts at zero again.
    Rig::with(UNLIMITED, |rig| {
        for leaves_in_order in [true, false] {
            let mut stick = Stick::open(rig, rig.owner());
            stick.drive();
            stick.push(1.2);
            let pushed = Instant::now();
            if leaves_in_order {
                stick.socket.close();
            } else {
                drop(stick.socket);
            }
            rig.agent.wait_for_state("no setpoint", |state| state["base"]["setpoint"].is_null());
            assert!(pushed.elapsed() < Duration::from_millis(400), "{:?} of 500 ms", pushed.elapsed());
            assert_eq!(rig.agent.state()["base"]["closed"], Value::Null);
            rig.wait_for_standstill();
        }
        let mut stick = Stick::open(rig, rig.owner());
        stick.push(1.2);
        stick.expect_refused(409, "neutral-first");
    });
}

#[test]
fn a_second_socket_of_a_token_replaces_its_first() {
    // The first is closed with 4001 and its motion ends; the second starts at zero; another token's socket stays.
    Rig::with(UNLIMITED, |rig| {
        let [ann] = rig.tokens([("ann", "local", "read,drive")]);
        let mut other = Socket::open(&rig.agent, TELEOP, &ann);
        let mut first = Stick::open(rig, rig.owner());
        first.drive();
        let mut second = Stick::open(rig, rig.owner());
        assert_eq!(first.socket.wait_for_end(), Some(4001));
        assert_eq!(second.setpoint(), Value::Null);
        second.push(1.0);
        second.expect_refused(409, "neutral-first");
        second.drive();
        other.receive_named("state");
        other
            .send(&json!({"seq": 1, "linear_mps": 0, "angular_radps": 0, "seen": rig.agent.state()["seen"]}));
        let refused = other.receive_named("refused");
        assert_eq!(refused["type"], "/problems/lease-held", "{refused}");
    });
}

#[test]
fn a_held_stick_that_comes_back_after_silence_does_not_start_the_robot() {
    // 3 s without network, then frames with fresh stamps and the stick still held: refused until it is let go.
    Rig::with(UNLIMITED, |rig| {
        let mut stick = Stick::open(rig, rig.owner());
        stick.drive();
        std::thread::sleep(Duration::from_secs(3));
        let before = rig.wait_for_standstill();
        for _ in 0..5 {
            stick.push(1.2);
            stick.expect_refused(409, "neutral-first");
        }
        let after = rig.agent.state();
        assert_eq!(
            (&after["base"]["setpoint"], &after["base"]["pose"]),
            (&Value::Null, &before["base"]["pose"])
        );
        stick.drive();
    });
}

#[test]
fn stop_and_estop_in_the_socket_act_whatever_stands_beside_them() {
    // No stamp, no number, junk around: base is closed. After a take the held stick must be let go.
    Rig::with(UNLIMITED, |rig| {
        let stops = [
            r#"{"stop":true}"#,
            r#"{"stop":true,"seq":"x","linear_mps":9,"seen":null,"junk":[1,{"a":2}]}"#,
            r#"{"seq":1,"linear_mps":0.5,"angular_radps":0,"stop":true}"#,
        ];
        let mut stick = Stick::open(rig, rig.owner());
        for text in stops {
            rig.take(rig.owner(), true).expect(201);
            stick.drive();
            stick.socket.send_text(text);
            let state =
                rig.agent.wait_for_state("a closed base", |state| state["base"]["closed"].is_object());
            assert_eq!(
                (&state["base"]["closed"]["by"], &state["base"]["setpoint"]),
                (&json!("stop"), &Value::Null),
                "{text}"
            );
            assert!(state["base"]["closed"]["reason"].as_str().unwrap().contains("owner"), "{text}");
            stick.push(1.2);
            stick.expect_refused(409, "closed");
            rig.take(rig.owner(), true).expect(201);
            stick.push(1.2);
            stick.expect_refused(409, "neutral-first");
        }
        stick.drive();
        stick.socket.send_text(
            r#"{"estop":true,"reason":"cliff","seq":-7,"junk":"\u0000","stop":false,"seen":{"run":1}}"#,
        );
        let state = rig.agent.wait_for_state("the e-stop", |state| state["estop"]["latched"] == true);
        assert_eq!(
            (&state["estop"]["reason"], &state["base"]["closed"]["by"]),
            (&json!("cliff"), &json!("estop"))
        );
        stick.push(0.0);
        stick.expect_refused(423, "estop-latched");
    });
}

#[test]
fn others_are_asked_before_the_stick_moves_anything() {
    // Programs need a lease, ai gets no socket, frames are counted against the token's rate.
    Rig::with(&["limits.motion_per_s=10", "limits.read_per_s=0"], |rig| {
        let [program, model] =
            rig.tokens([("program", "autonomy", "read,drive"), ("model", "ai", "read,drive")]);
        let mut stick = Stick::open(rig, &program);
        stick.push(0.0);
        stick.expect_refused(409, "lease-needed");
        rig.take(&program, false).expect(201);
        stick.drive();
        let frame = stick.frame(0.5);
        for _ in 0..30 {
            stick.socket.send(&frame);
        }
        wait_until("a frame too many", || {
            stick.socket.receive_named("refused")["type"] == "/problems/rate-limited"
        });
        stick.socket.send_text("{\"stop\":true}");
        assert_eq!(rig.agent.wait_until_closed(), "stop");

        let upgrade = Ask::new("GET", TELEOP)
            .token(&model)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(upgrade.send(rig).expect(403).problem(), "no-right");
    });
}
