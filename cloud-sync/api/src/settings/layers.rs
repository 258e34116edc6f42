//! Layers of settings: the later one wins, and everything that is wrong in any of them is reported together.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::Key;
use super::toml_file;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The key's own default.
    Default,
    /// A built-in profile.
    Profile(&'static str),
    /// A file, at this line (counted from 1).
    File(PathBuf, usize),
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line, as the person wrote its name.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Switch(bool),
    /// Text, or one word of a choice.
    Text(String),
    /// Texts.
    List(Vec<String>),
}

/// As TOML.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Switch(on) => write!(f, "{on}"),
            Self::Text(text) => write!(f, "{}", toml::Value::from(text.as_str())),
            Self::List(items) => write!(f, "{}", toml::Value::from(items.clone())),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The value, within its key's range.
    pub value: Value,
    /// Where it came from.
    pub source: Source,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub source: Source,
    /// The key it is about, dotted; empty when the file cannot be read as TOML at all.
    pub key: String,
    /// What is wrong and what is allowed.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            return write!(f, "{}: {}", self.source, self.what);
        }
        write!(f, "{}: {}: {}", self.source, self.key, self.what)
    }
}

/// Everything that is wrong, at least one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

/// Settings while their layers are put on each other.
#[derive(Debug)]
pub struct Layers {
    keys: Vec<&'static Key>,
    entries: BTreeMap<&'static str, Entry>,
    problems: Vec<Problem>,
}

impl Layers {
    /// The lowest layer: every key's own default.
    pub fn new(keys: Vec<&'static Key>) -> Self {
        let mut layers = Self { keys, entries: BTreeMap::new(), problems: Vec::new() };
        for key in layers.keys.clone() {
            if let Some(text) = key.default {
                layers.text(Source::Default, key.name, text);
            }
        }
        layers
    }

    /// A layer of TOML. `source_at` tells the source for a line.
    pub fn toml(&mut self, text: &str, source_at: impl Fn(usize) -> Source) {
        match toml_file::leaves(text) {
            Ok(leaves) => {
                for leaf in leaves {
                    self.value(source_at(leaf.line), &leaf.key, leaf.value);
                }
            }
            Err((line, what)) => self.problem(source_at(line), "", what),
        }
    }

    /// One value as a person writes it on the command line or in the environment.
    pub fn text(&mut self, source: Source, name: &str, text: &str) {
        let value = match self.key(name) {
            Some(key) => key.kind.read(text),
            None => Some(Value::Text(text.to_owned())),
        };
        self.value(source, name, value);
    }

    /// Notes something that is wrong.
    pub fn problem(&mut self, source: Source, key: &str, what: String) {
        self.problems.push(Problem { source, key: key.to_owned(), what });
    }

    /// A text as the layers so far have it.
    pub fn text_so_far(&self, name: &str) -> Option<&str> {
        match &self.entries.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The finished settings, or everything that was wrong.
    pub fn finish(self) -> Result<Settings, Problems> {
        if self.problems.is_empty() {
            return Ok(Settings { keys: self.keys, entries: self.entries });
        }
        Err(Problems(self.problems))
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name).copied()
    }

    fn value(&mut self, source: Source, name: &str, value: Option<Value>) {
        let Some(key) = self.key(name) else {
            let what = unknown(name, &self.keys);
            return self.problem(source, name, what);
        };
        let said = value.as_ref().map(|value| format!("is {value}, ")).unwrap_or_default();
        match value.and_then(|value| key.kind.accept(value)) {
            Some(value) => {
                self.entries.insert(key.name, Entry { value, source });
            }
            None => self.problem(source, name, format!("{said}must be {}", key.kind)),
        }
    }
}

/// Says that there is no such key, and which one was probably meant.
fn unknown(name: &str, keys: &[&'static Key]) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let section = name.split('.').next().unwrap_or(name);
    let mut near: Vec<&str> = keys.iter().map(|key| key.name).filter(|key| key.ends_with(last)).collect();
    if near.is_empty() {
        near = keys.iter().map(|key| key.name).filter(|key| key.split('.').next() == Some(section)).collect();
    }
    if near.is_empty() {
        return "no such key; `config show` lists them all".to_owned();
    }
    format!("no such key; there is {}", near.join(", "))
}

/// Settings after all layers: every value is of its key's kind and within its range.
#[derive(Clone, Debug)]
pub struct Settings {
    keys: Vec<&'static Key>,
    entries: BTreeMap<&'static str, Entry>,
}

impl Settings {
    /// All keys in the order of their declaration, with their entries.
    pub fn all(&self) -> impl Iterator<Item = (&'static Key, Option<&Entry>)> {
        self.keys.iter().map(|key| (*key, self.entries.get(key.name)))
    }

    /// Where a value came from; [`Source::Default`] when it has none.
    pub fn source(&self, name: &str) -> Source {
        self.entries.get(name).map_or(Source::Default, |entry| entry.source.clone())
    }

    /// A problem with a value that is fine by itself.
    pub fn problem(&self, name: &str, what: impl Into<String>) -> Problems {
        Problems(vec![Problem { source: self.source(name), key: name.to_owned(), what: what.into() }])
    }

    /// A number.
    pub fn number(&self, name: &str) -> Result<f64, Problems> {
        match self.value(name)? {
            Value::Number(number) => Ok(*number),
            _ => Err(self.missing(name)),
        }
    }

    /// A number as the body's arithmetic wants it.
    pub fn number_f32(&self, name: &str) -> Result<f32, Problems> {
        #[expect(clippy::cast_possible_truncation, reason = "ranges are far inside f32")]
        self.number(name).map(|number| number as f32)
    }

    /// A whole number.
    pub fn integer<T: TryFrom<i64>>(&self, name: &str) -> Result<T, Problems> {
        match self.value(name)? {
            Value::Integer(number) => T::try_from(*number).ok().ok_or_else(|| self.missing(name)),
            _ => Err(self.missing(name)),
        }
    }

    /// A switch.
    pub fn switch(&self, name: &str) -> Result<bool, Problems> {
        match self.value(name)? {
            Value::Switch(on) => Ok(*on),
            _ => Err(self.missing(name)),
        }
    }

    /// A text, if there is one.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.entries.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list; empty when nothing set it.
    pub fn list(&self, name: &str) -> &[String] {
        match self.entries.get(name).map(|entry| &entry.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// The error for a value that must be there.
    pub fn missing(&self, name: &str) -> Problems {
        let allowed = self.keys.iter().find(|key| key.name == name).map(|key| key.kind.to_string());
        self.problem(name, format!("must be set: {}", allowed.unwrap_or_default()))
    }

    fn value(&self, name: &str) -> Result<&Value, Problems> {
        self.entries.get(name).map(|entry| &entry.value).ok_or_else(|| self.missing(name))
    }
}
