//! What a client may say on `/ws/chat`.

use cloud_sync_protocol::event::EventKind;
use serde::Deserialize;

use crate::assistant::asked;
use crate::assistant::chat::ChatBody;
use crate::json;
use crate::problem::Answer;

/// Sent by the store itself; nobody needs to ask for it, and nobody is told off who does.
const RESET: &str = "reset";

/// Stores count in 63 bits; whatever is above is as far away as that.
pub(super) const AFTER_MAX: u64 = i64::MAX.unsigned_abs();

/// What a client says.
#[derive(Debug)]
pub(super) enum Heard {
    /// What it wants to hear of.
    Wish(Wish),
    /// A message for Robbie.
    Chat(ChatWish),
}

/// A chat message and its key.
#[derive(Debug, Deserialize)]
pub(super) struct ChatWish {
    /// Names the message, as `Idempotency-Key` does.
    pub(super) key: String,
    /// The message.
    #[serde(flatten)]
    pub(super) body: ChatBody,
}

#[derive(Debug, Deserialize)]
struct ChatMessage {
    chat: ChatWish,
}

/// Tells the two kinds of messages apart.
#[derive(Debug, Deserialize)]
struct Kind {
    chat: Option<serde::de::IgnoredAny>,
}

impl Heard {
    /// Reads a message.
    ///
    /// # Errors
    /// 400 with the field at fault.
    pub(super) fn parse(bytes: &[u8]) -> Answer<Self> {
        let kind: Kind = json::parse(bytes)?;
        Ok(match kind.chat {
            Some(_) => Self::Chat(json::parse::<ChatMessage>(bytes)?.chat),
            None => Self::Wish(Wish::parse(bytes)?),
        })
    }
}

/// What a client wants to hear of from now on, instead of what it wanted before.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Each once; none means silence.
    pub(super) kinds: Vec<EventKind>,
    /// Begin behind this event; `None`: with the next one.
    pub(super) after: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct WishBody {
    subscribe: Vec<String>,
    after: Option<u64>,
}

impl Wish {
    /// Reads a message.
    ///
    /// # Errors
    /// 400 with the field at fault.
    pub(super) fn parse(bytes: &[u8]) -> Answer<Self> {
        let body: WishBody = json::parse(bytes)?;
        let mut kinds = Vec::new();
        for word in body.subscribe.iter().filter(|word| *word != RESET) {
            let Some(kind) = EventKind::ALL.into_iter().find(|kind| kind.as_str() == word) else {
                return Err(asked::unknown(
                    "subscribe",
                    word,
                    &EventKind::ALL.map(EventKind::as_str).join(", "),
                ));
            };
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(Self { kinds, after: body.after.map(|after| after.min(AFTER_MAX)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_names_types_and_where_to_begin() {
        // Known types once each; anything else is told with its field, and never a panic.
        let check = |text: &str, wanted: Option<(&[EventKind], Option<u64>)>| {
            let found = Wish::parse(text.as_bytes()).ok();
            let wanted = wanted.map(|(kinds, after)| Wish { kinds: kinds.to_vec(), after });
            assert_eq!(found, wanted, "{text}");
        };
        check(r#"{"subscribe":["note"]}"#, Some((&[EventKind::Note], None)));
        check(
            r#"{"subscribe":["note","chat","note","reset"]}"#,
            Some((&[EventKind::Note, EventKind::Chat], None)),
        );
        check(r#"{"subscribe":["robot"],"after":7,"more":1}"#, Some((&[EventKind::Robot], Some(7))));
        check(r#"{"subscribe":[],"after":18446744073709551615}"#, Some((&[], Some(AFTER_MAX))));
        for wrong in [
            "",
            "[]",
            "{}",
            r#"{"subscribe":"note"}"#,
            r#"{"subscribe":["dream"]}"#,
            r#"{"subscribe":[],"after":-1}"#,
        ] {
            check(wrong, None);
        }
    }
}
