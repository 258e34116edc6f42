//! How far the body may be moved by one message of a chat. It adds up what was asked; it moves and stops nothing.

use crate::skills::Call;

/// What everything that one message causes may sum up to.
#[derive(Clone, Debug, PartialEq)]
pub struct Bounds {
    /// Speed of the drive.
    pub linear_mps: f64,
    /// Metres driven, forwards and backwards added up.
    pub distance_m: f64,
    /// Degrees turned, left and right added up.
    pub angle_deg: f64,
    /// Time in motion.
    pub seconds: f64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { linear_mps: 0.2, distance_m: 2.0, angle_deg: 360.0, seconds: 20.0 }
    }
}

/// Which bound is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Metres driven.
    Distance,
    /// Degrees turned.
    Angle,
    /// Seconds in motion.
    Time,
    /// Degrees that the head turns to a side.
    Pan,
    /// Degrees that the head tilts.
    Tilt,
}

/// More was asked than a bound allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exceeded {
    /// Which bound.
    pub bound: Bound,
    /// What was asked, in the unit of the bound.
    pub asked: f64,
    /// What it allows.
    pub allowed: f64,
}

/// The head turns no further, degrees.
const PAN_DEG_MAX: f64 = 90.0;
const TILT_DEG_MAX: f64 = 45.0;
/// Sums of decimals are not exact: 0.7 + 1.3 is still 2.
const SLACK: f64 = 1e-6;

impl Bounds {
    /// The first bound that these calls together do not keep; a number that is none keeps no bound.
    #[must_use]
    pub fn exceeded(&self, calls: &[Call]) -> Option<Exceeded> {
        let mut distance_m = 0.0;
        let mut angle_deg = 0.0;
        for call in calls {
            match call {
                Call::Drive { distance_m: distance } => distance_m += distance.abs(),
                Call::Turn { angle_deg: angle } => angle_deg += angle.abs(),
                Call::Look { pan_deg, tilt_deg, .. } => {
                    let pan = over(Bound::Pan, pan_deg.unwrap_or(0.0).abs(), PAN_DEG_MAX);
                    let tilt = over(Bound::Tilt, tilt_deg.unwrap_or(0.0).abs(), TILT_DEG_MAX);
                    if let Some(exceeded) = pan.or(tilt) {
                        return Some(exceeded);
                    }
                }
                _ => {}
            }
        }
        let seconds = if distance_m > 0.0 { distance_m / self.linear_mps } else { 0.0 };
        over(Bound::Distance, distance_m, self.distance_m)
            .or_else(|| over(Bound::Angle, angle_deg, self.angle_deg))
            .or_else(|| over(Bound::Time, seconds, self.seconds))
    }
}

fn over(bound: Bound, asked: f64, allowed: f64) -> Option<Exceeded> {
    // Asked this way round, NaN is over every bound.
    let is_kept = asked <= allowed + SLACK;
    (!is_kept).then_some(Exceeded { bound, asked, allowed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(calls: &[Call], expected: Option<Bound>) {
        assert_eq!(Bounds::default().exceeded(calls).map(|exceeded| exceeded.bound), expected, "{calls:?}");
    }

    fn drive(distance_m: f64) -> Call {
        Call::Drive { distance_m }
    }

    fn look(pan_deg: f64, tilt_deg: f64) -> Call {
        Call::Look { direction: None, pan_deg: Some(pan_deg), tilt_deg: Some(tilt_deg) }
    }

    #[test]
    fn ways_and_angles_are_added_up_whatever_their_sign() {
        check(&[drive(2.0)], None);
        check(&[drive(0.7), drive(-1.3)], None);
        check(&[drive(1.0), drive(-1.001)], Some(Bound::Distance));
        check(&[Call::Turn { angle_deg: -360.0 }], None);
        check(&[Call::Turn { angle_deg: 180.0 }, Call::Turn { angle_deg: -181.0 }], Some(Bound::Angle));
        check(&[drive(f64::NAN)], Some(Bound::Distance));
        check(&[Call::Turn { angle_deg: f64::NEG_INFINITY }], Some(Bound::Angle));
    }

    #[test]
    fn the_head_has_its_own_ends() {
        check(&[look(90.0, -45.0)], None);
        check(&[look(-91.0, 0.0)], Some(Bound::Pan));
        check(&[look(0.0, 46.0)], Some(Bound::Tilt));
    }

    #[test]
    fn a_slow_body_runs_out_of_time_first() {
        let slow = Bounds { linear_mps: 0.05, ..Bounds::default() };
        assert_eq!(slow.exceeded(&[drive(1.5)]).map(|exceeded| exceeded.bound), Some(Bound::Time));
        assert_eq!(slow.exceeded(&[drive(1.0)]), None);
        let none = Bounds { linear_mps: 0.0, ..Bounds::default() };
        assert!(none.exceeded(&[drive(0.1)]).is_some());
        assert_eq!(none.exceeded(&[Call::Stop]), None);
    }
}
