//! What is asked arrives, and what is answered comes back.

use std::collections::HashSet;
use std::sync::Arc;

use models_mind::tier::{Asked, Called, ChatTier, Delta, Finish, Message, Options, Tool};
use models_providers::Kind;
use models_twin::{Call, Rule};
use serde_json::{Value, json};

use crate::support::{ask, heard, pair, question, says, short};

fn called(id: &str, name: &str, arguments: Value) -> Called {
    Called { id: id.to_owned(), name: name.to_owned(), arguments }
}

fn result(id: &str, name: &str, content: &str) -> Message {
    Message::Result { id: id.to_owned(), name: name.to_owned(), content: content.to_owned() }
}

fn said(text: &str, calls: Vec<Called>) -> Message {
    Message::Assistant { text: text.to_owned(), calls }
}

fn user(text: &str) -> Message {
    Message::User(text.to_owned())
}

fn asked() -> Asked {
    let parameters = json!({
        "type": "object", "required": ["distance_m"],
        "properties": {"distance_m": {"type": "number", "minimum": -2.0, "maximum": 2.0}},
    });
    Asked {
        messages: vec![
            Message::System("You are Robbie.\n\"Quotes\" & \u{1f916}".to_owned()),
            user("Hello"),
            said("Hi, there!", Vec::new()),
            user("Drive, and light up"),
            said(
                "I will.",
                vec![
                    called("call_1", "drive", json!({"distance_m": 0.5})),
                    called("call_2", "lights", json!({"color": "grün", "on": true})),
                ],
            ),
            result("call_1", "drive", "0.5 m driven"),
            result("call_2", "lights", "{\"on\":true}"),
            said("", vec![called("call_3", "stop", json!({}))]),
            result("call_3", "stop", "stopped"),
            said("All done.", Vec::new()),
            user("Thanks!"),
        ],
        tools: vec![
            Tool { name: "drive".to_owned(), description: "Drives so far.".to_owned(), parameters },
            Tool {
                name: "stop".to_owned(),
                description: "Stops.".to_owned(),
                parameters: json!({"type": "object", "properties": {}}),
            },
        ],
        options: Options {
            max_tokens: Some(321),
            temperature: Some(0.25),
            top_p: Some(0.5),
            stop: vec!["END".to_owned(), "\n\n".to_owned()],
        },
    }
}

/// What of it can be seen in that wire format.
fn as_seen(kind: Kind, message: &Message) -> Message {
    let mut message = message.clone();
    let without_ids = matches!(kind, Kind::Ollama | Kind::Gemini);
    match &mut message {
        Message::Assistant { calls, .. } if without_ids => {
            calls.iter_mut().for_each(|call| call.id.clear());
        }
        Message::Result { id, .. } if without_ids => id.clear(),
        Message::Result { name, .. } => name.clear(),
        _ => {}
    }
    message
}

#[tokio::test]
async fn the_twin_sees_what_was_asked() {
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        let asked = asked();
        let found = heard(&mut provider.ask(Arc::new(asked.clone()))).await;
        assert!(short(&found).contains("|four.|Stop "), "{kind:?}: {}", short(&found));
        let seen = twin.last().unwrap();
        let expected: Vec<Message> = asked.messages.iter().map(|message| as_seen(kind, message)).collect();
        assert_eq!(seen.messages, expected, "{kind:?}");
        assert_eq!(seen.tools, asked.tools, "{kind:?}");
        // Claude takes one of the two only.
        let top_p = asked.options.top_p.filter(|_| kind != Kind::Claude);
        assert_eq!(seen.options, Options { top_p, ..asked.options }, "{kind:?}");
        assert_eq!((seen.model.as_str(), seen.stream), ("stand-in", true), "{kind:?}");
    }
}

#[tokio::test]
async fn options_are_made_to_fit() {
    let check = async |kind, options: Options, expected: Options| {
        let (twin, provider) = pair(kind).await;
        let messages = vec![user("Hello")];
        heard(&mut provider.ask(Arc::new(Asked { messages, options, ..Asked::default() }))).await;
        assert_eq!(twin.last().expect("a question").options, expected, "{kind:?}");
    };
    let none = Options::default;
    for kind in [Kind::Ollama, Kind::OpenAi, Kind::Gemini] {
        check(kind, none(), none()).await;
    }
    // Claude must be told how much it may say, and knows no temperature above 1.
    check(Kind::Claude, none(), Options { max_tokens: Some(4096), ..none() }).await;
    let hot = Options { temperature: Some(1.8), max_tokens: Some(5), ..none() };
    check(Kind::Claude, hot.clone(), Options { temperature: Some(1.0), ..hot }).await;
    let nucleus = Options { top_p: Some(0.5), max_tokens: Some(5), ..none() };
    check(Kind::Claude, nucleus.clone(), nucleus).await;
}

#[tokio::test]
async fn claude_takes_a_conversation_with_calls_though_nothing_is_offered_any_more() {
    // It refuses calls of functions that are not defined: they are, and none may be called.
    let (twin, provider) = pair(Kind::Claude).await;
    let asked = Asked { tools: Vec::new(), ..asked() };
    heard(&mut provider.ask(Arc::new(asked))).await;
    let raw = twin.last().expect("a question").raw;
    let names: Vec<&str> =
        raw["tools"].as_array().into_iter().flatten().filter_map(|tool| tool["name"].as_str()).collect();
    assert_eq!(names, ["drive", "lights", "stop"], "{raw}");
    assert_eq!(raw["tool_choice"], json!({"type": "none"}));
    let plain = Asked { messages: vec![user("Hello")], ..Asked::default() };
    heard(&mut provider.ask(Arc::new(plain))).await;
    let raw = twin.last().expect("a question").raw;
    assert!(raw["tools"].is_null() && raw["tool_choice"].is_null(), "{raw}");
}

async fn check_seen(kind: Kind, messages: Vec<Message>, expected: &[Message]) {
    let (twin, provider) = pair(kind).await;
    heard(&mut provider.ask(Arc::new(Asked { messages, ..Asked::default() }))).await;
    assert_eq!(twin.last().expect("a question").messages, expected, "{kind:?}");
}

#[tokio::test]
async fn where_sides_speak_in_turns_messages_of_one_side_are_one() {
    let asked = [said("Hi.", Vec::new()), said("You?", Vec::new()), user("a"), user(""), user("b")];
    for kind in [Kind::Claude, Kind::Gemini] {
        let expected = [user("(What came before is left out.)"), said("Hi.\nYou?", Vec::new()), user("a\nb")];
        check_seen(kind, asked.to_vec(), &expected).await;
    }
    for kind in [Kind::OpenAi, Kind::Ollama] {
        check_seen(kind, asked.to_vec(), &asked).await;
    }
}

#[tokio::test]
async fn a_conversation_that_others_had_is_made_to_fit() {
    // An id with a dot and arguments that are no object are another provider's, or another model's.
    let asked = [user("Go"), said("", vec![called("a.1", "drive", json!(3))]), result("a.1", "drive", "no")];
    let fitted = |id: &str, name: &str| {
        [user("Go"), said("", vec![called(id, "drive", json!({"value": 3}))]), result(id, name, "no")]
    };
    check_seen(Kind::Claude, asked.to_vec(), &fitted("a_1", "")).await;
    check_seen(Kind::Gemini, asked.to_vec(), &fitted("", "drive")).await;
    check_seen(Kind::Ollama, asked.to_vec(), &fitted("", "drive")).await;
    let kept = [user("Go"), said("", vec![called("a.1", "drive", json!(3))]), result("a.1", "", "no")];
    check_seen(Kind::OpenAi, asked.to_vec(), &kept).await;
}

#[tokio::test]
async fn calls_come_whole_and_each_has_its_own_id() {
    let call = |name: &str, arguments: Value| Call { name: name.to_owned(), arguments };
    let calls = vec![
        call("drive", json!({"distance_m": 0.5, "note": "ä\"}{"})),
        call("drive", json!({"distance_m": 0.5, "note": "ä\"}{"})),
        call("stop", json!({})),
    ];
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        for text in ["", "I go."] {
            twin.script(vec![Rule { calls: calls.clone(), ..says(text) }]).await;
            let mut ids = HashSet::new();
            for _ in 0..2 {
                let found = ask(&provider, "Go").await;
                let made: Vec<(String, Value)> = found
                    .iter()
                    .filter_map(|item| match item {
                        Ok(Delta::Call(called)) => {
                            assert!(!called.id.is_empty() && ids.insert(called.id.clone()), "{kind:?}");
                            Some((called.name.clone(), called.arguments.clone()))
                        }
                        _ => None,
                    })
                    .collect();
                let expected: Vec<_> =
                    calls.iter().map(|call| (call.name.clone(), call.arguments.clone())).collect();
                assert_eq!(made, expected, "{kind:?}");
                let end = found.last().unwrap().as_ref().unwrap();
                assert!(
                    matches!(end, Delta::Finished { finish: Finish::Calls, usage: Some(_) }),
                    "{kind:?} {end:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_prompt_of_a_megabyte_arrives_whole() {
    let long = "word ".repeat(210_000);
    for kind in Kind::ALL {
        let (twin, provider) = pair(kind).await;
        let found = heard(&mut provider.ask(question(&long))).await;
        assert!(short(&found).ends_with("|Stop 210000/4"), "{kind:?} {}", short(&found));
        assert_eq!(twin.last().unwrap().messages, [user(&long)], "{kind:?}");
    }
}
