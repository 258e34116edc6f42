//! Personality and mood.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::RowId;

/// The six moods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mood {
    /// Warm; the default.
    #[default]
    Friendly,
    /// Direct, task first.
    Focused,
    /// Experimental.
    Playful,
    /// Assertive.
    Bossy,
    /// Curious, learning.
    Surprised,
    /// Affectionate; only towards the owner, only at attraction 8 or more.
    Blushing,
}

impl Mood {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Friendly, Self::Focused, Self::Playful, Self::Bossy, Self::Surprised, Self::Blushing];

    /// As on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Friendly => "friendly",
            Self::Focused => "focused",
            Self::Playful => "playful",
            Self::Bossy => "bossy",
            Self::Surprised => "surprised",
            Self::Blushing => "blushing",
        }
    }

    /// The mood of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mood| mood.as_str() == name)
    }

    /// Its picture and its signs.
    #[must_use]
    pub fn data(self) -> MoodData {
        let emojis: &[&str] = match self {
            Self::Friendly => &["😊", "🤖", "💚", "✨", "👋", "🌿"],
            Self::Focused => &["🎯", "🔍", "⚙️", "📌", "🧠", "🔷"],
            Self::Playful => &["🎈", "🎲", "🪁", "🎨", "😜", "🌀"],
            Self::Bossy => &["📣", "💼", "🔥", "👑", "⚡", "📈"],
            Self::Surprised => &["😮", "💡", "❗", "🔭", "🌟", "🧩"],
            Self::Blushing => &["😊", "💗", "🌸", "💞", "🌹", "☺️"],
        };
        MoodData {
            name: self.as_str().to_owned(),
            main_image_url: format!("/moods/{}.svg", self.as_str()),
            matrix_emojis: emojis.iter().map(|emoji| (*emoji).to_owned()).collect(),
        }
    }
}

/// How a mood looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoodData {
    /// The mood.
    pub name: String,
    /// Its picture, an SVG.
    pub main_image_url: String,
    /// The signs of its "matrix rain".
    pub matrix_emojis: Vec<String>,
}

/// Lowest and highest attraction.
pub const ATTRACTION: std::ops::RangeInclusive<u8> = 1..=11;
/// Attraction from which on the mood may be blushing.
pub const BLUSHING_FROM: u8 = 8;
/// 1 gentle ..= 10 fierce.
pub const GANDHI_GENGHIS: std::ops::RangeInclusive<u8> = 1..=10;
/// Energy.
pub const ENERGY: std::ops::RangeInclusive<u8> = 0..=100;

/// Personality of a user's Robbie, as apps know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonalityState {
    /// The mood.
    pub mood: Mood,
    /// How it looks.
    pub mood_data: MoodData,
    /// 1 ..= 11; 11 only towards the owner.
    #[schema(minimum = 1, maximum = 11)]
    pub attraction_level: u8,
    /// 1 gentle ..= 10 fierce: how hard Robbie pushes.
    #[schema(minimum = 1, maximum = 10)]
    pub gandhi_genghis: u8,
    /// 0 ..= 100.
    #[schema(maximum = 100)]
    pub energy: u8,
}

impl PersonalityState {
    /// A personality in this mood.
    #[must_use]
    pub fn new(mood: Mood, attraction_level: u8, gandhi_genghis: u8, energy: u8) -> Self {
        Self { mood, mood_data: mood.data(), attraction_level, gandhi_genghis, energy }
    }
}

impl Default for PersonalityState {
    /// Friendly, attraction 5, gandhi_genghis 5, energy 75.
    fn default() -> Self {
        Self::new(Mood::Friendly, 5, 5, 75)
    }
}

/// A change that is asked for, with every number in its range. `None` leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoodUpdate {
    /// The mood.
    pub mood: Option<Mood>,
    /// 0 ..= 100.
    pub energy: Option<u8>,
    /// 1 ..= 10.
    pub gandhi_genghis: Option<u8>,
    /// 1 ..= 11.
    pub attraction_level: Option<u8>,
    /// Why, in words or as JSON, as it was given; at most 1 KiB.
    pub context: Option<String>,
    /// Why, as the history tells it; `None`: in the words of what was asked for.
    pub reason: Option<String>,
    /// Who asked: the token's name.
    pub source: String,
}

/// One change of a personality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MoodChange {
    /// Its id.
    pub id: RowId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The mood before.
    pub from: Mood,
    /// The mood after.
    pub mood: Mood,
    /// Attraction after.
    pub attraction_level: u8,
    /// gandhi_genghis after.
    pub gandhi_genghis: u8,
    /// Energy after.
    pub energy: u8,
    /// Why, in words.
    pub reason: String,
    /// The context that came with it, as it was given.
    pub context: Option<String>,
    /// Who asked.
    pub source: String,
}
