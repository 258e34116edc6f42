//! How operations are packed: what one has in common with the one before is not said again. Of a row's id the time is told
//! from the operation's own, since most rows are written when their id is drawn (UUIDv7).

use serde::{Deserialize, Serialize};

use super::{Hello, OPS_MAX, Push, ScopeTold};
use crate::id::RowId;
use crate::stamp::Stamp;
use crate::sync::op::{Field, Kind, Op, RowKey, stamp_of};
use crate::sync::table::TableId;

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct WireStamp {
    boot_id: u128,
    mono_ms: u64,
    wall_ms: i64,
    clock: u8,
}

impl WireStamp {
    fn of(stamp: &Stamp) -> Self {
        Self {
            boot_id: stamp.boot_id,
            mono_ms: stamp.mono_ms,
            wall_ms: stamp.wall.as_millisecond(),
            clock: stamp.clock.as_u8(),
        }
    }

    fn unpack(self) -> Stamp {
        stamp_of(self.boot_id, self.mono_ms, self.wall_ms, self.clock)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireHello {
    device: String,
    incarnation: u64,
    session: u64,
    next_seq: u64,
    schema: u16,
    sent: WireStamp,
    scopes: Vec<ScopeTold>,
}

impl WireHello {
    pub(super) fn of(hello: &Hello) -> Self {
        Self {
            device: hello.device.clone(),
            incarnation: hello.incarnation,
            session: hello.session,
            next_seq: hello.next_seq,
            schema: hello.schema,
            sent: WireStamp::of(&hello.sent),
            scopes: hello.scopes.clone(),
        }
    }
}

impl From<WireHello> for Hello {
    fn from(wire: WireHello) -> Self {
        Self {
            device: wire.device,
            incarnation: wire.incarnation,
            session: wire.session,
            next_seq: wire.next_seq,
            schema: wire.schema,
            sent: wire.sent.unpack(),
            scopes: wire.scopes,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct WirePush {
    session: u64,
    incarnation: u64,
    parent: Option<(u64, u64)>,
    again_to: u64,
    first_seq: u64,
    sent: WireStamp,
    groups: Vec<Group>,
}

/// Operations of one boot whose clock was worth the same, with the stamp that the first one counts from.
#[derive(Serialize, Deserialize)]
struct Group {
    from: WireStamp,
    ops: Vec<WireOp>,
}

#[derive(Serialize, Deserialize)]
struct WireOp {
    /// The kind in the two lowest bits, above them the table.
    head: u32,
    /// ms of the row's id after the operation's wall clock.
    row_ms: i64,
    row_rest: [u8; 10],
    /// After the operation before.
    base: i64,
    mono_ms: i64,
    /// How much the wall clock went ahead of the other one since the operation before, ms.
    drift_ms: i64,
    fields: Vec<Field>,
}

/// What is carried from operation to operation.
struct Last {
    base: u64,
    mono_ms: u64,
    wall_ms: i64,
}

impl Last {
    fn of(from: &WireStamp) -> Self {
        Self { base: 0, mono_ms: from.mono_ms, wall_ms: from.wall_ms }
    }
}

fn pack(op: &Op, last: &mut Last) -> WireOp {
    let kind = match op.kind {
        Kind::Insert => 0,
        Kind::Set => 1,
        Kind::Delete => 2,
    };
    let (mono_ms, wall_ms) = (op.stamp.mono_ms, op.stamp.wall.as_millisecond());
    let id = op.key.row.as_bytes();
    let mut row_rest = [0; 10];
    row_rest.copy_from_slice(&id[6..]);
    let mono_delta = mono_ms.wrapping_sub(last.mono_ms) as i64;
    let wire = WireOp {
        head: kind | u32::from(op.key.table.0) << 2,
        row_ms: row_ms(id).wrapping_sub(wall_ms),
        row_rest,
        base: op.base.wrapping_sub(last.base) as i64,
        mono_ms: mono_delta,
        drift_ms: wall_ms.wrapping_sub(last.wall_ms).wrapping_sub(mono_delta),
        fields: op.fields.clone(),
    };
    *last = Last { base: op.base, mono_ms, wall_ms };
    wire
}

/// The first six bytes of an id, which in UUIDv7 are ms since 1970.
fn row_ms(id: &[u8; 16]) -> i64 {
    id[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte))
}

fn unpack(wire: WireOp, seq: u64, from: &WireStamp, last: &mut Last) -> Option<Op> {
    let kind = match wire.head & 3 {
        0 => Kind::Insert,
        1 => Kind::Set,
        2 => Kind::Delete,
        _ => return None,
    };
    let mono_ms = last.mono_ms.wrapping_add(wire.mono_ms as u64);
    let wall_ms = last.wall_ms.wrapping_add(wire.mono_ms).wrapping_add(wire.drift_ms);
    let base = last.base.wrapping_add(wire.base as u64);
    let ms = wire.row_ms.wrapping_add(wall_ms);
    let mut id = [0; 16];
    id[..6].copy_from_slice(ms.to_be_bytes().get(2..)?);
    id[6..].copy_from_slice(&wire.row_rest);
    // Anything wider than an id's time, or than a clock's, comes from nobody who packs as above.
    if ms.to_be_bytes()[..2] != [0, 0] || jiff::Timestamp::from_millisecond(wall_ms).is_err() {
        return None;
    }
    *last = Last { base, mono_ms, wall_ms };
    let stamp = stamp_of(from.boot_id, mono_ms, wall_ms, from.clock);
    let key = RowKey { table: TableId(u16::try_from(wire.head >> 2).ok()?), row: RowId::from_bytes(id) };
    Some(Op { seq, kind, key, base, stamp, fields: wire.fields })
}

impl WirePush {
    pub(super) fn of(push: &Push) -> Self {
        let same = |one: &Op, other: &Op| {
            one.stamp.boot_id == other.stamp.boot_id && one.stamp.clock == other.stamp.clock
        };
        let group = |ops: &[Op]| {
            let from = WireStamp::of(&ops.first()?.stamp);
            let mut last = Last::of(&from);
            Some(Group { from, ops: ops.iter().map(|op| pack(op, &mut last)).collect() })
        };
        Self {
            session: push.session,
            incarnation: push.incarnation,
            parent: push.parent,
            again_to: push.again_to,
            first_seq: push.first_seq,
            sent: WireStamp::of(&push.sent),
            groups: push.ops.chunk_by(same).filter_map(group).collect(),
        }
    }

    /// `None` where it holds what nobody packs.
    pub(super) fn unpack(self) -> Option<Push> {
        let count: usize = self.groups.iter().map(|group| group.ops.len()).sum();
        if count > OPS_MAX || self.first_seq == 0 {
            return None;
        }
        let mut ops = Vec::with_capacity(count);
        let mut seq = self.first_seq;
        for Group { from, ops: packed } in self.groups {
            let mut last = Last::of(&from);
            for wire in packed {
                ops.push(unpack(wire, seq, &from, &mut last)?);
                seq = seq.checked_add(1)?;
            }
        }
        Some(Push {
            session: self.session,
            incarnation: self.incarnation,
            parent: self.parent,
            again_to: self.again_to,
            first_seq: self.first_seq,
            sent: self.sent.unpack(),
            ops,
        })
    }
}
