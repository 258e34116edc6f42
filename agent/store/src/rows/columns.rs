//! Columns that many tables share, and their types. Pure.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::stamp::{ClockState, Stamp};
use cloud_sync_protocol::sync::op::Field;
use jiff::Timestamp;
use rusqlite::{Row, ToSql};

/// The four columns of a stamp: `boot_id, mono_ms, wall_ms, clock`.
pub(crate) struct StampColumns {
    boot_id: [u8; 16],
    mono_ms: i64,
    wall_ms: i64,
    clock: u8,
}

impl StampColumns {
    pub(crate) fn of(stamp: &Stamp) -> Self {
        Self {
            boot_id: stamp.boot_id.to_be_bytes(),
            mono_ms: i64::try_from(stamp.mono_ms).unwrap_or(i64::MAX),
            wall_ms: stamp.wall.as_millisecond(),
            clock: stamp.clock.as_u8(),
        }
    }

    /// In the order of the columns.
    pub(crate) fn values(&self) -> [&dyn ToSql; 4] {
        [&self.boot_id, &self.mono_ms, &self.wall_ms, &self.clock]
    }
}

/// A stamp from four columns, in the order of [`StampColumns::values`].
pub(crate) fn stamp(row: &Row<'_>, first: usize) -> rusqlite::Result<Stamp> {
    Ok(Stamp {
        boot_id: u128::from_be_bytes(row.get(first)?),
        mono_ms: row.get::<_, i64>(first + 1)?.unsigned_abs(),
        wall: moment(row, first + 2)?,
        clock: ClockState::from_u8(row.get(first + 3)?),
    })
}

/// A moment from a column of ms.
pub(crate) fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let ms: i64 = row.get(column)?;
    Timestamp::from_millisecond(ms)
        .map_err(|_out_of_range| rusqlite::Error::IntegralValueOutOfRange(column, ms))
}

/// An id.
pub(crate) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<RowId> {
    Ok(RowId::from_bytes(row.get(column)?))
}

/// A mood. One that this version does not know reads as the default.
pub(crate) fn mood(row: &Row<'_>, column: usize) -> rusqlite::Result<Mood> {
    Ok(Mood::named(row.get_ref(column)?.as_str()?).unwrap_or_default())
}

/// When a new row came to be, for sync: nothing where the operation's own stamp says it, or where no clock does, so that the
/// server decides.
pub(crate) fn moment_field(field: u16, ms: i64, now: &Stamp) -> Option<Field> {
    let is_said = match now.clock {
        ClockState::Synced | ClockState::Unknown => ms == now.wall.as_millisecond(),
        ClockState::Holdover => false,
    };
    (!is_said).then(|| Field::int(field, ms))
}

/// A moment with no more than ms, as it is read back.
pub(crate) fn to_ms(moment: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment)
}
