//! TOML as a flat list of dotted keys with their lines.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Value;

/// One `key = value`.
pub(super) struct Leaf {
    /// Dotted from the root.
    pub(super) key: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// `None`: a kind of value that no setting has (a date, a list of tables).
    pub(super) value: Option<Value>,
}

/// All values of a file, or the line and text of its first syntax error.
pub(super) fn leaves(text: &str) -> Result<Vec<Leaf>, (usize, String)> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        (line, error.message().to_owned())
    })?;
    let mut leaves = Vec::new();
    collect(text, "", table.get_ref(), &mut leaves);
    Ok(leaves)
}

fn collect(text: &str, prefix: &str, table: &DeTable<'_>, into: &mut Vec<Leaf>) {
    for (name, value) in table {
        let name_text: &str = name.get_ref();
        let key = if prefix.is_empty() { name_text.to_owned() } else { format!("{prefix}.{name_text}") };
        match value.get_ref() {
            DeValue::Table(inner) => collect(text, &key, inner, into),
            leaf => into.push(Leaf { key, line: line_at(text, name.span().start), value: convert(leaf) }),
        }
    }
}

fn convert(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::Integer)
        }
        DeValue::Float(number) => number.as_str().parse().ok().map(Value::Number),
        DeValue::Boolean(on) => Some(Value::Switch(*on)),
        DeValue::Array(items) => {
            items.iter().map(Spanned::get_ref).map(text_item).collect::<Option<_>>().map(Value::List)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn text_item(item: &DeValue<'_>) -> Option<String> {
    match item {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}
