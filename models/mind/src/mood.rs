//! Which mood follows from what was said, why, and how a personality fades with time. It decides only: it reads no clock and
//! writes nothing, and an order ("be playful") is not its business.

use std::time::Duration;

use cloud_sync_protocol::persona::{BLUSHING_FROM, Mood, PersonalityState};

use crate::persona::Towards;
use crate::prompt::is_hidden;
use crate::words::cut_at_word;
use cues::{Cue, Topic};
use sentence::Said;

mod context;
mod cues;
mod scope;
mod sentence;

pub use context::from_context;

/// What of a message is looked at, bytes.
const TEXT_BYTES_MAX: usize = 1024;
/// How many cues are looked at: who means none of so many means none.
const CHECKS_MAX: usize = 40;
/// Longest piece of it that a reason repeats, bytes.
const QUOTE_BYTES_MAX: usize = 72;
/// From this gandhi_genghis on money makes bossy.
const BOSSY_FROM: u8 = 7;

/// A mood that follows, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The mood. It may be the one that is: then its time begins anew.
    pub mood: Mood,
    /// One plain sentence, at most 200 bytes.
    pub reason: String,
}

/// The mood that follows from what somebody said to Robbie; `None`: it stays.
#[must_use]
pub fn after(state: &PersonalityState, text: &str, towards: Towards) -> Option<Change> {
    let said = Said::parse(cut_at_word(text, TEXT_BYTES_MAX));
    // What others say that the owner wants or feels is no word of the owner.
    let speaks_for_owner = towards == Towards::Other && said.tokens.iter().any(|token| token.is("owner"));
    if speaks_for_owner || scope::is_mocking(&said) {
        return None;
    }
    let mut checks = CHECKS_MAX;
    let (topic, cue, clause) = topics(towards).find_map(|topic| meant(&said, topic, &mut checks))?;
    let place = &said.clauses[clause].at;
    let quoted = &said.text[said.tokens[place.start].at.start..said.tokens[place.end - 1].at.end];
    change(state, topic, format!("you said {} (\"{}\")", cue.tells, quote(quoted)))
}

/// What moves Robbie's mood, the most telling first. Affection moves him only if it is the owner's.
fn topics(towards: Towards) -> impl Iterator<Item = Topic> {
    Topic::ALL.into_iter().filter(move |topic| *topic != Topic::Affection || towards == Towards::Owner)
}

/// The first cue of a topic that was meant, and its clause. `checks` is how many more may be looked at.
fn meant(said: &Said<'_>, topic: Topic, checks: &mut usize) -> Option<(Topic, &'static Cue, usize)> {
    topic.cues().find_map(|cue| {
        let (clause, _) = cues::find(cue, said).into_iter().find(|(clause, found)| {
            *checks = checks.saturating_sub(1);
            *checks > 0 && scope::is_meant(said, *clause, topic, cue, found)
        })?;
        Some((topic, cue, clause))
    })
}

/// What a topic does to a personality; `None` where it leaves the mood that does not fade.
fn change(state: &PersonalityState, topic: Topic, reason: String) -> Option<Change> {
    let mood = match topic {
        Topic::Affection if state.attraction_level >= BLUSHING_FROM => Mood::Blushing,
        Topic::Affection => Mood::Friendly,
        Topic::Money if state.gandhi_genghis >= BOSSY_FROM => Mood::Bossy,
        Topic::Money => Mood::Focused,
        Topic::Creative => Mood::Playful,
        Topic::Learning => Mood::Surprised,
    };
    (mood != Mood::Friendly || state.mood != Mood::Friendly).then_some(Change { mood, reason })
}

/// A short piece of what was said, fit to stand between quotes on one line.
fn quote(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|letter| match letter {
            '"' | '“' | '”' => '\'',
            letter if letter.is_whitespace() || is_hidden(letter) => ' ',
            letter => letter,
        })
        .collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let short = cut_at_word(&plain, QUOTE_BYTES_MAX);
    if short.len() < plain.len() { format!("{short}…") } else { plain }
}

/// Energy that everything drifts to: what a new personality has.
const ENERGY_REST: u8 = 75;
/// One point of energy comes or goes in this time: ten an hour, so that no day begins where the last one ended.
const ENERGY_POINT: Duration = Duration::from_secs(6 * 60);

/// How long a mood holds when nothing renews it; `None`: friendly has nowhere to go.
const fn holds(mood: Mood) -> Option<Duration> {
    const MINUTE_S: u64 = 60;
    let minutes = match mood {
        Mood::Friendly => return None,
        // News is news for as long as one talks about it.
        Mood::Surprised => 10,
        // A kind word warms for a while; the next one renews it.
        Mood::Blushing => 20,
        // A game, or a sitting with a song.
        Mood::Playful => 45,
        // Pressure that lasts longer than a meeting only annoys.
        Mood::Bossy => 60,
        // One stretch of concentrated work.
        Mood::Focused => 90,
    };
    Some(Duration::from_secs(minutes * MINUTE_S))
}

/// What a personality written `age` ago is now: its mood has passed into friendly once its time is over, its energy has come
/// nearer to rest. Attraction and gandhi_genghis are the owner's settings and stay.
#[must_use]
pub fn faded(state: PersonalityState, age: Duration) -> PersonalityState {
    let mood = match holds(state.mood) {
        Some(time) if age >= time => Mood::Friendly,
        _ => state.mood,
    };
    let points = u8::try_from(age.as_secs() / ENERGY_POINT.as_secs()).unwrap_or(u8::MAX);
    let energy = if state.energy < ENERGY_REST {
        state.energy.saturating_add(points).min(ENERGY_REST)
    } else {
        state.energy.saturating_sub(points).max(ENERGY_REST)
    };
    PersonalityState::new(mood, state.attraction_level, state.gandhi_genghis, energy)
}
