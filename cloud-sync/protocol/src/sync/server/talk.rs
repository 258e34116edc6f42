//! What the server answers to each frame, given where the device and its scopes stand.

use std::collections::BTreeMap;

use super::super::clock::effective;
use super::super::frame::{Hello, HelloAck, Item, Page, Pull, Push, PushAck, Refusal, ScopeAck};
use super::super::op::{Field, RowKey, Scope};
use super::super::row::{Author, RowState};
use super::decide::{Writer, apply};
use super::{Head, Held, TRACE_MS, Work, conflict_key};

/// A device that has proven who it is, and the user whose rows it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who<'a> {
    /// Its name in the town.
    pub device: &'a str,
    /// The user.
    pub user: &'a str,
}

/// One life of a device's database, as the server keeps it. Moved in the same transaction as the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Operations up to this one are in.
    pub accepted: u64,
    /// Their sum, see [`super::super::op::Op::chain`].
    pub chain: u64,
    /// The conversation that may push: the newest greeting's.
    pub session: u64,
    /// When its newest operation was written, ms since 1970.
    pub effective_ms: i64,
}

/// The scopes that a device of this user holds.
#[must_use]
pub fn scopes_of(user: &str) -> [Scope; 2] {
    [Scope::Town, Scope::User(user.to_owned())]
}

/// A greeting that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeted {
    /// Where the device stands now.
    pub device: Device,
    /// The answer.
    pub answer: HelloAck,
}

/// Answers a greeting; `device` is `None` for a life that was never seen.
#[must_use]
pub fn greet(
    hello: &Hello,
    who: Who<'_>,
    device: Option<Device>,
    heads: &BTreeMap<Scope, Head>,
    now_ms: i64,
) -> Greeted {
    let device = Device { session: hello.session, ..device.unwrap_or_default() };
    let scopes = scopes_of(who.user).into_iter().map(|scope| {
        let head = heads.get(&scope).copied().unwrap_or_default();
        let stands = hello.scopes.iter().find(|told| told.scope == scope);
        // What was deleted and has left no trace must not live on in a replica that never heard of it. One from the future
        // belongs to another history.
        let is_sound = stands
            .is_some_and(|told| head.floor <= told.cursor.max(told.floor) && told.cursor <= head.version);
        ScopeAck { scope, head: head.version, floor: head.floor, is_reset: !is_sound }
    });
    let answer = HelloAck {
        session: hello.session,
        accepted: device.accepted,
        chain: device.chain,
        server_ms: now_ms,
        scopes: scopes.collect(),
    };
    Greeted { device, answer }
}

/// Takes operations. On `Ok`, `work` and `device` are to be written together; on `Err` nothing is.
///
/// # Errors
/// The refusal to be sent: another conversation has begun, or operations are missing in between.
pub fn push(
    work: &mut Work,
    device: &mut Device,
    who: Who<'_>,
    frame: &Push,
    now_ms: i64,
) -> Result<PushAck, Refusal> {
    let refused = |why| Refusal { session: frame.session, why };
    if device.session != frame.session {
        return Err(refused(super::super::frame::Why::GreetAgain));
    }
    if frame.first_seq > device.accepted + 1 {
        return Err(refused(super::super::frame::Why::Gap { want: device.accepted + 1 }));
    }
    for op in frame.ops.iter().filter(|op| op.seq > device.accepted).collect::<Vec<_>>() {
        let at = effective(&op.stamp, &frame.sent, now_ms, device.effective_ms);
        let writer = Writer {
            author: Author { device: who.device.to_owned(), incarnation: frame.incarnation, seq: op.seq },
            user: who.user.to_owned(),
            at,
            parent: frame.parent,
            is_again: op.seq <= frame.again_to,
            traces_from_ms: now_ms - TRACE_MS,
        };
        apply(work, &writer, op);
        device.effective_ms = at.ms;
        device.chain = op.chain(device.chain);
        device.accepted = op.seq;
    }
    let at = work.heads.iter().map(|(scope, head)| (scope.clone(), head.version)).collect();
    Ok(PushAck { session: frame.session, upto: device.accepted, at })
}

/// What changed in a scope after `from`. `rows` are the rows with a higher version, in order of their versions, and `head` is
/// of the same moment. A replica that asks for whole rows gets every field. Ends where `bytes_max` are reached; one row always fits.
#[must_use]
pub fn page(
    pull: &Pull,
    head: Head,
    rows: impl IntoIterator<Item = (RowKey, RowState)>,
    bytes_max: usize,
) -> Page {
    let Pull { session, cursor: from, .. } = *pull;
    let scope = &pull.scope;
    let (mut items, mut bytes, mut to) = (Vec::new(), 0, from);
    let known = pull.known();
    for (key, state) in rows {
        bytes += weight(&state, known);
        let item = item(key, &state, known);
        if bytes > bytes_max && !items.is_empty() {
            return Page {
                session,
                scope: scope.clone(),
                from,
                to,
                head: head.version,
                checksum: None,
                items,
            };
        }
        to = state.version;
        items.push(item);
    }
    // Whoever has read it all stands at the head, also where the row on top has left no trace.
    let (to, checksum) = (head.version.max(to), Some(head.checksum));
    Page { session, scope: scope.clone(), from, to, head: head.version, checksum, items }
}

/// What a row adds to the bytes of a page for a replica that knows it up to `known`, see [`Pull::known`]: whoever reads rows for [`page`] can stop behind the one
/// that is too much.
#[must_use]
pub fn weight(state: &RowState, known: u64) -> usize {
    let new = state.fields.iter().filter(|one| one.version > known);
    48 + new.map(|one| one.value.len() + 4).sum::<usize>()
}

fn item(key: RowKey, state: &RowState, known: u64) -> Item {
    let new = state.fields.iter().filter(|one| one.version > known);
    let fields = new.map(|one| Field { id: one.field, value: one.value.clone() }).collect();
    Item { key, version: state.version, at_ms: state.at_ms, is_deleted: state.deleted, fields }
}

/// The keys of the conflicts that a row knows of.
pub fn conflicts_of(held: &Held) -> impl Iterator<Item = RowKey> {
    held.state.lost.iter().map(|lost| conflict_key(lost.conflict))
}
