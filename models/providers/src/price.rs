//! What well known models cost, as their providers' price lists had it in 2026. An owner's own figures go before these.

use crate::config::Kind;

/// Model, US dollars for a million tokens in, and out. Long-context and batch prices are left out.
const OPENAI: &[(&str, f64, f64)] = &[
    ("gpt-4o", 2.5, 10.0),
    ("gpt-4o-mini", 0.15, 0.6),
    ("gpt-4.1", 2.0, 8.0),
    ("gpt-4.1-mini", 0.4, 1.6),
    ("gpt-4.1-nano", 0.1, 0.4),
    ("gpt-5", 1.25, 10.0),
    ("gpt-5.1", 1.25, 10.0),
    ("gpt-5-mini", 0.25, 2.0),
    ("gpt-5-nano", 0.05, 0.4),
    ("o3", 2.0, 8.0),
    ("o4-mini", 1.1, 4.4),
];
const CLAUDE: &[(&str, f64, f64)] = &[
    ("claude-3-5-haiku", 0.8, 4.0),
    ("claude-haiku-4-5", 1.0, 5.0),
    ("claude-sonnet-4", 3.0, 15.0),
    ("claude-sonnet-4-5", 3.0, 15.0),
    ("claude-sonnet-4-6", 3.0, 15.0),
    ("claude-opus-4", 15.0, 75.0),
    ("claude-opus-4-1", 15.0, 75.0),
    ("claude-opus-4-5", 5.0, 25.0),
    ("claude-opus-4-6", 5.0, 25.0),
    ("claude-opus-4-7", 5.0, 25.0),
    ("claude-opus-4-8", 5.0, 25.0),
];
const GEMINI: &[(&str, f64, f64)] = &[
    ("gemini-2.0-flash", 0.1, 0.4),
    ("gemini-2.5-flash", 0.3, 2.5),
    ("gemini-2.5-flash-lite", 0.1, 0.4),
    ("gemini-2.5-pro", 1.25, 10.0),
];

pub(crate) fn of(kind: Kind, model: &str) -> Option<(f64, f64)> {
    let list = match kind {
        Kind::Ollama | Kind::Cloud => return Some((0.0, 0.0)),
        Kind::OpenAi => OPENAI,
        Kind::Claude => CLAUDE,
        Kind::Gemini => GEMINI,
    };
    let is = |known: &str| model.strip_prefix(known).is_some_and(is_edition);
    list.iter().find(|(known, ..)| is(known)).map(|&(_, input, output)| (input, output))
}

/// Whether the rest of a name says which edition of the model it is, and not another model: `-2025-04-14`, `-001`, `-latest`.
fn is_edition(rest: &str) -> bool {
    rest.is_empty()
        || rest == "-latest"
        || rest.strip_prefix('-').is_some_and(|date| {
            date.len() >= 3 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, model: &str, price: Option<(f64, f64)>) {
        assert_eq!(of(kind, model), price, "{model}");
    }

    #[test]
    fn an_edition_costs_what_its_model_costs_and_another_model_does_not() {
        check(Kind::OpenAi, "gpt-4.1", Some((2.0, 8.0)));
        check(Kind::OpenAi, "gpt-4.1-mini-2025-04-14", Some((0.4, 1.6)));
        check(Kind::OpenAi, "gpt-4.1-huge", None);
        check(Kind::OpenAi, "gpt-4o-audio-preview", None);
        check(Kind::Claude, "claude-opus-4-20250514", Some((15.0, 75.0)));
        check(Kind::Claude, "claude-opus-4-8", Some((5.0, 25.0)));
        check(Kind::Gemini, "gemini-2.5-flash-lite", Some((0.1, 0.4)));
        check(Kind::Ollama, "anything:7b", Some((0.0, 0.0)));
    }

    #[test]
    fn every_default_model_has_a_price() {
        for kind in Kind::ALL {
            assert!(kind.price_of(kind.default_model()).is_some(), "{}", kind.name());
        }
    }
}
