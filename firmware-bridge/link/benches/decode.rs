//! How many frames a second one core decodes and encodes, and what a frame costs on the wire.
//!
//! Prints one JSON line a figure. Decoding is byte at a time from the wire to the typed message, as the host does it;
//! the baseline beside it is the checksum alone over the same bytes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crc::{CRC_32_ISCSI, Crc, Table};
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, OVERHEAD_MAX, encode};
use firmware_bridge_link::message::{Motion, Reason, State, Telemetry};

const FRAMES: usize = 4_096;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(300);

fn main() {
    let messages: Vec<Telemetry> = (0..FRAMES as u64).map(motion).collect();
    let mut wire = Vec::new();
    let mut frame = FrameBuf::new();
    for (seq, message) in messages.iter().enumerate() {
        encode(Class::Telemetry, seq as u8, message, &mut frame).expect("a message fits a frame");
        wire.extend_from_slice(frame.as_bytes());
    }
    let frame_bytes = wire.len() as f64 / FRAMES as f64;

    let decode = mframes_per_s(|| decode_all(&wire));
    let checksum = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
    let checksum_only = mframes_per_s(|| checksum.checksum(black_box(&wire)) as usize);
    let encode_all = mframes_per_s(|| encode_all(&messages));
    let copy = mframes_per_s(|| copy_all(&wire, wire.len() / FRAMES));

    let note = format!(
        "{frame_bytes:.1} B a frame, COBS, CRC-32C and postcard, byte at a time; baseline: CRC-32C alone"
    );
    print("link_decode_mframes_s", decode, "Mframes/s", checksum_only, &note);
    print(
        "link_encode_mframes_s",
        encode_all,
        "Mframes/s",
        copy,
        "same messages; baseline: copying finished frames",
    );
    let note = "delimiters, COBS, header and checksum; baseline: MAVLink 2";
    print("link_overhead_bytes", OVERHEAD_MAX as f64, "B", 14.0, note);
}

fn motion(number: u64) -> Telemetry {
    let speed = (number % 600) as f32 / 1_000.0;
    Telemetry::Motion(Motion {
        t_us: 40_000_000 + number * 10_000,
        boot_id: 0x12ab_34cd,
        state: State::Armed,
        reason: Reason::None,
        left_mps: speed,
        right_mps: -speed,
        left_um: 1_000_000 + number as i64 * 3_000,
        right_um: 1_000_000 - number as i64 * 3_000,
        setpoint_us: 39_990_000 + number * 10_000,
        setpoints_refused: 0,
        frames_lost: 2,
    })
}

fn decode_all(wire: &[u8]) -> usize {
    let mut decoder = Decoder::new();
    let mut found = 0;
    for &byte in black_box(wire) {
        if let Some(Ok(frame)) = decoder.push(byte) {
            found += usize::from(black_box(ToHost::parse(&frame)).is_ok());
        }
    }
    assert_eq!(found, FRAMES, "every frame must be found");
    found
}

fn encode_all(messages: &[Telemetry]) -> usize {
    let mut frame = FrameBuf::new();
    let mut bytes = 0;
    for (seq, message) in black_box(messages).iter().enumerate() {
        encode(Class::Telemetry, seq as u8, message, &mut frame).expect("a message fits a frame");
        bytes += black_box(frame.as_bytes()).len();
    }
    bytes
}

fn copy_all(wire: &[u8], frame_bytes: usize) -> usize {
    let mut place = [0_u8; 256];
    for chunk in black_box(wire).chunks(frame_bytes) {
        place[..chunk.len()].copy_from_slice(chunk);
        black_box(&mut place);
    }
    wire.len()
}

/// The best of several rounds: on a shared machine the others measure somebody else.
fn mframes_per_s(mut pass: impl FnMut() -> usize) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut passes = 0_u32;
        while started.elapsed() < ROUND {
            black_box(pass());
            passes += 1;
        }
        best = best.max(f64::from(passes) * FRAMES as f64 / started.elapsed().as_secs_f64() / 1e6);
    }
    best
}

fn print(figure: &str, value: f64, unit: &str, baseline: f64, note: &str) {
    println!(
        r#"{{"figure":"{figure}","value":{value:.2},"unit":"{unit}","baseline":{baseline:.2},"note":"{note}"}}"#
    );
}
