//! Finding again: `/api/memory/search` and `/api/sticky-notes/surface`.

use axum::extract::State;
use axum::response::Response;
use cloud_sync_protocol::memory::{Found, MemoryKind, Moment, QUERY_BYTES_MAX, Search, Surfaced};
use cloud_sync_protocol::store::MemoryStore;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::access::{Guards, Principal};
use crate::json;
use crate::openapi::ApiRouter;
use crate::params::InQuery;
use crate::problem::{Answer, Problem};

use super::whose::Assistant;
use super::{READ, asked};

/// Hits where nobody says, and at most.
const HITS: (u32, u32) = (10, 100);
/// Notes that matter now where nobody says, and at most.
const SURFACED: (u32, u32) = (10, 50);

/// The memory's routes.
pub(super) fn routes<M: MemoryStore>(guards: &Guards, assistant: Assistant<M>) -> ApiRouter {
    let (search, surface) = (search::<M>, surface::<M>);
    ApiRouter::new(guards)
        .route(READ, routes!(search))
        // A fixed word goes before `{id}`, whatever the order of the declarations.
        .route(READ, routes!(surface))
        .with_state(assistant)
}

/// A question.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SearchQuery {
    /// The question, in any words; at most 2 KiB.
    #[param(required = true)]
    q: Option<String>,
    /// Only these kinds, with commas between: `note`, `fact`, `turn`. Absent: all.
    kind: Option<String>,
    /// Hits at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 10)]
    limit: Option<String>,
    /// What was said just before, which tells what "it" and "there" mean; at most 2 KiB.
    context: Option<String>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// When, where and about what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SurfaceQuery {
    /// The conversation that is going on, a UUID.
    #[param(format = "uuid")]
    conversation_id: Option<String>,
    /// What it is about, in words; at most 2 KiB.
    about: Option<String>,
    /// Where, in words; at most 2 KiB.
    place: Option<String>,
    /// Notes at most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 50, default = 10)]
    limit: Option<String>,
    /// Another user than the token's; needs the scope admin.
    user_id: Option<String>,
}

/// Notes, facts and turns by meaning and by word, best first. Each hit says what every signal gave, and why.
#[utoipa::path(get, path = "/api/memory/search", tag = "memory", params(SearchQuery),
    responses(
        (status = 200, body = Found),
        (status = 400, description = "No question, or a value that cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The question is too long.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "limit is out of range.", body = Problem, content_type = "application/problem+json")))]
async fn search<M: MemoryStore>(
    State(assistant): State<Assistant<M>>,
    principal: Principal,
    InQuery(query): InQuery<SearchQuery>,
) -> Answer<Response> {
    let user_id = asked::given(query.user_id.clone());
    let search = query.search()?;
    let whose = assistant.whose(&principal, user_id.as_deref())?;
    Ok(json::answer(StatusCode::OK, &assistant.store.search(&whose, &search).await?))
}

/// The notes that matter now, best first, each with the reason.
#[utoipa::path(get, path = "/api/sticky-notes/surface", tag = "memory", params(SurfaceQuery),
    responses(
        (status = 200, body = Vec<Surfaced>),
        (status = 400, description = "A value cannot be read.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "A text is too long.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "limit is out of range.", body = Problem, content_type = "application/problem+json")))]
async fn surface<M: MemoryStore>(
    State(assistant): State<Assistant<M>>,
    principal: Principal,
    InQuery(query): InQuery<SurfaceQuery>,
) -> Answer<Response> {
    let user_id = asked::given(query.user_id.clone());
    let moment = query.moment()?;
    let whose = assistant.whose(&principal, user_id.as_deref())?;
    Ok(json::answer(StatusCode::OK, &assistant.store.surface(&whose, &moment).await?))
}

impl SearchQuery {
    fn search(self) -> Answer<Search> {
        let query = self.q.unwrap_or_default();
        let context = self.context.unwrap_or_default();
        asked::text("q", &query, QUERY_BYTES_MAX)?;
        asked::text("context", &context, QUERY_BYTES_MAX)?;
        if query.trim().is_empty() {
            return Err(Problem::bad_request("q is missing: what shall be found?").field("q"));
        }
        let kinds = kinds(&self.kind.unwrap_or_default())?;
        let limit = asked::limit(self.limit.as_deref(), HITS.0, HITS.1)?;
        Ok(Search { query, context, kinds, limit })
    }
}

impl SurfaceQuery {
    fn moment(self) -> Answer<Moment> {
        let about = self.about.unwrap_or_default();
        let place = self.place.unwrap_or_default();
        asked::text("about", &about, QUERY_BYTES_MAX)?;
        asked::text("place", &place, QUERY_BYTES_MAX)?;
        let conversation_id = asked::given(self.conversation_id).map(|id| id.parse()).transpose();
        let conversation_id = conversation_id.map_err(|error: cloud_sync_protocol::id::NotAnId| {
            Problem::bad_request(format!("{error}.")).field("conversation_id")
        })?;
        let limit = asked::limit(self.limit.as_deref(), SURFACED.0, SURFACED.1)?;
        Ok(Moment { conversation_id, about, place, limit })
    }
}

/// `note,turn`, each once.
fn kinds(text: &str) -> Answer<Vec<MemoryKind>> {
    let mut kinds = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let kind = match word {
            "note" => MemoryKind::Note,
            "fact" => MemoryKind::Fact,
            "turn" => MemoryKind::Turn,
            other => return Err(asked::unknown("kind", other, "note, fact, turn")),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_a_list_of_words() {
        // Each counts once; an empty list means all; an unknown word is told.
        assert_eq!(kinds("").unwrap(), []);
        assert_eq!(kinds("note").unwrap(), [MemoryKind::Note]);
        assert_eq!(kinds("turn, note,turn,").unwrap(), [MemoryKind::Turn, MemoryKind::Note]);
        assert_eq!(kinds("note,dream").unwrap_err().status(), StatusCode::BAD_REQUEST);
    }
}
