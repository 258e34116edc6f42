//! Bodies that come in. Each turns into a [`Request`] or says which field is wrong.

use std::time::Duration;

use agent_core::caller::label;
use agent_core::request::{Freshness, Request, Resource, SocketId, Travel, Twist};
use cloud_sync_api::problem::Problem;
use cloud_sync_api::scope::Scope;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ids::{SeenBody, parse_lease};

/// A millisecond field: its name, what an absent one means, and its bounds.
struct Millis {
    field: &'static str,
    default: i64,
    min: i64,
    max: i64,
}

const TTL: Millis = Millis { field: "ttl_ms", default: 250, min: 20, max: 500 };
const MAX_AGE: Millis = Millis { field: "max_age_ms", default: 300, min: 100, max: 1000 };
const LEASE_TTL: Millis = Millis { field: "ttl_ms", default: 3000, min: 500, max: 30_000 };

impl Millis {
    fn of(&self, value: Option<i64>) -> Result<Duration, Problem> {
        let value = value.unwrap_or(self.default);
        if !(self.min..=self.max).contains(&value) {
            return Err(Problem::out_of_range(self.field, self.min as f64, self.max as f64));
        }
        Ok(Duration::from_millis(value.unsigned_abs()))
    }
}

/// How a command shows that its sender saw the robot lately.
///
/// # Errors
/// The age is out of range.
pub fn freshness(seen: Option<&SeenBody>, max_age_ms: Option<i64>) -> Result<Freshness, Problem> {
    Ok(Freshness { seen: seen.map(SeenBody::parse), max_age: MAX_AGE.of(max_age_ms)? })
}

/// Body of `POST velocity`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VelocityBody {
    /// Forward, m/s.
    #[schema(example = 0.2)]
    pub linear_mps: f32,
    /// Counter-clockwise, rad/s.
    #[schema(example = 0.0)]
    pub angular_radps: f32,
    /// How long it may move the body, ms.
    #[schema(minimum = 20, maximum = 500, default = 250)]
    pub ttl_ms: Option<i64>,
    /// Lease to use; absent: the token's own, or an implicit one.
    pub lease: Option<String>,
    /// Rises within one lease.
    pub seq: Option<u64>,
    /// Newest stamp seen.
    pub seen: Option<SeenBody>,
    /// Accepted age of `seen`, ms.
    #[schema(minimum = 100, maximum = 1000, default = 300)]
    pub max_age_ms: Option<i64>,
}

impl VelocityBody {
    /// What the gate is asked.
    ///
    /// # Errors
    /// A time is out of range.
    pub fn request(&self) -> Result<Request, Problem> {
        Ok(Request::Velocity {
            twist: Twist {
                linear_mps: self.linear_mps,
                angular_radps: self.angular_radps,
                ttl: TTL.of(self.ttl_ms)?,
            },
            lease: self.lease.as_deref().map(parse_lease),
            seq: self.seq,
            freshness: freshness(self.seen.as_ref(), self.max_age_ms)?,
        })
    }
}

/// Drive frame of the teleop socket.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DriveFrame {
    /// Rises within one socket.
    pub seq: u64,
    /// Forward, m/s.
    pub linear_mps: f32,
    /// Counter-clockwise, rad/s.
    pub angular_radps: f32,
    /// How long it may move the body, ms.
    #[schema(minimum = 20, maximum = 500, default = 250)]
    pub ttl_ms: Option<i64>,
    /// Newest stamp seen.
    pub seen: SeenBody,
}

impl DriveFrame {
    /// What the gate is asked.
    ///
    /// # Errors
    /// A time is out of range.
    pub fn request(&self, socket: SocketId, max_age_ms: Option<i64>) -> Result<Request, Problem> {
        Ok(Request::TeleopFrame {
            socket,
            twist: Twist {
                linear_mps: self.linear_mps,
                angular_radps: self.angular_radps,
                ttl: TTL.of(self.ttl_ms)?,
            },
            seq: self.seq,
            freshness: freshness(Some(&self.seen), max_age_ms)?,
        })
    }
}

/// Body of `POST move`: either a distance or an angle.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveBody {
    /// Straight on, backwards negative, m.
    pub distance_m: Option<f32>,
    /// On the spot, counter-clockwise positive, rad.
    pub angle_rad: Option<f32>,
    /// Cruising speed with `distance_m`, m/s.
    pub speed_mps: Option<f32>,
    /// Cruising turn rate with `angle_rad`, rad/s.
    pub speed_radps: Option<f32>,
    /// Lease to use.
    pub lease: Option<String>,
    /// Newest stamp seen.
    pub seen: Option<SeenBody>,
    /// Accepted age of `seen`, ms.
    #[schema(minimum = 100, maximum = 1000, default = 300)]
    pub max_age_ms: Option<i64>,
}

impl MoveBody {
    /// What the gate is asked.
    ///
    /// # Errors
    /// Neither or both of distance and angle, a speed of the wrong kind, or a time out of range.
    pub fn request(&self) -> Result<Request, Problem> {
        let travel = match (self.distance_m, self.angle_rad) {
            (Some(distance_m), None) if self.speed_radps.is_none() => {
                Travel::Distance { distance_m, speed_mps: self.speed_mps }
            }
            (None, Some(angle_rad)) if self.speed_mps.is_none() => {
                Travel::Turn { angle_rad, speed_radps: self.speed_radps }
            }
            (Some(_), None) => {
                return Err(Problem::bad_request("speed_radps belongs to angle_rad").field("speed_radps"));
            }
            (None, Some(_)) => {
                return Err(Problem::bad_request("speed_mps belongs to distance_m").field("speed_mps"));
            }
            _ => {
                return Err(Problem::bad_request("give either distance_m or angle_rad").field("distance_m"));
            }
        };
        Ok(Request::Move {
            travel,
            lease: self.lease.as_deref().map(parse_lease),
            freshness: freshness(self.seen.as_ref(), self.max_age_ms)?,
        })
    }
}

/// Body of `POST head`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadBody {
    /// To the left positive, rad.
    pub pan_rad: f32,
    /// Up positive, rad.
    pub tilt_rad: f32,
    /// Lease to use.
    pub lease: Option<String>,
    /// Newest stamp seen.
    pub seen: Option<SeenBody>,
    /// Accepted age of `seen`, ms.
    #[schema(minimum = 100, maximum = 1000, default = 300)]
    pub max_age_ms: Option<i64>,
}

impl HeadBody {
    /// What the gate is asked.
    ///
    /// # Errors
    /// A time is out of range.
    pub fn request(&self) -> Result<Request, Problem> {
        Ok(Request::Head {
            pan_rad: self.pan_rad,
            tilt_rad: self.tilt_rad,
            lease: self.lease.as_deref().map(parse_lease),
            freshness: freshness(self.seen.as_ref(), self.max_age_ms)?,
        })
    }
}

/// Body of `POST lights`; what is absent stays as it is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LightsBody {
    /// On or off.
    pub on: Option<bool>,
    /// `#rrggbb`.
    #[schema(example = "#ff8800", pattern = "^#[0-9a-fA-F]{6}$")]
    pub color: Option<String>,
    /// 0 ..= 1.
    #[schema(minimum = 0, maximum = 1)]
    pub brightness: Option<f32>,
}

impl LightsBody {
    /// What the gate is asked.
    ///
    /// # Errors
    /// The colour is not `#rrggbb`, or the brightness out of range.
    pub fn request(&self) -> Result<Request, Problem> {
        let rgb = match &self.color {
            Some(color) => Some(parse_color(color).ok_or_else(|| {
                Problem::bad_request("color is written #rrggbb, such as #ff8800").field("color")
            })?),
            None => None,
        };
        if let Some(brightness) = self.brightness
            && !(0.0..=1.0).contains(&brightness)
        {
            return Err(Problem::out_of_range("brightness", 0.0, 1.0));
        }
        Ok(Request::Lights { on: self.on, rgb, brightness: self.brightness })
    }
}

/// Red, green and blue of `#rrggbb`.
pub fn parse_color(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#')?;
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

/// What can be leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResourceName {
    /// The wheels.
    Base,
    /// The head.
    Head,
    /// The lights.
    Lights,
    /// Somebody is there. Without it, or a message typed within the last 30 s, a chat moves nothing.
    Presence,
}

impl ResourceName {
    /// The scope that holds it.
    pub const fn scope(self) -> Scope {
        match self {
            Self::Base | Self::Head | Self::Presence => Scope::Drive,
            Self::Lights => Scope::Speak,
        }
    }
}

impl From<ResourceName> for Resource {
    fn from(name: ResourceName) -> Self {
        match name {
            ResourceName::Base => Self::Base,
            ResourceName::Head => Self::Head,
            ResourceName::Lights => Self::Lights,
            ResourceName::Presence => Self::Presence,
        }
    }
}

impl From<Resource> for ResourceName {
    fn from(resource: Resource) -> Self {
        match resource {
            Resource::Base => Self::Base,
            Resource::Head => Self::Head,
            Resource::Lights => Self::Lights,
            Resource::Presence => Self::Presence,
        }
    }
}

/// Body of `POST leases`: a take.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBody {
    /// What to take.
    pub resource: ResourceName,
    /// How long without an accepted command, ms.
    #[schema(minimum = 500, maximum = 30000, default = 3000)]
    pub ttl_ms: Option<i64>,
    /// Take it from a holder of the same class.
    #[serde(default)]
    pub take_over: bool,
    /// Newest stamp seen.
    pub seen: Option<SeenBody>,
}

impl TakeBody {
    /// What the gate is asked.
    ///
    /// # Errors
    /// A time is out of range.
    pub fn request(&self) -> Result<Request, Problem> {
        Ok(Request::Take {
            resource: self.resource.into(),
            ttl: LEASE_TTL.of(self.ttl_ms)?,
            take_over: self.take_over,
            seen: self.seen.as_ref().map(SeenBody::parse),
        })
    }
}

/// Body of `PUT leases/{id}`: a renewal.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewBody {
    /// New time to live, ms; absent: the lease keeps its own.
    #[schema(minimum = 500, maximum = 30000)]
    pub ttl_ms: Option<i64>,
}

impl RenewBody {
    /// What the gate is asked.
    ///
    /// # Errors
    /// The time is out of range.
    pub fn request(&self, lease: &str) -> Result<Request, Problem> {
        let ttl = match self.ttl_ms {
            Some(_) => Some(LEASE_TTL.of(self.ttl_ms)?),
            None => None,
        };
        Ok(Request::Renew { lease: parse_lease(lease), ttl })
    }
}

/// Body of `POST estop/reset`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetBody {
    /// The epoch that the person saw in `GET estop`.
    pub epoch: u32,
}

/// Body of `POST estop`; documented only, since no body keeps an e-stop from acting.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct EStopBody {
    /// Why, in words.
    #[serde(default)]
    pub reason: Option<String>,
}

impl EStopBody {
    /// Reads what can be read; anything else is an e-stop without a reason.
    pub fn lenient(body: &[u8]) -> Request {
        let parsed: Self = serde_json::from_slice(body).unwrap_or_default();
        Request::EStop { reason: label(parsed.reason.as_deref().unwrap_or_default()) }
    }
}
