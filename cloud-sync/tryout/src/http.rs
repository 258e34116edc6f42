//! The little HTTP that starting the parts needs: one GET to a program on this machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
const BODY_MAX: usize = 64 * 1024;

/// Asks once. No answer, and one that is too long or too late, are errors.
///
/// # Errors
/// Nobody listens, or what answers is no HTTP.
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    bearer: Option<&str>,
) -> io::Result<(StatusCode, Bytes)> {
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    timeout(ANSWERS_WITHIN, exchange(address, path, bearer)).await.map_err(late)?
}

async fn exchange(address: SocketAddr, path: &str, bearer: Option<&str>) -> io::Result<(StatusCode, Bytes)> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut requests, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(io::Error::other)?;
    let mut request = Request::get(path).header(header::HOST, address.to_string());
    if let Some(token) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let answer = async {
        let answer = requests.send_request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), BODY_MAX).collect().await.map_err(io::Error::other)?;
        Ok((status, body.to_bytes()))
    };
    tokio::pin!(connection, answer);
    tokio::select! {
        biased;
        answered = &mut answer => answered,
        closed = &mut connection => {
            closed.map_err(io::Error::other)?;
            // The connection is closed; what it carried is still to be read.
            answer.await
        }
    }
}
