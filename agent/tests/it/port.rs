//! The body's port: pulled out, absent, full of garbage, used by two; and an MCU that restarts.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::support::agent::{Agent, Start};
use crate::support::body::Body;
use crate::support::driver::Driver;
use crate::support::{Place, monotonic_us, wait_for, wait_until};

/// What health says of the body once that holds `text`.
fn wait_for_fault(agent: &Agent, text: &str) -> Value {
    wait_for(text, || {
        let health = agent.get("/health");
        let body = health.json();
        let faults = body["faults"].as_array()?;
        let fault = faults.iter().find(|fault| fault["part"] == "body")?;
        let is_said = fault["detail"].as_str().unwrap().contains(text);
        assert_eq!((health.status, &body["status"]), (200, &json!("degraded")));
        is_said.then(|| fault.clone())
    })
}

fn wait_for_health(agent: &Agent) {
    wait_until("health without faults", || agent.get("/health").json()["status"] == "ok");
}

/// Nothing but a person's take opens the base, and that does: a driver who goes on meanwhile moves nothing.
fn check_closed_until_taken(agent: &Agent, body: &Body, driver: &Driver) {
    let from_us = monotonic_us();
    body.wait_until_noted(from_us + 500_000);
    let line = body.trace_since(from_us).into_iter().find(|line| line.is_driven());
    assert!(line.is_none(), "moved without a take: {line:?}");
    assert_eq!(driver.newest_answer().problem(), "closed");
    agent.open();
    driver.wait_until_moving(agent, body);
}

#[test]
fn a_body_that_is_pulled_out_and_put_back_stays_closed_until_a_take() {
    // The link's loss closes base; the agent finds the new port by itself; health says what is wrong meanwhile.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);
    body.kill();
    assert_eq!(agent.wait_until_closed(), "link-lost");
    wait_for_fault(&agent, place.link().to_str().unwrap());
    let body = Body::start(&place);
    agent.wait_for_body();
    wait_for_health(&agent);
    check_closed_until_taken(&agent, &body, &driver);
}

#[test]
fn an_mcu_that_restarts_while_driving_is_closed_until_a_take() {
    // The boot id tells it, however short the interruption was.
    let place = Place::new();
    let mut body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);
    body.fault("reset watchdog");
    agent.wait_for_state("mcu-reset", |state| state["base"]["closed"]["by"] == "mcu-reset");
    agent.wait_for_body();
    check_closed_until_taken(&agent, &body, &driver);
}

#[test]
fn a_port_that_is_absent_at_start_is_used_once_it_appears() {
    // The agent runs, health names the port, commands answer 503; the run's first connection opens what the start opens.
    let place = Place::new();
    let agent = Start::new(&place).on(&place.link()).run();
    wait_for_fault(&agent, place.link().to_str().unwrap());
    let refused = agent.post("/api/robot/velocity", &json!({"linear_mps": 0.1, "angular_radps": 0.0}));
    assert_eq!(refused.expect(503).problem(), "starting");
    let _body = Body::start(&place);
    agent.wait_until_open();
    wait_for_health(&agent);
}

#[test]
fn a_second_agent_at_the_same_port_does_not_disturb_the_first() {
    // The lock on the port keeps it out; it runs without a body and says why.
    let place = Place::new();
    let body = Body::start(&place);
    let agent = Start::new(&place).on(&body.link).run();
    agent.open();
    let elsewhere = Place::new();
    let second = Start::new(&elsewhere).on(&body.link).run();
    wait_for_fault(&second, body.link.to_str().unwrap());
    let driver = Driver::start(&agent);
    driver.wait_until_moving(&agent, &body);
    // Longer than several of its tries to open the port: it neither takes bytes out of the first one's frames nor adds any.
    body.wait_until_noted(monotonic_us() + 1_000_000);
    driver.wait_until_moving(&agent, &body);
    let metrics = String::from_utf8(agent.get("/metrics").expect(200).body).unwrap();
    assert!(metrics.lines().any(|line| line == "robbie_link_frames_broken 0"), "{metrics}");
    assert_eq!(second.state()["mcu"]["link"], "down");
}

/// Processor time that a process has used.
fn cpu_time(pid: Pid) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    // Linux counts these in hundredths of a second, whatever its own timer does.
    Duration::from_millis(ticks * 10)
}

/// A pty whose other end says random bytes, as a line at the wrong rate does, until dropped.
struct Babbler {
    ending: Arc<AtomicBool>,
    path: String,
}

impl Babbler {
    fn start() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        rustix::io::ioctl_fionbio(&controller, true).unwrap();
        let ending = Arc::new(AtomicBool::new(false));
        let told = ending.clone();
        let mut controller = File::from(controller);
        std::thread::spawn(move || {
            let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
            while !told.load(Ordering::Relaxed) {
                let mut bytes = [0; 64];
                for byte in &mut bytes {
                    noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    *byte = (noise >> 56) as u8;
                }
                // Nobody reads, or not so fast: like a wire, it goes on.
                drop(controller.write(&bytes));
                drop(std::io::Read::read(&mut controller, &mut [0; 4096]));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self { ending, path }
    }
}

impl Drop for Babbler {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_port_that_babbles_never_opens_anything() {
    // 3 s of noise: still closed, health degraded, alive, and the processor mostly idle.
    let place = Place::new();
    let babbler = Babbler::start();
    let agent = Start::new(&place).on(babbler.path.as_ref()).run();
    wait_for_fault(&agent, "does not answer");
    let (started, used) = (Instant::now(), cpu_time(agent.pid()));
    while started.elapsed() < Duration::from_secs(3) {
        let state = agent.state();
        assert!(state["base"]["closed"].is_object(), "{state}");
        assert_eq!(state["mcu"]["link"], "down");
        std::thread::sleep(Duration::from_millis(100));
    }
    let used = cpu_time(agent.pid()) - used;
    assert!(used < started.elapsed() / 2, "{used:?} of processor time in {:?}", started.elapsed());
    let refused = agent.post("/api/robot/velocity", &json!({"linear_mps": 0.1, "angular_radps": 0.0}));
    assert_eq!(refused.expect(503).problem(), "starting");
}
