//! The rules that hold whatever comes: see `harness` for what is asserted after every step.

use firmware_bridge_link::message::*;
use proptest::prelude::*;

use crate::harness::play;
use crate::rig::{BOOT, LIMITS, Rig, follow};

/// The script that arms and drives: control, Hello, Time, Halt, Arm, Follow.
const DRIVE: [u8; 19] = [2, 1, 0, 4, 5, 6, 0, 100, 128, 0, 7, 7, 2, 2, 0, 6, 0, 100, 50];

#[test]
fn the_harness_can_drive() {
    // Rules that hold because nothing ever moves prove nothing: this script must arm and move.
    assert!(play(&DRIVE));
}

/// Steps of a script that are whole frames, so that deep states are reached often.
fn any_step() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..40),
        2 => (0_u8..60, any::<u8>()).prop_map(|(pause, body)| vec![2, pause, body]),
        1 => (0_u8..255).prop_map(|pause| vec![3, pause]),
        1 => Just(vec![4]),
        1 => Just(vec![5]),
        3 => (any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>()).prop_map(|(a, b, c, d)| vec![6, a, b, c, d]),
        1 => Just(vec![6, 0, 200, 128, 0]),
        2 => (0_u8..8).prop_map(|command| vec![7, command, 1]),
        1 => (0_u8..2).prop_map(|kind| vec![8, kind]),
        1 => Just(vec![9]),
        1 => Just(DRIVE.to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Invariant 7, the MCU trusts nobody: no script of whole and broken frames breaks a rule of the harness.
    #[test]
    fn invariant_7_no_script_breaks_a_rule(steps in prop::collection::vec(any_step(), 0..60)) {
        play(&steps.concat());
    }

    /// The same for bytes without any sense.
    #[test]
    fn invariant_7_no_bytes_break_a_rule(script in prop::collection::vec(any::<u8>(), 0..400)) {
        play(&script);
    }
}

/// What a host may send short of a complete arming.
#[derive(Clone, Debug)]
enum Sent {
    Hello(u8),
    Time,
    Setpoint(f32, u16),
    Arm(u32),
    Other(u8),
    Pause(u8),
}

fn any_sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        (0_u8..4).prop_map(Sent::Hello),
        Just(Sent::Time),
        (-1.0_f32..1.0, 0_u16..600).prop_map(|(mps, ttl_ms)| Sent::Setpoint(mps, ttl_ms)),
        prop_oneof![Just(BOOT), any::<u32>()].prop_map(Sent::Arm),
        (0_u8..6).prop_map(Sent::Other),
        (0_u8..80).prop_map(Sent::Pause),
    ]
}

/// Which precondition of arming is missing from everything that is sent.
#[derive(Clone, Copy, Debug)]
enum Missing {
    Hello,
    Time,
    Neutral,
    Boot,
}

fn send(rig: &mut Rig, sent: &Sent, missing: Missing) {
    match (sent, missing) {
        (Sent::Hello(major), Missing::Hello) if *major == PROTOCOL.major => {}
        (Sent::Hello(major), _) => rig.hello(Version { major: *major, minor: 0 }),
        (Sent::Time, Missing::Time) => {}
        (Sent::Time, _) => rig.time(),
        (Sent::Setpoint(mps, ttl_ms), Missing::Neutral) => rig.set(follow(*mps + 2.0, *mps), *ttl_ms),
        (Sent::Setpoint(mps, ttl_ms), _) => {
            let wheels = if *mps < 0.0 { WheelGoal::Halt } else { follow(*mps, *mps) };
            rig.set(wheels, *ttl_ms);
        }
        (Sent::Arm(boot_id), Missing::Boot) if *boot_id == BOOT => {}
        (Sent::Arm(boot_id), _) => {
            rig.command(Command::Arm { boot_id: *boot_id });
        }
        (Sent::Other(which), _) => {
            let latches = [Latch::Stopped, Latch::EStop, Latch::Fault];
            let command = match latches.get(usize::from(*which)) {
                Some(latch) => Command::Clear(*latch),
                None if *which == 3 => Command::Disarm,
                None if *which == 4 => Command::Tighten(LIMITS),
                None => Command::Subscribe { stream: Stream::Motion, rate_hz: 50 },
            };
            rig.command(command);
        }
        (Sent::Pause(ms), _) => rig.run_ms(u64::from(*ms)),
    }
}

proptest! {
    /// Without any one of Hello, time sync, a standstill or the boot id, outputs stay zero whatever else is sent.
    #[test]
    fn nothing_moves_without_a_valid_arm(
        missing in prop_oneof![Just(Missing::Hello), Just(Missing::Time), Just(Missing::Neutral), Just(Missing::Boot)],
        everything in prop::collection::vec(any_sent(), 1..80),
    ) {
        let mut rig = Rig::powered(crate::rig::CONFIG);
        rig.run_ms(1);
        for sent in &everything {
            send(&mut rig, sent, missing);
            prop_assert_eq!((rig.targets(), rig.ramps()), ((0.0, 0.0), (0.0, 0.0)), "{:?}", sent);
            let enabled = rig.outputs.is_some_and(|outputs| outputs.enabled);
            prop_assert!(!enabled);
        }
    }

    /// Invariant 1, motion ages: at and after min(sent, arrival) + ttl the target is zero, and so are the wheels a
    /// computed ramp later.
    #[test]
    fn invariant_1_motion_ages(
        late_us in 0_u64..60_000, ttl_ms in 0_u16..600, left in -1.0_f32..1.0, right in -1.0_f32..1.0,
        step_us in 1_000_u64..10_000,
    ) {
        let mut rig = Rig::driving(0.4, 0.4);
        let sent_at_us = rig.now_us.saturating_sub(late_us);
        rig.setpoint(sent_at_us, ttl_ms, follow(left, right));
        let deadline_us = rig.now_us + 100_000;
        let deadline_us = deadline_us.min(sent_at_us + u64::from(ttl_ms.clamp(20, 500)) * 1_000).max(rig.now_us + 80_000);
        while rig.now_us < deadline_us {
            rig.now_us += step_us;
            rig.outputs = Some(rig.controller.control(rig.now_us, &rig.inputs));
        }
        prop_assert_eq!(rig.targets(), (0.0, 0.0));
        rig.run_ms(320);
        prop_assert_eq!(rig.ramps(), (0.0, 0.0));
    }
}
