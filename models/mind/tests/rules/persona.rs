//! Which moods fit whom.

use cloud_sync_protocol::persona::{Mood, MoodUpdate, PersonalityState};
use models_mind::persona::{Towards, decide};
use proptest::prelude::*;

fn state_after(now: &PersonalityState, update: &MoodUpdate) -> PersonalityState {
    PersonalityState::new(
        update.mood.unwrap_or(now.mood),
        update.attraction_level.unwrap_or(now.attraction_level),
        update.gandhi_genghis.unwrap_or(now.gandhi_genghis),
        update.energy.unwrap_or(now.energy),
    )
}

fn mood() -> impl Strategy<Value = Mood> {
    prop::sample::select(Mood::ALL.to_vec())
}

proptest! {
    #[test]
    fn nobody_gets_the_owners_moods(
        wishes in prop::collection::vec((prop::option::of(mood()), prop::option::of(1u8..=11)), 1..20),
        is_owner: bool,
    ) {
        // After any row of wishes: blushing means the owner at attraction 8 or more, 11 means the owner.
        let towards = if is_owner { Towards::Owner } else { Towards::Other };
        let mut state = PersonalityState::default();
        for (mood, attraction_level) in wishes {
            let wish = MoodUpdate { mood, attraction_level, ..MoodUpdate::default() };
            if let Ok(update) = decide(&state, wish.clone(), towards) {
                prop_assert_eq!(update.attraction_level, wish.attraction_level);
                prop_assert!(wish.mood.is_none() || update.mood == wish.mood);
                state = state_after(&state, &update);
            }
            prop_assert!(state.mood != Mood::Blushing || is_owner && state.attraction_level >= 8);
            prop_assert!(state.attraction_level < 11 || is_owner);
        }
    }
}
