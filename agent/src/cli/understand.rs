//! `understand`: what sentences mean, by the rules that chats use. It asks no agent and moves nothing.

use std::io::BufRead;
use std::process::ExitCode;

use cloud_sync_protocol::persona::{ATTRACTION, ENERGY, GANDHI_GENGHIS, Mood, PersonalityState};
use models_mind::bounds::Bounds;
use models_mind::persona::Towards;
use models_mind::prompt::{Source, Untrusted};
use models_mind::reflex::{Heard, Meaning, Pass, Said, Speaker, Who};
use models_mind::skills::{Call, Skill};
use models_mind::{answer, prompt, skills, understood};
use serde::{Deserialize, Serialize};

use super::args::UnderstandArgs;
use cloud_sync_api::failure::{Failure, USAGE};

/// Room that a prompt is made for, bytes.
const PROMPT_BYTES: usize = 16 * 1024;
/// Bytes of a line.
const LINE_BYTES_MAX: usize = 256 * 1024;

/// A sentence with what is known about it.
#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    history: Vec<Turn>,
    #[serde(default)]
    speaker: Voice,
    #[serde(default)]
    state: State,
    /// What the memory found, for `--prompt`.
    #[serde(default)]
    memory: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    who: String,
    text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Voice {
    #[default]
    Owner,
    Guest,
}

/// The personality before; what is not named is as at first.
#[derive(Debug, Default, Deserialize)]
struct State {
    mood: Option<Mood>,
    attraction_level: Option<u8>,
    gandhi_genghis: Option<u8>,
    energy: Option<u8>,
}

/// What a sentence means.
#[derive(Debug, Serialize)]
struct Meant {
    calls: Vec<Call>,
    mood: Mood,
    why_mood: String,
    notes: Vec<String>,
    tier: &'static str,
    reply: Option<String>,
}

pub(super) fn run(args: &UnderstandArgs) -> Result<ExitCode, Failure> {
    if !args.sentence.is_empty() {
        let sentence = args.sentence.join(" ");
        return Ok(if one(args, &sentence) { ExitCode::SUCCESS } else { ExitCode::from(USAGE) });
    }
    let mut is_well = true;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| Failure::Usage(format!("standard input: {error}")))?;
        if !line.trim().is_empty() {
            is_well &= one(args, &line);
        }
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}

/// One line; `false` where it cannot be read, which is said in its place.
fn one(args: &UnderstandArgs, line: &str) -> bool {
    let is_json = line.trim_start().starts_with('{');
    let read = match is_json {
        _ if line.len() > LINE_BYTES_MAX => Err(format!("longer than {LINE_BYTES_MAX} bytes")),
        true => serde_json::from_str(line).map_err(|error| error.to_string()),
        false => Ok(Line {
            text: line.to_owned(),
            history: Vec::new(),
            speaker: Voice::Owner,
            state: State::default(),
            memory: Vec::new(),
        }),
    };
    match read.and_then(|line| Ok((line.state.personality()?, line))) {
        Ok((state, line)) if args.prompt => println!("{}", asked(&line, &state)),
        Ok((state, line)) => {
            let meant = meant(&line, &state);
            match args.json || is_json {
                true => println!("{}", serde_json::to_string(&meant).unwrap_or_default()),
                false => print(&meant),
            }
        }
        Err(error) => {
            println!("{}", serde_json::json!({ "error": error }));
            return false;
        }
    }
    true
}

impl State {
    fn personality(&self) -> Result<PersonalityState, String> {
        let default = PersonalityState::default();
        let inside =
            |name: &str, value: Option<u8>, default: u8, range: std::ops::RangeInclusive<u8>| match value {
                Some(value) if !range.contains(&value) => {
                    Err(format!("{name} must be between {} and {}", range.start(), range.end()))
                }
                value => Ok(value.unwrap_or(default)),
            };
        Ok(PersonalityState::new(
            self.mood.unwrap_or_default(),
            inside("attraction_level", self.attraction_level, default.attraction_level, ATTRACTION)?,
            inside("gandhi_genghis", self.gandhi_genghis, default.gandhi_genghis, GANDHI_GENGHIS)?,
            inside("energy", self.energy, default.energy, ENERGY)?,
        ))
    }
}

fn meant(line: &Line, state: &PersonalityState) -> Meant {
    let history: Vec<Said<'_>> = line.history.iter().map(Turn::heard).collect();
    let speaker = match line.speaker {
        Voice::Owner => Speaker::Owner,
        Voice::Guest => Speaker::Guest,
    };
    let bounds = Bounds::default();
    let heard = Heard { text: &line.text, history: &history, speaker, bounds: &bounds };
    let understood = understood::of(&heard, state, line.speaker.towards());
    let calls = understood.meaning.calls();
    let note = |call: &Call| match call {
        Call::Remember { text } => Some(text.clone()),
        _ => None,
    };
    let is_known = !matches!(understood.meaning, Meaning::Pass(Pass::Unknown));
    Meant {
        notes: calls.iter().filter_map(note).collect(),
        calls,
        mood: understood.change.as_ref().map_or(state.mood, |change| change.mood),
        why_mood: understood
            .change
            .map_or_else(|| "nothing in this changes it".to_owned(), |change| change.reason),
        tier: if is_known { "reflex" } else { "none" },
        reply: understood.meaning.reply().or((!is_known).then(|| answer::UNKNOWN.to_owned())),
    }
}

/// What a language model would be asked, as a JSON list of messages.
fn asked(line: &Line, state: &PersonalityState) -> String {
    let skills: Vec<Skill> = Skill::all().collect();
    let recalled: Vec<Untrusted<'_>> =
        line.memory.iter().map(|text| Untrusted { source: Source::Memory, text }).collect();
    let history: Vec<prompt::Turn<'_>> = line.history.iter().map(Turn::asked).collect();
    let parts = prompt::Parts {
        persona: state,
        towards: line.speaker.towards(),
        skills: &skills::prompt(&skills),
        recalled: &recalled,
        history: &history,
        message: &line.text,
        budget_bytes: PROMPT_BYTES,
    };
    serde_json::to_string(&prompt::prompt(&parts)).unwrap_or_default()
}

impl Turn {
    fn is_robbies(&self) -> bool {
        self.who.eq_ignore_ascii_case("robbie")
    }

    fn heard(&self) -> Said<'_> {
        Said { who: if self.is_robbies() { Who::Robbie } else { Who::User }, text: &self.text }
    }

    fn asked(&self) -> prompt::Turn<'_> {
        match self.is_robbies() {
            true => prompt::Turn::Robbie(&self.text),
            false => prompt::Turn::User(&self.text),
        }
    }
}

impl Voice {
    const fn towards(self) -> Towards {
        match self {
            Self::Owner => Towards::Owner,
            Self::Guest => Towards::Other,
        }
    }
}

fn print(meant: &Meant) {
    for call in &meant.calls {
        println!("{}", serde_json::to_string(call).unwrap_or_default());
    }
    if let Some(reply) = &meant.reply {
        println!("  reply: {reply}");
    }
    println!("  mood: {} ({})", meant.mood.as_str(), meant.why_mood);
}
