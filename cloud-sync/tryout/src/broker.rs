//! `robbie-tryout broker`: an embedded MQTT broker that keeps everything in memory, for one machine.
//!
//! It knows no passwords and no rights: whoever reaches it may do anything, so it listens on loopback alone. When one of
//! its threads panics it serves nobody any more, so the process ends then and says so. Clients come through a door of our
//! own: one that is refused, or that vanishes before its greeting is answered, makes the broker panic when it comes back.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::args::BrokerArgs;
use crate::carry::carry;
use crate::failure::{Failure, UNAVAILABLE, chain};
use crate::os;

/// Clients at one time.
const CONNECTIONS_MAX: usize = 64;
/// Bytes of one message: a frame of 64 KiB with room.
const PAYLOAD_MAX: usize = 128 * 1024;
/// What is kept of a topic for those who are slow or away: ten segments of 1 MiB.
const SEGMENT_MAX: usize = 1024 * 1024;
const SEGMENTS_MAX: usize = 10;
/// Messages on their way to one client.
const OUTGOING_MAX: u64 = 200;
const INFLIGHT_MAX: usize = 100;
/// How long a client may take to say who it is.
const HELLO_MS: u16 = 5000;
const STARTS_WITHIN: Duration = Duration::from_secs(5);

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// The port is taken, or the broker ended by itself.
pub(crate) fn run(args: &BrokerArgs) -> Result<(), Failure> {
    end_on_panic();
    os::on_runtime(serve(args.listen))?
}

async fn serve(listen: SocketAddr) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Unavailable(error.to_string());
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt()).map_err(failed)?, signal(SignalKind::terminate()).map_err(failed)?);
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::Unavailable(format!("cannot listen on {listen}: {error}; choose another with --listen"))
    })?;
    let address = listener.local_addr().map_err(failed)?;
    let inside = start(listen).await?;
    println!("MQTT_URL=mqtt://{address}");
    tracing::info!("serving MQTT on {address}, from memory, to {CONNECTIONS_MAX} connections");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = let_in(listener, inside) => {}
    }
    tracing::info!("ended");
    Ok(())
}

/// Starts the broker on a free port. It cannot be handed a socket, so somebody else may still take the port in between:
/// then it ends, and the process with it.
async fn start(beside: SocketAddr) -> Result<SocketAddr, Failure> {
    let failed = |error: std::io::Error| Failure::Unavailable(error.to_string());
    let free = TcpListener::bind((beside.ip(), 0)).await.map_err(failed)?;
    let inside = free.local_addr().map_err(failed)?;
    drop(free);
    std::thread::spawn(move || {
        // It returns only when nothing serves any more.
        let ended = Broker::new(config(inside)).start();
        let why = ended.err().map_or_else(|| "it listens no more".to_owned(), |error| chain(&error));
        eprintln!("robbie-tryout: the broker ended: {why}");
        std::process::exit(i32::from(UNAVAILABLE));
    });
    let listens = async {
        while TcpStream::connect(inside).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let late = |_| Failure::Unavailable(format!("the broker does not listen on {inside}"));
    timeout(STARTS_WITHIN, listens).await.map_err(late)?;
    Ok(inside)
}

/// Takes every client to the broker, up to the limit; one more is cut off at once and may come again.
async fn let_in(listener: TcpListener, inside: SocketAddr) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut clients = JoinSet::new();
    loop {
        while clients.try_join_next().is_some() {}
        let (client, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("cannot take a connection: {error}");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!("{from} is one too many: all {CONNECTIONS_MAX} connections are taken");
            continue;
        };
        clients.spawn(async move {
            match TcpStream::connect(inside).await {
                Ok(server) => carry(client, server, &[]).await,
                Err(error) => tracing::warn!("{from} does not reach the broker: {error}"),
            }
            drop(place);
        });
    }
}

fn end_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        drop(writeln!(std::io::stderr(), "robbie-tryout: the broker panicked and serves nobody any more"));
        std::process::exit(i32::from(UNAVAILABLE));
    }));
}

fn config(listen: SocketAddr) -> Config {
    let server = ServerSettings {
        name: "mqtt".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: HELLO_MS,
            max_payload_size: PAYLOAD_MAX,
            max_inflight_count: INFLIGHT_MAX,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    Config {
        router: RouterConfig {
            // Twice, because it learns late that somebody has left.
            max_connections: 2 * CONNECTIONS_MAX,
            max_outgoing_packet_count: OUTGOING_MAX,
            max_segment_size: SEGMENT_MAX,
            max_segment_count: SEGMENTS_MAX,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("mqtt".to_owned(), server)])),
        ..Config::default()
    }
}
