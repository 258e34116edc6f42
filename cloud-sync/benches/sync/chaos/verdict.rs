//! Whether a round kept everything: what people were told, beside the rows that both sides have in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::history::{Edit, End, History, Own};

/// What both sides show of a round, once they show the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Text by id.
    pub(crate) notes: BTreeMap<String, String>,
    /// Open conflicts: id, the note, both values.
    pub(crate) conflicts: BTreeMap<String, Conflict>,
    /// Texts of every turn, by conversation.
    pub(crate) turns: BTreeMap<String, Vec<String>>,
}

/// An open conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) row: String,
    pub(crate) values: [String; 2],
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) acked: usize,
    pub(crate) unknown: usize,
    /// Acknowledged writes that are not there.
    pub(crate) lost: Vec<String>,
    /// What is there and must not be.
    pub(crate) wrong: Vec<String>,
    pub(crate) conflicts: usize,
    /// From mended to the same rows.
    pub(crate) took: Duration,
}

impl Verdict {
    /// Nothing is lost and nothing is wrong.
    pub(crate) fn is_fine(&self) -> bool {
        self.lost.is_empty() && self.wrong.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lost, {} wrong", self.lost.len(), self.wrong.len())?;
        for line in
            self.lost.iter().map(|line| ("lost", line)).chain(self.wrong.iter().map(|line| ("wrong", line)))
        {
            write!(f, "\n  {}: {}", line.0, line.1)?;
        }
        Ok(())
    }
}

/// Judges a round.
pub(crate) fn judge(histories: &[History], rows: &Rows, took: Duration) -> Verdict {
    let mut verdict = Verdict {
        acked: histories.iter().map(|history| history.acked).sum(),
        unknown: histories.iter().map(|history| history.unknown).sum(),
        lost: Vec::new(),
        wrong: Vec::new(),
        conflicts: rows.conflicts.len(),
        took,
    };
    let disputed: BTreeSet<&String> = rows.conflicts.values().map(|conflict| &conflict.row).collect();
    for (id, own) in histories.iter().flat_map(|history| &history.own) {
        verdict.judge_own(id, own, rows.notes.get(id));
        if disputed.contains(id) {
            verdict.wrong.push(format!("note {id} has a conflict, and only one person wrote it: {own:?}"));
        }
    }
    let edits: Vec<&Edit> = histories.iter().flat_map(|history| &history.edits).collect();
    verdict.judge_edits(&edits, rows);
    for said in histories.iter().flat_map(|history| &history.said) {
        let turns = rows.turns.get(&said.conversation);
        if !turns.is_some_and(|turns| turns.iter().any(|turn| turn.contains(&said.text))) {
            verdict.lost.push(format!("said in {}: {:?}", said.conversation, said.text));
        }
    }
    verdict
}

impl Verdict {
    fn judge_own(&mut self, id: &str, own: &Own, found: Option<&String>) {
        match (own.deleted, found) {
            (Some(End::Acked), Some(text)) => {
                self.wrong.push(format!("note {id} was deleted and is back: {text:?}"));
            }
            (Some(End::Acked | End::Unknown), _) => {}
            (_, Some(text)) => {
                if own.acked.as_ref() != Some(text) && !own.maybe.contains(text) {
                    self.lost.push(format!("note {id} says {text:?}; its writer: {own:?}"));
                }
            }
            (_, None) => {
                if own.acked.is_some() {
                    self.lost.push(format!("note {id} is not there; its writer: {own:?}"));
                }
            }
        }
    }

    /// An edit is there as long as it is shown, or stands in a conflict, or somebody who had seen it wrote over it.
    fn judge_edits(&mut self, edits: &[&Edit], rows: &Rows) {
        let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
        for (note, text) in &rows.notes {
            known.insert((note, text));
        }
        for conflict in rows.conflicts.values() {
            known.extend(conflict.values.iter().map(|value| (conflict.row.as_str(), value.as_str())));
        }
        let replaced = edits.iter().filter(|edit| edit.end != End::Refused);
        known.extend(replaced.map(|edit| (edit.note.as_str(), edit.saw.as_str())));
        for edit in edits.iter().filter(|edit| edit.end == End::Acked) {
            if !known.contains(&(edit.note.as_str(), edit.text.as_str())) {
                self.lost.push(format!("an edit of {} that is nowhere: {:?}", edit.note, edit.text));
            }
        }
    }
}
