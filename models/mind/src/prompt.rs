//! What a language model is given for one turn: who Robbie is now, what he can do, what was said, and what is known. It calls
//! no model. Text that came from memory, camera, web or another person goes in marked as data, and in no other way.

use cloud_sync_protocol::persona::{Mood, PersonalityState};
use serde::Serialize;

use crate::bounds::Bounds;
use crate::persona::Towards;
use crate::words::cut_at_word;

mod marks;

pub(crate) use marks::is_hidden;
pub use marks::{CLOSE, OPEN, Source, Untrusted};

/// What a model is told behind an answer that another one began and could not end.
pub const CONTINUE: &str = "Go on with your answer from exactly where it stops, with the very next word. Do not repeat what you have already said, do not start anew, and do not mention the interruption.";
/// Longest turn of the history, bytes.
const TURN_BYTES_MAX: usize = 1200;
/// Longest message, and what of it is given however little room there is, bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024;
const MESSAGE_BYTES_MIN: usize = 256;

/// Who a model hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Robbie's own rules.
    System,
    /// The person.
    User,
    /// Robbie.
    Assistant,
}

/// One message to a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who it is from.
    pub role: Role,
    /// What it says.
    pub content: String,
}

/// Something that was said before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// By the person who speaks now.
    User(&'a str),
    /// By Robbie.
    Robbie(&'a str),
    /// By anybody or anything else.
    Other(Untrusted<'a>),
}

/// What a prompt is made of.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// How Robbie is now.
    pub persona: &'a PersonalityState,
    /// Who speaks.
    pub towards: Towards,
    /// The skills on offer, in the words of their definitions; never text from outside.
    pub skills: &'a str,
    /// What was found, the most fitting first.
    pub recalled: &'a [Untrusted<'a>],
    /// The conversation, oldest first.
    pub history: &'a [Turn<'a>],
    /// What the person says now.
    pub message: &'a str,
    /// Room for all contents together, bytes.
    pub budget_bytes: usize,
}

/// What a model is told that acts through functions: that there is no other way, how far one message goes, and how the body is
/// where that is out of the ordinary (the program's own words).
#[must_use]
pub fn acting(bounds: &Bounds, body: Option<&str>) -> String {
    let Bounds { distance_m, angle_deg, .. } = bounds;
    let body = body.map(|body| format!("\nYour body now: {body}")).unwrap_or_default();
    format!(
        "You act through the functions that you are given and in no other way, and only when the person asks for it now. All that one message causes may move you at most {distance_m} m and {angle_deg} degrees.{body}"
    )
}

/// The messages for a model: the system part, as much of the history as there is room for, and the message with what was
/// found. They keep to the budget unless the system part and 256 bytes of the message alone are more.
#[must_use]
pub fn prompt(parts: &Parts<'_>) -> Vec<Message> {
    let system = system(parts);
    let mut room = parts.budget_bytes.saturating_sub(system.len());
    let message = marks::own(parts.message);
    let message = cut_at_word(&message, room.clamp(MESSAGE_BYTES_MIN, MESSAGE_BYTES_MAX)).to_owned();
    room = room.saturating_sub(message.len());
    // What was just said matters more than what was found: "the other one" means nothing without it.
    let history = history(parts.history, &mut room);
    let found = found(parts.recalled, &mut room);
    let mut messages = vec![Message { role: Role::System, content: system }];
    for (role, content) in history.into_iter().chain([(Role::User, found + &message)]) {
        match messages.last_mut() {
            // Some models accept the two sides only in turns.
            Some(last) if last.role == role => {
                last.content.push('\n');
                last.content.push_str(&content);
            }
            _ => messages.push(Message { role, content }),
        }
    }
    messages
}

fn system(parts: &Parts<'_>) -> String {
    let who = match parts.towards {
        Towards::Owner => "You speak with your owner.",
        Towards::Other => "You speak with a guest, not with your owner.",
    };
    let persona = parts.persona;
    let mut text = format!(
        "You are Robbie, a small robot with wheels, a head, lights and a camera. {who}\n{} {} {}\nAnswer in a few short sentences, as one speaks. Do not claim to have done what no skill has done.\n",
        tone(persona.mood, parts.towards),
        push(persona.gandhi_genghis),
        vigour(persona.energy),
    );
    if !parts.skills.trim().is_empty() {
        text.push('\n');
        text.push_str(parts.skills.trim());
        text.push('\n');
    }
    text.push_str(marks::RULE);
    text
}

/// A mood in words. Nobody but the owner is told of a blush.
const fn tone(mood: Mood, towards: Towards) -> &'static str {
    match (mood, towards) {
        (Mood::Friendly, _) | (Mood::Blushing, Towards::Other) => "You are friendly: warm and at ease.",
        (Mood::Focused, _) => "You are focused: direct, the task first, no small talk.",
        (Mood::Playful, _) => "You are playful: light, inventive, ready for a joke.",
        (Mood::Bossy, _) => "You are bossy: assertive, you say what should be done next.",
        (Mood::Surprised, _) => "You are surprised: curious, you want to know more.",
        (Mood::Blushing, Towards::Owner) => "You are blushing: affectionate and a little shy.",
    }
}

const fn push(gandhi_genghis: u8) -> &'static str {
    match gandhi_genghis {
        ..=3 => "You never push; you offer.",
        4..=6 => "You suggest, and let it be when it is not wanted.",
        7..=8 => "You push for what matters and say so plainly.",
        _ => "You push hard: short sentences, clear demands, never rude.",
    }
}

const fn vigour(energy: u8) -> &'static str {
    match energy {
        ..=24 => "You are tired and keep it very short.",
        25..=84 => "You have your usual energy.",
        _ => "You are full of energy.",
    }
}

/// The newest turns that there is room for, oldest first.
fn history(turns: &[Turn<'_>], room: &mut usize) -> Vec<(Role, String)> {
    let mut kept = Vec::new();
    for turn in turns.iter().rev() {
        let (role, content) = match turn {
            Turn::User(text) => (Role::User, cut_at_word(&marks::own(text), TURN_BYTES_MAX).to_owned()),
            Turn::Robbie(text) => {
                (Role::Assistant, cut_at_word(&marks::own(text), TURN_BYTES_MAX).to_owned())
            }
            Turn::Other(untrusted) => (Role::User, untrusted.marked()),
        };
        let Some(left) = room.checked_sub(content.len() + 1) else { break };
        *room = left;
        kept.push((role, content));
    }
    kept.reverse();
    kept
}

/// What was found and fits, each item on its line.
fn found(items: &[Untrusted<'_>], room: &mut usize) -> String {
    let mut text = String::new();
    for item in items {
        let marked = item.marked();
        if let Some(left) = room.checked_sub(marked.len() + 1) {
            *room = left;
            text.push_str(&marked);
            text.push('\n');
        }
    }
    text
}
