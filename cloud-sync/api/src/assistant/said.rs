//! What a body says of itself, whoever it is asked through: sentences only.

use models_mind::skills::{Call, Direction};

use super::body::Done;

/// What helps when base or head is closed.
pub const OPEN: &str = "A person opens me again: \"Take control\" on my page, or `robbie-agent drive`.";

/// A drive or a turn that came to its end.
pub fn moved(call: &Call) -> String {
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
pub fn looking(direction: Option<Direction>) -> String {
    match direction {
        Some(Direction::Left) => "I look to the left.".to_owned(),
        Some(Direction::Right) => "I look to the right.".to_owned(),
        Some(Direction::Up) => "I look up.".to_owned(),
        Some(Direction::Down) => "I look down.".to_owned(),
        Some(Direction::Center) => "I look straight ahead.".to_owned(),
        None => "I look there.".to_owned(),
    }
}

/// The lights are as they were told to be.
pub fn lit(on: Option<bool>, color: Option<&str>) -> String {
    match (on, color) {
        (Some(false), _) => "My lights are off.".to_owned(),
        (_, Some(color)) => format!("My lights are {color}."),
        _ => "My lights are on.".to_owned(),
    }
}

/// What became of a stop.
pub fn stopped(is_stopped: bool, is_confirmed: bool) -> Done {
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

/// Why a motion ended before its goal.
pub fn ended(reason: &str) -> String {
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

/// How full the battery is.
pub fn charge(percent: u8, voltage_v: f64) -> String {
    format!("My battery is at {percent} %, {} V.", short(voltage_v))
}

/// Below this it is worth saying how full the battery is, percent.
const LOW_PERCENT: u8 = 20;

/// What may be out of the ordinary with a body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Condition {
    /// Whether its microcontroller answers.
    pub is_heard: bool,
    /// Whether its e-stop is latched.
    pub is_latched: bool,
    /// Whether its wheels are closed.
    pub is_base_closed: bool,
    /// Whether its head is closed.
    pub is_head_closed: bool,
    /// How full its battery is, where that is known.
    pub battery_percent: Option<u8>,
}

/// What of it a model should know; `None`: all is well.
pub fn condition(of: Condition) -> Option<String> {
    if !of.is_heard {
        return Some("my microcontroller does not answer, so I cannot move.".to_owned());
    }
    let mut sentences = Vec::new();
    match of {
        Condition { is_latched: true, .. } => {
            sentences.push("my e-stop is latched: I cannot move until a person resets it.".to_owned());
        }
        Condition { is_base_closed: true, .. } => {
            sentences.push("I was stopped: I cannot drive or turn until a person opens me again.".to_owned());
        }
        Condition { is_head_closed: true, .. } => {
            sentences.push("my head was stopped: I cannot look around until a person opens it.".to_owned());
        }
        _ => {}
    }
    if let Some(percent) = of.battery_percent.filter(|percent| *percent < LOW_PERCENT) {
        sentences.push(format!("my battery is low, {percent} %."));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// At most two decimals, without trailing zeros, never "-0".
pub fn short(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_ready_is_nothing_to_speak_of() {
        let ready = Condition { is_heard: true, battery_percent: Some(80), ..Condition::default() };
        assert_eq!(condition(ready), None);
        let low = Condition { battery_percent: Some(19), is_base_closed: true, ..ready };
        let said = condition(low).unwrap();
        assert!(said.contains("stopped") && said.contains("19 %"), "{said}");
        assert!(condition(Condition { is_latched: true, ..ready }).unwrap().contains("e-stop"));
        assert!(condition(Condition::default()).unwrap().contains("does not answer"));
    }

    #[test]
    fn what_was_done_is_said_as_people_say_it() {
        assert_eq!(moved(&Call::Drive { distance_m: 0.5 }), "I drove 0.5 m forward.");
        assert_eq!(moved(&Call::Drive { distance_m: -1.0 }), "I drove 1 m back.");
        assert_eq!(moved(&Call::Turn { angle_deg: -90.0 }), "I turned 90 degrees to the right.");
        assert_eq!(lit(Some(true), Some("red")), "My lights are red.");
        assert_eq!(short(-0.001), "0");
    }
}
