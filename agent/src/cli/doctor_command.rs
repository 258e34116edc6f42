//! `doctor`: prints what [`crate::doctor`] finds. A running agent has its body's port, so the agent is asked about it.

use std::process::ExitCode;

use super::args::{DoctorArgs, ReachArgs};
use super::client::Client;
use super::find;
use super::state::{STATE, State};
use crate::config::Environment;
use crate::doctor::{self, Check, Probe, Question};
use cloud_sync_api::failure::Failure;

const BODY: &str = "body.mcu";

pub(super) async fn run(args: &DoctorArgs, environment: &Environment) -> Result<ExitCode, Failure> {
    let body = match doctor::running_agent(args.data.data.as_deref(), environment) {
        Some(_) => Some(body(args, environment).await),
        None => None,
    };
    let question = Question { sources: args.config.sources(environment), data: args.data.data.clone() };
    let report = doctor::examine(&Probe::of_this_machine(), &question, body);
    if args.json {
        println!("{:#}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(ExitCode::from(report.exit_code()))
}

async fn body(args: &DoctorArgs, environment: &Environment) -> Check {
    let reach = ReachArgs { data: args.data.clone(), ..ReachArgs::default() };
    let state = async {
        let client = Client::new(find::target(&reach, environment)?)?;
        client.get::<State>(STATE).await
    };
    match state.await {
        Ok(state) if state.mcu.link == "up" => Check::ok(BODY, state.mcu.to_string()),
        Ok(state) => {
            Check::fail(BODY, state.mcu.to_string(), "look at cable and power, and at the agent's log")
        }
        Err(failure) => {
            Check::warn(BODY, format!("the agent does not say: {failure}"), "ask as the agent's user")
        }
    }
}
