//! What is answered: by the rules of a script, or else as a friendly stand-in. Pure.

use models_mind::prompt::CONTINUE;
use models_mind::tier::{Message, Tool};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kind::Kind;
use crate::seen::Seen;
use crate::settings::Settings;

/// A rule of a script. The first one that fits answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// What the person's last message contains, in either case of letters. Without it every message fits.
    pub contains: Option<String>,
    /// Look for it in the whole conversation.
    pub anywhere: bool,
    /// Fits only what follows the result of a call; other rules never do.
    pub after_result: bool,
    /// What is said.
    pub text: String,
    /// What is called then.
    pub calls: Vec<Call>,
}

/// A call that is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Of which function.
    pub name: String,
    /// With what, of whatever kind.
    #[serde(default)]
    pub arguments: Value,
}

/// An answer as it would be without any fault.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
}

pub(crate) fn answer(kind: Kind, settings: &Settings, seen: &Seen) -> Reply {
    let (asked, partial) = going_on(&seen.messages);
    let mut reply = reply(kind, settings, seen, asked);
    if let Some(partial) = partial
        && !settings.restarts
        && let Some(at) = behind(&reply.text, partial)
    {
        let at = back(&reply.text, at, settings.overlap_words);
        reply.text.drain(..at);
    }
    reply
}

/// The conversation up to what is answered, and how far an answer had come that is to be gone on with.
fn going_on(messages: &[Message]) -> (&[Message], Option<&str>) {
    match messages {
        [asked @ .., Message::Assistant { text, .. }, Message::User(more)] if more == CONTINUE => {
            (asked, Some(text))
        }
        _ => (messages, None),
    }
}

fn reply(kind: Kind, settings: &Settings, seen: &Seen, asked: &[Message]) -> Reply {
    let said = asked.iter().rev().find_map(|message| match message {
        Message::User(text) => Some(text.as_str()),
        _ => None,
    });
    let said = said.unwrap_or_default();
    let results = results(asked);
    let rule = settings.script.iter().find(|rule| {
        let Some(wanted) = &rule.contains else { return rule.after_result != results.is_empty() };
        let found = if rule.anywhere {
            asked.iter().any(|message| has(text_of(message), wanted))
        } else {
            has(said, wanted)
        };
        found && rule.after_result != results.is_empty()
    });
    match rule {
        Some(rule) => Reply { text: rule.text.clone(), calls: rule.calls.clone() },
        None if !results.is_empty() => Reply { text: told(&results), calls: Vec::new() },
        None => stand_in(kind, said, &seen.tools),
    }
}

fn has(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}

fn text_of(message: &Message) -> &str {
    match message {
        Message::System(text) | Message::User(text) | Message::Assistant { text, .. } => text,
        Message::Result { content, .. } => content,
    }
}

/// The results that nobody has answered yet.
fn results(asked: &[Message]) -> Vec<&str> {
    let last = asked.iter().rev().map_while(|message| match message {
        Message::Result { content, .. } => Some(content.as_str()),
        _ => None,
    });
    let mut results: Vec<&str> = last.collect();
    results.reverse();
    results
}

fn told(results: &[&str]) -> String {
    format!("That is done. This came of it: {}", results.join("; "))
}

fn stand_in(kind: Kind, said: &str, tools: &[Tool]) -> Reply {
    if let Some(call) = wanted_call(said, tools) {
        return Reply { text: String::new(), calls: vec![call] };
    }
    let name = kind.name();
    let text = format!(
        "I only stand in for {name}, no model runs here. You said: {} That is all I can do with it. With a real model behind me you would get a real answer.",
        ended(said.trim()),
    );
    Reply { text, calls: Vec::new() }
}

fn ended(said: &str) -> String {
    if said.ends_with(['.', '!', '?']) { said.to_owned() } else { format!("{said}.") }
}

/// "use drive 0.5", where `drive` is on offer: its first argument is what follows.
fn wanted_call(said: &str, tools: &[Tool]) -> Option<Call> {
    let mut words = said.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case("use"))?;
    let name = words.next()?;
    let tool = tools.iter().find(|tool| tool.name == name)?;
    let rest = words.collect::<Vec<_>>().join(" ");
    let mut arguments = Map::new();
    let fields = tool.parameters.get("properties").and_then(Value::as_object);
    if let Some(field) = fields.and_then(|fields| fields.keys().next())
        && !rest.is_empty()
    {
        let value = serde_json::from_str(&rest).unwrap_or(Value::String(rest));
        arguments.insert(field.clone(), value);
    }
    Some(Call { name: name.to_owned(), arguments: Value::Object(arguments) })
}

/// The byte of `text` behind `partial`, if it begins with it. White space does not count: whoever asks may have trimmed it.
fn behind(text: &str, partial: &str) -> Option<usize> {
    let mut letters = text.char_indices().filter(|(_, letter)| !letter.is_whitespace());
    let mut end = 0;
    for wanted in partial.chars().filter(|letter| !letter.is_whitespace()) {
        let (at, letter) = letters.next()?;
        if letter != wanted {
            return None;
        }
        end = at + letter.len_utf8();
    }
    Some(end)
}

/// The byte `words` words before `at`.
fn back(text: &str, at: usize, words: usize) -> usize {
    let mut end = at;
    for _ in 0..words {
        let before = text[..end].trim_end();
        end = before.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    }
    end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "One two  three. Four fünf.";

    fn check_rest(partial: &str, overlap_words: usize, rest: &str) {
        let rule = Rule { text: TEXT.to_owned(), ..Rule::default() };
        let settings = Settings { script: vec![rule], overlap_words, ..Settings::default() };
        let said = Message::Assistant { text: partial.to_owned(), calls: Vec::new() };
        let messages = vec![Message::User("Count".to_owned()), said, Message::User(CONTINUE.to_owned())];
        let seen = Seen { messages, ..Seen::default() };
        assert_eq!(answer(Kind::OpenAi, &settings, &seen).text, rest, "{partial:?}");
    }

    #[test]
    fn it_goes_on_where_another_one_stopped() {
        check_rest("One two", 0, "  three. Four fünf.");
        check_rest("One two three. Four f", 0, "ünf.");
        check_rest(" One  two ", 1, "two  three. Four fünf.");
        check_rest("One two th", 2, "two  three. Four fünf.");
        check_rest("One", 9, TEXT);
        check_rest("", 0, TEXT);
        check_rest(TEXT, 0, "");
        check_rest("Something else", 0, TEXT);
    }

    #[test]
    fn it_calls_what_it_is_told_to_use() {
        let parameters = json!({"type": "object", "properties": {"distance_m": {"type": "number"}}});
        let tool = Tool { name: "drive".to_owned(), description: String::new(), parameters };
        let check = |said: &str, arguments: Option<Value>| {
            let call = wanted_call(said, std::slice::from_ref(&tool));
            assert_eq!(call.map(|call| call.arguments), arguments, "{said}");
        };
        check("Please use drive 0.5", Some(json!({"distance_m": 0.5})));
        check("use drive", Some(json!({})));
        check("use drive far away", Some(json!({"distance_m": "far away"})));
        check("use turn 3", None);
        check("drive 0.5", None);
    }

    #[test]
    fn rules_about_results_answer_results_only() {
        let rule = |after_result, text: &str| Rule { after_result, text: text.to_owned(), ..Rule::default() };
        let mut settings =
            Settings { script: vec![rule(false, "a"), rule(true, "b")], ..Settings::default() };
        let result = |content: &str| Message::Result {
            id: String::new(),
            name: "drive".to_owned(),
            content: content.to_owned(),
        };
        let asked = Seen { messages: vec![Message::User("Go".to_owned())], ..Seen::default() };
        let mut done = asked.clone();
        done.messages.extend([result("0.5 m"), result("lit")]);
        assert_eq!(answer(Kind::Claude, &settings, &asked).text, "a");
        assert_eq!(answer(Kind::Claude, &settings, &done).text, "b");
        settings.script.pop();
        assert_eq!(answer(Kind::Claude, &settings, &done).text, "That is done. This came of it: 0.5 m; lit");
    }
}
