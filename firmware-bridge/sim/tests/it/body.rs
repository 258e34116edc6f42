//! The whole body in virtual time: every fault is seen on the wire, every deadline is kept to the microsecond.

use firmware_bridge_link::message::{
    Command, Latch, Outcome, Reason, ResetReason, State, StopKind, Stream, WheelGoal,
};
use firmware_bridge_sim::{Body, BodyProfile, Fault};

use crate::host::Host;

const TICK_US: u64 = 20_000;

struct Rig {
    body: Body,
    host: Host,
    now_us: u64,
    /// Sent again every tick, as the gate does, with this time to live.
    goal: Option<(WheelGoal, u16)>,
    next_tick_us: u64,
}

impl Rig {
    fn new(seed: u64) -> Self {
        let now_us = 7_000_000;
        let body = Body::new(&BodyProfile::default(), seed, now_us);
        let mut rig = Self { body, host: Host::default(), now_us, goal: None, next_tick_us: now_us };
        rig.pass_us(0);
        rig
    }

    /// One that is armed and gets a zero every tick.
    fn armed(seed: u64) -> Self {
        let mut rig = Self::new(seed);
        rig.shake_hands();
        assert_eq!(rig.arm(), Outcome::Done);
        rig
    }

    fn shake_hands(&mut self) {
        let hello = self.host.ask_hello();
        self.tell(&hello);
        let time = self.host.ask_time(self.now_us);
        self.tell(&time);
        for stream in [Stream::Motion, Stream::Senses] {
            let subscribe = self.host.command(Command::Subscribe { stream, rate_hz: 50 });
            assert_eq!(self.order(subscribe), Outcome::Done);
        }
    }

    fn arm(&mut self) -> Outcome {
        self.goal = Some((WheelGoal::Halt, 100));
        self.next_tick_us = self.now_us;
        self.pass_us(0);
        let boot_id = self.host.hello.unwrap().boot_id;
        let arm = self.host.command(Command::Arm { boot_id });
        self.order(arm)
    }

    fn drive(&mut self, left_mps: f32, right_mps: f32) {
        self.goal = Some((WheelGoal::Follow { left_mps, right_mps }, 100));
    }

    fn tell(&mut self, bytes: &[u8]) {
        self.body.receive(self.now_us, bytes);
        self.hear();
    }

    fn order(&mut self, bytes: Vec<u8>) -> Outcome {
        self.host.reply = None;
        self.tell(&bytes);
        self.host.reply.expect("an answer at once").outcome
    }

    fn fault(&mut self, line: &str) {
        self.body.inject(self.now_us, line.parse::<Fault>().unwrap());
        self.hear();
    }

    fn hear(&mut self) {
        let mut bytes = Vec::new();
        while self.body.transmit(self.now_us, &mut bytes) {}
        self.host.read(&bytes);
    }

    fn pass_ms(&mut self, ms: u64) {
        self.pass_us(ms * 1000);
    }

    fn pass_us(&mut self, us: u64) {
        let end_us = self.now_us + us;
        loop {
            if let Some((goal, ttl_ms)) = self.goal
                && self.now_us >= self.next_tick_us
            {
                self.next_tick_us = self.now_us + TICK_US;
                let setpoint = self.host.setpoint(self.now_us, ttl_ms, goal);
                self.tell(&setpoint);
            }
            self.body.step(self.now_us);
            self.hear();
            if self.now_us >= end_us {
                return;
            }
            let tick_us = self.goal.map_or(u64::MAX, |_| self.next_tick_us);
            let wake_us = self.body.next_wake_us();
            assert!(wake_us > self.now_us, "the body would spin");
            self.now_us = wake_us.min(tick_us).min(end_us);
        }
    }

    fn state(&self) -> (State, Reason) {
        let motion = self.host.motion.expect("telemetry");
        (motion.state, motion.reason)
    }
}

#[test]
fn drives_when_armed_and_not_before() {
    // A new body stands still whatever setpoints say, until it is armed; then it goes where it is told.
    let mut rig = Rig::new(1);
    rig.shake_hands();
    rig.drive(0.3, 0.3);
    rig.pass_ms(500);
    assert_eq!(rig.state(), (State::Disarmed, Reason::Started));
    assert_eq!(rig.body.pose().at.x_m, 0.0);
    rig.pass_ms(1);
    assert_eq!(rig.arm(), Outcome::Done);
    rig.drive(0.3, 0.3);
    rig.pass_ms(2000);
    assert_eq!(rig.state().0, State::Armed);
    let (x_m, motion) = (rig.body.pose().at.x_m, rig.host.motion.unwrap());
    assert!((0.5..0.6).contains(&x_m), "{x_m}");
    assert!((motion.left_mps - 0.3).abs() < 0.02, "{motion:?}");
    assert!((motion.left_um as f64 * 1e-6 - x_m).abs() < 0.02, "{motion:?}");
}

#[test]
fn a_setpoint_ends_to_the_microsecond_and_the_hold_follows() {
    // The target is zero in the first microsecond after ttl, the latch comes with hold, and the wheels stand in time.
    let mut rig = Rig::armed(1);
    rig.drive(0.6, 0.6);
    rig.pass_ms(1505);
    rig.goal = None;
    // Anew, so that the drift of the clock since the first exchange does not count.
    let time = rig.host.ask_time(rig.now_us);
    rig.tell(&time);
    let setpoint = rig.host.setpoint(rig.now_us, 60, WheelGoal::Follow { left_mps: 0.6, right_mps: 0.6 });
    rig.tell(&setpoint);
    let told_us = rig.now_us;
    rig.pass_us(59_990);
    assert_eq!(rig.body.view().left_target_mps, 0.6);
    rig.pass_us(20);
    assert_eq!(rig.body.view().left_target_mps, 0.0);
    assert_eq!(rig.body.view().state, State::Armed);
    rig.pass_us(told_us + 100_010 - rig.now_us);
    assert_eq!((rig.body.view().state, rig.body.view().reason), (State::Stopped, Reason::HoldOver));
    rig.pass_us(told_us + 60_000 + 200_000 + 50_000 + 5_000 - rig.now_us);
    assert!(rig.body.is_standing(), "{:?}", rig.body.view());
    assert_eq!(rig.state(), (State::Stopped, Reason::HoldOver));
}

#[test]
fn a_caller_that_comes_late_finds_a_body_that_stopped_in_time() {
    // A frozen process does not make the body run on: it stands where it would have stood.
    let mut on_time = Rig::armed(5);
    on_time.drive(0.5, 0.5);
    on_time.pass_ms(800);
    on_time.goal = None;
    let mut late = Rig::armed(5);
    late.drive(0.5, 0.5);
    late.pass_ms(800);
    on_time.pass_ms(2000);
    late.body.step(late.now_us + 2_000_000);
    assert!(late.body.is_standing());
    assert_eq!(late.body.pose(), on_time.body.pose());
    late.body.step(late.now_us + 3_600_000_000);
    assert_eq!(late.body.pose(), on_time.body.pose());
    assert!(late.body.next_wake_us() > late.now_us + 3_600_000_000);
}

#[test]
fn a_reset_is_a_new_life() {
    // The host sees another boot id with the reason, disarmed, counters at zero; the wheels roll out meanwhile.
    for (line, reason) in [
        ("reset power-on", ResetReason::PowerOn),
        ("reset brown-out", ResetReason::BrownOut),
        ("reset watchdog", ResetReason::Watchdog),
        ("reset software", ResetReason::Software),
        ("reset external", ResetReason::External),
    ] {
        let mut rig = Rig::armed(1);
        rig.drive(0.5, 0.5);
        rig.pass_ms(1000);
        let before = rig.host.hello.unwrap();
        assert!(rig.host.motion.unwrap().left_um > 300_000);
        rig.fault(line);
        rig.pass_ms(10);
        assert_eq!(rig.body.view().left_target_mps != 0.0, reason == ResetReason::Watchdog, "{line}");
        rig.pass_ms(700);
        assert!(rig.body.is_standing(), "{line}: setpoints of the old life move nothing");
        let hello = rig.host.ask_hello();
        rig.tell(&hello);
        let after = rig.host.hello.unwrap();
        assert_ne!(after.boot_id, before.boot_id, "{line}");
        assert_eq!((after.reset_reason, after.state), (reason, State::Disarmed), "{line}");
        let time = rig.host.ask_time(rig.now_us);
        rig.tell(&time);
        assert!(rig.host.time.unwrap().mcu_us < 710_000, "{line}");
        let subscribe = rig.host.command(Command::Subscribe { stream: Stream::Motion, rate_hz: 50 });
        assert_eq!(rig.order(subscribe), Outcome::Done);
        rig.pass_ms(50);
        assert!(rig.host.motion.unwrap().left_um < 150_000, "{line}: only what it rolled in this life");
    }
}

#[test]
fn silence_ends_by_itself() {
    // Nothing arrives for the time asked, then everything is as before: only the wire was mute.
    let mut rig = Rig::armed(1);
    rig.pass_ms(200);
    rig.fault("silence 500");
    let before = rig.host.frames;
    rig.pass_ms(499);
    assert_eq!(rig.host.frames, before);
    rig.pass_ms(100);
    assert!(rig.host.frames > before);
    assert_eq!(rig.state().0, State::Armed);
}

/// Runs a second with a fault of the wire. Returns how many motion frames came, and how many frames were broken.
fn with_bytes_spoiled(line: &str) -> (u32, u32) {
    let mut rig = Rig::armed(1);
    rig.pass_ms(200);
    let (motions, broken) = (rig.host.motions, rig.host.frames_broken());
    rig.fault(line);
    rig.pass_ms(1000);
    (rig.host.motions - motions, rig.host.frames_broken() - broken)
}

#[test]
fn spoiled_bytes_cost_frames_and_nothing_else() {
    // Every kind of spoiling is seen as broken frames; none is read as something else (the reader checks each).
    let (motions, broken) = with_bytes_spoiled("corrupt 0");
    assert!((50..=51).contains(&motions) && broken == 0, "{motions} {broken}");
    for line in ["corrupt 3000", "drop 3000", "duplicate 3000"] {
        let (motions, broken) = with_bytes_spoiled(line);
        assert!((5..50).contains(&motions) && broken > 3, "{line}: {motions} {broken}");
    }
    let (motions, broken) = with_bytes_spoiled("garbage 500");
    assert!(motions >= 48 && broken >= 1, "{motions} {broken}");
    assert_eq!(with_bytes_spoiled("drop 1000000").0, 0);
}

#[test]
fn a_stuck_encoder_stops_the_body() {
    // A wheel that is driven but does not count latches a fault; it cannot be cleared by wishing.
    let mut rig = Rig::armed(1);
    rig.drive(0.3, 0.3);
    rig.pass_ms(500);
    rig.fault("encoder right stuck");
    rig.pass_ms(1500);
    assert_eq!(rig.state(), (State::Fault, Reason::EncoderStuck));
    assert!(rig.body.is_standing());
}

#[test]
fn a_dead_range_sensor_shows_its_age() {
    // The reading stays and grows old: the host can tell it from a clear way.
    let mut rig = Rig::armed(1);
    rig.pass_ms(200);
    rig.fault("range rear dead");
    rig.pass_ms(1000);
    let senses = rig.host.senses.unwrap();
    assert!((960..1070).contains(&senses.ranges[1].age_ms), "{senses:?}");
    assert!(senses.ranges[0].age_ms < 70);
}

#[test]
fn an_empty_battery_stops_the_body_until_it_is_charged() {
    // Under the cut-off voltage it latches; the voltage is on the wire.
    let mut rig = Rig::armed(1);
    rig.drive(0.3, 0.3);
    rig.pass_ms(500);
    rig.fault("battery 9.3");
    rig.pass_ms(800);
    assert_eq!(rig.state(), (State::Fault, Reason::BatteryLow));
    assert!(rig.body.is_standing());
    assert!(rig.host.senses.unwrap().battery_mv <= 9_300);
    rig.fault("clear");
    rig.pass_ms(300);
    assert_eq!(rig.state().0, State::Fault);
    let clear = rig.host.command(Command::Clear(Latch::Fault));
    assert_eq!(rig.order(clear), Outcome::Done);
}

#[test]
fn the_button_and_the_host_stop_it() {
    // The e-stop button latches at once and lets go only when it is released and cleared; a stop frame does as much.
    let mut rig = Rig::armed(1);
    rig.drive(0.6, 0.6);
    rig.pass_ms(1000);
    rig.fault("estop press");
    assert_eq!(rig.body.view().left_target_mps, 0.0);
    assert_eq!(rig.state(), (State::EStop, Reason::ButtonEStop));
    rig.pass_ms(260);
    assert!(rig.body.is_standing());
    rig.fault("estop release");
    rig.pass_ms(100);
    assert_eq!(rig.state().0, State::EStop);
    let clear = rig.host.command(Command::Clear(Latch::EStop));
    assert_eq!(rig.order(clear), Outcome::Done);
    let stop = rig.host.stop(StopKind::Stop);
    assert_eq!(rig.order(stop), Outcome::Done);
    rig.pass_ms(40);
    assert_eq!(rig.state(), (State::Stopped, Reason::HostStop));
}

#[test]
fn drives_into_a_wall_and_no_further() {
    // The body is held by the wall while its wheels slip, and says so.
    let mut rig = Rig::armed(1);
    rig.drive(-0.5, -0.5);
    rig.pass_ms(4000);
    assert!(rig.body.touches_wall());
    assert!(rig.body.room().clearance_m(rig.body.pose().at) >= 0.119_999);
    assert!((rig.body.pose().at.x_m + 0.88).abs() < 0.01, "{:?}", rig.body.pose());
}

#[test]
fn rests_cheaply_and_wakes_at_once() {
    // At rest 50 wake-ups a second are enough; a setpoint moves the ramp in the turn in which it came.
    let mut rig = Rig::armed(1);
    rig.pass_ms(100);
    let first_us = rig.body.next_wake_us();
    rig.body.step(first_us);
    assert_eq!(rig.body.next_wake_us() - first_us, 20_000);
    rig.now_us = first_us + 7_000;
    let setpoint = rig.host.setpoint(rig.now_us, 100, WheelGoal::Follow { left_mps: 0.2, right_mps: 0.2 });
    rig.tell(&setpoint);
    assert_eq!(rig.body.view().left_target_mps, 0.2);
    assert!(rig.body.view().left_ramp_mps > 0.0);
    assert_eq!(rig.body.next_wake_us() - rig.now_us, 5_000);
}

#[test]
fn the_same_seed_gives_the_same_life() {
    // A simulation can be replayed: pose, telemetry and boot ids of two runs are equal.
    let life = |seed| {
        let mut rig = Rig::armed(seed);
        rig.fault("corrupt 1000");
        rig.drive(0.4, 0.2);
        rig.pass_ms(1000);
        rig.fault("reset external");
        rig.pass_ms(500);
        let hello = rig.host.ask_hello();
        rig.tell(&hello);
        (rig.body.pose(), rig.host.motion, rig.host.hello, rig.host.frames)
    };
    assert_eq!(life(11), life(11));
    assert_ne!(life(11), life(12));
}
