//! The listener and what stands behind it: documentation, health, metrics and the routes of the features, once the database is
//! there; until then everything answers 503.

mod door;
mod metrics;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{AccessConfig, Class, Guards, Rule};
use cloud_sync_api::attached::Attached;
use cloud_sync_api::connections::ConnectionLimits;
use cloud_sync_api::cors;
use cloud_sync_api::health::Faults;
use cloud_sync_api::http_config::HttpConfig;
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::Problem;
use cloud_sync_api::rate::{Limit, Limits};
use cloud_sync_api::server::{Server, ServerConfig};
use cloud_sync_api::supervise;
use cloud_sync_api::tls::TlsError;
use cloud_sync_api::tokens::TokenStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;
use utoipa::openapi::{Info, InfoBuilder};
use utoipa_axum::routes;

use crate::admin::{self, Admin};
use crate::config::{Config, LimitsConfig};
use crate::store::Database;

/// Running requests may take so long once the program ends.
const GRACE: Duration = Duration::from_secs(3);

/// No answer begins later than this, whatever hangs behind it. Streams and sockets begin at once and last as they like.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Name of the login cookie. Cookies do not know ports, so robot and cloud on one host need two names.
const COOKIE: &str = "robbie_cloud_token";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be used.
    #[error("cannot listen on {address}; is another service running there? --listen takes another address")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Certificate or key.
    #[error("cannot serve TLS")]
    Tls(#[from] TlsError),
}

/// The routes, as soon as there are any. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Front(Arc<OnceLock<Router>>);

impl Front {
    /// From now on these answer. Only the first ones ever do.
    pub fn open(&self, routes: Router) {
        drop(self.0.set(routes));
    }

    /// What stands at the listener.
    fn routes(&self, cors_origins: &[String]) -> Router {
        let routes = Router::new().fallback(hand_on).with_state(self.clone());
        if cors_origins.is_empty() { routes } else { routes.layer(cors::layer(cors_origins)) }
    }
}

async fn hand_on(State(front): State<Front>, request: Request) -> Response {
    match front.0.get() {
        Some(routes) => match tokio::time::timeout(ANSWER_WITHIN, routes.clone().oneshot(request)).await {
            Ok(answered) => answered.into_response(),
            Err(_elapsed) => Problem::memory_down("This took too long and was given up.").into_response(),
        },
        None => Problem::starting("The service is starting: it waits for its database.").into_response(),
    }
}

/// The running server.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<Option<()>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no new requests, and waits for those under way.
    pub async fn end(self) {
        self.stop.send_replace(true);
        // A server task that panicked has been reported by its supervisor.
        drop(self.task.await);
    }
}

/// Who may, as configured.
pub fn guards(tokens: TokenStore, config: &Config) -> Guards {
    let attached = Attached::default();
    Guards::new(
        tokens,
        AccessConfig {
            hosts: config.http.hosts.clone(),
            origins: config.cors_origins.clone(),
            trusted_proxies: config.http.trusted_proxies.clone(),
            limits: rate_limits(&config.limits),
            cookie: COOKIE,
            class_cap: Arc::new(move |peer| attached.class_of(peer).min(Class::Local)),
        },
    )
}

fn rate_limits(limits: &LimitsConfig) -> Limits {
    let per_second = |rate: u32| Limit::per_second(f64::from(rate), f64::from(rate));
    let per_minute = |rate: u32| Limit::per_minute(f64::from(rate), f64::from(rate));
    Limits {
        motion: per_second(limits.motion_per_s),
        read: per_minute(limits.read_per_min),
        write: per_minute(limits.write_per_min),
        chat: per_minute(limits.chat_per_min),
        ..Limits::cloud()
    }
}

/// Every route of the program: those of the service itself, and those of its features.
pub fn router(
    guards: &Guards,
    admin: &Admin,
    database: &Database,
    faults: &Faults,
    features: ApiRouter,
) -> Router {
    ApiRouter::new(guards)
        .merge(
            ApiRouter::new(guards)
                .route(Rule::Open, routes!(cloud_sync_api::health::health))
                .with_state(faults.clone()),
        )
        .merge(admin::routes(guards, admin))
        .merge(features)
        .merge(door::routes(guards))
        .merge(metrics::routes(guards, database.clone()))
        .finish(info())
}

/// Title and version of the API's document.
fn info() -> Info {
    InfoBuilder::new()
        .title("Robbie, the cloud's API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "What robots and apps keep in step with. Whatever belongs to another town or another user is not found here.",
        ))
        .build()
}

/// An address that is ours, and what TLS needs.
#[derive(Debug)]
pub struct Listening {
    address: SocketAddr,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
}

/// Takes the address; nobody is answered yet.
///
/// # Errors
/// The address is taken, or certificate and key do not fit.
pub fn listen(http: &HttpConfig) -> Result<Listening, ServerError> {
    let tls = match &http.tls {
        Some(files) => Some(cloud_sync_api::tls::load(&files.certificate, &files.key)?),
        None => None,
    };
    let failed = |source| ServerError::Listen { address: http.listen, source };
    let listener = cloud_sync_api::server::listen(http.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Listening { address, listener, tls })
}

/// Answers from now on; first that it is starting.
pub fn start(listening: Listening, config: &Config, front: &Front) -> Running {
    let Listening { address, listener, tls } = listening;
    let server = Server::new(front.routes(&config.cors_origins), connections(&config.http));
    let (stop, stopped) = watch::channel(false);
    let task = supervise::spawn("http", async move {
        tokio::select! {
            () = server.run(listener, tls, stopped, GRACE) => {}
            () = server.keep_deadlines() => {}
        }
    });
    Running { address, stop, task }
}

fn connections(http: &HttpConfig) -> ServerConfig {
    let connections = ConnectionLimits {
        total_max: http.connections,
        per_peer_max: http.connections_per_peer,
        ..ConnectionLimits::default()
    };
    ServerConfig { connections }
}
