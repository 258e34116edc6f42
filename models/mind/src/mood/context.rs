//! The context that comes with a change of mood: words, or a JSON object that names what happened.

use cloud_sync_protocol::persona::PersonalityState;
use serde_json::Value;

use super::cues::{Topic, Words};
use super::sentence::Said;
use super::{Change, after, change, quote, scope, topics};
use crate::persona::Towards;
use crate::words::cut;

/// What of a context is looked at, bytes.
const CONTEXT_BYTES_MAX: usize = 4 * 1024;

/// The names of a topic in an object, and as words alone.
const fn names(topic: Topic) -> Words {
    match topic {
        Topic::Affection => "affection",
        Topic::Money => "deal revenue",
        Topic::Creative => "creative",
        Topic::Learning => "learning",
    }
}

fn is_named(topic: Topic, key: &str) -> bool {
    names(topic).split(' ').any(|name| key.trim().eq_ignore_ascii_case(name))
}

/// Words that stand for the topic when hardly more is said: "new deal", "brainstorming".
const fn keywords(topic: Topic) -> Words {
    match topic {
        Topic::Affection => "affection",
        Topic::Money => "deal revenue sale sales invoice customer contract paid",
        Topic::Creative => "creative creativity brainstorm brainstorming design painting songwriting game",
        Topic::Learning => "learning discovery discovered learned",
    }
}

const fn tells(topic: Topic) -> &'static str {
    match topic {
        Topic::Affection => "that you are fond of me",
        Topic::Money => "that there is a deal or money",
        Topic::Creative => "that something is being made up",
        Topic::Learning => "that something was learned",
    }
}

/// Words that take back what their key says.
const TAKES_BACK: Words = "bad cancel cancelled canceled closed_lost could dead declin delayed empty fail failed fell false \
    hope hopefully if loss lost maybe might missed na negative never no nobody none nope not nothing \
    null off overdue pending perhaps postponed refused rejected unpaid unlikely wish without would \
    zero";
/// Whose affection it is, when it is not the owner's.
const OTHERS: Words = "child colleague customer friend guest he her him his kid neighbour neighbor other others she \
    somebody someone stranger they user visitor wife husband says said for pizza";
/// Longest context in which a keyword alone counts, words.
const TERSE_WORDS_MAX: usize = 6;

/// The mood that follows from the context of an update; `None`: it stays. In an object, affection counts only where it is
/// plainly the owner's.
#[must_use]
pub fn from_context(state: &PersonalityState, context: &str, towards: Towards) -> Option<Change> {
    let context = cut(context.trim(), CONTEXT_BYTES_MAX);
    match serde_json::from_str(context) {
        Ok(Value::Object(object)) => {
            let topic = topics(towards).find(|topic| {
                object.iter().any(|(key, value)| is_named(*topic, key) && worth(value, *topic) == Worth::Yes)
            })?;
            change(state, topic, format!("the context says {}", tells(topic)))
        }
        Ok(Value::String(words)) => from_words(state, &words, towards),
        // Broken or other JSON is no sentence.
        Ok(_) => None,
        Err(_) if context.starts_with(['{', '[']) => None,
        Err(_) => from_words(state, context, towards),
    }
}

fn from_words(state: &PersonalityState, words: &str, towards: Towards) -> Option<Change> {
    if let Some(change) = after(state, words, towards) {
        let reason = change.reason.replacen("you said", "the context says", 1);
        return Some(Change { reason, ..change });
    }
    let said = Said::parse(words);
    let is_terse = said.tokens.len() <= TERSE_WORDS_MAX && !words.contains('?');
    if !is_terse || takes_back(&said) || scope::is_mocking(&said) {
        return None;
    }
    let topic = topics(towards).find(|topic| {
        let named = said.tokens.iter().any(|token| token.is(keywords(*topic)));
        named && (*topic != Topic::Affection || is_owners(&said))
    })?;
    change(state, topic, format!("the context says {} (\"{}\")", tells(topic), quote(words)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Worth {
    Yes,
    No,
    /// It says nothing.
    Silent,
}

/// Whether a value says that it is so. In lists and objects one "no" decides.
fn worth(value: &Value, topic: Topic) -> Worth {
    let all = |values: &mut dyn Iterator<Item = &Value>| {
        let worths: Vec<Worth> = values.map(|value| worth(value, topic)).collect();
        [Worth::No, Worth::Yes].into_iter().find(|worth| worths.contains(worth)).unwrap_or(Worth::Silent)
    };
    match value {
        Value::Null => Worth::Silent,
        Value::Bool(is_so) => yes_if(*is_so),
        Value::Number(number) => yes_if(number.as_f64().is_some_and(|number| number > 0.0)),
        Value::String(words) => words_worth(words, topic),
        Value::Array(values) => all(&mut values.iter()),
        Value::Object(object) => all(&mut object.values()),
    }
}

const fn yes_if(is_so: bool) -> Worth {
    if is_so { Worth::Yes } else { Worth::No }
}

fn words_worth(words: &str, topic: Topic) -> Worth {
    let words = words.trim();
    if let Ok(number) = words.parse::<f64>() {
        return yes_if(number > 0.0);
    }
    let said = Said::parse(words);
    if said.tokens.is_empty() {
        return Worth::Silent;
    }
    let is_so =
        !takes_back(&said) && !scope::is_mocking(&said) && (topic != Topic::Affection || is_owners(&said));
    yes_if(is_so)
}

fn takes_back(said: &Said<'_>) -> bool {
    said.tokens.iter().any(|token| token.is(TAKES_BACK))
}

/// Affection of somebody else is told by who it is.
fn is_owners(said: &Said<'_>) -> bool {
    let is_named = |word: &str| word.chars().next().is_some_and(char::is_uppercase);
    !said.tokens.iter().any(|token| {
        token.is(OTHERS)
            || token.is_name && !token.is("robbie owner") && is_named(&said.text[token.at.clone()])
    })
}
