//! Driven over a broker: real processes, Debian's mosquitto, and somebody who speaks as the cloud does. Where mosquitto is missing
//! they are left out, which is said; with `CI=true` that is a failure.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use rumqttc::QoS;
use serde_json::{Value, json};

use crate::http_rig::{Machine, STANDSTILL, TRIES};
use crate::support::agent::{Agent, Start};
use crate::support::broker::{Broker, Speaker};
use crate::support::cloud::Cloud;
use crate::support::{Place, wait_for, wait_until};

/// A robot that is paired and connected, and somebody at its broker.
struct Rig {
    agent: Agent,
    broker: Broker,
    cloud: Speaker,
    _pairing: Cloud,
    _place: Place,
}

impl Rig {
    /// Runs a test, again where the machine gave nobody any time: that closes a robot, as it must.
    fn with(test: impl Fn(Self)) {
        for turn in 1.. {
            let Some(rig) = Self::start() else { return };
            let machine = Machine::watch();
            let Err(failure) = catch_unwind(AssertUnwindSafe(|| test(rig))) else { return };
            if turn == TRIES || machine.longest_standstill() <= STANDSTILL {
                resume_unwind(failure);
            }
            eprintln!("the machine stood still meanwhile, which closes a robot: once more");
            Machine::wait_for_calm();
        }
    }

    /// `None` where there is no mosquitto.
    fn start() -> Option<Self> {
        let place = Place::new();
        let broker = Broker::start(&place)?;
        let cloud = Speaker::connect(&broker, "cloud");
        let pairing = Cloud::start();
        pairing.name_broker(&broker.url());
        let agent = Start::new(&place).run();
        agent.command(&["pair", "GOODCODE", "--cloud", &pairing.url()]);
        cloud.wait_for("status", |status| status["online"] == true);
        agent.wait_for_body();
        Some(Self { agent, broker, cloud, _pairing: pairing, _place: place })
    }

    /// Takes the base, which opens it too; what the token `token` does afterwards needs no lease's name.
    fn take(&self, id: &str, token: &str) -> Value {
        let body = json!({"by": by(token), "resource": "base", "ttl_ms": 30000, "seen": self.cloud.seen()});
        let taken = self.cloud.ask("lease-take", id, &body);
        assert_eq!(taken["status"], 201, "{taken}");
        taken
    }

    fn setpoint(&self) -> Value {
        self.agent.state()["base"]["setpoint"].clone()
    }
}

/// What the cloud says of one of its tokens.
fn by(token: &str) -> Value {
    json!({"token": token, "user_id": format!("user-of-{token}"), "class": "remote", "scopes": ["read", "drive", "speak"]})
}

fn velocity(by: &Value, seen: &Value) -> Value {
    json!({"by": by, "linear_mps": 0.0, "angular_radps": 1.0, "ttl_ms": 500, "seen": seen})
}

#[test]
fn who_is_there_how_it_is_and_what_happens_is_shown() {
    // Retained status with its end, one state a second or ten while somebody reads, events.
    Rig::with(|rig| {
        let status = rig.cloud.heard("status").last().unwrap().json();
        assert_eq!(status["run"], rig.agent.state()["seen"]["run"]);
        assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
        rig.cloud.wait_for("state", |state| state["robot"] == "robbie");
        wait_until("it to show itself slowly", || {
            (1..=3).contains(&rig.cloud.states_within(Duration::from_secs(2)))
        });
        rig.cloud.command("watch", &json!({}));
        assert!(rig.cloud.states_within(Duration::from_secs(2)) >= 15);

        rig.agent.post("/api/robot/stop", &json!({})).expect(200);
        rig.cloud.wait_for("event/stop", |event| event["resource"] == "base" && event["by"] == "stop");
        rig.take("t", "a");
        rig.cloud.wait_for("event/opened", |event| event["resource"] == "base");
        rig.agent.post("/api/robot/estop", &json!({"reason": "smoke"})).expect(200);
        rig.cloud.wait_for("event/estop", |event| event["latched"] == true && event["reason"] == "smoke");

        // Whoever comes later finds the status; one that dies is said to be gone.
        let late = Speaker::connect(&rig.broker, "late");
        late.wait_for("status", |status| status["online"] == true);
        let Rig { agent, cloud, .. } = rig;
        agent.kill();
        cloud.wait_for("status", |status| status["online"] == false);
    });
}

#[test]
fn a_command_is_answered_as_its_route_would() {
    // Drives, and every answer that the route gives; the lease is the cloud's token's.
    Rig::with(|rig| {
        rig.take("t", "a");
        let driven = rig.cloud.ask("velocity", "v", &velocity(&by("a"), &rig.cloud.seen()));
        assert_eq!(driven["status"], 202, "{driven}");
        assert_eq!(driven["body"]["expires_in_ms"].as_u64().unwrap().div_ceil(500), 1);
        let turns = |state: &Value| state["base"]["velocity"]["angular_radps"].as_f64().unwrap() > 0.05;
        let driving = || {
            rig.cloud.command("velocity", &velocity(&by("a"), &rig.cloud.seen()));
            turns(&rig.agent.state())
        };
        wait_until("a turning body", driving);
        let held = rig.agent.state()["control"]["base"].clone();
        assert_eq!((&held["holder"], &held["class"]), (&json!("user-of-a"), &json!("remote")));

        let check = |kind: &str, id: &str, body: Value, status: u16, problem: &str| {
            let result = rig.cloud.ask(kind, id, &body);
            let wanted = (json!(status), json!(format!("/problems/{problem}")));
            assert_eq!((result["status"].clone(), result["type"].clone()), wanted, "{result}");
            assert!(result["detail"].as_str().unwrap().len() > 10, "{result}");
            result
        };
        let seen = rig.cloud.seen();
        let body = json!({"by": by("b"), "linear_mps": 0.1, "angular_radps": 0, "seen": seen});
        let refused = check("velocity", "other", body, 409, "lease-held");
        assert_eq!(refused["body"]["holder"], "user-of-a");
        check(
            "velocity",
            "unseen",
            json!({"by": by("a"), "linear_mps": 0.1, "angular_radps": 0}),
            400,
            "bad-request",
        );
        let body = json!({"by": by("a"), "linear_mps": 9, "angular_radps": 0, "seen": rig.cloud.seen()});
        let refused = check("velocity", "fast", body, 422, "out-of-range");
        assert_eq!(refused["body"]["max"], 0.6);
        check("velocity", "nobody", json!({"linear_mps": 0.1, "angular_radps": 0}), 401, "no-token");
        let mut reader = by("c");
        reader["scopes"] = json!(["read"]);
        check("velocity", "reader", velocity(&reader, &rig.cloud.seen()), 403, "no-right");
        let mut model = by("c");
        model["class"] = json!("ai");
        check("velocity", "model", velocity(&model, &rig.cloud.seen()), 400, "bad-request");
        model["turn"] = json!("never-begun");
        check("velocity", "unbegun", velocity(&model, &rig.cloud.seen()), 410, "lease-gone");
        check("estop-reset", "reset", json!({"by": by("a"), "epoch": 1}), 404, "not-found");
        check("lease-renew", "gone", json!({"by": by("a"), "lease": "l-999"}), 410, "lease-gone");
        check("read", "nothing", json!({"by": by("a"), "what": "estop/reset"}), 404, "not-found");

        let read = rig.cloud.ask("read", "why", &json!({"by": by("a"), "what": "control/why"}));
        assert_eq!((&read["status"], &read["body"]["holder"]["holder"]), (&json!(200), &json!("user-of-a")));
        let lit = rig.cloud.ask("lights", "lit", &json!({"by": by("a"), "on": true, "color": "#00ff00"}));
        assert_eq!((&lit["status"], &lit["body"]["lights"]["color"]), (&json!(200), &json!("#00ff00")));
        let stopped = rig.cloud.ask("stop", "stop", &json!({"by": by("b")}));
        assert_eq!((&stopped["status"], &stopped["body"]["stopped"]), (&json!(200), &json!(true)));
        assert_eq!(rig.setpoint(), Value::Null);
    });
}

#[test]
fn what_is_late_repeated_kept_or_foreign_moves_nothing() {
    Rig::with(|rig| {
        rig.take("t", "a");
        // Held back for 2 s, as by a broker that stands still meanwhile.
        let body = velocity(&by("a"), &rig.cloud.seen());
        rig.broker.freeze();
        let mut late = body.clone();
        late["id"] = json!("late");
        rig.cloud.command("velocity", &late);
        std::thread::sleep(Duration::from_secs(2));
        rig.broker.thaw();
        let refused = rig.cloud.result("late");
        assert_eq!((&refused["status"], &refused["type"]), (&json!(410), &json!("/problems/stale")));

        // Another run of the agent; from the future.
        let mut other = rig.cloud.seen();
        other["run"] = json!("0123456789abcdef");
        let refused = rig.cloud.ask("velocity", "other-run", &velocity(&by("a"), &other));
        assert_eq!(refused["status"], 410);
        let mut future = rig.cloud.seen();
        future["mono_ms"] = json!(future["mono_ms"].as_u64().unwrap() + 60_000);
        assert_eq!(rig.cloud.ask("velocity", "future", &velocity(&by("a"), &future))["status"], 410);

        // The same id twice is one move.
        let step = json!({"id": "twice", "by": by("a"), "distance_m": 0.05, "seen": rig.cloud.seen()});
        rig.cloud.command("move", &step);
        rig.cloud.command("move", &step);
        assert_eq!(rig.cloud.result("twice")["status"], 202);
        let after = rig.cloud.ask("read", "after", &json!({"by": by("a"), "what": "control/why"}));
        assert_eq!(after["status"], 200);
        assert_eq!(rig.cloud.results("twice").len(), 1);
        let task = rig.cloud.result("twice")["body"]["task"].clone();
        assert_eq!(task, "t-1");
        assert_eq!(
            rig.cloud.ask("read", "second", &json!({"by": by("a"), "what": "tasks/t-2"}))["status"],
            404
        );

        // For another robot; with a word nobody knows; what is no JSON; huge.
        let foreign = json!({"id": "foreign"}).to_string();
        rig.cloud.say("robbie/v1/home/other/command/estop", foreign.as_bytes(), QoS::AtLeastOnce, false);
        rig.cloud.command_bytes("velocity", b"{\"linear_mps\": ");
        rig.cloud.command_bytes("velocity", b"\xff\xfe");
        rig.cloud.command_bytes("velocity", &vec![b'x'; 100_000]);
        assert_eq!(rig.cloud.ask("warp", "warp", &json!({"by": by("a")}))["status"], 404);
        let huge = json!({"id": "huge", "by": by("a"), "text": "x".repeat(80_000)});
        rig.cloud.command("lights", &huge);
        assert_eq!(rig.cloud.ask("lights", "fine", &json!({"by": by("a"), "on": true}))["status"], 200);
        assert_eq!(rig.agent.state()["estop"]["latched"], false);
        wait_until("the one step to be done", || rig.setpoint().is_null());

        // Retained: also an e-stop, which is not of now.
        let topic = "robbie/v1/home/robbie/command/estop";
        let Rig { agent, mut broker, cloud, _place: place, _pairing: pairing } = rig;
        agent.kill();
        cloud.say(topic, json!({"id": "kept"}).to_string().as_bytes(), QoS::AtLeastOnce, true);
        let agent = Start::new(&place).run();
        let refused = cloud.result("kept");
        assert_eq!((&refused["status"], &refused["type"]), (&json!(410), &json!("/problems/stale")));
        assert_eq!(agent.state()["estop"]["latched"], false);
        // Without `by` it stops all the same.
        cloud.command("estop", &json!({"id": "pressed", "reason": "smoke"}));
        assert_eq!(cloud.result("pressed")["body"]["latched"], true);
        assert_eq!(agent.state()["estop"]["reason"], "smoke");
        broker.kill();
        drop(pairing);
    });
}

#[test]
fn a_token_that_dies_lets_go_of_everything() {
    Rig::with(|rig| {
        rig.take("t", "a");
        let begun =
            rig.cloud.ask("move", "m", &json!({"by": by("a"), "angle_rad": 6.0, "seen": rig.cloud.seen()}));
        assert_eq!(begun["status"], 202, "{begun}");
        rig.cloud.command("revoke", &json!({"token": "a"}));
        let dead = Instant::now();
        wait_until("the end of its lease", || rig.agent.state()["control"]["base"].is_null());
        assert!(dead.elapsed() < Duration::from_secs(2));
        assert_eq!(rig.setpoint(), Value::Null);
        let refused = rig.cloud.ask("velocity", "again", &velocity(&by("a"), &rig.cloud.seen()));
        assert_eq!(refused["status"], 401);
        // Another's is as good as before.
        rig.take("u", "b");
    });
}

#[test]
fn a_move_ends_within_two_seconds_of_its_broker() {
    // Whether it dies or falls silent. A drive command ends by itself.
    Rig::with(|mut rig| {
        for (turn, dies) in [true, false].into_iter().enumerate() {
            rig.take(&format!("t{turn}"), "a");
            let id = format!("m{turn}");
            let begun = rig.cloud.ask(
                "move",
                &id,
                &json!({"by": by("a"), "angle_rad": 20.0, "seen": rig.cloud.seen()}),
            );
            assert_eq!(begun["status"], 202, "{begun}");
            let path = format!("/api/robot/tasks/{}", begun["body"]["task"].as_str().unwrap());
            let task = || rig.agent.get(&path).expect(200).json();
            // Over a broker that lives it goes on.
            std::thread::sleep(Duration::from_millis(2500));
            assert_eq!(task()["state"], "running");
            let lost = Instant::now();
            if dies {
                rig.broker.kill();
            } else {
                rig.broker.freeze();
            }
            let ended =
                wait_for("the end of the move", || Some(task()).filter(|task| task["state"] != "running"));
            assert_eq!(ended["state"], "cancelled");
            assert!(lost.elapsed() < Duration::from_millis(2300), "{:?}", lost.elapsed());
            wait_until("a standstill", || {
                rig.agent.state()["base"]["velocity"]["angular_radps"].as_f64().unwrap().abs() < 0.01
            });
            if dies {
                rig.broker.restart();
                rig.cloud = Speaker::connect(&rig.broker, "cloud");
                rig.cloud.wait_for("status", |status| status["online"] == true);
            } else {
                rig.broker.thaw();
            }
        }
    });
}

#[test]
fn a_stick_in_the_cloud_drives_and_its_end_is_the_end() {
    Rig::with(|rig| {
        let frame = |socket: &str, seq: u64, angular_radps: f64| {
            let mut frame =
                json!({"id": format!("{socket}:{seq}"), "by": by("a"), "socket": socket, "seq": seq});
            frame["linear_mps"] = json!(0);
            frame["angular_radps"] = json!(angular_radps);
            frame["ttl_ms"] = json!(500);
            frame["seen"] = rig.cloud.seen();
            rig.cloud.command("teleop", &frame);
        };
        let opened = rig.take("t", "a");
        assert_eq!(opened["body"]["resource"], "base");
        frame("one", 1, 1.0);
        assert_eq!(rig.cloud.result("one:1")["type"], "/problems/neutral-first");
        frame("one", 2, 0.0);
        let mut seq = 2;
        wait_until("a turning body", || {
            seq += 1;
            frame("one", seq, 1.0);
            rig.agent.state()["base"]["velocity"]["angular_radps"].as_f64().unwrap() > 0.05
        });
        frame("one", 2, 1.0);
        wait_until("an old frame's refusal", || {
            rig.cloud.results("one:2").iter().any(|result| result["type"] == "/problems/not-rising")
        });
        rig.cloud.command("teleop", &json!({"by": by("a"), "socket": "one", "closed": true}));
        wait_until("the end of its setpoint", || rig.setpoint().is_null());
        frame("one", 99, 0.0);
        assert_eq!(rig.cloud.result("one:99")["status"], 404);
        // A new one takes the place of an old one.
        frame("two", 1, 0.0);
        frame("three", 1, 0.0);
        frame("two", 2, 0.0);
        assert_eq!(rig.cloud.result("two:2")["status"], 404);
    });
}

#[test]
fn a_model_acts_in_a_turn_that_a_person_began_and_within_its_bounds() {
    // Bounds add up over the turn; when it is over, nothing more.
    Rig::with(|rig| {
        let model = |turn: &str| {
            let mut by = by("a");
            (by["class"], by["turn"]) = (json!("ai"), json!(turn));
            by
        };
        let begin = |id: &str, turn: &str, seen: Value| {
            rig.cloud.ask("turn-begin", id, &json!({"by": by("a"), "turn": turn, "seen": seen}))
        };
        let mut old = rig.cloud.seen();
        old["mono_ms"] = json!(old["mono_ms"].as_u64().unwrap().saturating_sub(2000));
        assert_eq!(begin("late", "m0", old)["status"], 410);
        assert_eq!(begin("b1", "m1", rig.cloud.seen())["status"], 204);
        assert_eq!(begin("b2", "m1", rig.cloud.seen())["status"], 410);
        let take = |id: &str, turn: &str| {
            rig.cloud.ask(
                "lease-take",
                id,
                &json!({"by": model(turn), "resource": "base", "seen": rig.cloud.seen()}),
            )
        };
        let taken = take("t1", "m1");
        assert_eq!(taken["status"], 201, "{taken}");
        let step = |id: &str, distance_m: f64| {
            let body = json!({"by": model("m1"), "angle_rad": distance_m, "seen": rig.cloud.seen()});
            rig.cloud.ask("move", id, &body)
        };
        assert_eq!(step("s1", 1.0)["status"], 202);
        let refused = step("s2", 6.0);
        assert_eq!((&refused["status"], &refused["type"]), (&json!(422), &json!("/problems/out-of-range")));
        let driven = rig.cloud.ask("velocity", "v", &velocity(&model("m1"), &rig.cloud.seen()));
        assert_eq!(driven["status"], 403);
        assert_eq!(rig.cloud.ask("turn-end", "e1", &json!({"by": model("m1")}))["status"], 204);
        wait_until("its lease to be over", || rig.agent.state()["control"]["base"].is_null());
        assert_eq!(step("s3", 0.5)["status"], 410);
        assert_eq!(take("t2", "m1")["status"], 410);
    });
}
