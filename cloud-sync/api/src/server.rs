//! The server: accepts connections, speaks HTTP/1.1, hands requests to the routes, ends in order.
//!
//! axum's own `serve` sets no timers and knows no limits; hyper's connection and [`crate::connections`] do.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::{Layer, Service};
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

use crate::connections::{ConnectionLimits, Connections, Ticket};
use crate::network;
use crate::peer::Arrival;
use crate::watched::Watched;

/// Connections that may wait to be accepted. The kernel lowers it to `net.core.somaxconn`.
const BACKLOG: i32 = 16_384;

/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// How long we wait after an error that would come again at once.
const BACK_OFF: Duration = Duration::from_millis(20);

/// A policy for pages: scripts, styles and connections only of our own, and no frame around us.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What a program sets.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerConfig {
    /// How many connections, and how long each may take.
    pub connections: ConnectionLimits,
}

/// Serves routes on any number of listeners, which share one table of connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Server {
    routes: NormalizePath<Router>,
    connections: Connections,
}

/// Opens a listener: reusable at once after a restart, with a long queue. On `[::]` it takes IPv4 too.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

impl Server {
    /// Over finished routes. A path answers with and without its last slash.
    pub fn new(routes: Router, config: ServerConfig) -> Self {
        let routes = NormalizePathLayer::trim_trailing_slash().layer(routes);
        Self { routes, connections: Connections::new(config.connections) }
    }

    /// Connections that are open now, over all listeners.
    pub fn open_connections(&self) -> usize {
        self.connections.open_count()
    }

    /// Closes connections that took too long, for ever. Run one beside the listeners.
    pub async fn keep_deadlines(&self) {
        self.connections.sweep().await;
    }

    /// Serves one listener until `stop` is true (or its sender is gone), then lets running requests end for at most
    /// `grace`.
    pub async fn run(
        &self,
        listener: TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        mut stop: watch::Receiver<bool>,
        grace: Duration,
    ) {
        let tls = tls.map(TlsAcceptor::from);
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stop) => break,
                Some(ended) = running.join_next() => report(ended),
                accepted = self.accept(&listener) => {
                    let Some((stream, socket)) = accepted else { continue };
                    let ticket = self.connections.enter(network::counted(socket.ip()));
                    running.spawn(self.clone().connection(stream, socket, ticket, tls.clone(), stop.clone()));
                    // The new connection is looked at before the next is accepted: under a flood an e-stop is read
                    // before enough others come behind it to push it out.
                    tokio::task::yield_now().await;
                }
            }
        }
        drop(listener);
        let all_ended = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all_ended).await.is_err() {
            tracing::info!("closing connections that did not end in time");
            self.connections.close_all();
        }
    }

    async fn accept(&self, listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
        self.connections.room().await;
        match listener.accept().await {
            Ok((stream, socket)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection was gone at once");
                    return None;
                }
                Some((stream, socket))
            }
            Err(error) if is_of_one_connection(&error) => None,
            Err(error) => {
                // Out of descriptors or memory: make room instead of turning in a circle.
                tracing::warn!(%error, "cannot accept a connection; closing one");
                self.connections.close_one();
                tokio::time::sleep(BACK_OFF).await;
                None
            }
        }
    }

    async fn connection(
        self,
        stream: TcpStream,
        socket: SocketAddr,
        ticket: Ticket,
        tls: Option<TlsAcceptor>,
        stop: watch::Receiver<bool>,
    ) {
        let ticket = Arc::new(ticket);
        let arrival = Arrival { socket, tls: tls.is_some() };
        let stream = Watched::new(stream, Arc::clone(&ticket));
        let Some(tls) = tls else {
            return self.speak(stream, ticket, arrival, stop).await;
        };
        match tls.accept(stream).await {
            Ok(stream) => {
                ticket.shook_hands();
                self.speak(stream, ticket, arrival, stop).await;
            }
            // Scanners and browsers that do not trust the certificate end here all the time.
            Err(error) => tracing::debug!(%error, %socket, "no TLS handshake"),
        }
    }

    async fn speak<T>(self, stream: T, ticket: Arc<Ticket>, arrival: Arrival, mut stop: watch::Receiver<bool>)
    where
        T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let routes = self.routes;
        let service =
            service_fn(move |request| answer(routes.clone(), Arc::clone(&ticket), arrival, request));
        let connection = hyper::server::conn::http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told_to_stop(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, socket = %arrival.socket, "a connection broke off");
        }
    }
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn answer(
    mut routes: NormalizePath<Router>,
    ticket: Arc<Ticket>,
    arrival: Arrival,
    request: Request<Incoming>,
) -> Result<Response, std::convert::Infallible> {
    ticket.works();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(arrival);
    let mut response = routes.call(request).await?;
    harden(&mut response);
    ticket.answers(response.status() == StatusCode::SWITCHING_PROTOCOLS);
    Ok(response)
}

/// Headers that keep browsers from guessing, leaking addresses, or framing a page. A route's own policy stays.
fn harden(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_page =
        headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    }
}

/// Errors of a connection that was gone before we took it.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the handling of a request panicked; its connection was closed");
    }
}
