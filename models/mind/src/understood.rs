//! One message, understood as a whole: what it asks for, and which mood it leaves. Chats and `robbie-agent understand` use it.
//! It carries nothing out.

use cloud_sync_protocol::persona::{MoodUpdate, PersonalityState};

use crate::mood::{self, Change};
use crate::persona::{Towards, decide};
use crate::reflex::{self, Heard, Meaning};
use crate::skills::Call;

/// What a message means.
#[derive(Clone, Debug, PartialEq)]
pub struct Understood {
    /// What it asks for.
    pub meaning: Meaning,
    /// The change of mood that it causes; `None` leaves it.
    pub change: Option<Change>,
}

/// Understands a message to a Robbie in this state. An order to be in a mood, where it fits the person, wins over what the
/// words would cause.
#[must_use]
pub fn of(heard: &Heard<'_>, state: &PersonalityState, towards: Towards) -> Understood {
    let meaning = reflex::understand(heard);
    let ordered = meaning.calls().into_iter().rev().find_map(|call| match call {
        Call::SetMood { mood } => Some(mood),
        _ => None,
    });
    let change = match ordered {
        Some(mood) => Some(Change { mood, reason: "you asked for it".to_owned() }),
        None => mood::after(state, heard.text, towards),
    };
    let fits = |change: &Change| {
        let wish = MoodUpdate { mood: Some(change.mood), ..MoodUpdate::default() };
        decide(state, wish, towards).is_ok()
    };
    Understood { meaning, change: change.filter(fits) }
}
