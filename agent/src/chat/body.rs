//! The robot's body behind a chat: calls in, sentences out.

use std::time::Duration;

use agent_core::profile::HeadLimits;
use agent_core::request::Travel;
use cloud_sync_api::access::Principal;
use cloud_sync_api::assistant::body::{Body, Done};
use cloud_sync_api::assistant::said;
use cloud_sync_protocol::persona::Mood;
use jiff::Zoned;
use jiff::tz::TimeZone;
use models_mind::bounds::Bounds;
use models_mind::skills::{Call, Direction, Skill, rgb};

use super::errand::Errand;
use super::report;
use crate::drive::robot::Robot;
use crate::drive::stop;
use crate::memory::stamps;
use crate::os;

/// What this body can do. A skill whose part is missing is not offered.
const SKILLS: [Skill; 6] =
    [Skill::Drive, Skill::Turn, Skill::Look, Skill::Lights, Skill::Battery, Skill::Status];
/// How far "left" and "right" are, rad.
const ASIDE_RAD: f32 = std::f32::consts::FRAC_PI_4;
/// How far "up" and "down" are, rad.
const UP_RAD: f32 = 0.4;
/// The head is where it was told to be, rad.
const POINTED_RAD: f32 = 0.05;
/// How long a gesture lasts.
const GESTURE: Duration = Duration::from_millis(400);
/// The longest that a head takes to get there.
const POINTING_MAX: Duration = Duration::from_millis(1500);

/// The robot's body, as a chat knows it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RobotBody {
    robot: Robot,
}

impl RobotBody {
    /// Over the one door to the body.
    pub fn new(robot: Robot) -> Self {
        Self { robot }
    }

    async fn look(&self, errand: &mut Errand, wanted: Gaze) -> Done {
        let limits = self.robot.identity.profile.head;
        let senses = self.robot.drive.snapshot().body.senses.map(|(_, senses)| senses);
        let (now_pan, now_tilt) = senses.map_or((0.0, 0.0), |senses| (senses.pan_rad, senses.tilt_rad));
        let (pan, tilt) = wanted.angles(now_pan, now_tilt, limits);
        if let Err(unable) = errand.point(pan, tilt).await {
            return report::unable(unable, os::boot_time());
        }
        let is_there = |pan_rad: f32, tilt_rad: f32| {
            (pan_rad - pan).abs() < POINTED_RAD && (tilt_rad - tilt).abs() < POINTED_RAD
        };
        let pointed = self.robot.drive.until(|shown| {
            shown.body.senses.is_some_and(|(_, senses)| is_there(senses.pan_rad, senses.tilt_rad))
        });
        match tokio::time::timeout(POINTING_MAX, pointed).await {
            Ok(()) => Done::Well(said::looking(wanted.direction)),
            Err(_late) => {
                Done::Unable { problem: "blocked", detail: "My head did not get there in time.".to_owned() }
            }
        }
    }

    async fn light(&self, errand: &Errand, on: Option<bool>, color: Option<&str>) -> Done {
        let wanted = color.map(|name| rgb(name).ok_or(name)).transpose();
        let color_rgb = match wanted {
            Ok(rgb) => rgb,
            Err(name) => {
                return Done::Unable {
                    problem: "out-of-range",
                    detail: format!("I don't know the colour \"{name}\"."),
                };
            }
        };
        // A colour that nobody sees is not what was meant.
        let on = on.or(color_rgb.map(|_| true));
        match errand.light(on, color_rgb).await {
            Ok(()) => Done::Well(said::lit(on, color)),
            Err(unable) => report::unable(unable, os::boot_time()),
        }
    }

    async fn travel(&self, errand: &mut Errand, call: &Call, travel: Travel) -> Done {
        match errand.travel(travel).await {
            Ok(()) => Done::Well(said::moved(call)),
            Err(unable) => report::unable(unable, os::boot_time()),
        }
    }
}

impl Body for RobotBody {
    type Errand = Errand;

    fn skills(&self) -> Vec<Skill> {
        SKILLS.to_vec()
    }

    fn bounds(&self) -> Bounds {
        let ai = self.robot.identity.profile.ai;
        Bounds {
            linear_mps: tidy(ai.linear_mps),
            distance_m: tidy(ai.distance_m),
            angle_deg: tidy(ai.angle_rad.to_degrees()),
            seconds: tidy(ai.seconds),
        }
    }

    async fn out_of_the_ordinary(&self) -> Option<String> {
        let now = self.robot.drive.snapshot();
        let senses = now.body.senses.map(|(_, senses)| senses);
        said::condition(said::Condition {
            is_heard: now.is_heard,
            is_latched: now.estop.latched,
            is_base_closed: now.base_closed.is_some(),
            is_head_closed: now.head_closed.is_some(),
            battery_percent: senses.map(|senses| senses.battery_percent),
        })
    }

    fn clock(&self) -> Option<Zoned> {
        stamps::wall_clock().map(|now| now.to_zoned(TimeZone::system()))
    }

    async fn stop(&self, by: &Principal) -> Done {
        let shown = stop::press_stop(&self.robot, &by.peer, Some(by)).await;
        said::stopped(shown.stopped, shown.confirmed_by_mcu)
    }

    async fn errand(&self, by: &Principal) -> Errand {
        Errand::begin(&self.robot, by).await
    }

    async fn carry_out(&self, errand: &mut Errand, call: &Call) -> Done {
        match call {
            Call::Drive { distance_m } => {
                let travel = Travel::Distance { distance_m: *distance_m as f32, speed_mps: None };
                self.travel(errand, call, travel).await
            }
            Call::Turn { angle_deg } => {
                let angle_rad = angle_deg.to_radians() as f32;
                self.travel(errand, call, Travel::Turn { angle_rad, speed_radps: None }).await
            }
            Call::Look { direction, pan_deg, tilt_deg } => {
                let gaze = Gaze { direction: *direction, pan_deg: *pan_deg, tilt_deg: *tilt_deg };
                self.look(errand, gaze).await
            }
            Call::Lights { on, color } => self.light(errand, *on, color.as_deref()).await,
            Call::Battery => report::battery(&self.robot.drive.snapshot()),
            Call::Status => Done::Well(report::status(&self.robot.drive.snapshot())),
            Call::Say { .. } => missing("I have no loudspeaker, so I cannot say that aloud."),
            Call::TakePicture => missing("I have no camera, so I cannot take pictures."),
            _ => missing("I cannot do that."),
        }
    }

    async fn show(&self, errand: &mut Errand, mood: Mood) {
        let senses = self.robot.drive.snapshot().body.senses.map(|(_, senses)| senses);
        let Some(senses) = senses else { return };
        let limits = self.robot.identity.profile.head;
        let (pan, tilt) = gesture(mood);
        let bounded = |angle: f32, max: f32| angle.clamp(-max, max);
        let there = (
            bounded(senses.pan_rad + pan, limits.pan_rad_max),
            bounded(senses.tilt_rad + tilt, limits.tilt_rad_max),
        );
        let back =
            (bounded(senses.pan_rad, limits.pan_rad_max), bounded(senses.tilt_rad, limits.tilt_rad_max));
        // A head that is closed, or somebody else's, stays as it is.
        if errand.point(there.0, there.1).await.is_ok() {
            tokio::time::sleep(GESTURE).await;
            errand.point(back.0, back.1).await.ok();
        }
    }
}

/// How far pan and tilt go for a moment, rad: a sign, and no more.
const fn gesture(mood: Mood) -> (f32, f32) {
    match mood {
        Mood::Friendly => (0.0, 0.1),
        Mood::Focused => (0.0, -0.1),
        Mood::Playful => (0.2, 0.1),
        Mood::Bossy => (0.0, 0.2),
        Mood::Surprised => (-0.15, 0.2),
        Mood::Blushing => (0.15, -0.2),
    }
}

fn missing(detail: &str) -> Done {
    Done::Unable { problem: "not-built", detail: detail.to_owned() }
}

/// 0.2 is stored as 0.20000000298 and shall be said as 0.2.
fn tidy(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

/// Where to look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gaze {
    pub(super) direction: Option<Direction>,
    pub(super) pan_deg: Option<f64>,
    pub(super) tilt_deg: Option<f64>,
}

impl Gaze {
    /// Pan and tilt, rad. A direction goes as far as the head does, if that is less; degrees are taken as they are.
    fn angles(&self, now_pan: f32, now_tilt: f32, limits: HeadLimits) -> (f32, f32) {
        let (aside, up) = (ASIDE_RAD.min(limits.pan_rad_max), UP_RAD.min(limits.tilt_rad_max));
        let inside = |angle: f32, max: f32| angle.clamp(-max, max);
        let (now_pan, now_tilt) =
            (inside(now_pan, limits.pan_rad_max), inside(now_tilt, limits.tilt_rad_max));
        let (pan, tilt) = match self.direction {
            Some(Direction::Left) => (aside, now_tilt),
            Some(Direction::Right) => (-aside, now_tilt),
            Some(Direction::Up) => (now_pan, up),
            Some(Direction::Down) => (now_pan, -up),
            Some(Direction::Center) => (0.0, 0.0),
            None => (now_pan, now_tilt),
        };
        let degrees = |value: Option<f64>, other: f32| value.map_or(other, |deg| deg.to_radians() as f32);
        (degrees(self.pan_deg, pan), degrees(self.tilt_deg, tilt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: HeadLimits = HeadLimits { pan_rad_max: 1.5, tilt_rad_max: 0.3 };

    #[test]
    fn a_direction_goes_as_far_as_the_head_does() {
        // Left and right keep the tilt, up and down the pan; degrees are taken as they are, and the gate judges them.
        let check = |direction, pan_deg, tilt_deg, wanted: (f32, f32)| {
            let (pan, tilt) = Gaze { direction, pan_deg, tilt_deg }.angles(0.5, -0.1, LIMITS);
            assert!(
                (pan - wanted.0).abs() < 1e-3 && (tilt - wanted.1).abs() < 1e-3,
                "{direction:?} {pan} {tilt}"
            );
        };
        check(Some(Direction::Left), None, None, (ASIDE_RAD, -0.1));
        check(Some(Direction::Right), None, None, (-ASIDE_RAD, -0.1));
        check(Some(Direction::Up), None, None, (0.5, 0.3));
        check(Some(Direction::Down), None, None, (0.5, -0.3));
        check(Some(Direction::Center), None, None, (0.0, 0.0));
        check(None, Some(90.0), None, (1.571, -0.1));
        check(None, None, Some(-45.0), (0.5, -0.785));
    }
}
