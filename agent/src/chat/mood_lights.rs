//! The lights show the owner's mood: whenever it changes, by a chat or by any other way, they take its colour. Whoever holds
//! the lights keeps them as they are.

use agent_core::caller::{Caller, Class, TokenId, label};
use agent_core::request::Request;
use cloud_sync_api::home::SharedHome;
use cloud_sync_protocol::event::EventKind;
use cloud_sync_protocol::persona::{Mood, PersonalityState};
use cloud_sync_protocol::store::{EventStore, Feed};

use crate::drive::handle::DriveHandle;

/// Robbie itself, who has no token; lights are all that it asks for by itself.
const ROBBIE: TokenId = TokenId(u32::MAX - 1);

/// Follows the owner's personality for as long as the program runs.
pub async fn follow(events: impl EventStore, drive: DriveHandle, home: SharedHome) {
    let mut feed = events.follow();
    let mut shown = None;
    while let Some(next) = feed.next().await {
        let Ok((whose, event)) = next else { continue };
        if event.kind != EventKind::Personality || whose != home.now().of_owner() {
            continue;
        }
        let Ok(state) = serde_json::from_str::<PersonalityState>(&event.data) else { continue };
        if shown.replace(state.mood) != Some(state.mood) {
            show(&drive, state.mood).await;
        }
    }
}

async fn show(drive: &DriveHandle, mood: Mood) {
    let robbie =
        Caller { token: ROBBIE, class: Class::Ai, name: label("robbie"), must_show_seen: false, turn: None };
    let lights = Request::Lights { on: Some(true), rgb: Some(rgb(mood)), brightness: None };
    match drive.ask(robbie, lights).await {
        Ok(Ok(_)) => {}
        Ok(Err(refusal)) => tracing::debug!(?refusal, "the lights do not show the mood"),
        Err(error) => tracing::debug!(%error, "the lights do not show the mood"),
    }
}

/// The colour of a mood, as its picture has it.
const fn rgb(mood: Mood) -> [u8; 3] {
    match mood {
        Mood::Friendly => [0x17, 0xa5, 0x97],
        Mood::Focused => [0x35, 0x78, 0xd4],
        Mood::Playful => [0xf2, 0xa5, 0x1d],
        Mood::Bossy => [0xd9, 0x4a, 0x34],
        Mood::Surprised => [0x8a, 0x5c, 0xd6],
        Mood::Blushing => [0xe8, 0x70, 0x9c],
    }
}
