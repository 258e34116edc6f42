//! What happened, as those who did it saw it: who wrote which value, and which value he replaced. It knows nothing of
//! operations, versions and clocks.

use std::collections::{BTreeMap, BTreeSet};

use cloud_sync_protocol::sync::op::{Field, RowKey, as_int, as_text, get};
use cloud_sync_protocol::sync::table::{Table, facts, mood_changes, notes, personality, turns};

/// One value of one field of one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    pub(super) key: RowKey,
    pub(super) field: u16,
    pub(super) value: Vec<u8>,
}

impl Value {
    pub(super) fn told(&self) -> String {
        let table = Table::of(self.key.table).map_or("?", Table::name);
        let value = readable(&self.value);
        format!("{table} {} field {} {value:?}", &self.key.row.to_string()[..8], self.field)
    }
}

/// A value for people.
pub(super) fn readable(value: &[u8]) -> String {
    match as_text(value).filter(|text| text.len() > 2 && !text.contains(char::is_control)) {
        Some(text) => text.chars().take(24).collect(),
        None => as_int(value).map_or_else(|| format!("{value:?}"), |number| number.to_string()),
    }
}

/// Somebody wrote it, and was told that it is kept.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) what: Value,
    /// The value that he saw there, and replaced.
    pub(super) saw: Option<Vec<u8>>,
    pub(super) site: usize,
    pub(super) at_ms: i64,
    /// It went with a card that an older copy replaced: nobody promised anything.
    pub(super) is_void: bool,
}

/// Somebody deleted a row.
#[derive(Clone, Debug)]
pub(super) struct Deleted {
    /// What he saw in it.
    pub(super) saw: Vec<Field>,
    pub(super) site: usize,
    pub(super) at_ms: i64,
    pub(super) is_void: bool,
}

/// Everything that was written.
#[derive(Default)]
pub(super) struct History {
    pub(super) written: Vec<Written>,
    by_value: BTreeMap<Value, Vec<usize>>,
    replaced: BTreeMap<Value, Vec<usize>>,
    pub(super) deleted: BTreeMap<RowKey, Vec<Deleted>>,
    numbers: BTreeMap<(RowKey, u16), BTreeSet<u8>>,
    /// Rows that people made anew from what was kept of a deleted one: their ids are the same for everybody who does so.
    brought_back: BTreeSet<RowKey>,
}

/// The fields whose every value is judged.
pub(super) const fn is_judged(table: Table, field: u16) -> bool {
    match table {
        Table::Notes => matches!(field, notes::CONTENT | notes::TAGS | notes::PRIORITY),
        Table::Facts => field == facts::CONTENT,
        Table::Turns => field == turns::TEXT,
        Table::Personality => field == personality::ENERGY,
        Table::MoodChanges => field == mood_changes::REASON,
        Table::Conflicts => false,
    }
}

impl History {
    /// Somebody at `site` wrote these fields, where he saw `before`.
    pub(super) fn write(
        &mut self,
        site: usize,
        at_ms: i64,
        key: RowKey,
        fields: &[Field],
        before: Option<&[Field]>,
    ) {
        let Some(table) = Table::of(key.table) else { return };
        for field in fields.iter().filter(|field| is_judged(table, field.id)) {
            let saw = before.and_then(|before| get(before, field.id)).map(<[u8]>::to_vec);
            if saw.as_ref() == Some(&field.value) {
                continue;
            }
            let what = Value { key, field: field.id, value: field.value.clone() };
            let place = self.written.len();
            self.by_value.entry(what.clone()).or_default().push(place);
            if let Some(saw) = &saw {
                self.replaced.entry(Value { value: saw.clone(), ..what.clone() }).or_default().push(place);
            }
            self.written.push(Written { what, saw, site, at_ms, is_void: false });
        }
    }

    /// Somebody at `site` deleted a row in which he saw `before`.
    pub(super) fn delete(&mut self, site: usize, at_ms: i64, key: RowKey, before: Vec<Field>) {
        let deleted = Deleted { saw: before, site, at_ms, is_void: false };
        self.deleted.entry(key).or_default().push(deleted);
    }

    /// Somebody wants a row back, who may not know what others did with it meanwhile.
    pub(super) fn bring_back(&mut self, key: RowKey) {
        self.brought_back.insert(key);
    }

    pub(super) fn is_brought_back(&self, key: RowKey) -> bool {
        self.brought_back.contains(&key)
    }

    /// A number from 0 to 100 that nobody wrote there yet.
    pub(super) fn number(&mut self, key: RowKey, field: u16, wished: u64) -> Option<u8> {
        let used = self.numbers.entry((key, field)).or_default();
        let number =
            (0..101).map(|step| ((wished + step) % 101) as u8).find(|number| !used.contains(number))?;
        used.insert(number);
        Some(number)
    }

    /// What was written at a site since then went with its card: nobody promised anything.
    pub(super) fn is_lost_with_its_card(&mut self, site: usize, since_ms: i64) {
        for one in self.written.iter_mut().filter(|one| one.site == site && one.at_ms >= since_ms) {
            one.is_void = true;
        }
        for one in self.deleted.values_mut().flatten().filter(|one| one.site == site && one.at_ms >= since_ms)
        {
            one.is_void = true;
        }
    }

    /// Everybody who wrote this value.
    pub(super) fn writers(&self, value: &Value) -> impl Iterator<Item = &Written> {
        self.by_value.get(value).into_iter().flatten().map(|place| &self.written[*place])
    }

    /// Everybody who saw this value and replaced it.
    pub(super) fn replacers(&self, value: &Value) -> impl Iterator<Item = &Written> {
        self.replaced.get(value).into_iter().flatten().map(|place| &self.written[*place])
    }

    /// Whether somebody who saw this value replaced it, and one writer alone wrote it: then it must not stand.
    pub(super) fn is_passed(&self, value: &Value) -> bool {
        self.writers(value).count() == 1 && self.replacers(value).any(|one| !one.is_void)
    }
}
