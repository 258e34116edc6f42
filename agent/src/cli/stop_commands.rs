//! `stop`, `estop` and `reset`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::args::ReachArgs;
use super::client::Client;
use super::find;
use crate::config::Environment;
use cloud_sync_api::failure::Failure;

const ESTOP: &str = "/api/robot/estop";
/// How often the body's confirmation of an e-stop is asked for, and with which pause.
const CONFIRM_TRIES: u32 = 5;
const CONFIRM_PAUSE: Duration = Duration::from_millis(120);

/// Answer of `POST stop`.
#[derive(Debug, Deserialize)]
pub(super) struct Stopped {
    /// The MCU's state shows it.
    pub(super) confirmed_by_mcu: bool,
}

/// Answer of `GET`, `POST estop` and of a reset.
#[derive(Debug, Deserialize)]
pub(super) struct EStop {
    /// Latched.
    pub(super) latched: bool,
    /// Rises with every new one.
    pub(super) epoch: u32,
    /// `clear`, `requested`, `sent`, `confirmed`.
    pub(super) stage: String,
    /// It survives a power cut.
    pub(super) durable: bool,
    /// In the words of whoever pressed it.
    #[serde(default)]
    pub(super) reason: String,
    /// Who pressed it.
    #[serde(default)]
    pub(super) source: String,
}

pub(super) async fn stop(reach: &ReachArgs, environment: &Environment) -> Result<(), Failure> {
    let answer: Stopped = post_to_any(reach, environment, "/api/robot/stop", &json!({})).await?;
    if answer.confirmed_by_mcu {
        println!("stopped: base and head are closed until a person takes control");
    } else {
        println!(
            "stop is in force and repeated, but the body has not confirmed it yet: keep away, see `robbie-agent status`"
        );
    }
    Ok(())
}

pub(super) async fn estop(
    reach: &ReachArgs,
    environment: &Environment,
    reason: Option<&str>,
) -> Result<(), Failure> {
    let body = reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let mut answer: EStop = post_to_any(reach, environment, ESTOP, &body).await?;
    // The answer waits for the file, not for the body. Asking again is asking how far it has come: the epoch stays.
    for _ in 0..CONFIRM_TRIES {
        if answer.stage == "confirmed" {
            break;
        }
        tokio::time::sleep(CONFIRM_PAUSE).await;
        answer = post_to_any(reach, environment, ESTOP, &body).await?;
    }
    println!("e-stop {} is latched until `robbie-agent reset`", answer.epoch);
    if answer.stage == "confirmed" {
        println!("the body confirmed it");
    } else {
        println!("the body has not confirmed it ({}): it is repeated until it does, keep away", answer.stage);
    }
    if !answer.durable {
        println!("it is not on the disk yet and might be lost in a power cut; it is tried again until it is");
    }
    Ok(())
}

pub(super) async fn reset(reach: &ReachArgs, environment: &Environment) -> Result<(), Failure> {
    let client = Client::new(find::target(reach, environment)?)?;
    let latched: EStop = client.get(ESTOP).await?;
    if !latched.latched {
        println!("no e-stop is latched");
        return Ok(());
    }
    // The epoch makes sure that an e-stop pressed in this moment is not taken back with the old one.
    client.post::<EStop>("/api/robot/estop/reset", &json!({ "epoch": latched.epoch })).await?;
    let by = if latched.source.is_empty() { String::new() } else { format!(" by {}", latched.source) };
    let reason = if latched.reason.is_empty() { String::new() } else { format!(", \"{}\"", latched.reason) };
    println!(
        "e-stop {}{by}{reason} is reset. Nothing moves yet: take control, with t in `robbie-agent drive`",
        latched.epoch
    );
    Ok(())
}

/// Posts to the first agent that answers. What the first one said counts when none does.
async fn post_to_any<T: for<'de> Deserialize<'de>>(
    reach: &ReachArgs,
    environment: &Environment,
    path: &str,
    body: &serde_json::Value,
) -> Result<T, Failure> {
    let mut first_failure = None;
    for target in find::to_stop(reach, environment)? {
        match Client::new(target)?.post_open(path, body).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => {
                first_failure.get_or_insert(failure);
            }
        }
    }
    Err(first_failure.unwrap_or_else(|| Failure::Unavailable("no agent answers".to_owned())))
}
