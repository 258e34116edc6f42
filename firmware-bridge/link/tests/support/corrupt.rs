//! Damages frames and counts those that come through with altered content.

use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{
    Command, CommandFrame, Motion, Reason, Setpoint, State, StopFrame, StopKind, Telemetry, WheelGoal,
};

/// SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same everywhere for one seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

/// A frame as sent, and what it says.
pub(crate) struct Sent {
    pub(crate) wire: Vec<u8>,
    class: Class,
    seq: u8,
    body: Vec<u8>,
}

impl Sent {
    pub(crate) fn new(class: Class, seq: u8, body: &impl serde::Serialize) -> Self {
        let mut frame = FrameBuf::new();
        encode(class, seq, body, &mut frame).expect("a message fits a frame");
        let wire = frame.as_bytes().to_vec();
        let mut decoder = Decoder::new();
        let mut sent = None;
        for &byte in &wire {
            if let Some(Ok(found)) = decoder.push(byte) {
                sent = Some((found.class, found.seq, found.body.to_vec()));
            }
        }
        let (class, seq, body) = sent.expect("an undamaged frame is found");
        Self { wire, class, seq, body }
    }

    /// Frames in `damaged` that are accepted but are not this one.
    fn altered_in(&self, decoder: &mut Decoder, damaged: &[u8]) -> u64 {
        let mut altered = 0;
        for &byte in damaged.iter().chain(&[0]) {
            if let Some(Ok(found)) = decoder.push(byte) {
                let same = found.class == self.class && found.seq == self.seq && found.body == self.body;
                altered += u64::from(!same);
            }
        }
        altered
    }
}

/// The frames whose bits are all tried: what moves and stops the body.
fn short_frames() -> Vec<Sent> {
    let setpoint = |wheels| Setpoint { sent_at_us: 40_123_456, ttl_ms: 100, wheels };
    vec![
        Sent::new(Class::Stop, 0, &StopFrame { id: 0, kind: StopKind::Stop }),
        Sent::new(Class::Stop, 3, &StopFrame { id: 517, kind: StopKind::EStop }),
        Sent::new(Class::Command, 9, &CommandFrame { id: 6, command: Command::Arm { boot_id: 0x12ab_34cd } }),
        Sent::new(Class::Setpoint, 200, &setpoint(WheelGoal::Halt)),
        Sent::new(Class::Setpoint, 201, &setpoint(WheelGoal::Follow { left_mps: 0.25, right_mps: -0.3 })),
    ]
}

/// Flips every set of one, two and three bits of every short frame. Returns frames tried and frames accepted altered.
pub(crate) fn flip_all() -> (u64, u64) {
    let mut decoder = Decoder::new();
    let (mut tried, mut altered) = (0, 0);
    for sent in short_frames() {
        let mut wire = sent.wire.clone();
        let bits = wire.len() * 8;
        let mut check = |wire: &[u8]| {
            tried += 1;
            altered += sent.altered_in(&mut decoder, wire);
        };
        for first in 0..bits {
            flip(&mut wire, first);
            check(&wire);
            for second in first + 1..bits {
                flip(&mut wire, second);
                check(&wire);
                for third in second + 1..bits {
                    flip(&mut wire, third);
                    check(&wire);
                    flip(&mut wire, third);
                }
                flip(&mut wire, second);
            }
            flip(&mut wire, first);
        }
    }
    (tried, altered)
}

/// Damages `samples` frames of many kinds and lengths: 4 to 19 flipped bits, a burst, bytes lost, or bytes doubled.
/// Returns how many were accepted altered.
pub(crate) fn damage_sampled(samples: u64, seed: u64) -> u64 {
    let mut random = Random(seed);
    let pool: Vec<Sent> = (0..256).map(|_| any_frame(&mut random)).collect();
    let mut decoder = Decoder::new();
    let mut damaged = Vec::with_capacity(512);
    let mut altered = 0;
    for _ in 0..samples {
        let sent = &pool[random.below(pool.len())];
        damaged.clear();
        damaged.extend_from_slice(&sent.wire);
        damage(&mut damaged, &mut random);
        altered += sent.altered_in(&mut decoder, &damaged);
    }
    altered
}

fn damage(wire: &mut Vec<u8>, random: &mut Random) {
    match random.below(8) {
        0 => {
            let at = random.below(wire.len());
            wire.remove(at);
        }
        1 => {
            let at = random.below(wire.len());
            wire.insert(at, wire[at]);
        }
        2 => {
            let end = wire.len().min(8);
            let from = random.below(wire.len() + 1 - end);
            for (byte, noise) in wire[from..from + end].iter_mut().zip(random.next().to_le_bytes()) {
                *byte ^= noise;
            }
        }
        _ => {
            for _ in 0..4 + random.below(16) {
                let bit = random.below(wire.len() * 8);
                flip(wire, bit);
            }
        }
    }
}

fn any_frame(random: &mut Random) -> Sent {
    let seq = random.next() as u8;
    let speed = |random: &mut Random| (random.next() % 1_200) as f32 / 1_000.0 - 0.6;
    match random.below(3) {
        0 => {
            let wheels = WheelGoal::Follow { left_mps: speed(random), right_mps: speed(random) };
            let sent_at_us = random.next() >> random.below(60);
            Sent::new(
                Class::Setpoint,
                seq,
                &Setpoint { sent_at_us, ttl_ms: random.next() as u16 % 500, wheels },
            )
        }
        1 => {
            let command = Command::Head { pan_rad: speed(random), tilt_rad: speed(random) };
            Sent::new(Class::Command, seq, &CommandFrame { id: random.next() as u16, command })
        }
        _ => Sent::new(
            Class::Telemetry,
            seq,
            &Telemetry::Motion(Motion {
                t_us: random.next() >> random.below(60),
                boot_id: random.next() as u32,
                state: State::Armed,
                reason: Reason::None,
                left_mps: speed(random),
                right_mps: speed(random),
                left_um: random.next() as i64 >> random.below(60),
                right_um: random.next() as i64 >> random.below(60),
                setpoint_us: random.next() >> random.below(60),
                setpoints_refused: random.next() as u32 % 100,
                frames_lost: 0,
            }),
        ),
    }
}

fn flip(wire: &mut [u8], bit: usize) {
    wire[bit / 8] ^= 1 << (bit % 8);
}
