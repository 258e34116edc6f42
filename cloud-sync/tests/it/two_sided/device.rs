//! A robot of which there is nothing but its frames of sync over the broker.

use std::time::Duration;

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::frame::{Frame, Hello, Push};
use cloud_sync_protocol::sync::op::{Field, Kind, stamp_of};
use cloud_sync_protocol::sync::table::{SCHEMA, Table, notes};
use serde_json::json;

use super::speaker::Speaker;
use super::system::System;
use crate::support::now_ms;
use crate::support::robot::op;
use crate::system::wait_at_most;

/// A paired device.
pub(super) struct Device<'a> {
    speaker: &'a Speaker,
    name: String,
    /// Operations that were written.
    written: u64,
}

impl<'a> Device<'a> {
    /// Pairs one of this name.
    pub(super) fn pair(system: &System, speaker: &'a Speaker, name: &str) -> anyhow::Result<Self> {
        let body = json!({"code": system.cloud.code(Some(name))?, "version": "test"});
        system.cloud.post("/api/devices/pair", &body)?.expect(200)?;
        Ok(Self { speaker, name: name.to_owned(), written: 0 })
    }

    /// Its greeting.
    pub(super) fn hello(&self) -> Frame {
        Frame::Hello(Hello {
            device: self.name.clone(),
            incarnation: 1,
            session: 1,
            next_seq: self.written + 1,
            schema: SCHEMA,
            sent: stamp_of(1, 1, now_ms(), 0),
            scopes: Vec::new(),
        })
    }

    /// A note that it wrote.
    pub(super) fn note(&mut self, content: &str) -> Frame {
        self.written += 1;
        let fields = vec![Field::text(notes::CONTENT, content), Field::text(notes::CREATED_BY, "owner")];
        let mut insert = op(Kind::Insert, Table::Notes, RowId::named(content), 0, fields);
        insert.seq = self.written;
        Frame::Push(Push {
            session: 1,
            incarnation: 1,
            parent: None,
            again_to: 0,
            first_seq: self.written,
            sent: stamp_of(1, 1, now_ms(), 0),
            ops: vec![insert],
        })
    }

    /// Says it, and gives the answer that comes within this time.
    pub(super) fn ask(&self, frame: &Frame, patience: Duration) -> anyhow::Result<Option<Frame>> {
        let answers = || self.speaker.heard(&format!("{}/sync/down", self.name));
        let before = answers().len();
        self.speaker.say(&format!("{}/sync/up", self.name), &frame.encode()?)?;
        let answer = wait_at_most(patience, "an answer", || {
            let new = answers().split_off(before);
            let mut new = new.iter().filter_map(|bytes| Frame::decode(bytes).ok());
            Ok(new.find(|frame| !matches!(frame, Frame::Poke(_))))
        });
        Ok(answer.ok())
    }
}
