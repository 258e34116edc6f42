//! A provider and its twin, and what came of a question in short words.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::StreamExt;
use models_mind::tier::{Answer, Asked, ChatTier, Delta, Failure, Message};
use models_providers::{Kind, Provider, ProviderConfig, Secret};
use models_twin::{Rule, Twin};
use tokio::time::timeout;

/// On every wait: what takes longer has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
/// Nothing comes of a stall, however long it is waited for.
const QUIET: Duration = Duration::from_millis(60);
pub(crate) const KEY: &str = "sk-test-8Zk3vQ1xW7pL0aTn";

pub(crate) fn twin_kind(kind: Kind) -> models_twin::Kind {
    match kind {
        Kind::Ollama => models_twin::Kind::Ollama,
        Kind::OpenAi | Kind::Cloud => models_twin::Kind::OpenAi,
        Kind::Claude => models_twin::Kind::Claude,
        Kind::Gemini => models_twin::Kind::Gemini,
    }
}

pub(crate) async fn twin(kind: Kind) -> Twin {
    Twin::start(twin_kind(kind), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.expect("a free port")
}

pub(crate) fn provider(kind: Kind, base_url: &str) -> Provider {
    rustls::crypto::ring::default_provider().install_default().ok();
    let key = Some(Secret::new(KEY));
    let config = ProviderConfig { kind, base_url: base_url.to_owned(), key, model: "stand-in".to_owned() };
    Provider::new(config).expect("a provider")
}

/// Both, where the twin says "One two three four." to everything.
pub(crate) async fn pair(kind: Kind) -> (Twin, Provider) {
    let twin = twin(kind).await;
    twin.script(vec![says("One two three four.")]).await;
    let provider = provider(kind, &twin.url());
    (twin, provider)
}

pub(crate) fn says(text: &str) -> Rule {
    Rule { text: text.to_owned(), ..Rule::default() }
}

pub(crate) fn question(text: &str) -> Arc<Asked> {
    Arc::new(Asked { messages: vec![Message::User(text.to_owned())], ..Asked::default() })
}

/// Everything up to the end of the stream.
pub(crate) async fn heard(answer: &mut Answer) -> Vec<Result<Delta, Failure>> {
    timeout(DEADLINE, answer.collect()).await.expect("an end")
}

/// So many pieces, behind which nothing more comes.
pub(crate) async fn heard_before_stall(answer: &mut Answer, pieces: usize) -> Vec<Result<Delta, Failure>> {
    let first = timeout(DEADLINE, answer.by_ref().take(pieces).collect()).await.expect("that many");
    let more = timeout(QUIET, answer.next()).await;
    assert!(more.is_err(), "{more:?} behind {first:?}");
    first
}

/// As `connected One two |stop 5/3`: texts as they came between bars, calls as `name(arguments)`, failures as their kind.
pub(crate) fn short(heard: &[Result<Delta, Failure>]) -> String {
    let words: Vec<String> = heard.iter().map(word).collect();
    words.join("|")
}

fn word(item: &Result<Delta, Failure>) -> String {
    match item {
        Ok(Delta::Connected) => "connected".to_owned(),
        Ok(Delta::Text(text)) => text.clone(),
        Ok(Delta::Call(call)) => format!("{}({})", call.name, call.arguments),
        Ok(Delta::Finished { finish, usage: Some(usage) }) => {
            format!("{finish:?} {}/{}", usage.input_tokens, usage.output_tokens)
        }
        Ok(Delta::Finished { finish, usage: None }) => format!("{finish:?}"),
        Err(Failure { kind, retry_after: None, .. }) => format!("{kind:?}"),
        Err(Failure { kind, retry_after: Some(wait), .. }) => format!("{kind:?} {}ms", wait.as_millis()),
    }
}

pub(crate) async fn ask(provider: &Provider, text: &str) -> Vec<Result<Delta, Failure>> {
    heard(&mut provider.ask(question(text))).await
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = timeout(DEADLINE, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}

/// Everything that is traced in this process from the first call on.
pub(crate) fn traced() -> Arc<Mutex<Vec<u8>>> {
    static TRACED: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();
    let start = || {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let writer = Arc::clone(&lines);
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || Lines(Arc::clone(&writer)))
            .init();
        lines
    };
    Arc::clone(TRACED.get_or_init(start))
}

struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no test panics in here").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
