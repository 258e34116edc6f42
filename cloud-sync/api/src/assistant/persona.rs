//! Personality and mood: `/api/personality`, `/api/mood/...`. They belong to their user.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::persona::{
    ATTRACTION, BLUSHING_FROM, ENERGY, GANDHI_GENGHIS, Mood, MoodChange, MoodUpdate, PersonalityState,
};
use cloud_sync_protocol::store::PersonaStore;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::access::{Guards, Principal};
use crate::json::{self, Body};
use crate::openapi::ApiRouter;
use crate::params::InQuery;
use crate::problem::{Answer, Problem};

use super::whose::Assistant;
use super::{READ, WRITE, asked, pages};

/// Longest context of a change, bytes.
const CONTEXT_BYTES_MAX: usize = 1024;
/// Highest attraction towards anybody but the owner.
const ATTRACTION_OTHERS_MAX: u8 = *ATTRACTION.end() - 1;

/// What the handlers share.
#[derive(Clone, Debug)]
struct Personas<S> {
    assistant: Assistant<S>,
    /// A change is decided on what it changes: nobody writes in between.
    one_at_a_time: Arc<Mutex<()>>,
}

/// The personality's routes.
pub(super) fn routes<S: PersonaStore>(guards: &Guards, assistant: Assistant<S>) -> ApiRouter {
    let (personality, history, update) = (personality::<S>, history::<S>, update::<S>);
    ApiRouter::new(guards)
        .route(READ, routes!(personality))
        .route(READ, routes!(history))
        .route(WRITE, routes!(update))
        .with_state(Personas { assistant, one_at_a_time: Arc::default() })
}

/// Whose personality.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PersonalityQuery {
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HistoryQuery {
    /// Changes at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
    /// `X-Next-Cursor` of the page before.
    cursor: Option<String>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// What to change; what is absent or null stays.
#[derive(Debug, Deserialize, ToSchema)]
struct MoodBody {
    /// The mood. Blushing only towards the owner, at attraction 8 or more.
    mood: Option<Mood>,
    /// Energy.
    #[schema(minimum = 0, maximum = 100)]
    energy: Option<i64>,
    /// 1 gentle, 10 fierce: how hard Robbie pushes.
    #[schema(minimum = 1, maximum = 10)]
    gandhi_genghis: Option<i64>,
    /// Attraction; 11 only towards the owner.
    #[schema(minimum = 1, maximum = 11)]
    attraction_level: Option<i64>,
    /// Why: words, or an object such as `{"deal": "signed"}`. At most 1 KiB; kept as given.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// Robbie's personality towards the token's user, as it is now.
#[utoipa::path(get, path = "/api/personality", tag = "personality", params(PersonalityQuery),
    responses((status = 200, body = PersonalityState)))]
async fn personality<S: PersonaStore>(
    State(personas): State<Personas<S>>,
    principal: Principal,
    InQuery(query): InQuery<PersonalityQuery>,
) -> Answer<Response> {
    let assistant = &personas.assistant;
    let whose = assistant.whose(&principal, asked::given(query.user_id).as_deref())?;
    Ok(json::answer(StatusCode::OK, &assistant.store.personality(&whose).await?))
}

/// Every change of the personality, newest first. The header `X-Next-Cursor` leads to the next page.
#[utoipa::path(get, path = "/api/mood/history", tag = "personality", params(HistoryQuery),
    responses(
        (status = 200, body = Vec<MoodChange>, headers(("X-Next-Cursor" = String, description = "`cursor` of the next page; absent at the end"))),
        (status = 400, description = "A value cannot be read, or the cursor is of another list.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "limit is out of range.", body = Problem, content_type = "application/problem+json")))]
async fn history<S: PersonaStore>(
    State(personas): State<Personas<S>>,
    principal: Principal,
    InQuery(query): InQuery<HistoryQuery>,
) -> Answer<Response> {
    let at = pages::asked(query.limit.as_deref(), query.cursor)?;
    let assistant = &personas.assistant;
    let whose = assistant.whose(&principal, asked::given(query.user_id).as_deref())?;
    pages::answer(&assistant.store.mood_history(&whose, &at).await?)
}

/// Change mood or personality; answers with the new state. Every change is kept with its reason, and told to all who look
/// on. A body that names nothing changes nothing.
#[utoipa::path(post, path = "/api/mood/update", tag = "personality", request_body = MoodBody,
    responses(
        (status = 200, body = PersonalityState),
        (status = 422, description = "A number is out of range, or the mood does not fit the person.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "No room, or the memory does not answer.", body = Problem, content_type = "application/problem+json")))]
async fn update<S: PersonaStore>(
    State(personas): State<Personas<S>>,
    principal: Principal,
    Body(body): Body<MoodBody>,
) -> Answer<Response> {
    let assistant = &personas.assistant;
    let user_id = asked::given(body.user_id.clone());
    let wish = body.wish(principal.name())?;
    let whose = assistant.whose(&principal, user_id.as_deref())?;
    let towards = if assistant.is_owner(&whose) { Towards::Owner } else { Towards::Other };
    let turn = personas.one_at_a_time.lock().await;
    let now = assistant.store.personality(&whose).await?;
    let after = match wish {
        Some(wish) => assistant.store.change_mood(&whose, decide(&now, wish, towards)?).await?,
        None => now,
    };
    drop(turn);
    Ok(json::answer(StatusCode::OK, &after))
}

impl MoodBody {
    /// The change, every number in its range; `None` where the body names nothing.
    fn wish(self, source: &str) -> Answer<Option<MoodUpdate>> {
        let context = self.context.map(context_text).transpose()?;
        let wish = MoodUpdate {
            mood: self.mood,
            energy: asked::number("energy", self.energy, ENERGY)?,
            gandhi_genghis: asked::number("gandhi_genghis", self.gandhi_genghis, GANDHI_GENGHIS)?,
            attraction_level: asked::number("attraction_level", self.attraction_level, ATTRACTION)?,
            context,
            source: source.to_owned(),
        };
        let nothing = MoodUpdate { source: source.to_owned(), ..MoodUpdate::default() };
        Ok((wish != nothing).then_some(wish))
    }
}

/// Words as they are; an object as compact JSON.
fn context_text(context: Value) -> Answer<String> {
    let text = match context {
        Value::String(words) => words,
        Value::Object(_) => context.to_string(),
        _ => return Err(Problem::bad_request("context is words or an object.").field("context")),
    };
    asked::text("context", &text, CONTEXT_BYTES_MAX)?;
    Ok(text)
}

/// Towards whom a personality is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Towards {
    Owner,
    Other,
}

/// What is written for a wish, given how it is now: no state is blushing towards anybody but the owner, or below
/// attraction 8, and none has attraction 11 towards another.
fn decide(now: &PersonalityState, wish: MoodUpdate, towards: Towards) -> Answer<MoodUpdate> {
    let attraction = wish.attraction_level.unwrap_or(now.attraction_level);
    if towards == Towards::Other && wish.attraction_level.is_some_and(|level| level > ATTRACTION_OTHERS_MAX) {
        let max = f64::from(ATTRACTION_OTHERS_MAX);
        return Err(Problem::out_of_range("attraction_level", f64::from(*ATTRACTION.start()), max)
            .detail_is("Attraction 11 is for the owner alone."));
    }
    let may_blush = towards == Towards::Owner && attraction >= BLUSHING_FROM;
    match wish.mood {
        Some(Mood::Blushing) if towards == Towards::Other => {
            Err(Problem::unfitting("mood", "Blushing is for the owner alone."))
        }
        Some(Mood::Blushing) if !may_blush => {
            let detail = format!("Blushing needs attraction {BLUSHING_FROM} or more; it is {attraction}.");
            Err(Problem::unfitting("mood", detail).fact("attraction_level", attraction))
        }
        // Attraction that goes down takes the blush along.
        None if now.mood == Mood::Blushing && !may_blush => {
            Ok(MoodUpdate { mood: Some(Mood::Friendly), ..wish })
        }
        _ => Ok(wish),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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

    #[test]
    fn context_is_words_or_an_object() {
        // Kept as given; a list, a number and what is too long are told.
        let check = |json: &str, wanted: Result<&str, u16>| {
            let found = context_text(serde_json::from_str(json).unwrap());
            let found = found.map_err(|problem| problem.status().as_u16());
            assert_eq!(found.as_deref().map_err(|status| *status), wanted, "{json}");
        };
        check(r#""we won""#, Ok("we won"));
        check(r#"{ "deal": "signed" }"#, Ok(r#"{"deal":"signed"}"#));
        check("[1]", Err(400));
        check("7", Err(400));
        check(&format!("\"{}\"", "x".repeat(1024)), Ok(&"x".repeat(1024)));
        check(&format!("\"{}\"", "x".repeat(1025)), Err(413));
        check(&format!("{{\"deal\":\"{}\"}}", "x".repeat(1024)), Err(413));
    }
}
