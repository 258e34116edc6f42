//! What the keys mean.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::hold::{Arrow, Touch};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Drive(Arrow, Touch),
    Stop,
    EStop,
    Take,
    AskReset,
    Yes,
    Faster,
    Slower,
    Help,
    Quit,
    /// No key of ours. It still answers a question with no.
    Other,
    /// Nothing: a release, or a modifier by itself.
    Nothing,
}

/// Shown with h.
pub(super) const HELP: [&str; 8] = [
    "arrows, w a s d   drive while held; let go and the robot stops",
    "space             stop: base and head stay closed until somebody takes control",
    "e                 E-STOP: latched, also over a restart, until it is reset",
    "t                 take control (also from others), which opens the base",
    "r, then y         reset a latched e-stop; it moves and opens nothing",
    "+ -               faster, slower",
    "q, Esc, Ctrl-C    quit; whatever you drive ends",
    "These are software stops: keep a way to cut the power.",
];

/// One line, always shown.
pub(super) const KEYS: &str =
    "arrows drive  SPACE stop  e E-STOP  t take  r reset  + - speed  h help  q quit";

/// What a key event means.
pub(super) fn action(event: &KeyEvent) -> Action {
    let touch = match event.kind {
        KeyEventKind::Press => Touch::Press,
        KeyEventKind::Repeat => Touch::Repeat,
        KeyEventKind::Release => Touch::Release,
    };
    let code = match event.code {
        KeyCode::Char(character) => KeyCode::Char(character.to_ascii_lowercase()),
        other => other,
    };
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let arrow = match code {
        KeyCode::Up | KeyCode::Char('w') => Some(Arrow::Forward),
        KeyCode::Down | KeyCode::Char('s') => Some(Arrow::Backward),
        KeyCode::Left | KeyCode::Char('a') => Some(Arrow::Left),
        KeyCode::Right | KeyCode::Char('d') if !control => Some(Arrow::Right),
        _ => None,
    };
    if let Some(arrow) = arrow {
        return Action::Drive(arrow, touch);
    }
    match (code, touch) {
        (_, Touch::Release) | (KeyCode::Modifier(_), _) => Action::Nothing,
        // A held space or e goes on stopping.
        (KeyCode::Char(' '), _) => Action::Stop,
        (KeyCode::Char('e'), _) => Action::EStop,
        (_, Touch::Repeat) => Action::Nothing,
        (KeyCode::Char('c' | 'd'), _) if control => Action::Quit,
        (KeyCode::Char('q') | KeyCode::Esc, _) => Action::Quit,
        (KeyCode::Char('t'), _) => Action::Take,
        (KeyCode::Char('r'), _) => Action::AskReset,
        (KeyCode::Char('y'), _) => Action::Yes,
        (KeyCode::Char('+' | '='), _) => Action::Faster,
        (KeyCode::Char('-' | '_'), _) => Action::Slower,
        (KeyCode::Char('h' | '?'), _) => Action::Help,
        _ => Action::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: KeyCode, modifiers: KeyModifiers, kind: KeyEventKind, expected: Action) {
        assert_eq!(action(&KeyEvent::new_with_kind(code, modifiers, kind)), expected, "{code:?}");
    }

    #[test]
    fn stop_keys_stop_in_every_way_they_are_pressed() {
        // Capitals, repeats: nobody aims well in a hurry.
        for kind in [KeyEventKind::Press, KeyEventKind::Repeat] {
            check(KeyCode::Char(' '), KeyModifiers::SHIFT, kind, Action::Stop);
            check(KeyCode::Char('E'), KeyModifiers::SHIFT, kind, Action::EStop);
        }
        check(KeyCode::Char('e'), KeyModifiers::NONE, KeyEventKind::Release, Action::Nothing);
    }

    #[test]
    fn keys_mean_what_the_help_says() {
        let none = KeyModifiers::NONE;
        let press = KeyEventKind::Press;
        check(KeyCode::Up, none, KeyEventKind::Release, Action::Drive(Arrow::Forward, Touch::Release));
        check(KeyCode::Char('d'), none, press, Action::Drive(Arrow::Right, Touch::Press));
        check(KeyCode::Char('d'), KeyModifiers::CONTROL, press, Action::Quit);
        check(KeyCode::Char('c'), KeyModifiers::CONTROL, press, Action::Quit);
        check(KeyCode::Char('t'), none, press, Action::Take);
        check(KeyCode::Char('t'), none, KeyEventKind::Repeat, Action::Nothing);
        check(KeyCode::Char('y'), none, press, Action::Yes);
        check(KeyCode::Char('n'), none, press, Action::Other);
    }
}
