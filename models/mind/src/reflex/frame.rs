//! A motion with its slots, filled or not, and what it comes to: calls, or what is missing. It reads no text.

use super::meaning::Missing;
use super::number::{Amount, Unit};
use crate::skills::{Call, Direction};

/// Repetitions that are carried out one by one; more is asked back.
const TIMES_MAX: f64 = 40.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Go,
    Turn,
    Look,
    /// "Head left" looks, "head forward 1 m" drives.
    Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Left,
    Right,
    Forward,
    Backward,
    Up,
    Down,
    /// Straight ahead: forward for the wheels, centre for the head.
    Center,
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Much {
    Bare(f64),
    Measured(Amount),
}

/// What a clause says about a motion.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frame {
    pub verb: Option<Verb>,
    pub way: Option<Way>,
    pub much: Option<Much>,
    /// Said, but no measure: "a bit", "some".
    pub is_vague: bool,
    /// Has to be asked whatever else was said.
    pub asks: Option<Missing>,
    pub times: Option<f64>,
    /// A speed was asked for, with its number in metres per second where one was said.
    pub speed: Option<Option<f64>>,
    /// The verb came with an object that is its own measure: "do a u-turn".
    pub is_noun: bool,
}

impl Frame {
    /// Whether only a verb is said.
    pub(super) fn is_verb_only(&self) -> bool {
        *self == Self { verb: self.verb, ..Self::default() }
    }

    /// The verb, or the one that the slots speak for.
    fn verb(&self) -> Option<Verb> {
        let unit = match self.much {
            Some(Much::Measured(amount)) => Some(amount.unit),
            _ => None,
        };
        match (self.verb, self.way, unit) {
            (Some(Verb::Head), _, Some(Unit::Metre)) => Some(Verb::Go),
            (Some(Verb::Head), _, _) => Some(Verb::Look),
            (Some(Verb::Go), Some(Way::Left | Way::Right) | None, Some(Unit::Degree | Unit::Turn)) => {
                Some(Verb::Turn)
            }
            (Some(verb), _, _) => Some(verb),
            (None, _, Some(Unit::Degree | Unit::Turn)) => Some(Verb::Turn),
            (None, Some(Way::Left | Way::Right), None) if self.much.is_some() => Some(Verb::Turn),
            (None, Some(Way::Forward | Way::Backward | Way::Center), _) => Some(Verb::Go),
            (None, _, _) => None,
        }
    }

    /// The calls, or what is missing.
    pub(super) fn calls(&self) -> Result<Vec<Call>, Missing> {
        if let Some(missing) = self.asks {
            return Err(missing);
        }
        let call = match self.verb() {
            Some(Verb::Go) => self.drive()?,
            Some(Verb::Turn) => self.turn()?,
            Some(Verb::Look | Verb::Head) => self.look()?,
            None => return Err(Missing::Motion),
        };
        let times = self.times.unwrap_or(1.0);
        if !(0.0..=TIMES_MAX).contains(&times) || times.fract() != 0.0 {
            return Err(Missing::Motion);
        }
        let count = (1..=40).take_while(|count| f64::from(*count) <= times).count();
        Ok(vec![call; count])
    }

    fn drive(&self) -> Result<Call, Missing> {
        let sign = match self.way {
            None | Some(Way::Forward | Way::Center) => 1.0,
            Some(Way::Backward) => -1.0,
            Some(_) => return Err(Missing::Place),
        };
        match self.much {
            Some(Much::Measured(Amount { value, unit: Unit::Metre, .. }))
                if value >= 0.0 || self.way.is_none() =>
            {
                Ok(Call::Drive { distance_m: rounded(sign * value) })
            }
            Some(Much::Bare(_)) => Err(Missing::Unit),
            _ => Err(Missing::Distance),
        }
    }

    fn turn(&self) -> Result<Call, Missing> {
        let (angle, is_shape) = match self.much {
            Some(Much::Measured(Amount { value, unit: Unit::Degree, .. })) => (value, false),
            Some(Much::Measured(Amount { value, unit: Unit::Turn, .. })) => (value, true),
            Some(Much::Bare(value)) => (value, false),
            _ if self.way.is_none() => return Err(Missing::Side),
            _ => return Err(Missing::Angle),
        };
        let sign = match self.way {
            Some(Way::Left) => 1.0,
            Some(Way::Right) => -1.0,
            None if is_shape => 1.0,
            _ => return Err(Missing::Side),
        };
        if angle < 0.0 {
            return Err(Missing::Side);
        }
        Ok(Call::Turn { angle_deg: rounded(sign * angle) })
    }

    fn look(&self) -> Result<Call, Missing> {
        let degrees = match self.much {
            Some(Much::Measured(Amount { value, unit: Unit::Degree, .. }) | Much::Bare(value)) => Some(value),
            Some(_) => return Err(Missing::Gaze),
            None => None,
        };
        if degrees.is_some_and(|degrees| degrees < 0.0) || (degrees.is_none() && self.is_vague) {
            return Err(Missing::Angle);
        }
        let by = |sign: f64| degrees.map(|degrees| rounded(sign * degrees));
        let (direction, pan_deg, tilt_deg) = match self.way {
            Some(Way::Left) => (Direction::Left, by(1.0), None),
            Some(Way::Right) => (Direction::Right, by(-1.0), None),
            Some(Way::Up) => (Direction::Up, None, by(1.0)),
            Some(Way::Down) => (Direction::Down, None, by(-1.0)),
            Some(Way::Forward | Way::Center) if degrees.is_none() => (Direction::Center, None, None),
            _ => return Err(Missing::Gaze),
        };
        let direction = degrees.is_none().then_some(direction);
        Ok(Call::Look { direction, pan_deg, tilt_deg })
    }

    /// Takes what another says about the same motion where nothing was said yet; false where the two do not go together.
    pub(super) fn fill(&mut self, other: &Self) -> bool {
        let clash = (self.way.is_some() && other.way.is_some())
            || (self.much.is_some() && other.much.is_some())
            || (self.verb.is_some() && other.verb.is_some() && self.verb != other.verb);
        // "Half a turn, clockwise" and "go one metre, backwards" end with their way.
        let adds_way =
            self.way.is_none() && other.way.is_some() && other.much.is_none() && other.verb.is_none();
        if clash || (self.calls().is_ok() && !adds_way && (other.way.is_some() || other.much.is_some())) {
            return false;
        }
        self.take(other);
        true
    }

    /// Takes what another says, in the place of what was said.
    pub(super) fn take(&mut self, other: &Self) {
        self.verb = self.verb.or(other.verb);
        self.way = other.way.or(self.way);
        self.times = other.times.or(self.times);
        self.speed = other.speed.or(self.speed);
        self.asks = other.asks.or(self.asks);
        self.is_vague |= other.is_vague;
        self.much = match (self.much, other.much) {
            // "One metre, I mean two": in the unit of before.
            (Some(Much::Measured(old)), Some(Much::Bare(value))) => {
                Some(Much::Measured(Amount { value: value * old.scale, ..old }))
            }
            (old, new) => new.or(old),
        };
    }
}

fn rounded(value: f64) -> f64 {
    // Without a negative zero.
    (value * 1000.0).round() / 1000.0 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metres(value: f64) -> Option<Much> {
        Some(Much::Measured(Amount { value, unit: Unit::Metre, scale: 1.0 }))
    }

    fn degrees(value: f64) -> Option<Much> {
        Some(Much::Measured(Amount { value, unit: Unit::Degree, scale: 1.0 }))
    }

    #[test]
    fn a_motion_needs_all_of_its_slots() {
        let go = Frame { verb: Some(Verb::Go), ..Frame::default() };
        assert_eq!(go.calls(), Err(Missing::Distance));
        let far = Frame { way: Some(Way::Backward), much: metres(0.5), ..go.clone() };
        assert_eq!(far.calls(), Ok(vec![Call::Drive { distance_m: -0.5 }]));
        let bare = Frame { much: Some(Much::Bare(50.0)), ..go.clone() };
        assert_eq!(bare.calls(), Err(Missing::Unit));
        let side = Frame { way: Some(Way::Left), much: metres(0.5), ..go };
        assert_eq!(side.calls(), Err(Missing::Place));
        let turn = Frame { verb: Some(Verb::Turn), much: degrees(90.0), ..Frame::default() };
        assert_eq!(turn.calls(), Err(Missing::Side));
        let often = Frame { way: Some(Way::Right), times: Some(1e9), ..turn };
        assert_eq!(often.calls(), Err(Missing::Motion));
    }

    #[test]
    fn an_answer_fills_what_was_missing() {
        let mut turn = Frame { verb: Some(Verb::Turn), way: Some(Way::Right), ..Frame::default() };
        assert!(turn.fill(&Frame { much: degrees(30.0), ..Frame::default() }));
        assert_eq!(turn.calls(), Ok(vec![Call::Turn { angle_deg: -30.0 }]));
        assert!(!turn.fill(&Frame { way: Some(Way::Left), ..Frame::default() }));
        turn.take(&Frame { way: Some(Way::Left), much: Some(Much::Bare(40.0)), ..Frame::default() });
        assert_eq!(turn.calls(), Ok(vec![Call::Turn { angle_deg: 40.0 }]));
    }
}
