//! What a model may do with the body: the bounds of one turn, and the ledger of what each turn has spent of them.
//!
//! A turn is everything that one message of a person causes. Knows numbers, tokens and whether a turn is over; never whether
//! anybody is present, or who holds what: the gate asks it, and tells it when a turn has lost what it held.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::access::Limb;
use crate::caller::{TokenId, TurnId};
use crate::profile::Profile;
use crate::refusal::Refusal;
use crate::request::Travel;

/// Turns that the ledger keeps. At most two of them hold something, so there is always one that may drop out.
const TURNS_KEPT: usize = 16;
/// What pointing the head counts for: the gate does not see how long the head is under way.
pub const HEAD_TIME: Duration = Duration::from_secs(1);
/// Twenty times 0.1 m shall fit into 2.0 m, although neither is exact: m, rad.
const ROUNDING: f64 = 1e-4;

/// Most that one turn may do, summed over everything that it causes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AiBounds {
    /// Speed, m/s.
    pub linear_mps: f32,
    /// Way, forward and backward added up, m.
    pub distance_m: f32,
    /// Turning, to the left and to the right added up, rad.
    pub angle_rad: f32,
    /// Time in motion, s.
    pub seconds: f32,
}

impl AiBounds {
    /// Where the owner says nothing else.
    pub const DEFAULT: Self =
        Self { linear_mps: 0.2, distance_m: 2.0, angle_rad: std::f32::consts::TAU, seconds: 20.0 };

    /// Fastest turn on the spot, rad/s.
    pub fn angular_radps(profile: &Profile) -> f32 {
        profile.angular_radps_max / 2.0
    }

    /// The same travel, no faster than a model may be.
    pub fn slowed(&self, travel: Travel, profile: &Profile) -> Travel {
        match travel {
            Travel::Distance { distance_m, speed_mps } => {
                let speed = speed_mps.unwrap_or(profile.linear_mps_max / 2.0);
                Travel::Distance { distance_m, speed_mps: Some(speed.min(self.linear_mps)) }
            }
            Travel::Turn { angle_rad, speed_radps } => {
                let speed = speed_radps.unwrap_or(profile.angular_radps_max / 2.0);
                Travel::Turn { angle_rad, speed_radps: Some(speed.min(Self::angular_radps(profile))) }
            }
        }
    }

    fn time(&self) -> Duration {
        Duration::try_from_secs_f32(self.seconds).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    id: TurnId,
    token: TokenId,
    /// Whether it ever got a lease of base and of head; it gets each once.
    has_taken: [bool; 2],
    is_over: bool,
    distance_m: f64,
    angle_rad: f64,
    time: Duration,
}

/// The newest turns. One that is not in here is over.
#[derive(Debug)]
pub struct Turns {
    bounds: AiBounds,
    kept: ArrayVec<Turn, TURNS_KEPT>,
    /// The newest that dropped out: nothing up to it begins any more.
    dropped: TurnId,
}

impl Turns {
    /// None.
    pub const fn new(bounds: AiBounds) -> Self {
        Self { bounds, kept: ArrayVec::new_const(), dropped: TurnId(0) }
    }

    /// A person's message begins a turn. `is_holding`: the turn has a lease now, so its number stays.
    ///
    /// # Errors
    /// [`Refusal::LeaseGone`]: this turn has begun before.
    pub fn begin(
        &mut self,
        id: TurnId,
        token: TokenId,
        is_holding: impl Fn(TurnId) -> bool,
    ) -> Result<(), Refusal> {
        if id <= self.dropped || self.find(id).is_some() {
            return Err(Refusal::LeaseGone);
        }
        if self.kept.is_full() {
            let idle = self.kept.iter().enumerate().filter(|(_, turn)| !is_holding(turn.id));
            let Some((index, oldest)) = idle.min_by_key(|(_, turn)| turn.id) else {
                return Err(Refusal::LeaseGone);
            };
            self.dropped = self.dropped.max(oldest.id);
            self.kept.remove(index);
        }
        self.kept.push(Turn {
            id,
            token,
            has_taken: [false; 2],
            is_over: false,
            distance_m: 0.0,
            angle_rad: 0.0,
            time: Duration::ZERO,
        });
        Ok(())
    }

    /// The turn is one of this token, has begun and is not over.
    pub fn is_live(&self, id: TurnId, token: TokenId) -> bool {
        self.find(id).is_some_and(|turn| turn.token == token && !turn.is_over)
    }

    /// The turn had its lease of this limb.
    pub fn has_taken(&self, id: TurnId, limb: Limb) -> bool {
        self.find(id).is_some_and(|turn| turn.has_taken[limb as usize])
    }

    /// The turn got its lease of this limb.
    pub fn took(&mut self, id: TurnId, limb: Limb) {
        if let Some(turn) = self.find_mut(id) {
            turn.has_taken[limb as usize] = true;
        }
    }

    /// Ends every turn.
    pub fn end_all(&mut self) {
        self.end_where(|_, _| true);
    }

    /// Ends one turn, if it is this token's.
    pub fn end(&mut self, id: TurnId, token: TokenId) {
        self.end_where(|turn, of| turn == id && of == token);
    }

    /// Ends every turn of a token.
    pub fn end_token(&mut self, token: TokenId) {
        self.end_where(|_, of| of == token);
    }

    /// Ends every turn that has lost a lease: `holds` tells whether a turn holds a limb.
    pub fn end_without_lease(&mut self, holds: impl Fn(TurnId, Limb) -> bool) {
        for turn in &mut self.kept {
            let has_lost = |limb: &Limb| turn.has_taken[*limb as usize] && !holds(turn.id, *limb);
            turn.is_over |= Limb::ALL.iter().any(has_lost);
        }
    }

    fn end_where(&mut self, is_over: impl Fn(TurnId, TokenId) -> bool) {
        for turn in &mut self.kept {
            turn.is_over |= is_over(turn.id, turn.token);
        }
    }

    /// 422: a travel is within what is left of way and angle. A turn that is over is refused for that, later.
    ///
    /// # Errors
    /// [`Refusal::OutsideBounds`].
    pub fn check_travel(&self, id: TurnId, travel: &Travel) -> Result<(), Refusal> {
        let Some(turn) = self.find(id).filter(|turn| !turn.is_over) else {
            return Ok(());
        };
        let (bound, asked, left) = match *travel {
            Travel::Distance { distance_m, .. } => {
                ("distance_m", distance_m, f64::from(self.bounds.distance_m) - turn.distance_m)
            }
            Travel::Turn { angle_rad, .. } => {
                ("angle_rad", angle_rad, f64::from(self.bounds.angle_rad) - turn.angle_rad)
            }
        };
        let asked = f64::from(asked.abs());
        // Written so that what is no number is outside.
        if asked <= left + ROUNDING {
            return Ok(());
        }
        Err(Refusal::OutsideBounds { bound, asked: shown(asked), allowed: shown(left.max(0.0)) })
    }

    /// 422: something that takes so long may begin.
    ///
    /// # Errors
    /// [`Refusal::OutsideBounds`].
    pub fn check_time(&self, id: TurnId, least: Duration, asked: Duration) -> Result<(), Refusal> {
        let left = self.time_left(id);
        if left >= least || self.find(id).is_none_or(|turn| turn.is_over) {
            return Ok(());
        }
        let (asked, allowed) = (shown(asked.as_secs_f64()), shown(left.as_secs_f64()));
        Err(Refusal::OutsideBounds { bound: "seconds", asked, allowed })
    }

    /// A travel was accepted: it counts in full, even if it ends early.
    pub fn spend_travel(&mut self, id: TurnId, travel: &Travel) {
        let Some(turn) = self.find_mut(id) else {
            return;
        };
        match *travel {
            Travel::Distance { distance_m, .. } => turn.distance_m += f64::from(distance_m.abs()),
            Travel::Turn { angle_rad, .. } => turn.angle_rad += f64::from(angle_rad.abs()),
        }
    }

    /// A setpoint of the turn was in force for so long.
    pub fn spend_time(&mut self, id: TurnId, time: Duration) {
        if let Some(turn) = self.find_mut(id) {
            turn.time = turn.time.saturating_add(time);
        }
    }

    /// How long a setpoint of the turn may still be in force; not at all for a turn that is unknown.
    pub fn time_left(&self, id: TurnId) -> Duration {
        self.find(id).map_or(Duration::ZERO, |turn| self.bounds.time().saturating_sub(turn.time))
    }

    fn find(&self, id: TurnId) -> Option<&Turn> {
        self.kept.iter().find(|turn| turn.id == id)
    }

    fn find_mut(&mut self, id: TurnId) -> Option<&mut Turn> {
        self.kept.iter_mut().find(|turn| turn.id == id)
    }
}

/// Rounding errors are nobody's business.
fn shown(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
