//! Frames go through whole, or not at all, and the decoder finds its way back.

use firmware_bridge_link::frame::{
    BODY_MAX, Class, Decoder, FRAME_MAX, FrameBuf, FrameError, OVERHEAD_MAX, encode,
};
use firmware_bridge_link::message::{
    CommandFrame, HelloRequest, PROTOCOL, Setpoint, StopFrame, StopKind, TimeReply, TimeRequest, WheelGoal,
};
use firmware_bridge_link::{ParseError, ToHost, ToMcu};
use proptest::prelude::*;
use serde::Serialize;

/// Bytes that postcard writes as they are, without a length in front.
struct Raw<'a>(&'a [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeTuple;
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

fn wire(class: Class, seq: u8, body: &impl Serialize) -> Vec<u8> {
    let mut frame = FrameBuf::new();
    encode(class, seq, body, &mut frame).expect("fits");
    frame.as_bytes().to_vec()
}

type Found = Result<(Class, u8, Vec<u8>), FrameError>;

fn decode(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for &byte in bytes {
        if let Some(result) = decoder.push(byte) {
            found.push(result.map(|frame| (frame.class, frame.seq, frame.body.to_vec())));
        }
    }
    found
}

/// What one piece of wire makes the decoder say.
#[track_caller]
fn check(bytes: &[u8], expected: &[Found]) {
    let mut decoder = Decoder::new();
    assert_eq!(decode(&mut decoder, bytes), expected, "{bytes:02x?}");
    let errors = expected.iter().filter(|found| found.is_err()).count();
    assert_eq!(decoder.errors() as usize, errors, "errors must be counted: {bytes:02x?}");
}

#[test]
fn decoder_says_what_is_wrong_with_bytes() {
    // Each kind of damage has its own error; delimiters alone are nothing.
    let stop = wire(Class::Stop, 1, &StopFrame { id: 2, kind: StopKind::Stop });
    let good = Ok((Class::Stop, 1, vec![2, 0]));
    check(&[], &[]);
    check(&[0, 0, 0, 0], &[]);
    check(&stop, std::slice::from_ref(&good));
    check(&[&stop[..], &stop[1..]].concat(), &[good.clone(), good.clone()]);
    check(&[&[7, 1, 2][..], &stop].concat(), &[Err(FrameError::Cut), good.clone()]);
    check(&[0, 1, 0], &[Err(FrameError::TooShort)]);
    check(&[0, 6, 1, 2, 3, 4, 5, 0], &[Err(FrameError::TooShort)]);
    check(&[0, 9, 1, 2, 0], &[Err(FrameError::Cut)]);
    check(&[0, 7, 1, 2, 3, 4, 5, 6, 0], &[Err(FrameError::Checksum)]);
    check(&[&[0][..], &[1; 300], &[0], &stop].concat(), &[Err(FrameError::TooLong), good.clone()]);
    check(&[&[0][..], &[255; 10_000], &stop].concat(), &[Err(FrameError::TooLong), good]);
}

#[test]
fn class_values_are_fixed() {
    // The byte of a class never changes, and an unknown one is refused though its checksum is right.
    let classes = [
        (1, Class::Setpoint),
        (2, Class::Command),
        (3, Class::Stop),
        (4, Class::Telemetry),
        (5, Class::Log),
        (6, Class::Hello),
        (7, Class::Time),
        (8, Class::Reply),
    ];
    for (byte, class) in classes {
        assert_eq!((Class::from_byte(byte), class as u8), (Some(class), byte));
    }
    // Class 9, seq 0, no body, checked with an independent CRC-32C.
    let crc = crc::Crc::<u32, crc::NoTable>::new(&crc::CRC_32_ISCSI).checksum(&[9, 0]).to_le_bytes();
    assert!(!crc.contains(&0), "pick another sequence number for this test");
    check(&[0, 2, 9, 5, crc[0], crc[1], crc[2], crc[3], 0], &[Err(FrameError::UnknownClass)]);
}

#[test]
fn overhead_is_at_most_nine_bytes() {
    // Whatever the body, a frame costs nine bytes more, and the largest body fits.
    assert_eq!(OVERHEAD_MAX, 9);
    for len in 0..=BODY_MAX {
        for fill in [0, 1, 255] {
            assert_eq!(wire(Class::Log, 0, &Raw(&vec![fill; len])).len(), len + 9);
        }
    }
    let mut frame = FrameBuf::new();
    assert!(encode(Class::Log, 0, &Raw(&[1; BODY_MAX + 1]), &mut frame).is_err());
    assert!(frame.as_bytes().is_empty(), "nothing half written may be sent");
    assert_eq!(wire(Class::Log, 0, &Raw(&[1; BODY_MAX])).len(), FRAME_MAX);
}

#[track_caller]
fn check_to_mcu(class: Class, body: &[u8], expected: Result<ToMcu, ParseError>) {
    let bytes = wire(class, 0, &Raw(body));
    let mut decoder = Decoder::new();
    let parsed = bytes.iter().find_map(|&byte| Some(ToMcu::parse(&decoder.push(byte)?.expect("a frame"))));
    assert_eq!(parsed, Some(expected), "{class:?} {body:02x?}");
}

#[test]
fn bodies_are_read_exactly() {
    // A body is one message of its class and direction; only a stop may be followed by more.
    let stop = |id, kind| Ok(ToMcu::Stop(StopFrame { id, kind }));
    check_to_mcu(Class::Stop, &[5, 0], stop(5, StopKind::Stop));
    check_to_mcu(Class::Stop, &[5, 1, 9, 9], stop(5, StopKind::EStop));
    check_to_mcu(Class::Stop, &[5, 2], Err(ParseError::Malformed));
    check_to_mcu(Class::Stop, &[], Err(ParseError::Malformed));
    check_to_mcu(Class::Hello, &[1, 0], Ok(ToMcu::Hello(HelloRequest { protocol: PROTOCOL })));
    check_to_mcu(Class::Hello, &[1, 0, 0], Err(ParseError::Trailing));
    check_to_mcu(Class::Time, &[7], Ok(ToMcu::Time(TimeRequest { host_us: 7 })));
    check_to_mcu(Class::Time, &[0x80], Err(ParseError::Malformed));
    check_to_mcu(Class::Command, &[5, 99], Err(ParseError::Malformed));
    let halt = Setpoint { sent_at_us: 9, ttl_ms: 100, wheels: WheelGoal::Halt };
    check_to_mcu(Class::Setpoint, &[9, 100, 0], Ok(ToMcu::Setpoint(halt)));
    check_to_mcu(Class::Setpoint, &[9, 100, 0, 0], Err(ParseError::Trailing));
    check_to_mcu(Class::Setpoint, &[9, 100, 1, 0, 0, 0, 0, 0, 0, 0], Err(ParseError::Malformed));
    for class in [Class::Telemetry, Class::Log, Class::Reply] {
        check_to_mcu(class, &[1, 2], Err(ParseError::WrongWay));
    }
}

#[test]
fn what_the_host_sends_is_never_read_as_the_mcus() {
    // Setpoints, commands and stops that come back (an echoing port) are nobody's telemetry.
    let sent = [
        wire(Class::Stop, 0, &StopFrame { id: 2, kind: StopKind::Stop }),
        wire(
            Class::Command,
            0,
            &CommandFrame { id: 2, command: firmware_bridge_link::message::Command::Disarm },
        ),
        wire(Class::Setpoint, 0, &Setpoint { sent_at_us: 1, ttl_ms: 9, wheels: WheelGoal::Halt }),
    ];
    let mut decoder = Decoder::new();
    for byte in sent.concat() {
        if let Some(frame) = decoder.push(byte) {
            assert_eq!(ToHost::parse(&frame.expect("a frame")), Err(ParseError::WrongWay));
        }
    }
    let mut decoder = Decoder::new();
    let reply = TimeReply { host_us: 1, mcu_us: 2 };
    for byte in wire(Class::Time, 0, &reply) {
        if let Some(frame) = decoder.push(byte) {
            assert_eq!(ToHost::parse(&frame.expect("a frame")), Ok(ToHost::Time(reply)));
        }
    }
}

fn frames_with_numbers(count: u8) -> Vec<Vec<u8>> {
    (0..count)
        .map(|seq| wire(Class::Time, seq, &TimeRequest { host_us: u64::from(seq) * 1_000_003 }))
        .collect()
}

proptest! {
    /// What was encoded is decoded, whatever the body's bytes are.
    #[test]
    fn every_body_goes_through(class in 1_u8..=8, seq: u8, body in prop::collection::vec(any::<u8>(), 0..=BODY_MAX)) {
        let class = Class::from_byte(class).expect("a class");
        let bytes = wire(class, seq, &Raw(&body));
        prop_assert!(!bytes[1..bytes.len() - 1].contains(&0), "a delimiter inside a frame");
        prop_assert_eq!(decode(&mut Decoder::new(), &bytes), vec![Ok((class, seq, body))]);
    }

    /// Any bytes: no panic, and the frame after the next delimiter is found.
    #[test]
    fn no_bytes_break_the_decoder(noise in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut decoder = Decoder::new();
        for found in decode(&mut decoder, &noise).into_iter().flatten() {
            let frame = firmware_bridge_link::frame::Frame { class: found.0, seq: found.1, body: &found.2 };
            let _either = (ToMcu::parse(&frame).is_ok(), ToHost::parse(&frame).is_ok());
        }
        let stop = wire(Class::Stop, 7, &StopFrame { id: 2, kind: StopKind::EStop });
        let found = decode(&mut decoder, &stop);
        prop_assert_eq!(found.last(), Some(&Ok((Class::Stop, 7, vec![2, 1]))));
    }

    /// One damaged byte costs at most two frames.
    #[test]
    fn one_damaged_byte_costs_at_most_two_frames(at in 0_usize..120, new: u8) {
        let frames = frames_with_numbers(10);
        let mut bytes = frames.concat();
        let at = at % bytes.len();
        bytes[at] = new;
        let found = decode(&mut Decoder::new(), &bytes);
        prop_assert!(found.iter().filter(|found| found.is_ok()).count() >= 8);
    }

    /// One lost byte costs at most two frames.
    #[test]
    fn one_lost_byte_costs_at_most_two_frames(at in 0_usize..120) {
        let mut bytes = frames_with_numbers(10).concat();
        bytes.remove(at % bytes.len());
        let found = decode(&mut Decoder::new(), &bytes);
        prop_assert!(found.iter().filter(|found| found.is_ok()).count() >= 8);
    }

    /// How the bytes are cut into pieces does not matter: a frame cut off by a new one costs only itself.
    #[test]
    fn a_cut_frame_costs_only_itself(kept in 0_usize..20) {
        let frames = frames_with_numbers(3);
        let kept = kept.min(frames[1].len() - 1);
        let bytes = [&frames[0][..], &frames[1][..kept], &frames[2]].concat();
        let seqs: Vec<_> = decode(&mut Decoder::new(), &bytes).into_iter().flatten().map(|found| found.1).collect();
        // Without its last delimiter alone the frame is still whole: the next frame begins with one.
        prop_assert_eq!(seqs, if kept == frames[1].len() - 1 { vec![0, 1, 2] } else { vec![0, 2] });
    }
}
