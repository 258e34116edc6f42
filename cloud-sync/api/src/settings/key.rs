//! One setting: its name, what it may be, what it is when nobody says.

use std::fmt;

use super::Value;

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// Dotted name, `section.key`.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Its value when nothing sets it, written as on the command line; `None`: it then has none.
    pub default: Option<&'static str>,
    /// What it does, one line.
    pub help: &'static str,
}

impl Key {
    /// A whole number of things, with a default.
    pub const fn count(
        name: &'static str,
        min: i64,
        max: i64,
        unit: &'static str,
        default: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Integer { min, max, unit }, default: Some(default), help }
    }
}

/// What a setting may be. Ranges include both ends.
#[derive(Debug)]
pub enum Kind {
    /// A number with its unit.
    Number {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// As a person writes it: `m/s`.
        unit: &'static str,
    },
    /// A whole number with its unit.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// As a person writes it: `ms`.
        unit: &'static str,
    },
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text.
    Text {
        /// What `accepts` accepts, for the error.
        allowed: &'static str,
        /// The rule.
        accepts: fn(&str) -> bool,
    },
    /// A list of texts; on the command line and in the environment separated by commas.
    List {
        /// What `accepts` accepts of one item, for the error.
        allowed: &'static str,
        /// The rule for one item.
        accepts: fn(&str) -> bool,
    },
}

impl Kind {
    /// Reads what a person wrote on the command line or in the environment. `None`: not of this kind.
    pub(super) fn read(&self, text: &str) -> Option<Value> {
        match self {
            Self::Number { .. } => text.trim().parse().ok().map(Value::Number),
            Self::Integer { .. } => text.trim().parse().ok().map(Value::Integer),
            Self::Switch => text.trim().parse().ok().map(Value::Switch),
            Self::Choice(_) | Self::Text { .. } => Some(Value::Text(text.to_owned())),
            Self::List { .. } => Some(Value::List(
                text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect(),
            )),
        }
    }

    /// The value, when it is of this kind and within its range. A whole number is also a number.
    pub(super) fn accept(&self, value: Value) -> Option<Value> {
        let value = match (self, value) {
            #[expect(
                clippy::cast_precision_loss,
                reason = "checked against the range next; limits are small"
            )]
            (Self::Number { .. }, Value::Integer(whole)) => Value::Number(whole as f64),
            (_, value) => value,
        };
        let fits = match (self, &value) {
            (Self::Number { min, max, .. }, Value::Number(number)) => (*min..=*max).contains(number),
            (Self::Integer { min, max, .. }, Value::Integer(number)) => (*min..=*max).contains(number),
            (Self::Switch, Value::Switch(_)) => true,
            (Self::Choice(words), Value::Text(text)) => words.contains(&text.as_str()),
            (Self::Text { accepts, .. }, Value::Text(text)) => accepts(text),
            (Self::List { accepts, .. }, Value::List(items)) => items.iter().all(|item| accepts(item)),
            _ => false,
        };
        fits.then_some(value)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { min, max, unit } => write!(f, "a number from {min} to {max} {unit}"),
            Self::Integer { min, max, unit } => write!(f, "a whole number from {min} to {max} {unit}"),
            Self::Switch => f.write_str("true or false"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
            Self::Text { allowed, .. } => f.write_str(allowed),
            Self::List { allowed, .. } => write!(f, "a list, each item {allowed}"),
        }
    }
}
