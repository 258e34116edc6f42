//! Who may use a route. Every check here needs the request's head only, so a refusal comes before the body is read.
//!
//! Order: 401 no token, 403 scope, class, `Host`, `Origin`, 429. [`Rule::Always`] checks nothing: stop and e-stop.

mod rule;

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

pub use agent_core::caller::Class;
use agent_core::caller::{TokenId, TurnId};
use axum::extract::{FromRequestParts, OptionalFromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use cloud_sync_protocol::town::RobotId;
use futures_util::future::{Either, Ready, ready};
use http::request::Parts;
use tower::{Layer, Service};

use crate::credentials;
use crate::network::Network;
use crate::origin;
use crate::peer::{Arrival, Peer, Through};
use crate::problem::Problem;
use crate::rate::{AddressBuckets, Limits, Rate};
use crate::scope::{Scope, Scopes};
use crate::tokens::{Token, TokenStore};
pub use rule::Rule;

/// The highest class that a peer may have; the program decides.
pub type ClassCap = Arc<dyn Fn(&Peer) -> Class + Send + Sync>;

/// What a program sets.
#[derive(Clone)]
pub struct AccessConfig {
    /// Host names beside IP literals, `localhost` and `*.local` (`[http] hosts`).
    pub hosts: Vec<String>,
    /// Origins of web pages elsewhere that may use the program (`[http] cors_origins`).
    pub origins: Vec<String>,
    /// Proxies whose forwarding headers count (`[http] trusted_proxies`).
    pub trusted_proxies: Vec<Network>,
    /// How often who may ask.
    pub limits: Limits,
    /// Name of the login cookie. Cookies do not know ports, so two programs on one host need two names.
    pub cookie: &'static str,
    /// The highest class that a peer may have.
    pub class_cap: ClassCap,
}

impl fmt::Debug for AccessConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccessConfig").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// Checks requests. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guards(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tokens: TokenStore,
    config: AccessConfig,
    addresses: AddressBuckets,
    started: Instant,
}

/// Who asks: a valid token, and where it came from.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Number of the token in this run.
    pub token: TokenId,
    /// Effective class: the lower of the token's and what its peer allows.
    pub class: Class,
    /// Where it came from.
    pub peer: Peer,
    /// The token: name, scopes, user.
    pub entry: Arc<Token>,
    /// The human message that a model acts for; only one in the cloud says so, for a person whom the cloud knows.
    pub turn: Option<TurnId>,
}

/// Whoever asks, as a program of ours found out already by other means than this request's head: a command that came over the
/// broker. It stands in the request's extensions, where nothing from the network can put it.
#[derive(Clone, Debug)]
pub struct Vouched(pub Principal);

impl Principal {
    /// Name of the token, shown as holder.
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Whom it belongs to.
    pub fn user_id(&self) -> &str {
        &self.entry.user_id
    }

    /// Whether it has a scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.entry.scopes.contains(scope)
    }

    /// The paired robot that asks, where it is one.
    pub fn device(&self) -> Option<&RobotId> {
        self.entry.device.as_ref()
    }

    /// 403 unless it has one of these scopes.
    ///
    /// # Errors
    /// The problem that names them.
    pub fn check_scope(&self, scopes: Scopes) -> Result<(), Problem> {
        if scopes.iter().any(|scope| self.has(scope)) {
            return Ok(());
        }
        if self.device().is_some() {
            return Err(Problem::no_right(
                "The secret of a pairing is for keeping in step and for /v1, and for nothing else.",
            ));
        }
        let needed = scopes.to_string();
        Err(Problem::no_right(format!("This token lacks the scope {needed}.")).fact("scope", needed))
    }
}

/// What the guard found out, in the request's extensions.
#[derive(Clone, Debug)]
struct Visitor {
    peer: Peer,
    principal: Option<Principal>,
}

impl Guards {
    /// Over the valid tokens.
    pub fn new(tokens: TokenStore, config: AccessConfig) -> Self {
        Self(Arc::new(Inner {
            tokens,
            config,
            addresses: AddressBuckets::default(),
            started: Instant::now(),
        }))
    }

    /// The valid tokens.
    pub fn tokens(&self) -> &TokenStore {
        &self.0.tokens
    }

    /// Name of the login cookie.
    pub fn cookie(&self) -> &'static str {
        self.0.config.cookie
    }

    /// A layer that lets only those pass who may.
    pub fn layer(&self, rule: Rule) -> GuardLayer {
        GuardLayer { guards: self.clone(), rule }
    }

    /// Whether somebody who is known already may do what `rule` guards, for what is no request (teleop frames over the broker).
    /// Nothing is drawn from a bucket.
    ///
    /// # Errors
    /// 403 with what is missing.
    pub fn permit(&self, principal: &Principal, rule: Rule) -> Result<(), Problem> {
        let Rule::Token { scopes, class_min, .. } = rule else { return Ok(()) };
        principal.check_scope(scopes)?;
        check_class(principal, class_min)
    }

    /// Draws one from a token's bucket, for messages that are no requests (teleop frames).
    pub fn spend(&self, principal: &Principal, rate: Rate) -> Result<(), Problem> {
        let limit = self.0.config.limits.of(rate);
        principal.entry.buckets.take(rate, limit, self.now_ns()).map_err(too_often)
    }

    /// The peer behind a request.
    pub fn peer(&self, parts: &http::Extensions, headers: &http::HeaderMap) -> Peer {
        // Without our server we know nothing; an unspecified address is nobody's neighbour.
        let unknown = Arrival { socket: ([0, 0, 0, 0], 0).into(), tls: false };
        let arrival = parts.get::<Arrival>().copied().unwrap_or(unknown);
        Peer::of(arrival, headers, &self.0.config.trusted_proxies)
    }

    fn admit(&self, request: &Request, rule: Rule) -> Result<Visitor, Problem> {
        let peer = self.peer(request.extensions(), request.headers());
        match rule {
            Rule::Token { scopes, class_min, rate } => {
                let principal = self.identify(request, peer)?;
                principal.check_scope(scopes)?;
                check_class(&principal, class_min)?;
                self.let_in(request, peer, principal, rate)
            }
            Rule::Device(rate) => {
                let principal = self.identify(request, peer)?;
                if principal.entry.device.is_none() {
                    return Err(Problem::no_right(
                        "This is for paired robots, by the secret of their pairing.",
                    ));
                }
                self.let_in(request, peer, principal, rate)
            }
            Rule::ScopeOrDevice { scope, rate, device } => {
                let principal = self.identify(request, peer)?;
                let is_device = principal.entry.device.is_some();
                if !is_device {
                    principal.check_scope(Scopes::of(&[scope]))?;
                }
                self.let_in(request, peer, principal, if is_device { device } else { rate })
            }
            Rule::Open => {
                origin::check(request, &self.0.config.hosts, &self.0.config.origins)?;
                let limit = self.0.config.limits.of(Rate::Open);
                self.0.addresses.take(peer.counted(), limit, self.now_ns()).map_err(too_often)?;
                Ok(Visitor { peer, principal: None })
            }
            Rule::Loopback => {
                if !peer.is_loopback_direct() {
                    return Err(Problem::no_right(
                        "Only programs on this machine may read this, without a proxy between.",
                    ));
                }
                origin::check(request, &self.0.config.hosts, &self.0.config.origins)?;
                Ok(Visitor { peer, principal: None })
            }
            // Who it was is worth knowing, but it never matters for whether.
            Rule::Always => Ok(Visitor { peer, principal: self.identify(request, peer).ok() }),
        }
    }

    /// Somebody who may, unless the request comes from a foreign page or too often.
    fn let_in(
        &self,
        request: &Request,
        peer: Peer,
        principal: Principal,
        rate: Rate,
    ) -> Result<Visitor, Problem> {
        origin::check(request, &self.0.config.hosts, &self.0.config.origins)?;
        self.spend(&principal, rate)?;
        Ok(Visitor { peer, principal: Some(principal) })
    }

    fn identify(&self, request: &Request, peer: Peer) -> Result<Principal, Problem> {
        if let Some(Vouched(principal)) = request.extensions().get::<Vouched>() {
            return Ok(principal.clone());
        }
        let Some(secret) = credentials::secret_of(request.headers(), self.0.config.cookie) else {
            return Err(Problem::no_token("Send a token: Authorization: Bearer <token>."));
        };
        let Some(entry) = self.0.tokens.find(secret) else {
            return Err(Problem::no_token("This token is not known here; it may have been revoked."));
        };
        let class = entry.class.min(self.class_cap(&peer));
        Ok(Principal { token: entry.number, class, peer, entry, turn: None })
    }

    fn class_cap(&self, peer: &Peer) -> Class {
        if peer.address.is_none() || peer.through == Through::UnknownProxy {
            return Class::Remote;
        }
        (self.0.config.class_cap)(peer)
    }

    fn now_ns(&self) -> u64 {
        // u64 holds 584 years of nanoseconds.
        u64::try_from(self.0.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

fn too_often(wait_ns: u64) -> Problem {
    Problem::rate_limited(wait_ns.div_ceil(1_000_000))
}

fn check_class(principal: &Principal, class_min: Option<Class>) -> Result<(), Problem> {
    let Some(class_min) = class_min.filter(|class_min| principal.class < *class_min) else {
        return Ok(());
    };
    // A model in a turn does what programs do; what exactly, the gate says.
    if principal.turn.is_some() && class_min <= Class::Autonomy {
        return Ok(());
    }
    let (own, needed) = (principal.class.as_str(), class_min.as_str());
    Err(Problem::no_right(format!(
        "This needs class {needed}; from where you are your token has class {own}."
    ))
    .fact("class", own)
    .fact("class_min", needed))
}

/// Makes a [`Guard`] around a route.
#[derive(Clone, Debug)]
pub struct GuardLayer {
    guards: Guards,
    rule: Rule,
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, guards: self.guards.clone(), rule: self.rule }
    }
}

/// A route that only those reach who may.
#[derive(Clone, Debug)]
pub struct Guard<S> {
    inner: S,
    guards: Guards,
    rule: Rule,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        match self.guards.admit(&request, self.rule) {
            Ok(visitor) => {
                request.extensions_mut().insert(visitor);
                Either::Left(self.inner.call(request))
            }
            Err(problem) => {
                metrics::counter!("robbie_http_refused_total", "status" => problem.status_text())
                    .increment(1);
                Either::Right(ready(Ok(problem.into_response())))
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visitor = parts.extensions.get::<Visitor>();
        visitor
            .and_then(|visitor| visitor.principal.clone())
            .ok_or_else(|| Problem::no_token("Send a token: Authorization: Bearer <token>."))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<Visitor>().and_then(|visitor| visitor.principal.clone()))
    }
}

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let visitor = parts.extensions.get::<Visitor>();
        visitor.map(|visitor| visitor.peer).ok_or_else(|| Problem::no_right("This route has no access rule."))
    }
}
