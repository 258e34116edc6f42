//! What is said about the body: what it did, why it did not, how it is. Sentences only.

use agent_core::refusal::Refusal;
use agent_core::snapshot::{Closed, Snapshot};
use agent_core::time::BootTime;
use cloud_sync_api::assistant::body::Done;
use cloud_sync_api::assistant::said::{OPEN, charge, ended, short};

use super::errand::Unable;
use crate::drive::refusals;

/// Why something was not done.
pub(super) fn unable(unable: Unable, now: BootTime) -> Done {
    let (problem, detail) = match unable {
        Unable::NoRight => (
            "no-right",
            "You may not move me: that needs the scope drive, and a token of class local or remote."
                .to_owned(),
        ),
        Unable::Silent(error) => {
            let problem = refusals::no_answer(error);
            (problem.word(), problem.detail().to_owned())
        }
        Unable::Ended(reason) => (reason, ended(reason)),
        Unable::Refused(Refusal::NobodyPresent) => (
            "nobody-present",
            "I move only while somebody is with me, and nobody has written for a while.".to_owned(),
        ),
        Unable::Refused(Refusal::OutsideBounds { bound, allowed, .. }) => (
            "out-of-range",
            format!("That is more than one message may move me: of {bound} {} is left.", short(allowed)),
        ),
        Unable::Refused(Refusal::Closed { by, .. }) => {
            ("closed", format!("I am stopped ({}), and a chat cannot open me. {OPEN}", by.as_str()))
        }
        Unable::Refused(Refusal::LeaseHeld { holder, class }) => {
            ("lease-held", format!("\"{holder}\" ({}) has control of me now.", class.as_str()))
        }
        Unable::Refused(refusal) => {
            let problem = refusals::problem(&refusal, now);
            (problem.word(), problem.detail().to_owned())
        }
    };
    Done::Unable { problem, detail }
}

/// The battery.
pub(super) fn battery(now: &Snapshot) -> Done {
    let Some((_, senses)) = now.body.senses.filter(|_| now.is_heard) else {
        return Done::Unable {
            problem: "link-down",
            detail: "I cannot read my battery: my microcontroller does not answer.".to_owned(),
        };
    };
    Done::Well(charge(senses.battery_percent, f64::from(senses.battery_mv) / 1000.0))
}

/// How the body is.
pub(super) fn status(now: &Snapshot) -> String {
    if !now.is_heard {
        return "My microcontroller does not answer, so I cannot say how my body is.".to_owned();
    }
    let mut sentences = Vec::new();
    if now.estop.latched {
        sentences.push("My e-stop is latched.".to_owned());
    }
    for (name, closed) in [("wheels", &now.base_closed), ("head", &now.head_closed)] {
        sentences.extend(closed.as_ref().map(|closed| why_closed(name, closed)));
    }
    let moving = now.linear_mps.abs() > 0.01 || now.angular_radps.abs() > 0.02;
    sentences.push(if moving {
        format!(
            "I drive at {} m/s and turn at {} degrees a second.",
            short(f64::from(now.linear_mps)),
            whole(f64::from(now.angular_radps).to_degrees())
        )
    } else {
        "I stand still.".to_owned()
    });
    let pose = &now.pose;
    sentences.push(format!(
        "Since I started I came {} m forward and {} m to the left, and face {} degrees to the left of where I looked then.",
        short(pose.x_m),
        short(pose.y_m),
        whole(pose.heading_rad.to_degrees())
    ));
    if let Some((_, senses)) = now.body.senses {
        let (pan, tilt) = (f64::from(senses.pan_rad).to_degrees(), f64::from(senses.tilt_rad).to_degrees());
        sentences.push(format!(
            "My head points {} degrees to the left and {} degrees up.",
            whole(pan),
            whole(tilt)
        ));
        sentences.push(charge(senses.battery_percent, f64::from(senses.battery_mv) / 1000.0));
    }
    let [red, green, blue] = now.lights.rgb;
    sentences.push(match now.lights.on {
        true => format!("My lights are #{red:02x}{green:02x}{blue:02x}."),
        false => "My lights are off.".to_owned(),
    });
    sentences.join(" ")
}

fn why_closed(name: &str, closed: &Closed) -> String {
    format!("My {name} are closed by {}: {}.", closed.by.as_str(), closed.reason)
        .replace("My head are", "My head is")
}

/// Whole degrees, never "-0".
fn whole(value: f64) -> String {
    format!("{}", value.round() + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_not_heard_says_nothing_of_itself() {
        let unknown = Snapshot::new(BootTime::default());
        assert!(matches!(battery(&unknown), Done::Unable { problem: "link-down", .. }));
        assert!(status(&unknown).contains("does not answer"));
    }

    #[test]
    fn why_nothing_moves_says_what_helps() {
        // The stable word, and the call that helps.
        let check = |refusal: Refusal, word: &str, helps: &str| {
            let Done::Unable { problem, detail } = unable(Unable::Refused(refusal), BootTime::default())
            else {
                panic!("{refusal:?} is no success");
            };
            assert_eq!(problem, word);
            assert!(detail.contains(helps), "{detail}");
        };
        check(Refusal::NobodyPresent, "nobody-present", "somebody is with me");
        check(
            Refusal::OutsideBounds { bound: "distance_m", asked: 3.0, allowed: 2.0 },
            "out-of-range",
            "2 is left",
        );
        check(Refusal::EStopLatched { epoch: 3 }, "estop-latched", "reset");
    }
}
