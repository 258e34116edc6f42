//! What is said about the body: what it did, why it did not, how it is. Sentences only.

use agent_core::refusal::Refusal;
use agent_core::snapshot::{Closed, Snapshot};
use agent_core::time::BootTime;
use cloud_sync_api::assistant::body::Done;
use models_mind::skills::{Call, Direction};

use super::body::Gaze;
use super::errand::Unable;
use crate::drive::refusals;

/// What helps when base or head is closed.
const OPEN: &str = "A person opens me again: \"Take control\" on my page, or `robbie-agent drive`.";

/// A drive or a turn that came to its end.
pub(super) fn moved(call: &Call) -> String {
    match *call {
        Call::Drive { distance_m } => {
            let way = if distance_m < 0.0 { "back" } else { "forward" };
            format!("I drove {} m {way}.", short(distance_m.abs()))
        }
        Call::Turn { angle_deg } => {
            let side = if angle_deg < 0.0 { "right" } else { "left" };
            format!("I turned {} degrees to the {side}.", short(angle_deg.abs()))
        }
        _ => "Done.".to_owned(),
    }
}

/// The head got where it was told to look.
pub(super) fn looking(gaze: &Gaze) -> String {
    match gaze.direction {
        Some(Direction::Left) => "I look to the left.".to_owned(),
        Some(Direction::Right) => "I look to the right.".to_owned(),
        Some(Direction::Up) => "I look up.".to_owned(),
        Some(Direction::Down) => "I look down.".to_owned(),
        Some(Direction::Center) => "I look straight ahead.".to_owned(),
        None => "I look there.".to_owned(),
    }
}

/// The lights are as they were told to be.
pub(super) fn lit(on: Option<bool>, color: Option<&str>) -> String {
    match (on, color) {
        (Some(false), _) => "My lights are off.".to_owned(),
        (_, Some(color)) => format!("My lights are {color}."),
        _ => "My lights are on.".to_owned(),
    }
}

/// What became of a stop.
pub(super) fn stopped(is_stopped: bool, is_confirmed: bool) -> Done {
    if is_stopped && is_confirmed {
        return Done::Well(format!("I stopped, and I stay where I am. {OPEN}"));
    }
    Done::Unable {
        problem: "link-down",
        detail:
            "I sent the stop, and my microcontroller has not confirmed it: it stops by itself. Look at me."
                .to_owned(),
    }
}

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

/// Why a motion ended before its goal.
fn ended(reason: &str) -> String {
    match reason {
        "stop" | "estop" => "I was stopped on the way.".to_owned(),
        "blocked" => "Something is in my way.".to_owned(),
        "nobody-present" => "Nobody is with me any more, so I stopped.".to_owned(),
        "bounds" => "The time that one message may move me is over, so I stopped.".to_owned(),
        "deadline" => "It took too long, so I stopped.".to_owned(),
        "lease-gone" | "replaced" => "Somebody else took control of me on the way.".to_owned(),
        "revoked" => "Your token was revoked on the way.".to_owned(),
        other => format!("I stopped on the way: {other}."),
    }
}

/// The battery.
pub(super) fn battery(now: &Snapshot) -> Done {
    let Some((_, senses)) = now.body.senses.filter(|_| now.is_heard) else {
        return Done::Unable {
            problem: "link-down",
            detail: "I cannot read my battery: my microcontroller does not answer.".to_owned(),
        };
    };
    Done::Well(charge(senses.battery_percent, senses.battery_mv))
}

fn charge(percent: u8, millivolts: u16) -> String {
    format!("My battery is at {percent} %, {} V.", short(f64::from(millivolts) / 1000.0))
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
        sentences.push(charge(senses.battery_percent, senses.battery_mv));
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

/// At most two decimals, without trailing zeros, never "-0".
fn short(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_as_people_say_it() {
        assert_eq!(moved(&Call::Drive { distance_m: 0.5 }), "I drove 0.5 m forward.");
        assert_eq!(moved(&Call::Drive { distance_m: -1.0 }), "I drove 1 m back.");
        assert_eq!(moved(&Call::Turn { angle_deg: -90.0 }), "I turned 90 degrees to the right.");
        assert_eq!(lit(Some(true), Some("red")), "My lights are red.");
        assert_eq!(short(-0.001), "0");
    }

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
