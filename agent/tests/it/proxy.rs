//! A network that holds bytes back for 2 s: what comes through then is too old to move anything.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::agent::Start;
use crate::support::body::{Body, Line};
use crate::support::http::Client;
use crate::support::{Place, monotonic_us, wait_until};

/// Passes bytes on between one client at a time and an agent; those from the client only while nobody holds them back.
struct Proxy {
    address: SocketAddr,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_held: Mutex<bool>,
    changed: Condvar,
}

impl Proxy {
    fn before(agent: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Gate::default());
        let passed = gate.clone();
        std::thread::spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let agent = TcpStream::connect(agent).unwrap();
                let (from, to) = (agent.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || copy(from, to, &Gate::default()));
                let gate = passed.clone();
                std::thread::spawn(move || copy(client, agent, &gate));
            }
        });
        Self { address, gate }
    }

    fn hold(&self) {
        *self.gate.is_held.lock().unwrap() = true;
    }

    fn release(&self) {
        *self.gate.is_held.lock().unwrap() = false;
        self.gate.changed.notify_all();
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, gate: &Gate) {
    to.set_nodelay(true).unwrap();
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let held = gate.changed.wait_while(gate.is_held.lock().unwrap(), |is_held| *is_held).unwrap();
        drop(held);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    // Either side may be gone already.
    drop(to.shutdown(Shutdown::Both));
}

fn command(seen: &Value) -> Value {
    json!({"linear_mps": 0.3, "angular_radps": 1.5, "ttl_ms": 250, "seen": seen})
}

/// The sender's rate is 20 Hz.
const PERIOD: Duration = Duration::from_millis(50);

#[test]
fn commands_that_a_network_held_back_do_not_move_the_body_and_an_estop_beside_it_acts() {
    // 1.5 s of commands come at once, the newest 500 ms old: each is stale. An e-stop on another way does not wait for them.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let proxy = Proxy::before(agent.address);
    let mut through = Client::connect(proxy.address, Some(&agent.token));
    let mut direct = agent.client();
    let mut seen = || direct.ask("GET", "/api/robot/state", None).json()["seen"].clone();

    wait_until("wheels that turn", || {
        through.ask("POST", "/api/robot/velocity", Some(&command(&seen()))).expect(202);
        std::thread::sleep(PERIOD);
        body.trace().iter().any(Line::is_moving)
    });

    for presses_estop in [false, true] {
        proxy.hold();
        let mut held = 0;
        for _ in 0..30 {
            through.send("POST", "/api/robot/velocity", Some(&command(&seen()))).unwrap();
            held += 1;
            std::thread::sleep(PERIOD);
        }
        std::thread::sleep(Duration::from_millis(500));
        if presses_estop {
            let pressed = agent.post("/api/robot/estop", &json!({"reason": "beside"})).expect(200).json();
            assert_eq!((&pressed["latched"], &pressed["durable"]), (&json!(true), &json!(true)), "{pressed}");
            body.wait_for_line("an e-stop in the body", 0, |line| line.state == "estop");
        }
        let released_us = monotonic_us();
        proxy.release();
        for _ in 0..held {
            let answer = through.receive().unwrap();
            let problem = answer.problem();
            match (answer.status, problem.as_str()) {
                (423, "estop-latched") if presses_estop => {}
                (410, "stale") if !presses_estop => {}
                _ if !presses_estop && agent.is_closed_by_a_busy_machine() => {}
                refused => panic!("{refused:?}"),
            }
        }
        body.wait_until_noted(released_us + 300_000);
        let line = body.trace_since(released_us).into_iter().find(|line| line.is_driven());
        assert!(line.is_none(), "moved by what was held back: {line:?}");
    }
}

#[test]
fn a_network_that_delivers_again_drives_again() {
    // Nothing was closed by it: the next fresh command moves the body, without a take.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let proxy = Proxy::before(agent.address);
    let mut through = Client::connect(proxy.address, Some(&agent.token));
    proxy.hold();
    through.send("POST", "/api/robot/velocity", Some(&command(&agent.state()["seen"]))).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    proxy.release();
    let answer = through.receive().unwrap();
    if agent.is_closed_by_a_busy_machine() {
        agent.open();
    } else {
        assert_eq!(answer.expect(410).problem(), "stale");
        assert_eq!(agent.state()["base"]["closed"], Value::Null);
    }
    assert!(!body.trace().iter().any(Line::is_driven));
    through.ask("POST", "/api/robot/velocity", Some(&command(&agent.state()["seen"]))).expect(202);
    body.wait_for_line("wheels that turn", 0, Line::is_moving);
}
