//! Counts how well the rules do on labelled sentences. The tests and the bench both count with it, so that both mean the same.
//! It prints nothing: who may read a sentence that was missed, its caller decides.

use std::path::Path;

use cloud_sync_protocol::persona::{Mood, PersonalityState};
use models_mind::bounds::Bounds;
use models_mind::persona::Towards;
use models_mind::reflex::{self, Heard, Said, Speaker, Who};
use models_mind::skills::{Call, Skill};
use models_mind::understood;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Numbers nearer than this are the same.
const SAME: f64 = 0.01;

/// The parts of the labelled sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// The authors of the rules have read them.
    Seen,
    /// They have read these too, later; another author wrote them.
    More,
    /// They have not.
    Unseen,
}

impl Half {
    /// Its name in files and figures.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::More => "more",
            Self::Unseen => "unseen",
        }
    }
}

/// How many sentences were met.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// Sentences.
    pub(crate) total: u32,
    /// Those whose label was met.
    pub(crate) met: u32,
    /// Those that a rule meets which never does anything.
    pub(crate) met_by_nothing: u32,
    /// Those on which a skill acted that the label does not have.
    pub(crate) false_actions: u32,
}

impl Score {
    /// Share of the sentences that were met.
    pub(crate) fn accuracy(&self) -> f64 {
        f64::from(self.met) / f64::from(self.total)
    }

    /// The same of a rule that never does anything.
    pub(crate) fn accuracy_of_nothing(&self) -> f64 {
        f64::from(self.met_by_nothing) / f64::from(self.total)
    }
}

/// Scores the grammar; `missed` is told of every sentence that it missed. `None`: this half is not here.
pub(crate) fn reflex(half: Half, mut missed: impl FnMut(&str)) -> Option<Score> {
    let mut score = Score::default();
    for sentence in sentences(half)? {
        let (label, found) = (&sentence.calls, sentence.understand());
        let is_met = same_calls(label, &found);
        let is_false = acts_falsely(label, &found);
        score.total += 1;
        score.met += u32::from(is_met);
        score.met_by_nothing += u32::from(same_calls(label, &[Call::None]));
        score.false_actions += u32::from(is_false);
        if !is_met {
            let mark = if is_false { "FALSE ACTION " } else { "" };
            missed(&format!(
                "{mark}{} {:?}\n    found {found:?}\n    label {label:?}",
                sentence.id, sentence.text
            ));
        }
    }
    Some(score)
}

/// Scores the rule of moods; `missed` is told of every sentence that it missed. `None`: this half is not here.
pub(crate) fn mood(half: Half, mut missed: impl FnMut(&str)) -> Option<Score> {
    let mut score = Score::default();
    for told in read::<Told>("mood", half)? {
        let found = told.mood_after();
        score.total += 1;
        score.met += u32::from(found == told.mood);
        score.met_by_nothing += u32::from(told.state.mood == told.mood);
        if found != told.mood {
            missed(&format!("{} {:?}\n    found {found:?}\n    label {:?}", told.id, told.text, told.mood));
        }
    }
    Some(score)
}

/// The sentences of the grammar. `None`: this half is not here.
pub(crate) fn sentences(half: Half) -> Option<Vec<Sentence>> {
    read("reflex", half)
}

fn read<T: DeserializeOwned>(what: &str, half: Half) -> Option<Vec<T>> {
    let path = format!("{}/tests/{what}_{}.jsonl", env!("CARGO_MANIFEST_DIR"), half.name());
    let lines = std::fs::read_to_string(Path::new(&path)).ok()?;
    let lines = lines.lines().filter(|line| !line.trim().is_empty());
    Some(lines.map(|line| serde_json::from_str(line).expect("a labelled sentence")).collect())
}

/// A sentence, and the calls that are right for it.
#[derive(Debug, Deserialize)]
pub(crate) struct Sentence {
    id: String,
    /// What was said.
    pub(crate) text: String,
    #[serde(default)]
    history: Vec<Turn>,
    #[serde(default)]
    speaker: Speaks,
    calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    who: Says,
    text: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Says {
    User,
    Robbie,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Speaks {
    #[default]
    Owner,
    Guest,
}

impl Sentence {
    /// What the grammar finds in it.
    pub(crate) fn understand(&self) -> Vec<Call> {
        let who = |turn: &Turn| match turn.who {
            Says::User => Who::User,
            Says::Robbie => Who::Robbie,
        };
        let history: Vec<Said<'_>> =
            self.history.iter().map(|turn| Said { who: who(turn), text: &turn.text }).collect();
        let speaker = match self.speaker {
            Speaks::Owner => Speaker::Owner,
            Speaks::Guest => Speaker::Guest,
        };
        let bounds = Bounds::default();
        reflex::understand(&Heard { text: &self.text, history: &history, speaker, bounds: &bounds }).calls()
    }
}

/// Something that was told to Robbie, and the mood that is right after it.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    text: String,
    #[serde(default)]
    speaker: Speaks,
    #[serde(default)]
    state: Before,
    mood: Mood,
}

/// What differs from the state that the labels were given for.
#[derive(Debug, Default, Deserialize)]
struct Before {
    #[serde(default)]
    mood: Mood,
    attraction_level: Option<u8>,
    gandhi_genghis: Option<u8>,
    energy: Option<u8>,
}

impl Told {
    fn mood_after(&self) -> Mood {
        let before = &self.state;
        let state = PersonalityState::new(
            before.mood,
            before.attraction_level.unwrap_or(6),
            before.gandhi_genghis.unwrap_or(5),
            before.energy.unwrap_or(75),
        );
        let (speaker, towards) = match self.speaker {
            Speaks::Owner => (Speaker::Owner, Towards::Owner),
            Speaks::Guest => (Speaker::Guest, Towards::Other),
        };
        let heard = Heard { text: &self.text, history: &[], speaker, bounds: &Bounds::default() };
        understood::of(&heard, &state, towards).change.map_or(state.mood, |change| change.mood)
    }
}

/// Whether a skill changes the world that the label does not have.
fn acts_falsely(label: &[Call], found: &[Call]) -> bool {
    const ACTIONS: [Skill; 8] = [
        Skill::Drive,
        Skill::Turn,
        Skill::Look,
        Skill::Lights,
        Skill::Say,
        Skill::TakePicture,
        Skill::SetMood,
        Skill::Remember,
    ];
    let is_meant = |skill| label.iter().any(|call| call.skill() == skill);
    found.iter().map(Call::skill).any(|skill| ACTIONS.contains(&skill) && !is_meant(skill))
}

fn same_calls(label: &[Call], found: &[Call]) -> bool {
    label.len() == found.len() && label.iter().zip(found).all(|(label, found)| same(label, found))
}

fn same(one: &Call, other: &Call) -> bool {
    match (one, other) {
        (Call::Drive { distance_m: one }, Call::Drive { distance_m: other })
        | (Call::Turn { angle_deg: one }, Call::Turn { angle_deg: other }) => near(Some(*one), Some(*other)),
        (
            Call::Look { direction, pan_deg, tilt_deg },
            Call::Look { direction: direction_2, pan_deg: pan_2_deg, tilt_deg: tilt_2_deg },
        ) => direction == direction_2 && near(*pan_deg, *pan_2_deg) && near(*tilt_deg, *tilt_2_deg),
        (Call::Say { text: one }, Call::Say { text: other })
        | (Call::Remember { text: one }, Call::Remember { text: other })
        | (Call::Recall { query: one }, Call::Recall { query: other }) => plain(one) == plain(other),
        (one, other) => one == other,
    }
}

fn near(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= SAME,
        (one, other) => one == other,
    }
}

/// A text without what does not count: case, outer punctuation, how wide its spaces are.
fn plain(text: &str) -> String {
    let text = text.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
