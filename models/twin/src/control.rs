//! Control of several twins over a listener of its own, which stays when one of them refuses connections.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::server::{Shared, Twin};
use crate::service::{changed, json_response};
use crate::steps::Body;

/// `GET` and `PUT /twin/{kind}`; it ends with the value.
#[derive(Debug)]
pub struct Control {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Control {
    /// Listens for orders to these.
    pub async fn start(address: SocketAddr, twins: &[Twin]) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let twins: Arc<[Arc<Shared>]> = twins.iter().map(Twin::shared).collect();
        let mut task = JoinSet::new();
        task.spawn(listen(listener, twins));
        Ok(Self { address, _task: task })
    }

    /// Where a twin is controlled: this, and its kind.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/twin/", self.address)
    }
}

async fn listen(listener: TcpListener, twins: Arc<[Arc<Shared>]>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let twins = Arc::clone(&twins);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&twins), request));
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
                });
            }
            _ = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn answer(twins: Arc<[Arc<Shared>]>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let kind = request.uri().path().strip_prefix("/twin/").unwrap_or_default();
    let Some(twin) = twins.iter().find(|twin| twin.state.kind.as_str() == kind) else {
        return Ok(json_response(StatusCode::NOT_FOUND, &json!({"error": "no such twin"})));
    };
    if request.method() == Method::GET {
        return Ok(json_response(StatusCode::OK, &twin.state.report()));
    }
    let (status, said) = changed(twin, request, false).await;
    Ok(json_response(status, &said))
}
