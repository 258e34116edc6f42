//! Talks to a running service: which one a command means, which token it shows, and JSON over HTTP.
//!
//! The owner's token goes to the service of its own folder on this machine, and nowhere else.

use std::io;
use std::path::Path;
use std::time::Duration;

use cloud_sync_api::data_dir::RunFile;
use cloud_sync_api::environment::Environment;
use cloud_sync_api::failure::{Failure, chain};
use cloud_sync_api::lan::{Fingerprint, client_config};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Deserialize;
use serde_json::Value;

use super::args::ReachArgs;
use crate::data_dir::{self, CLOUD, owner_token};

/// Where a service listens when nobody says otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8000";
/// A service on this machine or network answers at once or not at all.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The slowest answer is that of a new town on a busy database.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// The largest answer.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A service, and the token to show it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

/// Which service, what to show it, and by what it is known.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    base: Url,
    token: String,
    /// None: by the authorities that this machine trusts.
    pinned: Option<Fingerprint>,
}

/// `application/problem+json`, as far as a person reads it.
#[derive(Debug, Deserialize)]
struct ProblemBody {
    #[serde(default)]
    detail: String,
}

impl Client {
    /// The service that a command means.
    pub(super) fn of(reach: &ReachArgs, environment: &Environment) -> Result<Self, Failure> {
        let Target { base, token, pinned } = target(reach, environment)?;
        let builder = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none());
        let builder = match pinned {
            Some(fingerprint) => {
                let config = client_config(Some(fingerprint));
                builder
                    .tls_backend_preconfigured(config.map_err(|error| Failure::Unavailable(chain(&error)))?)
            }
            None => builder,
        };
        let http = builder.build().map_err(|error| Failure::Unavailable(chain(&error)))?;
        Ok(Self { http, base, token })
    }

    /// `GET /api/...`.
    pub(super) async fn get(&self, path: &[&str]) -> Result<Value, Failure> {
        self.answer(self.request(Method::GET, path)?).await
    }

    /// `POST /api/...`.
    pub(super) async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.answer(self.request(Method::POST, path)?.json(body)).await
    }

    /// `DELETE /api/...`.
    pub(super) async fn delete(&self, path: &[&str]) -> Result<(), Failure> {
        self.answer(self.request(Method::DELETE, path)?).await.map(|_nothing| ())
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Failure> {
        let mut url = self.base.clone();
        // Names may hold whatever a URL cannot: each part is escaped.
        match url.path_segments_mut() {
            Ok(mut segments) => segments.clear().push("api").extend(path),
            Err(()) => return Err(Failure::Usage(format!("{} is no URL of a service", self.base))),
        };
        Ok(self.http.request(method, url).bearer_auth(&self.token))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = read(response).await?;
        if status.is_success() {
            return if body.is_empty() { Ok(Value::Null) } else { parse(&body) };
        }
        let said =
            serde_json::from_slice::<ProblemBody>(&body).map(|problem| problem.detail).unwrap_or_default();
        let said = if said.is_empty() { format!("the service answers {status}") } else { said };
        // A service that is starting, or whose database is away, may answer in a moment.
        Err(if status.as_u16() == 503 { Failure::Unavailable(said) } else { Failure::Refused(said) })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let cause = chain(error);
        let help = if cause.contains("certificate") {
            "compare the fingerprint that the service printed at its start, and give it with --fingerprint"
        } else {
            "is it running? `robbie-cloud run` starts one, and --url names another"
        };
        Failure::Unavailable(format!("no service answers at {}: {help} ({cause})", self.base))
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk
            .map_err(|error| Failure::Unavailable(format!("the answer broke off: {}", chain(&error))))?;
        match chunk {
            Some(chunk) if body.len() + chunk.len() <= BODY_BYTES_MAX => body.extend(chunk),
            Some(_) => return Err(Failure::Refused("the service's answer is too long".to_owned())),
            None => return Ok(body),
        }
    }
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Refused(format!("cannot read the answer: {error}")))
}

/// The service that is meant.
fn target(reach: &ReachArgs, environment: &Environment) -> Result<Target, Failure> {
    let given = environment.get("ROBBIE_TOKEN").map(str::to_owned);
    let root = data_dir::resolve(reach.data.data.as_deref(), environment).ok();
    let local = root.as_deref().and_then(|root| running(root).map(|run| (root, run)));
    let service = Path::new(CLOUD.service_dir);
    let local = match local {
        None if reach.data.data.is_none() => running(service).map(|run| (service, run)),
        local => local,
    };
    let url = match (&reach.url, &local) {
        (Some(url), _) => parse_url(url)?,
        (None, Some((_, run))) => parse_url(&run.url)?,
        (None, None) => parse_url(DEFAULT_URL)?,
    };
    let own = local.filter(|(_, run)| parse_url(&run.url).is_ok_and(|own| own == url));
    let noted = own.as_ref().and_then(|(_, run)| run.fingerprint.as_ref()?.parse().ok());
    let pinned = reach.fingerprint.or(noted);
    let token = match (given, own) {
        (Some(token), _) => token,
        (None, Some((root, _))) => read_token(root)?,
        (None, None) => {
            return Err(Failure::Unavailable(format!(
                "there is no token for {url}: set ROBBIE_TOKEN, or name the folder of a service that runs on this \
                 machine with --data"
            )));
        }
    };
    Ok(Target { base: url, token, pinned })
}

fn running(root: &Path) -> Option<RunFile> {
    RunFile::read(&CLOUD, root).ok().flatten()
}

fn read_token(root: &Path) -> Result<String, Failure> {
    let path = owner_token(root);
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(Failure::Unavailable(format!(
            "you may not read {}: use sudo, or set ROBBIE_TOKEN",
            path.display()
        ))),
        Err(error) => Err(Failure::Unavailable(format!(
            "cannot read {}: {error}; set ROBBIE_TOKEN instead",
            path.display()
        ))),
    }
}

/// Only the origin of what was given counts.
fn parse_url(text: &str) -> Result<Url, Failure> {
    let wrong =
        || Failure::Usage(format!("--url: \"{text}\" must be a URL such as https://cloud.example.org"));
    let url = Url::parse(text).map_err(|_no_url| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong());
    }
    Url::parse(&url.origin().ascii_serialization()).map_err(|_no_url| wrong())
}

#[cfg(test)]
mod tests {
    use cloud_sync_api::data_dir::DataDir;

    use super::*;
    use crate::cli::args::DataArgs;

    #[test]
    fn the_owners_token_goes_to_its_own_service_only() {
        // A mistyped or foreign URL must not collect the owner's secret.
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::open(&CLOUD, folder.path()).unwrap();
        let run = RunFile { pid: 1, url: "http://127.0.0.1:8123".to_owned(), fingerprint: None };
        dir.announce(&run).unwrap();
        std::fs::write(owner_token(folder.path()), "rb_owner\n").unwrap();
        let found = |url: Option<&str>, environment: &Environment| {
            let data = DataArgs { data: Some(folder.path().to_owned()) };
            let reach = ReachArgs { url: url.map(str::to_owned), fingerprint: None, data };
            target(&reach, environment).map(|target| (target.base.to_string(), target.token)).ok()
        };
        let none = Environment::default();
        let own = Some(("http://127.0.0.1:8123/".to_owned(), "rb_owner".to_owned()));
        assert_eq!(found(None, &none), own);
        assert_eq!(found(Some("http://127.0.0.1:8123"), &none), own);
        for foreign in ["http://127.0.0.1:8124", "https://127.0.0.1:8123", "http://192.0.2.1:8123", "x"] {
            assert_eq!(found(Some(foreign), &none), None, "{foreign}");
        }
        let given = [("ROBBIE_TOKEN", "rb_given")].into_iter().collect();
        let other = Some(("http://192.0.2.1:8123/".to_owned(), "rb_given".to_owned()));
        assert_eq!(found(Some("http://192.0.2.1:8123/docs?x=1"), &given), other);
    }
}
