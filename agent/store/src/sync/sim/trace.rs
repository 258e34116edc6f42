//! The last things that happened, for whoever has to understand a broken promise. Switched on only when a seed is replayed.

use std::collections::VecDeque;

use cloud_sync_protocol::sync::frame::{Frame, Item};
use cloud_sync_protocol::sync::op::{Field, Op, RowKey};
use cloud_sync_protocol::sync::replica::Change;

use super::history::readable;

/// The newest lines.
#[derive(Default)]
pub(super) struct Trace {
    lines: Option<VecDeque<String>>,
    most: usize,
}

impl Trace {
    pub(super) fn on(most: usize) -> Self {
        Self { lines: Some(VecDeque::new()), most }
    }

    /// Adds a line; it is only made when somebody wants it.
    pub(super) fn note(&mut self, now_ms: i64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            if lines.len() == self.most {
                lines.pop_front();
            }
            lines.push_back(format!("{:>12.3} s  {}", now_ms as f64 / 1000.0, line()));
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().flatten()
    }
}

/// A frame for people.
pub(super) fn frame(frame: &Frame) -> String {
    match frame {
        Frame::Push(push) => {
            let ops: String = push.ops.iter().map(op).collect();
            let life = (push.incarnation, push.parent, push.again_to);
            format!("Push {:x} life {life:?}{ops}", push.session)
        }
        Frame::Page(page) => {
            let items: String = page.items.iter().map(item).collect();
            let scope = page.scope.name();
            format!("Page {:x} {scope} {}..={} of {}{items}", page.session, page.from, page.to, page.head)
        }
        frame => format!("{frame:?}"),
    }
}

/// A change for people.
pub(super) fn change(change: &Change) -> String {
    match change {
        Change::Page(page) => format!("{} up to {}", page.scope.name(), page.to),
        change => format!("{change:?}"),
    }
}

fn op(op: &Op) -> String {
    let clock = op.stamp.clock;
    format!(
        "\n      {} {:?} {} base {} {clock:?}{}",
        op.seq,
        op.kind,
        key(op.key),
        op.base,
        fields(&op.fields)
    )
}

fn item(item: &Item) -> String {
    let is_gone = if item.is_deleted { " gone" } else { "" };
    format!("\n      {} version {}{is_gone}{}", key(item.key), item.version, fields(&item.fields))
}

fn key(key: RowKey) -> String {
    format!("{}/{}", key.table.0, &key.row.to_string()[..8])
}

fn fields(fields: &[Field]) -> String {
    fields.iter().map(|field| format!(" {}={}", field.id, readable(&field.value))).collect()
}
