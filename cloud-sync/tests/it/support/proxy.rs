//! Stands between the service and its database, and can be cut or fall silent: a server that restarts, a cable that is pulled.

use std::net::SocketAddr;
use std::time::Duration;

use cloud_sync_api::supervise::spawn;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the way to the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Everything passes.
    Open,
    /// Connections break, new ones are closed at once.
    Cut,
    /// Connections stay and nothing comes through.
    Silent,
}

/// A way to a database.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Proxy {
    /// To the server of `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let behind = server_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (way, state) = watch::channel(Way::Open);
        spawn("proxy", async move {
            loop {
                let Ok((client, _)) = listener.accept().await else { return };
                spawn("way", pass(client, behind.clone(), state.clone()));
            }
        });
        Self { address, way }
    }

    /// The same database by this way.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(server_of(url), &self.address.to_string())
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

/// `host:port` of a URL.
fn server_of(url: &str) -> &str {
    let rest = url.split("://").nth(1).expect("a URL").split('/').next().expect("a server");
    rest.rsplit('@').next().expect("a server")
}

async fn pass(mut client: TcpStream, behind: String, mut way: watch::Receiver<Way>) {
    if *way.borrow_and_update() == Way::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(behind).await else { return };
    loop {
        let now = *way.borrow_and_update();
        tokio::select! {
            changed = way.changed() => if changed.is_err() { return },
            _ended = copy_bidirectional(&mut client, &mut server), if now == Way::Open => return,
            () = tokio::time::sleep(Duration::from_secs(60)), if now == Way::Silent => {}
        }
        if *way.borrow() == Way::Cut {
            return;
        }
    }
}
