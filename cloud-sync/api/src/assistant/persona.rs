//! Personality and mood: `/api/personality`, `/api/mood/...`. They belong to their user.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::persona::{
    ATTRACTION, BLUSHING_FROM, ENERGY, GANDHI_GENGHIS, Mood, MoodChange, MoodUpdate, PersonalityState,
};
use cloud_sync_protocol::store::PersonaStore;
use http::StatusCode;
use models_mind::mood::from_context;
use models_mind::persona::{Towards, Unfit, decide};
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
    /// Why: words, or an object such as `{"deal": "signed"}` (also revenue, creative, learning, affection). Where no mood is
    /// named, it follows from this. At most 1 KiB; kept as given.
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
    let towards = if assistant.is_owner(&principal, &whose) { Towards::Owner } else { Towards::Other };
    let turn = personas.one_at_a_time.lock().await;
    let now = assistant.store.personality(&whose).await?;
    let after = match wish {
        Some(wish) => {
            let wish = follow_context(&now, wish, towards);
            assistant.store.change_mood(&whose, decide(&now, wish, towards).map_err(unfit)?).await?
        }
        None => now,
    };
    drop(turn);
    Ok(json::answer(StatusCode::OK, &after))
}

/// Where no mood is named, it follows from the context.
fn follow_context(now: &PersonalityState, wish: MoodUpdate, towards: Towards) -> MoodUpdate {
    let context = wish.context.as_deref().filter(|_| wish.mood.is_none());
    match context.and_then(|context| from_context(now, context, towards)) {
        Some(change) => MoodUpdate { mood: Some(change.mood), reason: Some(change.reason), ..wish },
        None => wish,
    }
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
            reason: None,
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

/// What a wish that does not fit looks like on the wire.
fn unfit(unfit: Unfit) -> Problem {
    match unfit {
        Unfit::AttractionOfOthers { max } => {
            Problem::out_of_range("attraction_level", f64::from(*ATTRACTION.start()), f64::from(max))
                .detail_is("Attraction 11 is for the owner alone.")
        }
        Unfit::BlushingForOthers => Problem::unfitting("mood", "Blushing is for the owner alone."),
        Unfit::BlushingTooEarly { attraction_level } => {
            let detail =
                format!("Blushing needs attraction {BLUSHING_FROM} or more; it is {attraction_level}.");
            Problem::unfitting("mood", detail).fact("attraction_level", attraction_level)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
