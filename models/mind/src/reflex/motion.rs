//! Reads a clause about wheels or head into a frame. Every word must have its place in it: one that has none makes the clause
//! something else, and nothing moves.

use super::frame::{Frame, Much, Verb, Way};
use super::meaning::Missing;
use super::number::{Amount, Unit};
use super::phrase::{is_one_of, longest, match_at};
use super::token::{Kind, Token};
use super::verb;

mod aside;
mod head;

/// The frame of a clause, or nothing where a word has no place in it.
pub(super) fn frame(tokens: &[Token]) -> Option<Frame> {
    let mut reader = Reader {
        frame: Frame::default(),
        has_light_verb: false,
        is_weak: false,
        is_implied: false,
        tokens,
        at: 0,
    };
    if tokens.len() > 40 {
        return None;
    }
    while reader.at < tokens.len() {
        let taken =
            reader.amount().or_else(|| reader.verb()).or_else(|| reader.way()).or_else(|| reader.aside())?;
        reader.at += taken;
    }
    reader.end()
}

struct Reader<'a> {
    frame: Frame,
    has_light_verb: bool,
    /// The verb means motion only with a direction or a measure.
    is_weak: bool,
    /// "Around" stands for an angle as long as none is said.
    is_implied: bool,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [Token] {
        &self.tokens[self.at..]
    }

    fn word(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text.as_str())
    }

    fn is_amount(&self, ahead: usize) -> bool {
        let kind = self.tokens.get(self.at + ahead).map(|token| token.kind);
        matches!(kind, Some(Kind::Number(_) | Kind::Amount(_)))
    }

    fn amount(&mut self) -> Option<usize> {
        let much = match self.tokens[self.at].kind {
            Kind::Number(value) => Much::Bare(value),
            Kind::Amount(amount) => match amount.unit {
                Unit::Other => return None,
                Unit::Times => {
                    self.frame.times = Some(amount.value);
                    return Some(1);
                }
                Unit::MetrePerSecond => {
                    self.frame.speed = Some(Some(amount.value));
                    return Some(1);
                }
                Unit::Second => {
                    self.frame.asks = Some(Missing::Distance);
                    return Some(1);
                }
                Unit::Step => {
                    self.frame.is_vague = true;
                    return Some(1);
                }
                Unit::Metre | Unit::Degree | Unit::Turn => Much::Measured(amount),
            },
            _ => return None,
        };
        // "1 or 2 metres" and "10 20" are no measure.
        let is_said = self.frame.much.is_some() && !std::mem::take(&mut self.is_implied);
        if is_said || matches!(self.word(1), "or" | "/") {
            self.frame.asks = Some(Missing::Distance);
        }
        self.frame.much = Some(much);
        Some(1 + if matches!(self.word(1), "or" | "/") { 1 } else { 0 })
    }

    fn verb(&mut self) -> Option<usize> {
        if let Some(taken) = self.head().or_else(|| self.verb_with_way()) {
            return Some(taken);
        }
        let word = self.word(0);
        if word == "keep" || word == "continue" {
            return self.keep_on();
        }
        let is_light = self.at == 0
            && is_one_of(word, verb::LIGHT)
            && (verb::motion(word).is_none() || matches!(self.word(1), "a" | "an" | "out"));
        if is_light {
            self.has_light_verb = true;
            return Some(1);
        }
        if word == "steps" && self.has_light_verb {
            return Some(1);
        }
        if word == "face" && self.at == 0 && !matches!(self.word(1), "it" | "the") {
            return self.face();
        }
        if word == "approach" && self.at == 0 && self.tokens.len() <= 7 {
            self.frame.verb = Some(Verb::Go);
            self.frame.asks = Some(Missing::Place);
            return Some(self.tokens.len());
        }
        let mut motion = verb::motion(word)?;
        // "Wheel around" turns on the spot.
        if word.starts_with("wheel") && is_one_of(self.word(1), "around round left right about") {
            motion.verb = Verb::Turn;
        }
        if motion.has_no_wheels {
            self.frame.asks = Some(Missing::Place);
        }
        if motion.is_fast {
            self.frame.speed = Some(None);
        }
        let taken = self.set_verb(motion.verb)?;
        self.is_weak |= motion.is_weak && taken == 1 && self.at == 0;
        // "Carry on 1 m", "push on another metre".
        Some(
            taken
                + usize::from(
                    self.word(1) == "on"
                        && !self.word(2).is_empty()
                        && motion.verb == Verb::Go
                        && self.at == 0,
                ),
        )
    }

    /// "Go turn left" turns; "turn look" is nothing.
    fn set_verb(&mut self, verb: Verb) -> Option<usize> {
        match self.frame.verb {
            Some(Verb::Go) if self.at == 1 => {}
            Some(old) if old != verb => return None,
            _ => {}
        }
        self.frame.verb = Some(verb);
        Some(1)
    }

    /// Verbs that tell the way by themselves.
    fn verb_with_way(&mut self) -> Option<usize> {
        let way = match self.word(0) {
            "advance" | "advancing" | "advanced" => Way::Forward,
            "reverse" | "retreat" | "reversing" | "retreating" | "backing" | "backed" | "reversed"
            | "backtrack" | "withdraw" => Way::Backward,
            "drop" | "fall" | "dropping" | "falling" if self.word(1) == "back" => {
                self.set_verb(Verb::Go)?;
                self.frame.way = Some(Way::Backward);
                return Some(2);
            }
            "u-turn" | "about-face" => {
                self.frame.is_noun = true;
                self.shape(180.0);
                return self.set_verb(Verb::Turn);
            }
            _ => return None,
        };
        let taken = self.set_verb(Verb::Go)?;
        self.frame.way = Some(way);
        Some(
            taken
                + usize::from(
                    is_one_of(self.word(0), "backing backed") && is_one_of(self.word(1), "up off away"),
                ),
        )
    }

    /// "Keep going": how far was not said, unless it is.
    fn keep_on(&mut self) -> Option<usize> {
        if is_one_of(self.word(1), "looking gazing facing") {
            return Some(1);
        }
        if !is_one_of(
            self.word(1),
            "going moving driving turning rolling spinning forward straight left right",
        ) {
            return None;
        }
        let is_measured = self.tokens.iter().any(|token| matches!(token.kind, Kind::Amount(_)));
        if !is_measured {
            self.frame.asks = self.frame.asks.or(Some(Missing::Distance));
        }
        Some(1)
    }

    fn shape(&mut self, degrees: f64) {
        if !matches!(self.frame.much, Some(Much::Measured(_))) {
            self.frame.much = Some(Much::Measured(Amount { value: degrees, unit: Unit::Turn, scale: 360.0 }));
        }
    }

    /// "All the way round", "around", and the directions.
    fn way(&mut self) -> Option<usize> {
        let turns = matches!(self.frame.verb, Some(Verb::Turn));
        // "Head back to centre".
        if matches!(self.frame.verb, Some(Verb::Look | Verb::Head)) {
            let back = longest(self.rest(), "back to? the? center|centre|middle|front|forward|straight");
            if let Some(length) = back {
                self.frame.way = Some(Way::Center);
                return Some(length + usize::from(matches!(self.word(length), "ahead" | "forward" | "on")));
            }
        }
        if let Some(length) = longest(
            self.rest(),
            "all the? way round|around; in a full? circle; all round|around; a full? three-sixty",
        ) {
            let is_shape = turns || match_at(self.rest(), "all").is_some();
            if is_shape && self.frame.verb != Some(Verb::Look) {
                self.frame.verb = Some(Verb::Turn);
                self.shape(360.0);
                return Some(length);
            }
        }
        // "Turn around the corner".
        if turns
            && matches!(self.word(0), "around" | "round")
            && matches!(self.word(1), "the" | "a" | "that" | "this" | "my")
            && !is_one_of(self.word(2), "left right other opposite full")
        {
            self.frame.asks = Some(Missing::Place);
            return Some(self.rest().len());
        }
        if matches!(self.word(0), "around" | "round")
            && turns
            && !(self.is_amount(1) && self.frame.much.is_none() && self.frame.way.is_some())
        {
            let is_spin = self
                .tokens
                .iter()
                .any(|token| token.is_any("spin twirl spinning whirl swirl pirouette twirling"));
            self.shape(if is_spin { 360.0 } else { 180.0 });
            self.is_implied = true;
            return Some(1);
        }
        if self.has_light_verb
            && self.frame.much.is_none()
            && matches!(self.word(0), "a" | "an" | "full")
            && let Some(Kind::Number(value @ (90.0 | 180.0 | 270.0 | 360.0))) =
                self.tokens.get(self.at + 1).map(|token| token.kind)
        {
            self.shape(value);
            return Some(2);
        }
        let skip = longest(
            self.rest(),
            "over|off|out|back to|towards|toward|on the|your|my?; to|on|towards|toward|in|at the|your|my|its|it's|a?; in|to|on|at|into reverse?; the|your|a",
        )
        .unwrap_or(0);
        for skip in [skip, skip.min(1), 0] {
            let Some(way) = self.direction(skip) else { continue };
            return Some(self.set(way, skip));
        }
        None
    }

    /// "Port 20 degrees" is a side, "port 80" may be anything.
    fn is_steered(&self) -> bool {
        self.frame.verb.is_some() || self.tokens.iter().any(|token| matches!(token.kind, Kind::Amount(_)))
    }

    fn direction(&self, skip: usize) -> Option<Way> {
        // "To the front door" is a place.
        const PLACE_NOUNS: &str =
            "door room seat row yard garden porch gate window entrance exit corner desk wall office street";
        if skip > 0 && is_one_of(self.word(skip + 1), PLACE_NOUNS) {
            return None;
        }
        Some(match self.word(skip) {
            "left" | "counterclockwise" | "leftward" | "leftwards" | "leftie" | "lefty" => Way::Left,
            "right" | "clockwise" | "rightward" | "rightwards" => Way::Right,
            "port" if self.is_steered() => Way::Left,
            "starboard" if self.is_steered() => Way::Right,
            "forward" | "front" | "ahead" => Way::Forward,
            "straight" if !self.has_way_after(skip) => Way::Center,
            "center" | "centre" | "middle" => Way::Center,
            "back" | "backward" | "reverse" | "behind" | "aft" | "astern" => Way::Backward,
            "up" | "upward" | "upwards" | "ceiling" | "sky" => Way::Up,
            "down" | "downward" | "downwards" | "floor" | "ground" | "feet" => Way::Down,
            _ => return None,
        })
    }

    /// "Straight ahead", "straight on", "straight back": the other word tells the way.
    fn has_way_after(&self, skip: usize) -> bool {
        matches!(
            self.word(skip + 1),
            "forward" | "ahead" | "back" | "backward" | "up" | "down" | "left" | "right"
        )
    }

    fn set(&mut self, way: Way, skip: usize) -> usize {
        let mut length = skip + 1;
        let verb = self.frame.verb;
        if way == Way::Backward
            && verb != Some(Verb::Look)
            && matches!(self.word(length), "up" | "off" | "away" | "it")
        {
            length +=
                1 + usize::from(self.word(length) == "it" && matches!(self.word(length + 1), "up" | "off"));
            if verb.is_none() {
                self.frame.verb = Some(Verb::Go);
            }
        }
        if self.word(length) == "on" && matches!(way, Way::Center | Way::Forward) {
            length += 1;
        }
        if matches!(self.word(length), "hand") {
            length += 1;
        }
        if matches!(self.word(length), "side" | "direction") {
            length += 1;
        }
        match self.frame.way {
            // "Back 90 to the right", "straight to the left".
            Some(Way::Backward | Way::Center | Way::Forward)
                if matches!(way, Way::Left | Way::Right) && verb != Some(Verb::Go) =>
            {
                self.frame.way = Some(way);
            }
            Some(old) if old == way => {}
            Some(Way::Forward) if way == Way::Center => {}
            Some(Way::Center) if way == Way::Forward => self.frame.way = Some(way),
            Some(_) => self.frame.asks = Some(Missing::Motion),
            None => self.frame.way = Some(way),
        }
        if way == Way::Backward && matches!(self.word(length), "you") {
            length += 1;
        }
        length
    }

    fn end(mut self) -> Option<Frame> {
        let has_slot = self.frame.way.is_some() || self.frame.much.is_some() || self.frame.is_vague;
        if self.is_weak && !has_slot && self.frame.asks.is_none() {
            return None;
        }
        // "Hang a left", "take a right".
        let is_side = matches!(self.frame.way, Some(Way::Left | Way::Right))
            && self.tokens.get(1).is_some_and(|token| token.is_any("a another"));
        if self.has_light_verb && self.frame.verb.is_none() && is_side {
            self.frame.verb = Some(Verb::Turn);
        }
        if self.has_light_verb
            && self.frame.verb.is_none()
            && self.frame.much.is_none()
            && !self.frame.is_vague
        {
            return None;
        }
        if self.has_light_verb && self.frame.verb.is_none() && self.frame.is_vague && self.frame.way.is_some()
        {
            self.frame.verb = Some(Verb::Go);
        }
        // "Turn round a bit" is no half turn.
        if self.is_implied && self.frame.is_vague {
            self.frame.much = None;
        }
        // "Turn back around".
        if self.is_implied && self.frame.way == Some(Way::Backward) {
            self.frame.way = None;
        }
        let is_small = self.frame.way.is_none() && self.frame.much.is_none() && self.frame.asks.is_none();
        // "Spin once" is a whole turn, "spin around once" too.
        if self.frame.verb == Some(Verb::Turn) && is_small && self.frame.times.is_some() {
            self.shape(360.0);
        }
        if self.frame.verb.is_none() && is_small && !self.frame.is_vague {
            return None;
        }
        Some(self.frame)
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::fold;
    use super::super::spell::spell;
    use super::super::token::tokens;
    use super::*;
    use crate::skills::Call;

    fn read(text: &str) -> Option<Frame> {
        frame(&fold(spell(tokens(text))))
    }

    fn check(text: &str, expected: &[Call]) {
        let frame = read(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(frame.calls().as_deref(), Ok(expected), "{text}");
    }

    fn check_asks(text: &str) {
        assert!(read(text).is_some_and(|frame| frame.calls().is_err()), "{text}: {:?}", read(text));
    }

    fn check_other(text: &str) {
        assert_eq!(read(text), None, "{text}");
    }

    fn drive(distance_m: f64) -> Call {
        Call::Drive { distance_m }
    }

    fn turn(angle_deg: f64) -> Call {
        Call::Turn { angle_deg }
    }

    #[test]
    fn slots_stand_in_any_order() {
        check("go forward half a metre", &[drive(0.5)]);
        check("forward 1 meter go", &[drive(1.0)]);
        check("back up a couple of feet", &[drive(-0.61)]);
        check("drive straight on for 1,2 metres", &[drive(1.2)]);
        check("make turn to left 30 degree", &[turn(30.0)]);
        check("turn 90 degrees to the left side", &[turn(90.0)]);
        check("make a left turn of 45 degrees", &[turn(45.0)]);
        check("do a 180", &[turn(180.0)]);
        check("turn right around", &[turn(-180.0)]);
        check("spin around twice", &[turn(360.0), turn(360.0)]);
        check("left 90", &[turn(90.0)]);
    }

    #[test]
    fn what_is_no_measure_is_asked() {
        check_asks("go forward");
        check_asks("drive 50");
        check_asks("turn left");
        check_asks("turn 90 degrees");
        check_asks("go to the kitchen");
        check_asks("go forward 1 or 2 metres");
        check_asks("come a bit closer");
        check_asks("look over there");
        check_asks("go left half a metre");
        check_asks("drive forward for 3 seconds");
    }

    #[test]
    fn a_word_without_a_place_makes_it_no_motion() {
        check_other("go forward with your life");
        check_other("turn left wing");
        check_other("drive me crazy");
        check_other("turn 30 next year");
        check_other("look up the weather");
        check_other("go to sleep");
        check_other("take 2 tablets");
        check_other("turn the page");
        check_other("come on");
    }
}
