//! What `drive` shows. Pure: a view in, lines out.

use super::hold::Wish;
use super::keys::{HELP, KEYS};
use super::sender::Speed;
use crate::cli::state::{State, held_by, open_or};

/// With an older picture nothing is sent, and the line says so.
const PICTURE_AGE_MS_MAX: u64 = 300;

/// Everything that is shown.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) url: String,
    pub(super) state: Option<Box<State>>,
    /// Age of the robot's newest stamp.
    pub(super) picture_age_ms: Option<u64>,
    /// Why there is no connection.
    pub(super) away: Option<String>,
    pub(super) wish: Wish,
    /// A key is held that must be let go first.
    pub(super) is_blocked: bool,
    /// Full speed for the keys, and its share of the limit in percent.
    pub(super) speed: Speed,
    pub(super) percent: u32,
    /// What the last command or refusal said.
    pub(super) message: String,
    /// A question that waits for y.
    pub(super) question: Option<String>,
    pub(super) shows_help: bool,
}

/// The lines, none wider than `columns`.
pub(super) fn lines(view: &View, columns: usize) -> Vec<String> {
    let mut lines = vec![format!("Robbie at {}", view.url), picture(view), String::new()];
    if let Some(state) = &view.state {
        lines.extend(robot(state));
    }
    lines.push(field("keys", &keys(view)));
    lines.push(String::new());
    lines.push(
        view.question.as_ref().map_or_else(|| view.message.clone(), |question| format!("{question} y/n")),
    );
    lines.push(String::new());
    if view.shows_help {
        lines.extend(HELP.map(str::to_owned));
    } else {
        lines.push(KEYS.to_owned());
    }
    lines.iter().map(|line| line.chars().take(columns).collect()).collect()
}

fn field(name: &str, value: &dyn std::fmt::Display) -> String {
    format!("{name:<8} {value}")
}

fn robot(state: &State) -> Vec<String> {
    let battery = state.battery.map_or_else(|| "not read yet".to_owned(), |battery| battery.to_string());
    vec![
        field("e-stop", &state.estop),
        field("base", &open_or(state.base.closed.as_ref(), "t opens it")),
        field("driver", &held_by(state.control.base.as_ref())),
        field("speed", &state.base.velocity),
        field("limit", &state.envelope),
        field("pose", &state.base.pose),
        field("battery", &battery),
        field("body", &state.mcu),
    ]
}

fn picture(view: &View) -> String {
    match (&view.away, view.picture_age_ms) {
        (Some(why), _) => format!("NO CONNECTION: {why}"),
        (None, None) => "no picture of the robot yet".to_owned(),
        (None, Some(age_ms)) if age_ms > PICTURE_AGE_MS_MAX => {
            format!("picture {:.1} s OLD: nothing is sent", age_ms as f64 / 1000.0)
        }
        (None, Some(_)) => "picture fresh".to_owned(),
    }
}

fn keys(view: &View) -> String {
    if view.is_blocked {
        return "let go, then press again".to_owned();
    }
    let linear = view.speed.linear_mps * f64::from(view.wish.forward);
    let angular = view.speed.angular_radps * f64::from(view.wish.left);
    format!("{linear:+.2} m/s, {angular:+.2} rad/s, at {} % of the limit", view.percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        let state = serde_json::json!({
            "base": {"velocity": {"linear_mps": 0.21, "angular_radps": 0}, "closed": {"by": "stop", "reason": "Ann", "since_ms": 2000}},
            "control": {"base": {"holder": "page", "class": "local", "expires_in_ms": 900}},
            "battery": {"voltage_v": 12.1, "percent": 84},
            "mcu": {"link": "up", "state": "armed", "rtt_us": 300},
        });
        View {
            state: serde_json::from_value(state).unwrap(),
            picture_age_ms: Some(40),
            percent: 50,
            ..View::default()
        }
    }

    fn check(view: &View, expected: &[&str]) {
        let text = lines(view, 200).join("\n");
        for part in expected {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn shows_what_a_driver_must_know() {
        check(
            &view(),
            &[
                "+0.21 m/s",
                "closed by stop (Ann) 2 s ago; t opens it",
                "page (local), 0.9 s left",
                "84 %",
                "link up",
                "pose",
                "SPACE stop",
            ],
        );
    }

    #[test]
    fn says_why_nothing_is_sent() {
        check(&View { picture_age_ms: Some(1200), ..view() }, &["picture 1.2 s OLD: nothing is sent"]);
        check(&View { away: Some("refused".into()), ..view() }, &["NO CONNECTION: refused"]);
        check(&View { is_blocked: true, ..view() }, &["let go, then press again"]);
        check(&View { question: Some("Reset?".into()), message: "old".into(), ..view() }, &["Reset? y/n"]);
    }

    #[test]
    fn fits_a_small_terminal() {
        // 24 rows with help open, and no line that wraps and pushes the others down.
        let lines = lines(&View { shows_help: true, ..view() }, 40);
        assert!(lines.len() <= 24, "{}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 40));
    }
}
