//! Talks to an agent: JSON over HTTP, and the upgrade to a WebSocket on the same connection.

use std::time::Duration;

use cloud_sync_api::lan::client_config;
use reqwest::header::{ACCEPT, CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Upgraded};
use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::find::{Target, Trust};
use cloud_sync_api::failure::{Failure, chain};

/// An agent on this machine or network answers at once or not at all.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// The slowest answer is that of an e-stop which waits for its file.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The largest event of a stream.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// An agent, its token and its certificate.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    target: Target,
}

/// `application/problem+json`, as far as a person reads it.
#[derive(Debug, Deserialize)]
struct ProblemBody {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

impl Client {
    pub(super) fn new(target: Target) -> Result<Self, Failure> {
        let builder = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .redirect(reqwest::redirect::Policy::none());
        let builder = match tls(target.trust)? {
            Some(config) => builder.tls_backend_preconfigured(config),
            None => builder,
        };
        let http = builder.build().map_err(|error| Failure::Unavailable(chain(&error)))?;
        Ok(Self { http, target })
    }

    /// The agent's URL.
    pub(super) fn url(&self) -> &str {
        &self.target.url
    }

    /// `GET` with the token.
    pub(super) async fn get<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Failure> {
        self.answer(self.with_token(Method::GET, path)?).await
    }

    /// `POST` with the token.
    pub(super) async fn post<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        self.answer(self.with_token(Method::POST, path)?.json(body)).await
    }

    /// `POST` to an open route, without the token.
    pub(super) async fn post_open<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    /// A WebSocket with the token.
    pub(super) async fn web_socket(&self, path: &str) -> Result<WebSocketStream<Upgraded>, Failure> {
        let request = self
            .with_token(Method::GET, path)?
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, generate_key());
        let opening = async {
            let response = request.send().await.map_err(|error| self.unreachable(&error))?;
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                return Err(refusal(response).await);
            }
            response.upgrade().await.map_err(|error| self.unreachable(&error))
        };
        let upgraded = tokio::time::timeout(ANSWER_MAX, opening).await.map_err(|_elapsed| {
            Failure::Unavailable(format!("the agent at {} does not answer", self.url()))
        })??;
        Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await)
    }

    /// `POST` that is answered by server-sent events. `key` lets it be sent again.
    pub(super) async fn events(
        &self,
        path: &str,
        body: &Value,
        key: &str,
        wait: Duration,
    ) -> Result<Events, Failure> {
        let request = self
            .with_token(Method::POST, path)?
            .header(ACCEPT, "text/event-stream")
            .header("Idempotency-Key", key)
            .json(body)
            .timeout(wait);
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        Ok(Events { response, buffer: Vec::new() })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.target.url))
    }

    fn with_token(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let token = self.target.token.as_ref().map_err(|why| Failure::Unavailable(why.clone()))?;
        Ok(self.request(method, path).bearer_auth(token))
    }

    async fn answer<T: for<'de> Deserialize<'de>>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let response = request.timeout(ANSWER_MAX).send().await.map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        response
            .json()
            .await
            .map_err(|error| Failure::Refused(format!("cannot read the answer: {}", chain(&error))))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let url = self.url();
        let cause = chain(&error);
        let help = if cause.contains("certificate") {
            "compare the fingerprint that the agent printed at its start, and give it with --fingerprint"
        } else {
            "is it running? `robbie-agent run` starts one, and --url names another"
        };
        Failure::Unavailable(format!("no agent answers at {url}: {help} ({cause})"))
    }
}

/// Server-sent events as they come.
#[derive(Debug)]
pub(super) struct Events {
    response: Response,
    buffer: Vec<u8>,
}

impl Events {
    /// Name and data of the next event; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<(String, String)>, Failure> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse_event(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(event));
                }
            }
            let chunk = self.response.chunk().await;
            match chunk
                .map_err(|error| Failure::Unavailable(format!("the answer broke off: {}", chain(&error))))?
            {
                Some(chunk) if self.buffer.len() + chunk.len() <= EVENT_BYTES_MAX => {
                    self.buffer.extend(chunk)
                }
                Some(_) => return Err(Failure::Refused("the agent's answer is too long".to_owned())),
                None => return Ok(None),
            }
        }
    }
}

/// A block of lines; comments, which keep the connection alive, are none.
fn parse_event(block: &str) -> Option<(String, String)> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim_start);
    Some((field("event:")?.to_owned(), field("data:")?.to_owned()))
}

async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let problem = response.json::<ProblemBody>().await.ok();
    let text = match problem {
        Some(problem) if !problem.detail.is_empty() => problem.detail,
        Some(problem) if !problem.title.is_empty() => problem.title,
        _ => format!("the agent answered {status}"),
    };
    if status == StatusCode::SERVICE_UNAVAILABLE {
        return Failure::Unavailable(text);
    }
    Failure::Refused(text)
}

/// `None`: what reqwest does by itself, trust in authorities.
fn tls(trust: Trust) -> Result<Option<ClientConfig>, Failure> {
    if trust == Trust::Authorities {
        // reqwest asks for the process's provider. Whoever installed one before wants it to stay.
        drop(rustls::crypto::ring::default_provider().install_default());
        return Ok(None);
    }
    let expected = match trust {
        Trust::Pinned(fingerprint) => Some(fingerprint),
        Trust::Authorities | Trust::Nothing => None,
    };
    client_config(expected).map(Some).map_err(|error| Failure::Unavailable(chain(&error)))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    use super::*;
    use crate::lan::{Fingerprint, fingerprint_of, own_certificate};

    /// Serves `{}` over TLS to everyone who finishes the handshake; gives its URL and fingerprint.
    fn serve(folder: &std::path::Path) -> (String, Fingerprint) {
        let files = own_certificate(folder, None, &[]).unwrap();
        let certificate = CertificateDer::from_pem_file(&files.certificate).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::from_pem_file(&files.key).unwrap());
        let config = Arc::new(config.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, stream);
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|bytes| bytes > 0) {
                    drop(
                        stream.write_all(
                            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
                        ),
                    );
                }
            }
        });
        (url, fingerprint_of(&files.certificate).unwrap())
    }

    async fn get(url: &str, trust: Trust) -> Result<Value, Failure> {
        let target = Target { url: url.to_owned(), token: Ok("secret".to_owned()), trust };
        let client = Client::new(target)?;
        tokio::time::timeout(Duration::from_secs(10), client.get("/")).await.expect("an answer in time")
    }

    #[tokio::test]
    async fn token_goes_only_to_the_agent_with_the_certificate() {
        // Whoever stands in between has another certificate, and must not get the token.
        let folder = tempfile::tempdir().unwrap();
        let (url, fingerprint) = serve(folder.path());
        assert!(get(&url, Trust::Pinned(fingerprint)).await.is_ok());
        let mut other = fingerprint;
        other.0[31] ^= 1;
        let refused = get(&url, Trust::Pinned(other)).await.unwrap_err().to_string();
        assert!(
            refused.contains("the certificate is another one") && refused.contains("--fingerprint"),
            "{refused}"
        );
        let unsigned = get(&url, Trust::Authorities).await.unwrap_err();
        assert!(matches!(unsigned, Failure::Unavailable(_)), "{unsigned}");
        assert!(get(&url, Trust::Nothing).await.is_ok());
    }

    #[tokio::test]
    async fn no_agent_is_said_with_what_to_do() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failure = get(&format!("http://{free}"), Trust::Authorities).await.unwrap_err();
        assert!(
            matches!(&failure, Failure::Unavailable(text) if text.contains("robbie-agent run")),
            "{failure}"
        );
    }
}
