use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::id::RowId;
use crate::sync::op::{Kind, stamp_of};
use crate::sync::table::{TableId, notes};

fn any_op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![Just(Kind::Insert), Just(Kind::Set), Just(Kind::Delete)];
    let stamp = (0..3_u128, any::<u64>(), -2_000_000_000_000..4_000_000_000_000_i64, 0..3_u8);
    let fields = vec((any::<u16>(), vec(any::<u8>(), 0..40)), 0..4);
    (kind, any::<u16>(), any::<[u8; 16]>(), any::<u64>(), stamp, fields).prop_map(
        |(kind, table, row, base, (boot, mono, wall, clock), fields)| Op {
            seq: 0,
            kind,
            key: RowKey { table: TableId(table), row: RowId::from_bytes(row) },
            base,
            stamp: stamp_of(boot, mono, wall, clock),
            fields: fields.into_iter().map(|(id, value)| Field { id, value }).collect(),
        },
    )
}

fn push(first_seq: u64, ops: Vec<Op>) -> Frame {
    let ops = ops.into_iter().zip(first_seq..).map(|(op, seq)| Op { seq, ..op }).collect();
    let sent = stamp_of(7, 5_000, 1_764_000_000_000, 0);
    Frame::Push(Push { session: 9, incarnation: 3, parent: Some((1, 2)), again_to: 4, first_seq, sent, ops })
}

/// A note as a robot writes it.
fn note(at_ms: u64, text: &str) -> Op {
    let wall = 1_764_000_000_000 + at_ms;
    Op {
        seq: 0,
        kind: Kind::Insert,
        key: RowKey { table: TableId(1), row: RowId::new(wall * 1_000 + 250, [0xab; 10]) },
        base: 0,
        stamp: stamp_of(u128::MAX / 3, 86_400_000 + at_ms, wall as i64, 0),
        fields: vec![Field::text(notes::CONTENT, text), Field::text(notes::CREATED_BY, "owner")],
    }
}

proptest! {
    #[test]
    fn a_push_is_read_back(first in 1..u64::MAX / 2, ops in vec(any_op(), 0..12)) {
        let frame = push(first, ops);
        prop_assert_eq!(Frame::decode(&frame.encode().unwrap()), Ok(frame));
    }

    #[test]
    fn any_bytes_are_refused_or_read(mut bytes in vec(any::<u8>(), 0..200), kind in 0..10_u8, flags in 0..3_u8) {
        // Also behind a right sum, where only the body is nonsense.
        drop(Frame::decode(&bytes));
        let sum = CRC.checksum(&bytes).to_le_bytes();
        let head = [VERSION, kind, flags].into_iter().chain(sum);
        bytes.splice(..0, head);
        drop(Frame::decode(&bytes));
    }

    #[test]
    fn one_wrong_bit_is_noticed(place in 0..1_000_usize, bit in 0..8_u32) {
        let good = push(1, vec![note(0, "the keys hang on the hook"), note(40, "buy walnuts")]).encode().unwrap();
        let mut bytes = good.clone();
        let place = place % good.len();
        bytes[place] ^= 1_u8 << bit;
        // Kind and flags stand outside the sum: there it is another frame or none.
        prop_assert!(matches!(place, 1 | 2) || Frame::decode(&bytes).is_err());
    }
}

#[test]
fn the_bytes_of_every_frame_stay_what_they_are() {
    // A frame that a robot sends today is understood in years. A change here is a new version of the frames.
    let scope = Scope::User("ann".to_owned());
    let key = RowKey { table: TableId(1), row: RowId::from_bytes([7; 16]) };
    let sent = stamp_of(0x1234, 5_000, 1_764_000_000_000, 1);
    let told = ScopeTold { scope: scope.clone(), cursor: 12, floor: 3 };
    let hello = Hello {
        device: "r2".to_owned(),
        incarnation: 1,
        session: 2,
        next_seq: 300,
        schema: 1,
        sent,
        scopes: vec![told],
    };
    let ack = ScopeAck { scope: Scope::Town, head: 12, floor: 3, is_reset: true };
    let item = Item {
        key,
        version: 12,
        at_ms: -1,
        is_deleted: false,
        fields: vec![Field::text(1, "hi"), Field::int(5, 50)],
    };
    let frames = [
        Frame::Hello(hello),
        Frame::HelloAck(HelloAck {
            session: 2,
            accepted: 299,
            chain: 0xfeed,
            server_ms: 1_764_000_000_000,
            scopes: vec![ack],
        }),
        push(300, vec![note(0, "hi"), note(5, "ho")]),
        Frame::PushAck(PushAck { session: 2, upto: 301, at: vec![(Scope::Town, 14), (scope.clone(), 2)] }),
        Frame::Pull(Pull {
            session: 2,
            incarnation: 1,
            scope: scope.clone(),
            cursor: 12,
            floor: 3,
            is_whole: false,
        }),
        Frame::Page(Page {
            session: 2,
            scope: scope.clone(),
            from: 1,
            to: 12,
            head: 12,
            checksum: Some(5),
            items: vec![item],
        }),
        Frame::Poke(Poke { scope, head: 15 }),
        Frame::Refusal(Refusal { session: 2, why: Why::Gap { want: 300 } }),
    ];
    let golden: Vec<String> = frames.iter().map(|frame| hex(&frame.encode().unwrap())).collect();
    insta::assert_snapshot!(golden.join("\n"));
    for (frame, bytes) in frames.iter().zip(&golden) {
        assert_eq!(Frame::decode(&unhex(bytes)).as_ref(), Ok(frame));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn a_hundred_notes_cost_at_most_24_bytes_each_beside_what_they_say() {
    let ops = (0..100)
        .map(|n| note(n * 37, "a note of some seventy-five bytes, as people leave them for each other now"))
        .collect();
    let meta = push(1, ops).meta_bytes();
    assert!(meta <= 24 * 100, "{meta}");
}

#[test]
fn bombs_strangers_and_halves_are_refused() {
    let refused = |bytes: &[u8]| Frame::decode(bytes).unwrap_err();
    let good = push(1, vec![note(0, &"so ".repeat(400))]).encode().unwrap();
    assert_eq!(good[2], COMPRESSED);
    assert_eq!(refused(&good[..good.len() - 9]), FrameError::Malformed);
    let mut newer = good.clone();
    newer[0] = VERSION + 1;
    assert_eq!(refused(&newer), FrameError::Version(VERSION + 1));
    let bomb = zstd::bulk::compress(&vec![0; 200 * 1024 * 1024], 3).unwrap();
    let mut bytes = vec![VERSION, 3, COMPRESSED];
    bytes.extend(CRC.checksum(&bomb).to_le_bytes());
    bytes.extend(bomb);
    assert_eq!(refused(&bytes), FrameError::Malformed);
    assert_eq!(refused(&vec![VERSION; FRAME_BYTES_MAX + 1]), FrameError::TooLong);
    let noise = |n: u64| {
        (0..16_000)
            .map(|i: u64| char::from(b'a' + (((i * 7 + n) * 2_654_435_761) >> 7) as u8 % 26))
            .collect::<String>()
    };
    let big = push(1, (0..80).map(|n| note(n, &noise(n * n))).collect());
    assert_eq!(big.encode(), Err(FrameError::TooLong));
}

#[test]
fn frames_one_behind_the_other_are_told_apart() {
    let frames: [&[u8]; 3] = [b"one", b"", b"three"];
    let bytes = join(frames);
    assert_eq!(split(&bytes).unwrap(), frames);
    assert_eq!(split(&bytes[..bytes.len() - 1]), Err(FrameError::Malformed));
    assert_eq!(split(&bytes[..2]), Err(FrameError::Malformed));
    assert_eq!(split(&[0xff; 8]), Err(FrameError::Malformed));
}
