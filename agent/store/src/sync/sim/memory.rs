//! The memory of a robot as it is: the real rows, the real outbox, on SQLite in RAM.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cloud_sync_protocol::conflict::Keep;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{NewNote, NotePatch};
use cloud_sync_protocol::persona::{Mood, MoodUpdate};
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{StoreError, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, put_over};
use cloud_sync_protocol::sync::replica::{Change, Durable};
use cloud_sync_protocol::sync::table::Table;
use cloud_sync_protocol::turn::Sender;
use rusqlite::params;

use super::super::{apply, conflicts, log, pair, state};
use super::chance::Chance;
use super::edit::Edit;
use super::picture;
use crate::fail::Fail;
use crate::rows::facts::{self, NewFact};
use crate::rows::turns::{self, NewTurn};
use crate::rows::{notes, persona};
use crate::store::Random;
use crate::writer::{Desk, Write};

thread_local! {
    /// An empty one, to copy: making the tables takes longer.
    static EMPTY: Desk = Desk::new(super::clock::epoch(), random(Chance::seeded(0)));
}

fn random(chance: Chance) -> Random {
    let chance = Mutex::new(chance);
    Arc::new(move || {
        let mut bytes = [0; 10];
        bytes.copy_from_slice(&chance.lock().expect("no thread panics with it").id().to_be_bytes()[..10]);
        bytes
    })
}

/// Statements that stay prepared: more than there are.
const STATEMENTS: usize = 256;

/// A robot's memory.
pub(super) struct Memory {
    desk: Desk,
}

/// The power goes before the commit.
fn cut() -> Fail {
    StoreError::Failed("cut off".to_owned()).into()
}

impl Memory {
    fn of(desk: Desk) -> Self {
        desk.connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Self { desk }
    }

    fn whose(&self) -> Whose {
        let state = state::state(&self.desk.connection).expect("readable");
        state.map_or_else(Whose::unpaired, |state| Whose { town: state.town, user: state.durable.user })
    }

    fn write(
        &mut self,
        now: Stamp,
        is_cut: bool,
        work: impl FnOnce(&mut Write<'_>) -> Result<(), Fail>,
    ) -> bool {
        self.desk.now = now;
        let outcome = self.desk.write(|write| {
            work(write)?;
            if is_cut { Err(cut()) } else { Ok(()) }
        });
        match outcome {
            Ok(()) => true,
            Err(_) if is_cut => false,
            Err(fail) => panic!("a write fails: {}", StoreError::from(fail)),
        }
    }
}

fn asked(write: &mut Write<'_>, whose: &Whose, edit: &Edit) -> Result<(), Fail> {
    match edit {
        Edit::NewNote { id, content, tags, priority } => {
            let (content, tags, priority) = (content.clone(), tags.clone(), *priority);
            let new = NewNote { id: *id, content, created_by: whose.user.clone(), tags, priority };
            notes::add(write, whose, &new).map(drop)
        }
        Edit::ChangeNote { id, content, tags, priority } => {
            let patch = NotePatch {
                content: content.clone(),
                tags: tags.clone(),
                priority: *priority,
                surfaced: None,
            };
            notes::change(write, whose, *id, &patch, None).map(drop)
        }
        Edit::SurfaceNote { id } => {
            let patch = NotePatch { surfaced: Some(true), ..NotePatch::default() };
            notes::change(write, whose, *id, &patch, None).map(drop)
        }
        Edit::DeleteNote { id } => notes::delete(write, whose, *id, None),
        Edit::NewFact { id, content } => {
            let new = NewFact { id: Some(*id), content: content.clone(), source: None, event: None };
            facts::add(write, whose, &new).map(drop)
        }
        Edit::ChangeFact { id, content } => facts::say(write, whose, *id, content, *id),
        Edit::DeleteFact { .. } => panic!("a robot forgets no fact"),
        Edit::NewTurn { id, conversation, text } => {
            let turn = NewTurn {
                id: Some(*id),
                sender: Sender::User,
                speaker: None,
                text: text.clone(),
                at: None,
                mood: Mood::Friendly,
            };
            turns::add(write, whose, *conversation, &[turn]).map(drop)
        }
        Edit::Mood { energy, reason } => {
            let update = MoodUpdate {
                energy: Some(*energy),
                reason: Some(reason.clone()),
                source: "app".to_owned(),
                ..MoodUpdate::default()
            };
            persona::change(write, whose, &update).map(drop)
        }
        Edit::Settle { conflict, other } => {
            let keep = if other.is_some() { Keep::Other } else { Keep::Current };
            conflicts::resolve(write, whose, *conflict, keep)
        }
    }
}

impl Memory {
    /// An empty one.
    pub(super) fn new(chance: Chance) -> Self {
        EMPTY.with(|empty| Self::of(empty.copy(random(chance))))
    }

    /// A copy of the card that it is on; what is drawn at random in it is drawn from `chance` from then on.
    pub(super) fn copy(&self, chance: Chance) -> Self {
        Self::of(self.desk.copy(random(chance)))
    }

    /// `None`: not paired.
    pub(super) fn durable(&self) -> Option<Durable> {
        state::durable(&self.desk.connection).expect("readable")
    }

    /// Operations from this one on, of about so many bytes.
    pub(super) fn outbox(&self, from: u64, bytes_max: usize) -> Vec<Op> {
        log::read(&self.desk.connection, from, bytes_max).unwrap_or_else(|_| panic!("readable"))
    }

    /// Operations that wait, or whose outcome has not been read.
    pub(super) fn waiting(&self) -> u64 {
        let count: i64 = self
            .desk
            .connection
            .query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))
            .expect("readable");
        count.unsigned_abs()
    }

    /// The sum of the outbox up to an operation.
    pub(super) fn chain_at(&self, seq: u64) -> Option<u64> {
        log::chain_at(&self.desk.connection, seq).expect("readable")
    }

    /// Takes an answer's meaning over. `is_cut`: the power goes before the commit.
    pub(super) fn apply(&mut self, change: &Change, now: Stamp, is_cut: bool) {
        self.write(now, is_cut, |write| apply::apply(write, change));
    }

    /// Joins a town.
    pub(super) fn pair(&mut self, town: &str, robot: &str, user: &str, now: Stamp) {
        self.write(now, false, |write| pair::pair(write, town, robot, user));
    }

    /// Does what somebody asks for; `false`: the power went before the commit.
    pub(super) fn edit(&mut self, edit: &Edit, now: Stamp, is_cut: bool) -> bool {
        let whose = self.whose();
        self.write(now, is_cut, |write| asked(write, &whose, edit))
    }

    /// The rows of a table that it shows.
    pub(super) fn shown(&self, table: Table) -> BTreeMap<RowId, Vec<Field>> {
        picture::shown(&self.desk.connection, &self.whose(), table, None)
    }

    /// A row that it shows.
    pub(super) fn row(&self, key: RowKey) -> Option<Vec<Field>> {
        let table = Table::of(key.table).expect("a table of ours");
        // What exists once a user gets its id at pairing.
        let row = (table != Table::Personality).then_some(key.row);
        picture::shown(&self.desk.connection, &self.whose(), table, row).into_values().next()
    }

    /// A mistake for the check of the checks: what was acknowledged is written over what the server said.
    pub(super) fn write_acked_into_base(&mut self, upto: u64) {
        let ops: Vec<Op> = self.outbox(0, usize::MAX).into_iter().filter(|op| op.seq <= upto).collect();
        let connection = &self.desk.connection;
        for op in ops {
            let key = params![op.key.table.0, op.key.row.as_bytes()];
            let sql = "SELECT fields FROM sync_base WHERE table_id = ?1 AND row_id = ?2";
            let base: Result<Vec<u8>, _> = connection.query_row(sql, key, |row| row.get(0));
            if let (Ok(base), Kind::Set | Kind::Insert) = (base, op.kind) {
                let mut fields = log::unpack(&base).unwrap_or_else(|_| panic!("readable"));
                put_over(&mut fields, &op.fields);
                let packed = log::pack(&fields);
                let values = params![op.key.table.0, op.key.row.as_bytes(), packed];
                let sql = "UPDATE sync_base SET fields = ?3 WHERE table_id = ?1 AND row_id = ?2";
                connection.execute(sql, values).expect("writable");
            }
            connection
                .execute("DELETE FROM outbox WHERE seq = ?1", [op.seq.cast_signed()])
                .expect("writable");
        }
    }
}
