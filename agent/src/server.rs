//! The robot's own listener: its routes, its page, the documentation, health and metrics, behind one server.

mod health;
mod metrics;
mod names;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use agent_store::Store;
use cloud_sync_api::access::{AccessConfig, Guards, Rule};
use cloud_sync_api::assistant;
use cloud_sync_api::attached::Attached;
use cloud_sync_api::chain::Chain;
use cloud_sync_api::connections::ConnectionLimits;
use cloud_sync_api::health::Faults;
use cloud_sync_api::home::{Homes, SharedHome};
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::rate::{Limit, Limits};
use cloud_sync_api::server::{Server, ServerConfig};
use cloud_sync_api::tls::TlsError;
use cloud_sync_api::tokens::TokenStore;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa::openapi::{Info, InfoBuilder};
use utoipa_axum::routes;

use crate::chat::RobotBody;
use crate::config::{HttpConfig, LimitsConfig};
use crate::drive::gate_thread::Pulse;
use crate::drive::port_keeper::PortKeeper;
use crate::drive::robot::Robot;
use crate::drive::routes::robot_routes;
use crate::memory::Memory;
use crate::sync::InStep;
use crate::{page, supervise};

/// Running requests may take so long once the program ends.
const GRACE: Duration = Duration::from_millis(500);

/// Name of the login cookie. Cookies do not know ports, so robot and cloud on one host need two names.
const COOKIE: &str = "robbie_token";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be used.
    #[error("cannot listen on {address}; is another agent running there? --listen takes another address")]
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

/// What health and metrics look at.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The gate thread.
    pub pulse: Arc<Pulse>,
    /// The serial port.
    pub ports: PortKeeper,
    /// The memory's file.
    pub memory: Store,
    /// How the robot stands with its cloud.
    pub in_step: InStep,
    /// What parts report.
    pub faults: Faults,
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
pub fn guards(tokens: TokenStore, http: &HttpConfig, limits: &LimitsConfig) -> Guards {
    let attached = Attached::default();
    Guards::new(
        tokens,
        AccessConfig {
            hosts: http.hosts.clone(),
            origins: Vec::new(),
            trusted_proxies: http.trusted_proxies.clone(),
            limits: rate_limits(limits),
            cookie: COOKIE,
            class_cap: Arc::new(move |peer| attached.class_of(peer)),
        },
    )
}

fn rate_limits(limits: &LimitsConfig) -> Limits {
    let per_second = |rate: u32, burst: u32| Limit::per_second(f64::from(rate), f64::from(burst));
    Limits {
        motion: per_second(limits.motion_per_s, limits.motion_per_s),
        read: per_second(limits.read_per_s, limits.read_per_s),
        write: per_second(limits.write_per_s, limits.write_burst),
        chat: Limit::per_minute(f64::from(limits.chat_per_min), f64::from(limits.chat_per_min)),
        ..Limits::robot()
    }
}

/// Every route of the program.
pub fn router(
    robot: Robot,
    memory: &Memory,
    home: &SharedHome,
    chain: Chain,
    watched: &Watched,
) -> ApiRouter {
    let guards = robot.guards.clone();
    let faults = watched.faults.clone();
    ApiRouter::new(&guards)
        .merge(robot_routes(&guards).with_state(robot.clone()))
        .merge(
            ApiRouter::new(&guards)
                .route(Rule::Open, routes!(cloud_sync_api::health::health))
                .with_state(faults),
        )
        .merge(memory.routes(&guards, home, RobotBody::new(robot.clone()), chain))
        .merge(assistant::sync_routes(&guards, Homes::Shared(home.clone()), watched.in_step.clone()))
        .merge(metrics::routes(&guards, robot.drive, watched.pulse.clone()))
        .merge(page::routes(&guards))
}

/// Title and version of the API's document.
pub fn info() -> Info {
    InfoBuilder::new()
        .title("Robbie, the robot's own API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Every command to move ends by itself. Anyone who reaches the robot may stop it; few may move it. \
             `stop` and `estop` are software stops: no certification is claimed.",
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

/// Answers from now on.
pub fn start(
    listening: Listening,
    http: &HttpConfig,
    robot: Robot,
    memory: &Memory,
    home: &SharedHome,
    chain: Chain,
    watched: &Watched,
) -> Running {
    let Listening { address, listener, tls } = listening;
    let robot_name = robot.identity.robot.clone();
    supervise::spawn("health", health::watch(watched.clone(), robot.drive.clone()));
    let routes = router(robot, memory, home, chain, watched).finish(info());
    let server = Server::new(names::answers_to(robot_name, routes), connections(http));
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
