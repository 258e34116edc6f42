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
        Ok(status) => doctor::in_step(&status),
        Err(failure) => {
            Check::warn(SYNC, format!("the agent does not say: {failure}"), "ask as the agent's user")
        }
    }
}
