//! What becomes of one operation. The rules, in order:
//!
//! - A write that saw what it replaces is taken: the version it names is the field's, or the field was last written by the
//!   same device before. A version that the scope has not come to names nothing: whoever saw it saw another history.
//! - Of two that did not see each other the later one stands, by [`super::super::clock`], then by the device's name; one that
//!   comes again, from a copied card, never does. What a person wrote and lost is kept among the conflicts.
//! - A deletion stands, also over an edit it did not see; the text of that edit is kept among the conflicts. Nothing brings a
//!   deleted row back.
//! - A write to a row that is not there, or that is no valid write, is kept among the conflicts.

use super::super::clock::Effective;
use super::super::op::{Field, Kind, Op, RowKey, Scope};
use super::super::row::{Author, CLOUD, LOST_MAX, Lost, Register, RowState};
use super::super::table::{Table, check, conflicts};
use super::{Held, TRACE_MS, Work, conflict_key};
use crate::id::RowId;

/// Values of one row together, bytes.
const ROW_BYTES_MAX: usize = 48 * 1024;
/// Bytes that are kept of a value that was none: more than any value may have.
const LOST_BYTES_MAX: usize = 32 * 1024;

/// Whose write it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The operation.
    pub author: Author,
    /// The user whose rows the device holds.
    pub user: String,
    /// When.
    pub at: Effective,
    /// The same database under its name before, up to this operation of it.
    pub parent: Option<(u64, u64)>,
    /// The operation was written under another incarnation, and may have arrived under it already.
    pub is_again: bool,
    /// Traces of deletions before this moment may be gone, ms since 1970.
    pub traces_from_ms: i64,
}

impl Writer {
    /// Whether the device knew this value when it wrote: it had written it itself.
    fn wrote(&self, author: &Author) -> bool {
        let same_life = author.incarnation == self.author.incarnation && author.seq < self.author.seq;
        let before = self
            .parent
            .is_some_and(|(incarnation, seq)| author.incarnation == incarnation && author.seq <= seq);
        author.device == self.author.device && (same_life || before)
    }

    /// Whether the device knew the value that stands in a field when it wrote `op`.
    fn knew(&self, current: &Register, op: &Op) -> bool {
        current.version <= op.base
            || self.wrote(&current.author)
            || current.also.as_ref().is_some_and(|also| self.wrote(also))
    }

    /// Whether it is the later of two that did not see each other.
    fn is_later_than(&self, other: &Register) -> bool {
        (self.at.ms, &self.author.device, self.author.incarnation)
            > (other.at_ms, &other.author.device, other.author.incarnation)
    }
}

/// Why a value stands among the conflicts, see [`conflicts::WHY`].
#[derive(Clone, Copy)]
enum Why {
    Concurrent = 0,
    Deleted = 1,
    Gone = 2,
    Invalid = 3,
}

/// A value that loses.
struct Loser {
    field: u16,
    value: Vec<u8>,
    author: Author,
    at_ms: i64,
    why: Why,
}

/// Applies an operation of a device.
pub fn apply(work: &mut Work, writer: &Writer, op: &Op) {
    let base = scope_of(work, &writer.user, op.key).map_or(0, |scope| work.seen(&scope, op.base));
    if base == op.base {
        decide(work, writer, op);
    } else {
        decide(work, writer, &Op { base, ..op.clone() });
    }
}

/// The scope of a row, or the one that it would be in.
fn scope_of(work: &Work, user: &str, key: RowKey) -> Option<Scope> {
    let held = work.row(key).map(|held| held.scope.clone());
    held.or_else(|| Table::of(key.table)?.scope(user))
}

fn decide(work: &mut Work, writer: &Writer, op: &Op) {
    let Ok(table) = check(op) else {
        work.invalid += 1;
        let table = Table::of(op.key.table).unwrap_or(Table::Notes);
        let scope = table.scope(&writer.user).unwrap_or_else(|| Scope::User(writer.user.clone()));
        return refuse(work, writer, &scope, table, op, Why::Invalid);
    };
    let held = work.row(op.key).cloned();
    if table == Table::Conflicts {
        return resolve(work, writer, op, held);
    }
    let Some(scope) = table.scope(&writer.user) else { return };
    if !fits(held.as_ref(), op) || is_anothers(table, &writer.user, op) {
        work.invalid += 1;
        return refuse(work, writer, &scope, table, op, Why::Invalid);
    }
    match held {
        // The id is another's; of whose nothing is told.
        Some(held) if held.scope != scope => refuse(work, writer, &scope, table, op, Why::Gone),
        Some(held) if held.state.deleted => match op.kind {
            Kind::Delete => {}
            Kind::Insert | Kind::Set => refuse(work, writer, &scope, table, op, Why::Deleted),
        },
        Some(_) if table.is_append_only() => {}
        Some(held) => match op.kind {
            Kind::Insert | Kind::Set => merge(work, writer, table, op, held),
            Kind::Delete => delete(work, writer, table, op, held),
        },
        None => match op.kind {
            // Its trace may be gone: nobody can tell whether it is new or was deleted.
            Kind::Insert
                if table.can_be_deleted()
                    && writer.is_again
                    && (writer.at.is_approx || writer.at.ms < writer.traces_from_ms) =>
            {
                refuse(work, writer, &scope, table, op, Why::Gone);
            }
            Kind::Insert => insert(work, writer, &scope, table, op),
            Kind::Set => refuse(work, writer, &scope, table, op, Why::Gone),
            Kind::Delete => {}
        },
    }
}

/// Applies a write of the server's own, an app's: it sees what stands, whatever `op` says of that.
pub fn apply_own(work: &mut Work, user: &str, op: &Op, now_ms: i64) {
    let base = work.row(op.key).map_or(0, |held| held.state.version);
    let head =
        scope_of(work, user, op.key).and_then(|scope| work.heads.get(&scope).copied()).unwrap_or_default();
    let writer = Writer {
        // One writer, whose writes to a scope follow each other as its versions do.
        author: Author { device: CLOUD.to_owned(), incarnation: 0, seq: head.version + 1 },
        user: user.to_owned(),
        at: Effective { ms: now_ms, is_approx: false },
        parent: None,
        is_again: false,
        traces_from_ms: now_ms - TRACE_MS,
    };
    decide(work, &writer, &Op { base, ..op.clone() });
}

/// Whether the id can only be another user's: everybody can tell that of somebody's personality, and nobody shall have it before.
fn is_anothers(table: Table, user: &str, op: &Op) -> bool {
    table == Table::Personality && op.key.row != RowId::of_user(user, table.name())
}

/// Whether a row with these fields still fits into a frame, whatever it carries that nobody here knows.
fn fits(held: Option<&Held>, op: &Op) -> bool {
    let kept = held.into_iter().flat_map(|held| &held.state.fields).filter(|one| op.get(one.field).is_none());
    let kept: usize = kept.map(|one| one.value.len()).sum();
    let new: usize = op.fields.iter().map(|field| field.value.len()).sum();
    kept + new <= ROW_BYTES_MAX
}

fn register(field: &Field, version: u64, writer: &Writer) -> Register {
    Register {
        field: field.id,
        value: field.value.clone(),
        version,
        author: writer.author.clone(),
        also: None,
        at_ms: writer.at.ms,
    }
}

fn insert(work: &mut Work, writer: &Writer, scope: &Scope, table: Table, op: &Op) {
    let version = work.bump(scope);
    let mut fields = op.fields.clone();
    if let Some(moment) = table.moment_field().filter(|moment| op.get(*moment).is_none()) {
        super::super::op::put_over(&mut fields, &[Field::int(moment, writer.at.ms)]);
    }
    let fields = fields.iter().map(|field| register(field, version, writer)).collect();
    let state = RowState { version, at_ms: writer.at.ms, deleted: false, fields, lost: Vec::new() };
    work.put(op.key, Held { scope: scope.clone(), state });
}

fn merge(work: &mut Work, writer: &Writer, table: Table, op: &Op, held: Held) {
    let Held { scope, mut state } = held;
    let (mut written, mut same, mut losers) = (Vec::new(), Vec::new(), Vec::new());
    for field in &op.fields {
        let Some(current) = state.get(field.id) else {
            written.push(field);
            continue;
        };
        let knew = writer.knew(current, op);
        // What comes again may have stood here before, and whoever replaced it may have seen it.
        let wins = knew || (!writer.is_again && writer.is_later_than(current));
        if current.value == field.value {
            // Both say the same. A mood that is said again begins to fade anew.
            if wins && table == Table::Personality {
                written.push(field);
            } else if !knew {
                same.push(field.id);
            }
            continue;
        }
        if !knew && table.keeps_loser(field.id) {
            losers.push(loser(current, field, writer, wins));
        }
        if wins {
            written.push(field);
        }
    }
    if !written.is_empty() {
        let version = work.bump(&scope);
        (state.version, state.at_ms) = (version, writer.at.ms.max(state.at_ms));
        for field in written {
            let new = register(field, version, writer);
            match state.fields.binary_search_by_key(&field.id, |one| one.field) {
                Ok(place) => state.fields[place] = new,
                Err(place) => state.fields.insert(place, new),
            }
        }
    } else if losers.is_empty() && same.is_empty() {
        return;
    }
    for one in state.fields.iter_mut().filter(|one| same.contains(&one.field)) {
        one.also = Some(writer.author.clone());
    }
    for loser in losers {
        lose(work, writer, &scope, op, &mut state, loser);
    }
    work.put(op.key, Held { scope, state });
}

/// The value that loses: the one that stands, or the one that comes.
fn loser(current: &Register, field: &Field, writer: &Writer, wins: bool) -> Loser {
    let (value, author, at_ms) = if wins {
        (current.value.clone(), current.author.clone(), current.at_ms)
    } else {
        (field.value.clone(), writer.author.clone(), writer.at.ms)
    };
    Loser { field: field.id, value, author, at_ms, why: Why::Concurrent }
}

fn delete(work: &mut Work, writer: &Writer, table: Table, op: &Op, held: Held) {
    let Held { scope, mut state } = held;
    let unseen =
        table.text_field().and_then(|field| state.get(field)).filter(|current| !writer.knew(current, op));
    let loser = unseen.map(|current| Loser {
        field: current.field,
        value: current.value.clone(),
        author: current.author.clone(),
        at_ms: current.at_ms,
        why: Why::Deleted,
    });
    let version = work.bump(&scope);
    (state.version, state.at_ms, state.deleted) = (version, writer.at.ms, true);
    state.fields.clear();
    if let Some(loser) = loser {
        lose(work, writer, &scope, op, &mut state, loser);
    }
    state.lost.clear();
    work.put(op.key, Held { scope, state });
}

/// Keeps the text of a write that has no row to go to.
fn refuse(work: &mut Work, writer: &Writer, scope: &Scope, table: Table, op: &Op, why: Why) {
    let Some(field) = table.text_field() else { return };
    let Some(value) = op.get(field) else { return };
    let value = value[..value.len().min(LOST_BYTES_MAX)].to_vec();
    let loser = Loser { field, value, author: writer.author.clone(), at_ms: writer.at.ms, why };
    let mut nobody = RowState::default();
    lose(work, writer, scope, op, &mut nobody, loser);
}

/// Writes a conflict, or brings the one up to date that the same device's edit before this one caused, where it still saw that
/// edit and not the value that had won over it.
fn lose(work: &mut Work, writer: &Writer, scope: &Scope, op: &Op, state: &mut RowState, loser: Loser) {
    let (key, over) = (op.key, state.get(loser.field).map_or(0, |register| register.version));
    let known = state.lost.iter().position(|lost| {
        let is_older = writer.wrote(&lost.author) && op.base < lost.over;
        lost.field == loser.field && (lost.author == loser.author || is_older)
    });
    let conflict = match known {
        Some(place) => state.lost.remove(place).conflict,
        None => name(&loser, key),
    };
    let author = loser.author.clone();
    state.lost.push(Lost { field: loser.field, author, conflict, over });
    if state.lost.len() > LOST_MAX {
        state.lost.remove(0);
    }
    let stands = state.get(loser.field);
    let (stands_by, stands_ms) = match stands {
        Some(current) => (current.author.device.clone(), current.at_ms),
        None => (writer.author.device.clone(), writer.at.ms),
    };
    let fields = vec![
        Field::int(conflicts::TABLE, i64::from(key.table.0)),
        Field::row(conflicts::ROW, key.row),
        Field::int(conflicts::FIELD, i64::from(loser.field)),
        Field { id: conflicts::OTHER, value: loser.value },
        Field::text(conflicts::OTHER_AUTHOR, &loser.author.device),
        Field::int(conflicts::OTHER_MS, loser.at_ms),
        Field::text(conflicts::CURRENT_AUTHOR, &stands_by),
        Field::int(conflicts::CURRENT_MS, stands_ms),
        Field::int(conflicts::WHY, loser.why as i64),
        Field::int(conflicts::STATE, 0),
    ];
    let version = work.bump(scope);
    let fields = fields.iter().map(|field| register(field, version, writer)).collect();
    let state = RowState { version, at_ms: writer.at.ms, deleted: false, fields, lost: Vec::new() };
    work.put(conflict_key(conflict), Held { scope: scope.clone(), state });
}

/// The same edit that loses twice makes one conflict.
fn name(loser: &Loser, key: RowKey) -> RowId {
    let Author { device, incarnation, seq } = &loser.author;
    RowId::named(&format!("conflict/{}/{}/{device}/{incarnation}/{seq}", key.row, loser.field))
}

/// A person chose. A choice that did not see the conflict as it stands now chooses nothing.
fn resolve(work: &mut Work, writer: &Writer, op: &Op, held: Option<Held>) {
    let Some(Held { scope, mut state }) = held else { return };
    let is_theirs = scope == Scope::Town || scope == Scope::User(writer.user.clone());
    if !is_theirs || state.deleted || op.base < state.version {
        return;
    }
    let Some(choice) = op.fields.iter().find(|field| field.id == conflicts::STATE) else { return };
    let version = work.bump(&scope);
    (state.version, state.at_ms) = (version, writer.at.ms);
    state.fields.retain(|one| one.field != conflicts::STATE);
    state.fields.push(register(choice, version, writer));
    work.put(op.key, Held { scope, state });
}
