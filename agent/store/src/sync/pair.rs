//! Pairing, in one transaction: rows of the owner get the name that the cloud knows him by, and everything that is there is
//! queued. And the way back.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{StoreError, Whose};
use cloud_sync_protocol::sync::op::{Field, Kind, RowKey, Scope};
use cloud_sync_protocol::sync::replica::{Durable, ScopeState};
use cloud_sync_protocol::sync::server::scopes_of;
use cloud_sync_protocol::sync::table::Table;
use rusqlite::{Connection, Row, params};

use super::state::{self, State, put_scope, signed};
use super::{log, strange};
use crate::fail::Fail;
use crate::index::Change;
use crate::limits::Usage;
use crate::rows::columns::stamp;
use crate::rows::{facts, notes, persona, turns};
use crate::writer::Write;

pub(super) fn pair(write: &mut Write<'_>, town: &str, device: &str, user: &str) -> Result<(), Fail> {
    let whose = Whose { town: town.to_owned(), user: user.to_owned() };
    if let Some(known) = state::state(write.tx)? {
        if known.town != town || known.durable.user != user {
            let (town, user) = (known.town, known.durable.user);
            return Err(StoreError::Failed(format!(
                "it belongs to \"{user}\" in the town \"{town}\"; `robbie-agent pair --forget` first"
            ))
            .into());
        }
        write.tx.prepare_cached("UPDATE sync_state SET device = ?1")?.execute([device])?;
        return take_late(write, &whose);
    }
    // Rows of a damaged file that came over without their place in sync: the cloud may know them, or have deleted them.
    let was_paired = holds_rows_of(write.tx, &whose)?;
    rename(write.tx, &Whose::unpaired(), &whose)?;
    let mut statement = write.tx.prepare_cached(
        "INSERT INTO sync_state (one, device, town, user_id, incarnation, next_seq, chain, acked, acked_chain, again_to, \
         mismatches) VALUES (1, ?1, ?2, ?3, ?4, 1, 0, 0, 0, 0, 0)",
    )?;
    statement.execute(params![device, town, user, signed(write.new_incarnation())])?;
    for scope in scopes_of(user) {
        let state = ScopeState { scope, cursor: 0, floor: 0, is_resetting: true, checksum: 0 };
        put_scope(write.tx, &state)?;
    }
    let mut state = state::state(write.tx)?.ok_or_else(|| strange("a pairing"))?;
    queue(write.tx, &mut state, &whose)?;
    if was_paired {
        write.tx.execute("UPDATE sync_state SET again_to = next_seq - 1", [])?;
    }
    write.changes.push(Change::All);
    Ok(())
}

/// Takes along what was written under the names of before while pairing took hold: a token keeps its name for a moment longer.
/// Of a mood set just then the history tells.
fn take_late(write: &mut Write<'_>, whose: &Whose) -> Result<(), Fail> {
    let unpaired = Whose::unpaired();
    let owner = Whose { town: whose.town.clone(), user: unpaired.user.clone() };
    for from in [unpaired, owner] {
        if from == *whose || !holds_late_rows(write.tx, &from, whose)? {
            continue;
        }
        for table in ONCE_A_USER {
            let sql = format!("DELETE FROM {table} WHERE town = ?1 AND user_id = ?2");
            write.tx.execute(&sql, [&from.town, &from.user])?;
        }
        let mut state = state::state(write.tx)?.ok_or_else(|| strange("a pairing"))?;
        queue(write.tx, &mut state, &from)?;
        hand_over(write.tx, &from, whose)?;
        write.changes.push(Change::All);
    }
    Ok(())
}

fn holds_late_rows(tx: &Connection, from: &Whose, to: &Whose) -> rusqlite::Result<bool> {
    let has_notes =
        from.town != to.town && tx.prepare("SELECT 1 FROM notes WHERE town = ?1")?.exists([&from.town])?;
    Ok(has_notes || holds_rows_of(tx, from)?)
}

fn holds_rows_of(tx: &Connection, whose: &Whose) -> rusqlite::Result<bool> {
    for table in ["conversations", "facts", "mood_changes"] {
        let sql = format!("SELECT 1 FROM {table} WHERE town = ?1 AND user_id = ?2");
        if tx.prepare(&sql)?.exists([&whose.town, &whose.user])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tables with a town and a user.
const OWNED: [&str; 5] = ["conversations", "facts", "mood_changes", "memory", "events"];
/// The same, with a row that a user has once: himself, or for a key.
const ONCE_A_USER: [&str; 2] = ["personality", "chat_messages"];

fn rename(tx: &Connection, from: &Whose, to: &Whose) -> rusqlite::Result<()> {
    if from == to {
        return Ok(());
    }
    // Where somebody of that name spoke with the robot before, he and the owner are one now; of what exists once a user the
    // owner's stays.
    if from.user != to.user {
        for table in ONCE_A_USER {
            tx.execute(
                &format!("DELETE FROM {table} WHERE town = ?1 AND user_id = ?2"),
                [&from.town, &to.user],
            )?;
        }
    }
    hand_over(tx, from, to)
}

/// The rows themselves.
fn hand_over(tx: &Connection, from: &Whose, to: &Whose) -> rusqlite::Result<()> {
    tx.execute("UPDATE notes SET town = ?2 WHERE town = ?1", [&from.town, &to.town])?;
    let names = [&from.town, &to.town, &from.user, &to.user];
    for table in OWNED.into_iter().chain(ONCE_A_USER) {
        let sql = format!(
            "UPDATE {table} SET town = ?2, user_id = CASE user_id WHEN ?3 THEN ?4 ELSE user_id END WHERE town = ?1"
        );
        tx.execute(&sql, names)?;
    }
    let id = RowId::of_user(&to.user, "personality");
    tx.execute(
        "UPDATE personality SET id = ?3 WHERE town = ?1 AND user_id = ?2",
        params![to.town, to.user, id.as_bytes()],
    )?;
    Ok(())
}

/// A row, behind its stamp, as the fields of an Insert.
type Whole = fn(&Row<'_>, &Stamp) -> Result<(RowId, Vec<Field>), Fail>;

/// One Insert a row of `of`, with the row's own stamp.
fn queue(tx: &Connection, state: &mut State, of: &Whose) -> Result<(), Fail> {
    let user = state.durable.user.clone();
    let whole: [(Table, &str, Whole); 5] = [
        (Table::Notes, notes::WHOLE, notes::whole),
        (Table::Turns, turns::WHOLE, turns::whole),
        (Table::Facts, facts::WHOLE, facts::whole),
        (Table::Personality, persona::WHOLE, persona::whole),
        (Table::MoodChanges, persona::WHOLE_CHANGES, persona::whole_change),
    ];
    for (table, sql, fields) in whole {
        let Some(scope) = table.scope(&user) else { continue };
        let mut statement = tx.prepare(sql)?;
        let mut rows = match &scope {
            // They are the town's already, whoever wrote them.
            Scope::Town if of.town == state.town && of.user != user => continue,
            Scope::Town => statement.query(params![of.town])?,
            Scope::User(_) => statement.query(params![of.town, of.user])?,
        };
        while let Some(row) = rows.next()? {
            // The stamp's four columns come first.
            let stamp = stamp(row, 0)?;
            let (id, fields) = fields(row, &stamp)?;
            log::add(tx, state, &scope, Kind::Insert, RowKey { table: table.id(), row: id }, fields, stamp)?;
        }
    }
    Ok(())
}

/// Rows of the paired town that are its own or the paired user's are gone. Other people's stay, and are at home again.
pub(super) fn forget(write: &mut Write<'_>) -> Result<(), Fail> {
    let tx = write.tx;
    let Some(State { durable: Durable { user, .. }, town, .. }) = state::state(tx)? else { return Ok(()) };
    let theirs = [&town, &user];
    tx.execute(
        "DELETE FROM words WHERE rowid IN (SELECT n FROM memory WHERE town = ?1 AND user_id IN ('', ?2))",
        theirs,
    )?;
    tx.execute(
        "DELETE FROM turns WHERE conversation_id IN (SELECT id FROM conversations WHERE town = ?1 AND user_id = ?2)",
        theirs,
    )?;
    tx.execute("DELETE FROM notes WHERE town = ?1", [&town])?;
    for table in OWNED.into_iter().chain(ONCE_A_USER) {
        tx.execute(&format!("DELETE FROM {table} WHERE town = ?1 AND user_id IN ('', ?2)"), theirs)?;
        let home = Whose::unpaired().town;
        tx.execute(&format!("UPDATE {table} SET town = ?2 WHERE town = ?1"), [&town, &home])?;
    }
    tx.execute("DELETE FROM vectors WHERE content_hash NOT IN (SELECT content_hash FROM memory)", [])?;
    for table in ["outbox", "sync_base", "sync_scopes", "sync_state", "conflicts"] {
        tx.execute(&format!("DELETE FROM {table}"), [])?;
    }
    *write.usage = Usage::measure(tx)?;
    write.changes.push(Change::All);
    Ok(())
}
