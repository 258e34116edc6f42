//! A twin that listens. It owns its listener and its connections; dropping it ends them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fault::{Fault, Faulty};
use crate::kind::Kind;
use crate::script::Rule;
use crate::seen::Seen;
use crate::service;
use crate::settings::Change;
use crate::state::State;

/// A connection on which it was told to close may still be answered on for so long.
const LAST_ANSWER: Duration = Duration::from_millis(20);
/// Between two tries to listen again.
const AGAIN: Duration = Duration::from_millis(5);

/// One server that stands in for one provider.
#[derive(Debug)]
pub struct Twin {
    shared: Arc<Shared>,
    address: SocketAddr,
    _task: JoinSet<()>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: Arc<State>,
    wanted: watch::Sender<Wanted>,
    listening: watch::Receiver<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Open,
    Closed { after: Duration },
}

impl Twin {
    /// Listens; port 0 is any free one. Needs a tokio runtime, and lives on it.
    pub async fn start(kind: Kind, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (wanted, orders) = watch::channel(Wanted::Open);
        let (said, listening) = watch::channel(true);
        let state = Arc::new(State::new(kind));
        let shared = Arc::new(Shared { state, wanted, listening });
        let mut task = JoinSet::new();
        task.spawn(listen(Arc::clone(&shared), listener, address, orders, said));
        Ok(Self { shared, address, _task: task })
    }

    /// Its base URL, as a provider's configuration wants it.
    #[must_use]
    pub fn url(&self) -> String {
        self.shared.state.kind.url(self.address)
    }

    /// Who it stands in for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.shared.state.kind
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how it behaves; in force when this returns.
    pub async fn change(&self, change: Change) {
        self.shared.change(change, Duration::ZERO).await;
    }

    /// Answers by these rules.
    pub async fn script(&self, script: Vec<Rule>) {
        self.change(Change { script: Some(script), ..Change::default() }).await;
    }

    /// Fails like this; `None`: no more.
    pub async fn fault(&self, fault: Option<Fault>) {
        self.change(Change { fault: Some(fault), ..Change::default() }).await;
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.state.requests()
    }

    /// Connections so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.state.connections.load(Ordering::Relaxed)
    }

    /// Requests that are being answered.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        self.shared.state.under_way()
    }

    /// Requests whose client left before the answer's end.
    #[must_use]
    pub fn dropped_by_client(&self) -> u64 {
        self.shared.state.dropped()
    }

    /// The last request.
    #[must_use]
    pub fn last(&self) -> Option<Seen> {
        self.shared.state.last().clone()
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

impl Shared {
    /// With a `grace`, connections live on for so long and nobody is waited for: whoever tells it may be on one of them.
    pub(crate) async fn change(&self, change: Change, grace: Duration) {
        let refused = {
            let mut settings = self.state.settings();
            settings.change(change);
            settings.fault.as_ref().is_some_and(|fault| fault.what == Faulty::Refused)
        };
        self.state.closing.store(refused, Ordering::Relaxed);
        let wanted = if refused { Wanted::Closed { after: grace } } else { Wanted::Open };
        self.wanted.send_if_modified(|is| {
            let changes = (*is == Wanted::Open) != (wanted == Wanted::Open);
            if changes {
                *is = wanted;
            }
            changes
        });
        if grace.is_zero() || !refused {
            // It fails only when the twin has ended.
            self.listening.clone().wait_for(|listening| *listening != refused).await.ok();
        }
    }

    /// As [`Self::change`], told over one of its own connections.
    pub(crate) async fn change_from_inside(&self, change: Change) {
        self.change(change, LAST_ANSWER).await;
    }
}

async fn listen(
    shared: Arc<Shared>,
    listener: TcpListener,
    address: SocketAddr,
    mut orders: watch::Receiver<Wanted>,
    said: watch::Sender<bool>,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let wanted = *orders.borrow_and_update();
        if let Wanted::Closed { after } = wanted {
            listener = None;
            tokio::time::sleep(after).await;
            connections.shutdown().await;
            said.send_replace(false);
            if orders.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            listener = again(address).await;
            said.send_replace(true);
            continue;
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    shared.state.connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(connection(Arc::clone(&shared), stream));
                }
            }
            _ = connections.join_next(), if !connections.is_empty() => {}
            changed = orders.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
}

/// The port was its own a moment ago; until the last connection is gone it may be refused.
async fn again(address: SocketAddr) -> Option<TcpListener> {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(listener),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    // Small pieces go out at once.
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| service::answer(Arc::clone(&shared), request));
    // A connection that breaks is a fault on purpose, or a client that left: both are counted.
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}
