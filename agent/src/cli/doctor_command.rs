//! `doctor`: prints what [`crate::doctor`] finds. A running agent has its body's port, so the agent is asked about it.

use std::process::ExitCode;

use super::args::{DoctorArgs, ReachArgs};
use super::client::Client;
use super::find;
use super::state::{STATE, State};
use crate::config::Environment;
use crate::doctor::{self, Check, Probe, Question, SYNC, Said};
use cloud_sync_api::failure::Failure;
use cloud_sync_protocol::conflict::SyncStatus;
use serde::Deserialize;

const SYNC_STATUS: &str = "/api/sync/status";
const BODY: &str = "body.mcu";

pub(super) async fn run(args: &DoctorArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    let said = match doctor::running_agent(args.data.data.as_deref(), environment) {
        Some(_) => Some(Said { body: body(args, environment).await, sync: sync(args, environment).await }),
        None => None,
    };
    let question = Question { sources: args.config.sources(environment), data: args.data.data.clone() };
    let report = doctor::examine(&Probe::of_this_machine(), &question, said);
    if args.json {
        println!("{:#}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// Asks the running agent.
async fn ask<T: for<'de> Deserialize<'de>>(
    args: &DoctorArgs,
    environment: &Environment,
    path: &str,
) -> Result<T, Failure> {
    let reach = ReachArgs { data: args.data.clone(), ..ReachArgs::default() };
    Client::new(find::target(&reach, environment)?)?.get::<T>(path).await
}

async fn body(args: &DoctorArgs, environment: &Environment) -> Check {
    match ask::<State>(args, environment, STATE).await {
        Ok(state) if state.mcu.link == "up" => Check::ok(BODY, state.mcu.to_string()),
        Ok(state) => {
            Check::fail(BODY, state.mcu.to_string(), "look at cable and power, and at the agent's log")
        }
        Err(failure) => {
            Check::warn(BODY, format!("the agent does not say: {failure}"), "ask as the agent's user")
        }
    }
}

async fn sync(args: &DoctorArgs, environment: &Environment) -> Check {
    match ask::<SyncStatus>(args, environment, SYNC_STATUS).await {
        Ok(status) => sync_check(&status),
        Err(failure) => {
            Check::warn(SYNC, format!("the agent does not say: {failure}"), "ask as the agent's user")
        }
    }
}

fn sync_check(status: &SyncStatus) -> Check {
    let Some(cloud) = &status.cloud else {
        return Check::ok(SYNC, "belongs to no cloud; `robbie-agent pair CODE --cloud URL` changes that");
    };
    let waiting = match status.oldest_pending_age_ms {
        Some(age_ms) => format!("{} changes wait, the oldest for {} s", status.pending, age_ms / 1000),
        None => "nothing waits".to_owned(),
    };
    if let Some(fault) = &status.fault {
        return Check::fail(SYNC, format!("{cloud}: {fault}; {waiting}"), "mend that, or pair anew");
    }
    if !status.connected {
        let what = format!("{cloud} does not answer; {waiting}");
        return Check::warn(
            SYNC,
            what,
            "look whether the cloud runs and the network reaches it; nothing is lost meanwhile",
        );
    }
    if status.conflicts > 0 {
        let what = format!("{cloud}; {waiting}; {} edits lost to others", status.conflicts);
        return Check::warn(SYNC, what, "choose on the page, or with POST /api/sync/conflicts/{id}/resolve");
    }
    let way = if status.over_broker { "over its broker" } else { "over HTTP" };
    Check::ok(SYNC, format!("{cloud}, {way}; {waiting}"))
}
