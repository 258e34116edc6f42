//! Routes that cannot be without an access rule and a page in the documentation: both come from one [`Rule`].
//!
//! It never serves anything itself; the documentation's pages are in [`crate::docs`].

use axum::response::Response;
use axum::routing::MethodRouter;
use axum::{Router, middleware};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, Content, Info, OpenApi, OpenApiBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::access::{Guards, Rule};
use crate::docs;
use crate::problem::{MEDIA_TYPE, Problem};

/// Where the document is served.
pub const DOCUMENT_PATH: &str = "/api/openapi.json";

/// Names of the two ways to show a token in the document.
const BEARER: &str = "bearer";
const COOKIE: &str = "cookie";

/// Routes in the making. `S` is the state they still need.
#[derive(Clone)]
pub struct ApiRouter<S = ()> {
    inner: OpenApiRouter<S>,
    guards: Guards,
}

impl<S> ApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// No routes yet.
    pub fn new(guards: &Guards) -> Self {
        let empty = OpenApiBuilder::new().build();
        Self { inner: OpenApiRouter::with_openapi(empty), guards: guards.clone() }
    }

    /// Adds handlers (`utoipa_axum::routes!(..)`, with their documentation) that `rule` guards. The rule is also
    /// written into the document: who may, and the refusals that every such route gives.
    #[must_use]
    pub fn route(mut self, rule: Rule, routes: UtoipaMethodRouter<S>) -> Self {
        let (schemas, mut paths, methods) = routes;
        for item in paths.paths.values_mut() {
            for operation in operations(item) {
                describe(operation, rule);
            }
        }
        // Only the routes: a wrong method is 405 for everybody, before any token is looked at.
        let guarded = methods.route_layer(self.guards.layer(rule));
        self.inner = self.inner.routes((schemas, paths, guarded));
        self
    }

    /// Adds a file of the page: open to everybody, and no part of the API, so not in the document.
    #[must_use]
    pub fn page(mut self, path: &str, methods: MethodRouter<S>) -> Self {
        self.inner = self.inner.route(path, methods.route_layer(self.guards.layer(Rule::Open)));
        self
    }

    /// Gives the routes their state.
    pub fn with_state<S2>(self, state: S) -> ApiRouter<S2>
    where
        S2: Clone + Send + Sync + 'static,
    {
        ApiRouter { inner: self.inner.with_state(state), guards: self.guards }
    }

    /// Passes every answer of these routes, refusals included, through `map`.
    #[must_use]
    pub fn map_answers<F, A>(self, map: F) -> Self
    where
        F: Fn(Response) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Response> + Send + 'static,
    {
        let (router, document) = self.inner.split_for_parts();
        // A fallback that is set later would lie outside.
        let router = router.method_not_allowed_fallback(wrong_method).layer(middleware::map_response(map));
        let mut inner = OpenApiRouter::from(router);
        *inner.get_openapi_mut() = document;
        Self { inner, guards: self.guards }
    }

    /// Adds all routes of another.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self { inner: self.inner.merge(other.inner), guards: self.guards }
    }
}

impl ApiRouter<()> {
    /// The document of these routes.
    pub fn document(&self, info: Info) -> OpenApi {
        let mut document = self.inner.get_openapi().clone();
        document.info = info;
        let components = document.components.get_or_insert_with(Components::new);
        components.schemas.insert(Problem::name().into_owned(), Problem::schema());
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token. Its scopes do not contain each other."))
            .build();
        components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
        let cookie =
            ApiKeyValue::with_description(self.guards.cookie(), "What GET /?token= sets in a browser.");
        components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
        document
    }

    /// All routes without any documentation, for what comes by other ways than the listener.
    pub fn bare(self) -> Router {
        let (router, _document) = self.inner.split_for_parts();
        router.fallback(not_found).method_not_allowed_fallback(wrong_method)
    }

    /// All routes with the documentation's own, and the answers for what is not there.
    pub fn finish(self, info: Info) -> Router {
        let document = self.document(info);
        let with_docs = docs::routes(self, &document);
        let (router, _) = with_docs.inner.split_for_parts();
        router.fallback(not_found).method_not_allowed_fallback(wrong_method)
    }
}

async fn not_found() -> Problem {
    Problem::not_found("There is no such route; /docs lists them all.")
}

async fn wrong_method() -> Problem {
    Problem::wrong_method("This route does not have this method; the header Allow names those it has.")
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}

/// Writes the rule into an operation. What the handler's own documentation says stays.
fn describe(operation: &mut Operation, rule: Rule) {
    match rule {
        Rule::Token { scopes, class_min, .. } => {
            let ways = scopes.iter().flat_map(|scope| {
                [BEARER, COOKIE].map(|way| SecurityRequirement::new(way, [scope.as_str()]))
            });
            operation.security = Some(ways.collect());
            let class =
                class_min.map(|class| format!(" or a class below {}", class.as_str())).unwrap_or_default();
            add(operation, "401", "No valid token.".to_owned());
            add(
                operation,
                "403",
                format!("A token without scope {scopes}{class}; a foreign Origin or Host."),
            );
            add(operation, "429", "Too many requests.".to_owned());
        }
        Rule::Device(_) => {
            operation.security = Some(vec![SecurityRequirement::new::<_, _, &str>(BEARER, [])]);
            add(operation, "401", "No valid secret of a pairing.".to_owned());
            add(operation, "403", "No paired robot's secret.".to_owned());
            add(operation, "429", "Too many requests.".to_owned());
        }
        Rule::ScopeOrDevice { scope, .. } => {
            let ways = [BEARER, COOKIE].map(|way| SecurityRequirement::new(way, [scope.as_str()]));
            operation.security = Some(ways.to_vec());
            add(operation, "401", "No valid token.".to_owned());
            add(operation, "403", format!("A token without scope {scope}; a foreign Origin or Host."));
            add(operation, "429", "Too many requests.".to_owned());
        }
        Rule::Open => {
            operation.security = Some(Vec::new());
            add(operation, "403", "A foreign Origin or Host.".to_owned());
            add(operation, "429", "Too many requests.".to_owned());
        }
        Rule::Loopback => {
            operation.security = Some(Vec::new());
            add(operation, "403", "Not on this machine, or through a proxy.".to_owned());
        }
        Rule::Always => operation.security = Some(Vec::new()),
    }
    if operation.request_body.is_some() && rule != Rule::Always {
        add(operation, "400", "The body cannot be read.".to_owned());
        add(operation, "413", "The body is too long.".to_owned());
    }
}

fn add(operation: &mut Operation, status: &str, description: String) {
    let content =
        Content::new(Some(RefOr::<utoipa::openapi::Schema>::Ref(Ref::from_schema_name(Problem::name()))));
    let response = ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build();
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}
