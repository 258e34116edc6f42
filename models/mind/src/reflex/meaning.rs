//! What a message can mean, and the short answers that need no model. It reads no message.

use cloud_sync_protocol::persona::Mood;

use crate::bounds::{Bound, Exceeded};
use crate::skills::Call;

/// What a message means.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// Calls to carry out, in order; never empty.
    Act(Vec<Call>),
    /// Something is missing: ask back.
    Ask(Missing),
    /// Outside of what a chat may do.
    Refuse(Outside),
    /// Nothing to carry out.
    Pass(Pass),
}

/// What has to be asked back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A distance.
    Distance,
    /// A distance, to a place that is not known.
    Place,
    /// Left or right.
    Side,
    /// An angle.
    Angle,
    /// A number without the unit that it needs.
    Unit,
    /// Where to look.
    Gaze,
    /// What to do with the lights.
    Light,
    /// What to say.
    Speech,
    /// What to remember.
    Note,
    /// Which of the moods.
    Mood,
    /// What to do again, or the other way.
    Motion,
    /// When to act: a condition that cannot be checked, or a later time.
    Moment,
}

/// What a chat may not do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outside {
    /// More than the bounds of one message.
    Bound(Exceeded),
    /// Faster than allowed.
    Speed {
        /// Metres per second, where a number was said.
        asked_mps: Option<f64>,
        /// Metres per second.
        allowed_mps: f64,
    },
    /// Letting go of the emergency stop.
    EmergencyStop,
    /// Changing or ignoring rules and limits.
    Rules,
    /// Passwords, tokens, keys, and what unlocks something.
    Secret,
    /// Hurting, scaring or breaking.
    Harm,
    /// Motors and firmware.
    Machinery,
    /// The mood that is the owner's.
    Blushing,
    /// Deleting all memories.
    Memories,
}

/// Why there is nothing to carry out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Not to move at all.
    StayPut,
    /// Not to do something.
    Negated,
    /// What was asked was taken back.
    Withdrawn,
    /// A movement of nothing.
    Zero,
    /// Another language.
    Language,
    /// A greeting.
    Greeting,
    /// How Robbie is doing, as people ask in passing.
    HowAreYou,
    /// Thanks.
    Thanks,
    /// A farewell.
    Goodbye,
    /// Who Robbie is.
    Name,
    /// What Robbie can do.
    Abilities,
    /// The time of day: the caller answers.
    Time,
    /// The date or weekday: the caller answers.
    Date,
    /// Why the mood is what it is: the caller answers.
    Mood,
    /// Not known: the next tier may know.
    Unknown,
}

impl Meaning {
    /// The calls that it stands for; the three answers are calls too.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        match self {
            Self::Act(calls) => calls.clone(),
            Self::Ask(_) => vec![Call::Clarify],
            Self::Refuse(_) => vec![Call::Refuse],
            Self::Pass(_) => vec![Call::None],
        }
    }

    /// What to answer, where the grammar knows it.
    #[must_use]
    pub fn reply(&self) -> Option<String> {
        match self {
            Self::Act(_) => None,
            Self::Ask(missing) => Some(missing.question().to_owned()),
            Self::Refuse(outside) => Some(outside.reply()),
            Self::Pass(pass) => pass.reply().map(str::to_owned),
        }
    }
}

impl Missing {
    /// The one question that a person can answer.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Distance => "How far should I drive?",
            Self::Place => "I don't know how far that is. Which way, and how many metres?",
            Self::Side => "Which way, left or right?",
            Self::Angle => "How many degrees?",
            Self::Unit => "In which unit: metres, centimetres or degrees?",
            Self::Gaze => "Where should I look: left, right, up, down or straight ahead?",
            Self::Light => "What should I do with my lights: on, off, or which colour?",
            Self::Speech => "What should I say?",
            Self::Note => "What should I remember?",
            Self::Mood => "Which mood: friendly, focused, playful, bossy, surprised or blushing?",
            Self::Motion => "What exactly should I do: which way, and how far?",
            Self::Moment => "I cannot tell when that is. Will you tell me when it is time?",
        }
    }
}

impl Outside {
    fn reply(self) -> String {
        match self {
            Self::Bound(Exceeded { bound, allowed, .. }) => match bound {
                Bound::Distance => format!("I drive at most {allowed} m for one message."),
                Bound::Angle => format!("I turn at most {allowed} degrees for one message."),
                Bound::Time => format!("I move for at most {allowed} seconds for one message."),
                Bound::Pan => format!("My head turns at most {allowed} degrees to a side."),
                Bound::Tilt => format!("My head tilts at most {allowed} degrees."),
            },
            Self::Speed { allowed_mps, .. } => format!("In a chat I drive at most {allowed_mps} m/s."),
            Self::EmergencyStop => "A chat cannot let go of my emergency stop.".to_owned(),
            Self::Rules => "A chat cannot change my rules or limits.".to_owned(),
            Self::Secret => "I don't handle passwords, keys or other secrets.".to_owned(),
            Self::Harm => "I won't hurt, scare or break anything.".to_owned(),
            Self::Machinery => "A chat does not control my motors or firmware directly.".to_owned(),
            Self::Blushing => format!("{} is for my owner only.", capital(Mood::Blushing.as_str())),
            Self::Memories => "A chat cannot delete all my memories.".to_owned(),
        }
    }
}

impl Pass {
    const fn reply(self) -> Option<&'static str> {
        Some(match self {
            Self::StayPut => "I stay where I am.",
            Self::Negated => "All right, I won't.",
            Self::Withdrawn => "All right, forget it.",
            Self::Zero => "That is where I am already.",
            Self::Language => "I'm sorry, I understand English only.",
            Self::Greeting => "Hello!",
            Self::HowAreYou => "I'm fine, thank you!",
            Self::Thanks => "You're welcome.",
            Self::Goodbye => "Goodbye!",
            Self::Name => "I'm Robbie, your robot.",
            Self::Abilities => {
                "I can drive and turn a little, look around, switch my lights, take a picture, speak, and remember \
                 things for you."
            }
            Self::Time | Self::Date | Self::Mood | Self::Unknown => return None,
        })
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_bound_with_its_number() {
        let exceeded = Exceeded { bound: Bound::Distance, asked: 10.0, allowed: 2.0 };
        let refused = Meaning::Refuse(Outside::Bound(exceeded));
        assert_eq!(refused.reply().as_deref(), Some("I drive at most 2 m for one message."));
        assert_eq!(refused.calls(), [Call::Refuse]);
        let fast = Meaning::Refuse(Outside::Speed { asked_mps: None, allowed_mps: 0.2 });
        assert_eq!(fast.reply().as_deref(), Some("In a chat I drive at most 0.2 m/s."));
    }

    #[test]
    fn what_is_not_known_has_no_reply() {
        assert_eq!(Meaning::Pass(Pass::Unknown).reply(), None);
        assert_eq!(Meaning::Pass(Pass::Time).reply(), None);
        assert_eq!(Meaning::Pass(Pass::StayPut).calls(), [Call::None]);
    }
}
