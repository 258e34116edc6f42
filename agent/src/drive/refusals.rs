//! The one mapping from the gate's refusals to problems: status, type, and a sentence that names the call that helps.

use agent_core::refusal::Refusal;
use agent_core::resource::Resource;
use agent_core::time::BootTime;
use cloud_sync_api::problem::Problem;

use super::handle::DriveError;

/// The problem that a refusal is answered with.
pub fn problem(refusal: &Refusal, now: BootTime) -> Problem {
    match refusal {
        Refusal::OutOfRange { field, min, max } => Problem::out_of_range(field, *min, *max),
        Refusal::OutsideBounds { bound, asked, allowed } => Problem::out_of_range(bound, 0.0, *allowed).detail_is(format!(
            "{bound} would come to {asked}, and {allowed} is left of what one message may make a model move."
        )),
        Refusal::SeenMissing => Problem::bad_request(
            "This command did not come straight from this machine: echo the newest `seen` of GET /api/robot/state in it.",
        )
        .field("seen"),
        Refusal::NotFound => Problem::not_found("There is no such task, lease or socket."),
        Refusal::EStopLatched { epoch } => Problem::estop_latched(*epoch),
        Refusal::Starting => Problem::starting("The microcontroller has not said yet how it stands. Try again shortly."),
        Refusal::LinkDown => {
            Problem::link_down("The microcontroller does not answer. Run `robbie-agent doctor`; nothing was changed.")
        }
        Refusal::NotDurable => {
            Problem::link_down("The latch file cannot be written (disk full?); the e-stop stays latched.")
        }
        Refusal::LeaseHeld { holder, class } => Problem::lease_held(holder, class.as_str()),
        Refusal::LeaseNeeded => Problem::lease_needed(
            "Take the lease first: POST /api/robot/leases {\"resource\":\"base\"}. Programs, and loops that were refused, never start the body by themselves.",
        ),
        Refusal::Closed { resource, by, since } => {
            Problem::closed(resource_name(*resource), by.as_str(), millis(now, *since))
        }
        Refusal::NobodyPresent => Problem::nobody_present(),
        Refusal::NeutralFirst => Problem::neutral_first(),
        Refusal::NewerEStop { epoch } => Problem::newer_estop(*epoch),
        Refusal::Stale { age_ms, max_age_ms } => stale(*age_ms, *max_age_ms),
        Refusal::LeaseGone => Problem::lease_gone(),
        Refusal::NotRising { newest } => Problem::not_rising(*newest),
        Refusal::TokenRevoked => Problem::no_token("This token was revoked."),
        Refusal::ClassTooLow => {
            Problem::no_right("A token of this class moves nothing by itself, and takes nothing.")
        }
    }
}

/// The problem when the gate gave no answer.
pub fn no_answer(error: DriveError) -> Problem {
    match error {
        DriveError::Busy => Problem::rate_limited(20),
        DriveError::Silent => {
            Problem::link_down("The gate did not answer in time; the body stops by itself.")
        }
    }
}

/// `base`, `head`, `lights` or `presence`.
pub fn resource_name(resource: Resource) -> &'static str {
    match resource {
        Resource::Base => "base",
        Resource::Head => "head",
        Resource::Lights => "lights",
        Resource::Presence => "presence",
    }
}

fn stale(age_ms: Option<u64>, max_age_ms: u64) -> Problem {
    let detail = match age_ms {
        Some(age_ms) => format!("What you saw is {age_ms} ms old, at most {max_age_ms} ms are accepted. Read the state again."),
        None => "`seen` is missing, of another run, or from the future. Read GET /api/robot/state and echo its `seen`.".to_owned(),
    };
    let problem = Problem::stale(detail).fact("max_age_ms", max_age_ms);
    match age_ms {
        Some(age_ms) => problem.fact("age_ms", age_ms),
        None => problem,
    }
}

fn millis(now: BootTime, since: BootTime) -> u64 {
    u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX)
}
