//! `/api/tokens`: by which people and programs come in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{Class, Guards, Principal};
use cloud_sync_api::json::{Body, answer};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::params::InPath;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::secrets::{hash_of, new_id, new_token};
use cloud_sync_api::token_file::class_named;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::refusal::{check_name, no_randomness, problem};
use super::{Admin, READ, WRITE, timestamp, town_of};
use crate::clock::now_ms;
use crate::store::registry::{NewToken, TokenRow};

/// The tokens' routes.
pub(super) fn routes(guards: &Guards, admin: Admin) -> ApiRouter {
    ApiRouter::new(guards)
        .route(READ, routes!(list))
        .route(WRITE, routes!(create))
        .route(WRITE, routes!(revoke))
        .with_state(admin)
}

/// A token: never its secret.
#[derive(Debug, Serialize, ToSchema)]
struct Token {
    /// Tells it apart.
    id: String,
    /// Shown as holder.
    name: String,
    /// Whom it belongs to.
    user_id: String,
    /// What it may do: read, view, speak, drive, admin.
    scopes: Vec<String>,
    /// local, remote, autonomy or ai.
    class: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A token that was made just now.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedToken {
    #[serde(flatten)]
    row: Token,
    /// The token itself. It is shown here once and kept nowhere.
    token: String,
}

/// A token to be made.
#[derive(Debug, Deserialize, ToSchema)]
struct TokenBody {
    /// What it may do: read, view, speak, drive, admin. At least one.
    scopes: Vec<String>,
    /// local, remote, autonomy (default) or ai.
    class: Option<String>,
    /// Whom it shall belong to; a user of the town. Whoever asks, where nobody is named.
    user_id: Option<String>,
    /// Shown as holder; made from class and id where it is missing.
    name: Option<String>,
    /// The town that it is meant for: refused where that is not the town of whoever asks.
    town: Option<String>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Self {
        let TokenRow { id, name, user_id, scopes, class, created_ms } = row;
        Self { id, name, user_id, scopes, class, created_at: timestamp(created_ms) }
    }
}

/// What a token shall be.
#[derive(Clone, Debug)]
pub struct Wish {
    scopes: Scopes,
    class: Class,
    user_id: String,
    name: Option<String>,
}

impl Wish {
    /// The token of a town's owner.
    pub fn of_owner(owner: &str, scopes: Scopes) -> Self {
        Self { scopes, class: Class::Local, user_id: owner.to_owned(), name: Some(owner.to_owned()) }
    }
}

/// A token that is not written down yet.
#[derive(Clone, Debug)]
pub struct Made {
    /// As the registry keeps it.
    pub token: NewToken,
    /// As its holder keeps it.
    pub secret: String,
}

/// Makes a token.
///
/// # Errors
/// 503: the system gives no random numbers.
pub fn make_token(wish: &Wish, created_ms: i64) -> Answer<Made> {
    let secret = new_token().map_err(no_randomness)?;
    let id = new_id().map_err(no_randomness)?;
    let class = wish.class.as_str().to_owned();
    let name = wish.name.clone().unwrap_or_else(|| format!("{class}-{id}"));
    let scopes = wish.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let row = TokenRow { id, name, user_id: wish.user_id.clone(), scopes, class, created_ms };
    Ok(Made { token: NewToken { row, hash: hash_of(secret.as_bytes()) }, secret })
}

/// The tokens of the town.
#[utoipa::path(get, path = "/api/tokens", tag = "admin", responses((status = 200, body = Vec<Token>)))]
async fn list(State(admin): State<Admin>, principal: Principal) -> Answer<Response> {
    let tokens = admin.registry.tokens(&town_of(&principal)?).await.map_err(problem)?;
    Ok(answer(StatusCode::OK, &tokens.into_iter().map(Token::from).collect::<Vec<_>>()))
}

/// Make a token for a user of the town.
#[utoipa::path(post, path = "/api/tokens", tag = "admin", request_body = TokenBody,
    responses((status = 201, body = CreatedToken),
              (status = 404, description = "No such user or town here.", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "There are too many.", body = Problem, content_type = "application/problem+json")))]
async fn create(
    State(admin): State<Admin>,
    principal: Principal,
    Body(body): Body<TokenBody>,
) -> Answer<Response> {
    let wish = wish(&body, &principal)?;
    let town = town_of(&principal)?;
    if body.town.as_ref().is_some_and(|named| *named != town.as_str()) {
        return Err(Problem::not_found("There is no such town here."));
    }
    let made = make_token(&wish, now_ms())?;
    admin.registry.add_token(&town, &made.token).await.map_err(problem)?;
    admin.changed().await;
    Ok(answer(StatusCode::CREATED, &CreatedToken { row: made.token.row.into(), token: made.secret }))
}

/// Revoke a token: its sockets close, and what it drives ends.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "admin", params(("id" = String, Path, description = "Id of the token, as the list shows it")),
    responses((status = 204, description = "Revoked."),
              (status = 404, description = "No such token here.", body = Problem, content_type = "application/problem+json")))]
async fn revoke(
    State(admin): State<Admin>,
    principal: Principal,
    InPath(id): InPath<String>,
) -> Answer<Response> {
    let town = town_of(&principal)?;
    if check_name("id", &id).is_err() {
        return Err(Problem::not_found("There is no such token here."));
    }
    admin.registry.remove_token(&town, &id).await.map_err(problem)?;
    admin.changed().await;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn wish(body: &TokenBody, principal: &Principal) -> Answer<Wish> {
    let scope = |word: &String| {
        word.parse::<Scope>().map_err(|error| Problem::bad_request(format!("{error}.")).field("scopes"))
    };
    let scopes: Scopes = body.scopes.iter().map(scope).collect::<Result<_, _>>()?;
    if scopes == Scopes::default() {
        let detail = "A token needs at least one scope: read, view, speak, drive, admin.";
        return Err(Problem::bad_request(detail).field("scopes"));
    }
    let class = body.class.as_deref().unwrap_or(Class::Autonomy.as_str());
    let class = class_named(class)
        .ok_or_else(|| Problem::bad_request("class is one of local, remote, autonomy, ai.").field("class"))?;
    let user_id = body.user_id.clone().unwrap_or_else(|| principal.user_id().to_owned());
    check_name("user_id", &user_id)?;
    if let Some(name) = &body.name {
        check_name("name", name)?;
    }
    Ok(Wish { scopes, class, user_id, name: body.name.clone() })
}
