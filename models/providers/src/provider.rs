//! A provider that is set up: where and how it is asked.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use models_mind::tier::{Answer, Asked, ChatTier};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};

use crate::answer;
use crate::client::client;
use crate::config::{BadProvider, Kind, ProviderConfig, Secret};
use crate::heard::Ids;
use crate::wire;

/// One of the four, or who speaks as it does. Cheap to ask: client, address and headers are made once.
#[derive(Debug)]
pub struct Provider {
    target: Arc<Target>,
}

/// What every question to it has in common.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) http: Client,
    pub(crate) url: Url,
    /// The key is in here too, marked so that `Debug` does not show it.
    pub(crate) headers: HeaderMap,
    pub(crate) key: Option<Secret>,
    pub(crate) model: String,
    pub(crate) ids: Arc<Ids>,
}

impl Provider {
    /// Sets it up; sends nothing. A `rustls` provider must have been installed before.
    pub fn new(config: ProviderConfig) -> Result<Self, BadProvider> {
        let ProviderConfig { kind, base_url, key, model } = config;
        let name = kind.name();
        if model.is_empty() || model.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(BadProvider::Model(name));
        }
        let base = base(&base_url).ok_or(BadProvider::BaseUrl(name))?;
        let url = wire::url(kind, &base, &model).ok_or(BadProvider::Model(name))?;
        let headers = headers(kind, key.as_ref()).ok_or(BadProvider::Key(name))?;
        let http = client(&url).map_err(|source| BadProvider::Client(name, source))?;
        let ids = Arc::new(Ids::new(RandomState::new().hash_one(name)));
        Ok(Self { target: Arc::new(Target { kind, http, url, headers, key, model, ids }) })
    }
}

impl ChatTier for Provider {
    fn ask(&self, asked: Arc<Asked>) -> Answer {
        Box::pin(answer::stream(Arc::clone(&self.target), asked))
    }
}

fn base(text: &str) -> Option<Url> {
    let mut url: Url = text.trim().parse().ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !plain || url.fragment().is_some() || !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

fn headers(kind: Kind, key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in wire::headers(kind) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(key) = key {
        let key = Some(key.reveal())
            .filter(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()))?;
        let (name, prefix) = wire::key_header(kind);
        let mut value = HeaderValue::try_from(format!("{prefix}{key}")).ok()?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Some(headers)
}
