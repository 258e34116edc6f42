//! Understands a message of a person by rules alone, without a model: which calls it asks for, what has to be asked back, what
//! is refused, and what is left to the next tier. In doubt about motion it never moves.
//!
//! Text goes through: tokens, spelling, numbers, sentences and clauses, the mode of each clause, frames with slots, history,
//! bounds. It is pure, does the same work for the same text, and reads text of any content in linear time.

use cloud_sync_protocol::persona::Mood;

use crate::bounds::Bounds;
use crate::skills::{Call, Effect};
use number::{Amount, Unit};
use reading::{Before, Reading, Step};
use token::{Kind, Token};

mod clause;
mod command;
mod content;
mod frame;
mod gadget;
mod meaning;
mod moods;
mod motion;
mod number;
mod opener;
mod outside;
mod phrase;
mod reading;
mod spell;
mod statement;
mod talk;
mod token;
mod verb;

pub use meaning::{Meaning, Missing, Outside, Pass};

/// A message and what it needs to be understood.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// What was said.
    pub text: &'a str,
    /// The turns before, oldest first; only the last few count.
    pub history: &'a [Said<'a>],
    /// Who speaks.
    pub speaker: Speaker,
    /// What one message may move.
    pub bounds: &'a Bounds,
}

/// A turn before.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// Whose it was.
    pub who: Who,
    /// Its words.
    pub text: &'a str,
}

/// Whose turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The person's.
    User,
    /// Robbie's.
    Robbie,
}

/// Who speaks to Robbie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The owner.
    Owner,
    /// Anybody else.
    Guest,
}

/// Turns before that count.
const HISTORY_TURNS: usize = 8;
/// What of a message is read for what it asks, bytes; longer ones are texts.
const TEXT_BYTES_MAX: usize = 1_024;
/// What of a turn before is read, bytes.
const HISTORY_BYTES_MAX: usize = 512;

/// What a message means.
#[must_use]
pub fn understand(heard: &Heard<'_>) -> Meaning {
    let before = before(heard.history);
    let head = crate::words::cut(heard.text, TEXT_BYTES_MAX);
    let tokens = pieces(head);
    let mut reading = reading::read(head, &tokens, &before);
    if is_code(&tokens) && !only_keeps(&reading, &tokens) {
        return Meaning::Pass(Pass::Unknown);
    }
    if head.len() < heard.text.len() || reading.is_cut {
        lengthen(&mut reading, head, heard.text);
    }
    if reading.steps.is_empty() && talk::is_foreign(&tokens) {
        return Meaning::Pass(Pass::Language);
    }
    decide(&reading, heard)
}

fn pieces(text: &str) -> Vec<Token> {
    number::fold(spell::spell(token::tokens(text)))
}

/// Whether a message has signs that only code has.
fn is_code(tokens: &[Token]) -> bool {
    tokens.iter().any(|token| token.kind == Kind::Mark && token.is("{"))
}

/// "Remember that my <b>scarf</b> is red" only keeps words, whatever signs stand in them; `say("hi")` is code.
fn only_keeps(reading: &Reading, tokens: &[Token]) -> bool {
    let keeps = |step: &Step| match step {
        Step::Calls(calls) => calls
            .iter()
            .all(|call| matches!(call, Call::Say { .. } | Call::Remember { .. } | Call::Recall { .. })),
        Step::Refuse(Outside::Secret) => true,
        _ => false,
    };
    let starts_as_code = tokens.iter().take(2).any(|token| token.kind == Kind::Mark && token.is("{"));
    let is_called = tokens.windows(2).any(|pair| pair[0].is_any("say remember recall") && pair[1].is("{"));
    !starts_as_code && !is_called && !reading.steps.is_empty() && reading.steps.iter().all(keeps)
}

/// A message beyond what is read: words that are spoken or kept go on to its end. What it would move is asked, because nobody
/// read what the rest takes back.
fn lengthen(reading: &mut Reading, head: &str, whole: &str) {
    if let [Step::Calls(calls)] = reading.steps.as_mut_slice()
        && let [Call::Say { text } | Call::Remember { text } | Call::Recall { query: text }] =
            calls.as_mut_slice()
        && let Some(from) =
            head.rfind(text.as_str()).filter(|from| from + text.len() + 4 >= head.trim_end().len())
    {
        *text = whole[from..].trim().to_owned();
        return;
    }
    let moves = |call: &Call| call.skill().effect() == Effect::Moves;
    let is_moving = reading.steps.iter().any(|step| match step {
        Step::Motion(_) => true,
        Step::Calls(calls) => calls.iter().any(moves),
        _ => false,
    });
    if is_moving && !reading.steps.contains(&Step::Stop) {
        reading.steps = vec![Step::Ask(Missing::Motion)];
    }
}

/// What the turns before left open or can be repeated.
fn before(history: &[Said<'_>]) -> Before {
    let mut before = Before::default();
    for said in &history[history.len().saturating_sub(HISTORY_TURNS)..] {
        let tokens = pieces(crate::words::cut(said.text, HISTORY_BYTES_MAX));
        match said.who {
            Who::User => {
                let reading =
                    reading::read(crate::words::cut(said.text, HISTORY_BYTES_MAX), &tokens, &before);
                before = Before { steps: reading.steps, asked_unit: None, was_asked: false };
            }
            Who::Robbie => {
                before.asked_unit = asked_unit(&tokens);
                before.was_asked = tokens.last().is_some_and(|token| token.is("?"));
            }
        }
    }
    before
}

/// The one unit that a question of Robbie's asks for.
fn asked_unit(tokens: &[Token]) -> Option<Amount> {
    if !tokens.last()?.is("?") {
        return None;
    }
    let units = [
        ("metre", Unit::Metre, 1.0),
        ("centimetre", Unit::Metre, 0.01),
        ("foot", Unit::Metre, 0.3048),
        ("inch", Unit::Metre, 0.0254),
        ("degree", Unit::Degree, 1.0),
    ];
    let mut asked = units.iter().filter(|(name, ..)| tokens.iter().any(|token| token.is(name)));
    let (_, unit, scale) = *asked.next()?;
    asked.next().is_none().then_some(Amount { value: 1.0, unit, scale })
}

/// Weighs the steps: a stop before all, then what is refused, then what has to be asked.
fn decide(reading: &Reading, heard: &Heard<'_>) -> Meaning {
    let mut calls = Vec::new();
    let (mut missing, mut outside) = (None, None);
    for step in &reading.steps {
        match step {
            Step::Stop => calls.push(Call::Stop),
            Step::Calls(more) => calls.extend(more.iter().cloned()),
            Step::Ask(asked) => missing = missing.or(Some(*asked)),
            Step::Refuse(refused) => outside = outside.or(Some(*refused)),
            Step::Motion(frame) => {
                outside = outside.or_else(|| too_fast(frame.speed, heard.bounds));
                match frame.calls() {
                    Ok(more) => calls.extend(more),
                    Err(asked) => missing = missing.or(Some(asked)),
                }
            }
        }
    }
    let wants_blush = calls.contains(&Call::SetMood { mood: Mood::Blushing });
    if wants_blush && heard.speaker == Speaker::Guest {
        outside = outside.or(Some(Outside::Blushing));
    }
    outside = outside.or_else(|| heard.bounds.exceeded(&calls).map(Outside::Bound));
    if calls.contains(&Call::Stop) && (outside.is_some() || missing.is_some()) {
        return Meaning::Act(vec![Call::Stop]);
    }
    if let Some(outside) = outside {
        return Meaning::Refuse(outside);
    }
    if let Some(missing) = missing {
        return Meaning::Ask(missing);
    }
    let had_calls = !calls.is_empty();
    calls.retain(|call| !is_nothing(call));
    match (calls.is_empty(), had_calls) {
        (false, _) => Meaning::Act(calls),
        (true, true) => Meaning::Pass(Pass::Zero),
        (true, false) => Meaning::Pass(reading.pass.unwrap_or(Pass::Unknown)),
    }
}

fn too_fast(speed: Option<Option<f64>>, bounds: &Bounds) -> Option<Outside> {
    let asked_mps = speed?;
    let is_slow = asked_mps.is_some_and(|asked| asked <= bounds.linear_mps + 1e-9);
    (!is_slow).then_some(Outside::Speed { asked_mps, allowed_mps: bounds.linear_mps })
}

/// A movement of exactly zero.
fn is_nothing(call: &Call) -> bool {
    match call {
        Call::Drive { distance_m: amount } | Call::Turn { angle_deg: amount } => *amount == 0.0,
        _ => false,
    }
}
