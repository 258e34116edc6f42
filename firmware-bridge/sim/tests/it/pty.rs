//! A running body behind its pseudo-terminal, met as a serial device: opened, read and written with real time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use firmware_bridge_link::message::{Command, Outcome, State, Stream, WheelGoal};
use firmware_bridge_sim::{BodyProfile, SimBody};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::ioctl_tiocexcl;
use rustix::time::{ClockId, clock_gettime};

use crate::host::Host;

/// Nothing in these tests takes longer.
const DEADLINE: Duration = Duration::from_secs(10);

/// A client of the device.
pub(crate) struct Client {
    device: File,
    pub(crate) host: Host,
}

impl Client {
    pub(crate) fn open(path: &Path) -> Self {
        let flags = (OFlags::NOCTTY | OFlags::NONBLOCK).bits() as i32;
        let device = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).unwrap();
        Self { device, host: Host::default() }
    }

    pub(crate) fn tell(&mut self, bytes: &[u8]) {
        self.device.write_all(bytes).unwrap();
    }

    /// Reads until `done` says so.
    pub(crate) fn until(&mut self, what: &str, done: impl Fn(&Host) -> bool) {
        let end = Instant::now() + DEADLINE;
        while !done(&self.host) {
            assert!(Instant::now() < end, "waited for {what}");
            self.listen(10);
        }
    }

    /// Reads what comes within `ms`, at least once.
    fn listen(&mut self, ms: u64) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: (ms * 1_000_000) as _ };
        if poll(&mut [PollFd::new(&self.device, PollFlags::IN)], Some(&timeout)).unwrap() > 0 {
            let mut bytes = [0; 4096];
            let count = self.device.read(&mut bytes).unwrap();
            self.host.read(&bytes[..count]);
        }
    }

    fn order(&mut self, command: Command) -> Outcome {
        self.host.reply = None;
        let frame = self.host.command(command);
        self.tell(&frame);
        self.until("reply", |host| host.reply.is_some());
        self.host.reply.unwrap().outcome
    }

    /// Greets, sets its clock, subscribes and arms.
    fn arm(&mut self) {
        let hello = self.host.ask_hello();
        self.tell(&hello);
        self.until("hello", |host| host.hello.is_some());
        let time = self.host.ask_time(monotonic_us());
        self.tell(&time);
        self.until("time", |host| host.time.is_some());
        assert_eq!(self.order(Command::Subscribe { stream: Stream::Motion, rate_hz: 50 }), Outcome::Done);
        self.setpoint(WheelGoal::Halt, 500);
        let boot_id = self.host.hello.unwrap().boot_id;
        assert_eq!(self.order(Command::Arm { boot_id }), Outcome::Done);
    }

    /// Returns when it was sent, CLOCK_MONOTONIC us.
    fn setpoint(&mut self, wheels: WheelGoal, ttl_ms: u16) -> u64 {
        let now_us = monotonic_us();
        let setpoint = self.host.setpoint(now_us, ttl_ms, wheels);
        self.tell(&setpoint);
        now_us
    }
}

fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}

pub(crate) fn trace_lines(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn trace_f64(line: &serde_json::Value, key: &str) -> f64 {
    line[key].as_f64().unwrap()
}

#[test]
fn is_driven_by_frames_and_stops_by_itself_by_its_own_trace() {
    // Armed and driven over the device; when the client falls silent the wheels' goal is zero at the end of ttl, the
    // wheels stand soon after, and the trace says so in CLOCK_MONOTONIC.
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace.jsonl");
    let body = SimBody::start(&BodyProfile::default(), 1, Some(&trace)).unwrap();
    let mut client = Client::open(body.path());
    client.arm();
    let goal = WheelGoal::Follow { left_mps: 0.3, right_mps: 0.25 };
    let mut last_us = 0;
    for _ in 0..25 {
        last_us = client.setpoint(goal, 90);
        client.listen(10);
        std::thread::sleep(Duration::from_millis(10));
    }
    client.until("the hold", |host| host.motion.is_some_and(|motion| motion.state == State::Stopped));
    let stopped_us = monotonic_us();
    client.until("standstill", |_| monotonic_us() > stopped_us + 200_000);
    drop(body);

    let lines = trace_lines(&trace);
    let driven = lines.iter().filter(|line| trace_f64(line, "left_target_mps") != 0.0);
    let driven: Vec<_> = driven.collect();
    assert!(driven.len() > 60, "{}", driven.len());
    assert!(driven.iter().all(|line| line["armed"] == true && line["state"] == "armed"));
    let end_us = driven.last().unwrap()["t_us"].as_u64().unwrap();
    let first_zero = lines.iter().find(|line| line["t_us"].as_u64().unwrap() > end_us).unwrap();
    let zero_us = first_zero["t_us"].as_u64().unwrap();
    let ended_us = last_us + 90_000;
    // The clocks of both ends differ by some microseconds of drift and transfer.
    assert!(zero_us + 1_000 > ended_us && zero_us < ended_us + 50_000, "{zero_us} {ended_us}");
    assert!(lines.iter().any(|line| trace_f64(line, "left_mps") > 0.2));
    let last = lines.last().unwrap();
    assert_eq!((trace_f64(last, "left_mps"), &last["state"]), (0.0, &serde_json::json!("stopped")));
    assert_eq!(last["reason"], "hold_over");
    let gaps =
        lines.windows(2).map(|pair| pair[1]["t_us"].as_u64().unwrap() - pair[0]["t_us"].as_u64().unwrap());
    let seconds =
        (lines.last().unwrap()["t_us"].as_u64().unwrap() - lines[0]["t_us"].as_u64().unwrap()) as f64 / 1e6;
    assert!(lines.len() as f64 > 40.0 * seconds, "{} lines in {seconds} s", lines.len());
    assert!(gaps.max().unwrap() < 200_000);
}

#[test]
fn clients_come_and_go() {
    // The device stays; each client finds it without anything left over from the one before, and not locked by it.
    let body = SimBody::start(&BodyProfile::default(), 1, None).unwrap();
    let mut boot_ids = Vec::new();
    for _ in 0..3 {
        let opened_us = monotonic_us();
        let mut client = Client::open(body.path());
        ioctl_tiocexcl(&client.device).unwrap();
        let hello = client.host.ask_hello();
        client.tell(&hello);
        client.until("hello", |host| host.hello.is_some());
        boot_ids.push(client.host.hello.unwrap().boot_id);
        let subscribe = client.host.command(Command::Subscribe { stream: Stream::Motion, rate_hz: 100 });
        client.tell(&subscribe);
        client.until("telemetry", |host| host.motions > 3);
        let time = client.host.ask_time(monotonic_us());
        client.tell(&time);
        client.until("time", |host| host.time.is_some());
        let first_us = client.host.first_motion.unwrap().t_us;
        let age_us = client.host.time.unwrap().mcu_us - first_us;
        assert!(age_us < monotonic_us() - opened_us + 50_000, "a frame from before: {age_us} us old");
        // Some frames stay unread when it goes.
        std::thread::sleep(Duration::from_millis(100));
        drop(client);
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(boot_ids, vec![boot_ids[0]; 3], "the MCU did not restart");
}

#[test]
fn a_client_that_does_not_read_costs_frames_only() {
    // The body drops what is not read, counts it, still obeys its deadlines, and talks on when it is read again.
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace.jsonl");
    let body = SimBody::start(&BodyProfile::default(), 1, Some(&trace)).unwrap();
    let mut client = Client::open(body.path());
    client.arm();
    assert_eq!(client.order(Command::Subscribe { stream: Stream::Motion, rate_hz: 100 }), Outcome::Done);
    body.fault("garbage 65536".parse().unwrap()).unwrap();
    let goal = WheelGoal::Follow { left_mps: 0.2, right_mps: 0.2 };
    let end = Instant::now() + DEADLINE;
    while body.bytes_dropped() == 0 {
        assert!(Instant::now() < end, "waited for drops");
        client.setpoint(goal, 100);
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(600));
    let lines = trace_lines(&trace);
    let last = lines.last().unwrap();
    assert_eq!((&last["state"], trace_f64(last, "left_mps")), (&serde_json::json!("stopped"), 0.0));
    let before = client.host.motions;
    client.until("telemetry", |host| host.motions > before + 5);
}

#[test]
fn faults_reach_a_running_body() {
    // A reset injected from another thread is a new boot id for the client; an ended body is a device that is gone.
    let body = SimBody::start(&BodyProfile::default(), 1, None).unwrap();
    let mut client = Client::open(body.path());
    client.arm();
    let before = client.host.hello.take().unwrap();
    body.fault("reset software".parse().unwrap()).unwrap();
    let end = Instant::now() + DEADLINE;
    while client.host.hello.is_none() {
        assert!(Instant::now() < end, "waited for hello");
        let hello = client.host.ask_hello();
        client.tell(&hello);
        client.listen(20);
    }
    assert_ne!(client.host.hello.unwrap().boot_id, before.boot_id);
    drop(body);
    let mut byte = [0];
    assert!(!matches!(client.device.read(&mut byte), Ok(1)), "nothing comes from a device that is gone");
    assert!(client.device.write(&byte).is_err());
}
