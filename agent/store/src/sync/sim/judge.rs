//! What must hold once everything has healed, by the history alone.

use std::collections::BTreeSet;

use cloud_sync_protocol::sync::model::Cloud;
use cloud_sync_protocol::sync::op::{RowKey, as_int, as_row, get};
use cloud_sync_protocol::sync::table::{Table, TableId, conflicts};

use super::history::{History, Value, Written, readable};
use super::picture;

/// A broken promise, by the name of its figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) figure: &'static str,
    pub(super) what: String,
}

pub(super) const DIVERGED: &str = "sync_diverged";
pub(super) const ACKED_LOST: &str = "sync_acked_lost";
pub(super) const CAUSAL_LOST: &str = "sync_causal_edits_lost";
pub(super) const SILENT: &str = "sync_silent_conflicts";
pub(super) const RESURRECTED: &str = "sync_resurrected";

/// All of them.
pub(super) const FIGURES: [&str; 5] = [DIVERGED, ACKED_LOST, CAUSAL_LOST, SILENT, RESURRECTED];

pub(super) fn broken(figure: &'static str, what: impl Into<String>) -> Broken {
    Broken { figure, what: what.into() }
}

/// The value that the cloud shows.
pub(super) fn stands(cloud: &Cloud, key: RowKey, field: u16) -> Option<Vec<u8>> {
    let held = cloud.rows().get(&key).filter(|held| !held.state.deleted)?;
    let register = held.state.get(field).map(|register| register.value.clone());
    // What is missing has its default.
    register.or_else(|| Some(get(&picture::defaults(Table::of(key.table)?), field)?.to_vec()))
}

/// What stands among the conflicts, open or settled.
pub(super) fn kept(cloud: &Cloud) -> BTreeSet<Value> {
    let rows = cloud.rows().iter().filter(|(key, _)| key.table == Table::Conflicts.id());
    rows.filter_map(|(_, held)| {
        let fields = held.state.values();
        let table = u16::try_from(as_int(get(&fields, conflicts::TABLE)?)?).ok()?;
        let key = RowKey { table: TableId(table), row: as_row(get(&fields, conflicts::ROW)?)? };
        let field = u16::try_from(as_int(get(&fields, conflicts::FIELD)?)?).ok()?;
        Some(Value { key, field, value: get(&fields, conflicts::OTHER)?.to_vec() })
    })
    .collect()
}

/// Judges what the cloud holds in the end.
pub(super) fn judge(history: &History, cloud: &Cloud) -> Vec<Broken> {
    let kept = kept(cloud);
    let mut found = Vec::new();
    for one in history.written.iter().filter(|one| !one.is_void) {
        found.extend(judge_write(history, cloud, &kept, one));
    }
    for (key, deleted) in &history.deleted {
        let is_there = cloud.rows().get(key).is_some_and(|held| !held.state.deleted);
        if is_there && !history.is_brought_back(*key) && deleted.iter().any(|one| !one.is_void) {
            let table = Table::of(key.table).map_or("?", Table::name);
            found.push(broken(RESURRECTED, format!("{table} {} was deleted", key.row)));
        }
    }
    found
}

fn judge_write(history: &History, cloud: &Cloud, kept: &BTreeSet<Value>, one: &Written) -> Option<Broken> {
    let what = &one.what;
    let table = Table::of(what.key.table)?;
    let stands = stands(cloud, what.key, what.field);
    if stands.as_ref() == Some(&what.value) {
        return history.is_passed(what).then(|| broken(CAUSAL_LOST, format!("{} stands", what.told())));
    }
    // What went with a card may have arrived before.
    let is_passed = history.replacers(what).next().is_some();
    let deletions = || history.deleted.get(&what.key).into_iter().flatten();
    let is_deleted_knowingly = deletions().any(|deleted| get(&deleted.saw, what.field) == Some(&*what.value));
    if is_passed || is_deleted_knowingly || kept.contains(what) {
        return None;
    }
    let was_deleted = deletions().next().is_some();
    // With its row go the fields beside its text; also where a copy's row is not taken for fear that it was deleted.
    let is_refused = !cloud.rows().contains_key(&what.key)
        && kept.iter().any(|kept| kept.key == what.key && table.text_field() == Some(kept.field));
    if (was_deleted || is_refused) && table.text_field() != Some(what.field) {
        return None;
    }
    let others = history.written.iter().filter(|other| {
        other.what.key == what.key && other.what.field == what.field && other.what.value != what.value
    });
    // Of two at once the later stands, and the other is not kept where no person wrote it; the later may have gone with its card,
    // and arrived before.
    let is_not_kept = table == Table::Personality;
    let is_alone = !was_deleted
        && others.filter(|other| is_not_kept || !other.is_void).all(|other| {
            other.saw.as_ref() == Some(&what.value) || one.saw.as_ref() == Some(&other.what.value)
        });
    if is_not_kept && !is_alone {
        return None;
    }
    let figure = if is_alone { ACKED_LOST } else { SILENT };
    Some(broken(
        figure,
        format!(
            "{} of site {} at {} is nowhere, there stands {:?}",
            what.told(),
            one.site,
            one.at_ms,
            stands.as_deref().map(readable)
        ),
    ))
}
