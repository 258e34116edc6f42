//! The cloud over HTTP: pairing, who this device is there, and frames. Every answer has a deadline and a bound.

use std::net::IpAddr;
use std::time::Duration;

use cloud_sync_protocol::sync::frame::{self, FRAME_BYTES_MAX, Frame, FrameError};
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::{Deserialize, Serialize};

use super::pairing::Pairing;

/// To make a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// To be answered: a server that decides a frame of a thousand operations needs half a second.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 16 * (FRAME_BYTES_MAX + 4);

/// A cloud, and how to talk with it.
#[derive(Clone, Debug)]
pub struct Cloud {
    http: reqwest::Client,
    url: String,
}

/// Why the cloud gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// It cannot be reached, or did not answer in time.
    #[error("{url} cannot be reached")]
    Away {
        /// Which.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It said no, in its words.
    #[error("{detail}")]
    Refused {
        /// Its status.
        status: u16,
        /// Its words.
        detail: String,
    },
    /// It answered something else than asked.
    #[error("{url} answered nothing that a cloud of Robbie answers: {what}")]
    Strange {
        /// Which.
        url: String,
        /// What was wrong.
        what: String,
    },
    /// What is to be sent, or was answered, is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// Secrets go over TLS, except on this machine.
    #[error("{0} must begin with https:// (http:// only for this machine)")]
    NotPrivate(String),
}

impl CloudError {
    /// Trying again soon does not help: the cloud does not know this device any more, or is older than it.
    #[must_use]
    pub const fn needs_a_person(&self) -> bool {
        matches!(self, Self::NotPrivate(_) | Self::Refused { status: 401 | 403 | 426, .. })
    }
}

/// What pairing gives.
#[derive(Clone, Deserialize)]
pub struct Paired {
    /// The town.
    pub town: String,
    /// The robot's name there.
    pub robot: String,
    /// Its owner there.
    pub user_id: String,
    /// The device's secret.
    pub secret: String,
}

/// What the cloud says of this device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// The town.
    pub town: String,
    /// The robot's name there.
    pub robot: String,
    /// Its owner there.
    pub user_id: String,
    /// The broker; `None` where frames go over HTTP alone.
    pub mqtt: Option<Mqtt>,
}

/// A broker.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Mqtt {
    /// `mqtt://` or `mqtts://`.
    pub url: String,
    /// Where it asks for one.
    pub username: Option<String>,
    /// Where it asks for one.
    pub password: Option<String>,
}

impl std::fmt::Debug for Mqtt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mqtt").field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct PairBody<'a> {
    code: &'a str,
    robot: &'a str,
    version: &'static str,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    already: Option<Already<'a>>,
}

/// To whom the robot belongs already: it is known again by its secret, and refused where the code is another's.
#[derive(Serialize)]
struct Already<'a> {
    town: &'a str,
    user_id: &'a str,
    secret: &'a str,
}

#[derive(Deserialize)]
struct ProblemBody {
    #[serde(default)]
    detail: String,
}

impl Cloud {
    /// The cloud at `url`.
    ///
    /// # Errors
    /// [`CloudError::NotPrivate`] for a URL that would tell a secret to everybody on the way; `Away` where no client can be
    /// made.
    pub fn at(url: &str) -> Result<Self, CloudError> {
        let url = url.trim_end_matches('/').to_owned();
        let is_private = Url::parse(&url).is_ok_and(|url| match url.scheme() {
            "https" => true,
            "http" => url.host_str().is_some_and(host_is_loopback),
            _ => false,
        });
        if !is_private {
            return Err(CloudError::NotPrivate(url));
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none());
        match client.build() {
            Ok(http) => Ok(Self { http, url }),
            Err(source) => Err(CloudError::Away { url, source }),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Trades a code for a place in a town, under the name `robot` if it is free. `already`: to whom the robot belongs.
    ///
    /// # Errors
    /// [`CloudError`]; the cloud's own words where it refuses.
    pub async fn pair(
        &self,
        code: &str,
        robot: &str,
        already: Option<&Pairing>,
    ) -> Result<Paired, CloudError> {
        let already = already.map(|pairing| Already {
            town: &pairing.town,
            user_id: &pairing.user_id,
            secret: &pairing.secret,
        });
        let body = PairBody { code, robot, version: env!("CARGO_PKG_VERSION"), already };
        self.json(self.http.post(format!("{}/api/devices/pair", self.url)).json(&body)).await
    }

    /// What it says of the device with this secret.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn me(&self, secret: &str) -> Result<Me, CloudError> {
        self.json(self.http.get(format!("{}/api/devices/me", self.url)).bearer_auth(secret)).await
    }

    /// Hands over a frame, and brings the answers.
    ///
    /// # Errors
    /// [`CloudError`]; then nobody knows whether the frame arrived.
    pub async fn exchange(&self, secret: &str, bytes: &[u8]) -> Result<Vec<Frame>, CloudError> {
        let request = self.http.post(format!("{}/api/sync", self.url)).bearer_auth(secret);
        let request = request.header(CONTENT_TYPE, "application/octet-stream").body(frame::join([bytes]));
        let answer = self.send(request).await?;
        let bytes = self.bytes(answer).await?;
        frame::split(&bytes)?.into_iter().map(|one| Ok(Frame::decode(one)?)).collect()
    }

    async fn json<T: for<'de> Deserialize<'de>>(&self, request: RequestBuilder) -> Result<T, CloudError> {
        let answer = self.send(request).await?;
        let bytes = self.bytes(answer).await?;
        serde_json::from_slice(&bytes).map_err(|error| self.strange(error.to_string()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, CloudError> {
        let answer = request.send().await.map_err(|source| self.away(source))?;
        let status = answer.status();
        if status == StatusCode::OK || status == StatusCode::CREATED {
            return Ok(answer);
        }
        let bytes = self.bytes(answer).await?;
        let detail = serde_json::from_slice::<ProblemBody>(&bytes).map(|problem| problem.detail);
        match detail {
            Ok(detail) if !detail.is_empty() => Err(CloudError::Refused { status: status.as_u16(), detail }),
            _ => Err(self.strange(format!("status {status}"))),
        }
    }

    async fn bytes(&self, mut answer: Response) -> Result<Vec<u8>, CloudError> {
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|source| self.away(source))? {
            bytes.extend(piece);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(self.strange(format!("more than {ANSWER_BYTES_MAX} bytes")));
            }
        }
        Ok(bytes)
    }

    fn away(&self, source: reqwest::Error) -> CloudError {
        CloudError::Away { url: self.url.clone(), source: source.without_url() }
    }

    fn strange(&self, what: String) -> CloudError {
        CloudError::Strange { url: self.url.clone(), what }
    }
}

/// Whether a host is this machine.
#[must_use]
pub fn host_is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_over_tls_except_on_this_machine() {
        let check = |url: &str, is_fine: bool| {
            assert_eq!(Cloud::at(url).is_ok(), is_fine, "{url}");
        };
        rustls::crypto::ring::default_provider().install_default().ok();
        check("http://127.0.0.1:8000", true);
        check("http://[::1]:8000/", true);
        check("http://localhost:8000", true);
        check("https://cloud.example", true);
        check("http://cloud.example", false);
        check("http://192.168.1.7:8000", false);
        check("http://127.0.0.1.example", false);
        check("mqtt://127.0.0.1", false);
        check("cloud.example", false);
    }
}
