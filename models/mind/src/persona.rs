//! Which personality fits whom: some moods are the owner's alone. It decides on a wish; whoever stores it keeps the history.

use cloud_sync_protocol::persona::{ATTRACTION, BLUSHING_FROM, Mood, MoodUpdate, PersonalityState};

/// Highest attraction towards anybody but the owner.
const ATTRACTION_OTHERS_MAX: u8 = *ATTRACTION.end() - 1;

/// Towards whom a personality is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Towards {
    /// The person Robbie belongs to.
    Owner,
    /// Anybody else.
    Other,
}

/// Why a wish does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The highest attraction is for the owner alone.
    #[error("attraction towards others is at most {max}")]
    AttractionOfOthers {
        /// The highest towards others.
        max: u8,
    },
    /// Blushing is for the owner alone.
    #[error("blushing is for the owner alone")]
    BlushingForOthers,
    /// Blushing needs more attraction.
    #[error("blushing needs attraction {BLUSHING_FROM} or more; it is {attraction_level}")]
    BlushingTooEarly {
        /// What it would be.
        attraction_level: u8,
    },
}

/// What is written for a wish, given how it is now: no state is blushing towards anybody but the owner, or below
/// attraction 8, and none has attraction 11 towards another.
///
/// # Errors
/// [`Unfit`]; then nothing is written.
pub fn decide(now: &PersonalityState, wish: MoodUpdate, towards: Towards) -> Result<MoodUpdate, Unfit> {
    let attraction_level = wish.attraction_level.unwrap_or(now.attraction_level);
    if towards == Towards::Other && wish.attraction_level.is_some_and(|level| level > ATTRACTION_OTHERS_MAX) {
        return Err(Unfit::AttractionOfOthers { max: ATTRACTION_OTHERS_MAX });
    }
    let may_blush = towards == Towards::Owner && attraction_level >= BLUSHING_FROM;
    match wish.mood {
        Some(Mood::Blushing) if towards == Towards::Other => Err(Unfit::BlushingForOthers),
        Some(Mood::Blushing) if !may_blush => Err(Unfit::BlushingTooEarly { attraction_level }),
        // Attraction that goes down takes the blush along.
        None if now.mood == Mood::Blushing && !may_blush => {
            Ok(MoodUpdate { mood: Some(Mood::Friendly), ..wish })
        }
        _ => Ok(wish),
    }
}
