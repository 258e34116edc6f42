//! Everything that can be asked of the gate, and its answers. There is no way to ask for a speed without an end.

use std::time::Duration;

use crate::caller::{Caller, Class, Label, TokenId, TurnId};
use crate::refusal::Refusal;
pub use crate::resource::Resource;
use crate::time::BootTime;

/// Number by which an answer finds its request again.
pub type Ticket = u64;

/// A request with who, when, and the number of its answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Number of the answer.
    pub ticket: Ticket,
    /// Who asks.
    pub caller: Caller,
    /// When the edge had read it completely. Ages count from here.
    pub received_at: BootTime,
    /// What is asked.
    pub request: Request,
}

/// Robot's own stamp that a sender echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Random for each start of the agent.
    pub run: u64,
    /// The agent's clock, ms.
    pub mono_ms: u64,
}

/// How a command proves that its sender saw the robot lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Newest stamp the sender saw.
    pub seen: Option<Seen>,
    /// Accepted age, 100 ms ..= 1 s.
    pub max_age: Duration,
}

/// Number of a lease within a run; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId(pub u64);

/// Number of a task within a run; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u64);

/// Number of a teleop socket within a run; never reused, and a later socket has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// A speed with its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Twist {
    /// Forward, m/s.
    pub linear_mps: f32,
    /// Counter-clockwise, rad/s.
    pub angular_radps: f32,
    /// Time to live, 20 ms ..= 500 ms.
    pub ttl: Duration,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Request {
    /// `POST velocity`.
    Velocity {
        /// Speed and end.
        twist: Twist,
        /// Lease to use; `None`: the token's own, or an implicit one.
        lease: Option<LeaseId>,
        /// Rising within one lease.
        seq: Option<u64>,
        /// Freshness.
        freshness: Freshness,
    },
    /// `POST move`.
    Move {
        /// How far.
        travel: Travel,
        /// Lease to use.
        lease: Option<LeaseId>,
        /// Freshness.
        freshness: Freshness,
    },
    /// `DELETE tasks/{id}`.
    CancelTask(TaskId),
    /// `POST head`.
    Head {
        /// To the left positive, rad.
        pan_rad: f32,
        /// Up positive, rad.
        tilt_rad: f32,
        /// Lease to use.
        lease: Option<LeaseId>,
        /// Freshness.
        freshness: Freshness,
    },
    /// `POST lights`; `None` leaves a value as it is.
    Lights {
        /// On or off.
        on: Option<bool>,
        /// Red, green, blue.
        rgb: Option<[u8; 3]>,
        /// 0.0 ..= 1.0.
        brightness: Option<f32>,
    },
    /// A teleop socket opened; the token's earlier one is over.
    TeleopOpen(SocketId),
    /// One frame of a teleop socket.
    TeleopFrame {
        /// Which socket.
        socket: SocketId,
        /// Speed and end.
        twist: Twist,
        /// Rising within one socket.
        seq: u64,
        /// Freshness; `seen` is needed.
        freshness: Freshness,
    },
    /// A teleop socket closed: its setpoint ends at once.
    TeleopClose(SocketId),
    /// `POST leases`: a take.
    Take {
        /// What.
        resource: Resource,
        /// 500 ms ..= 30 s.
        ttl: Duration,
        /// An equal class may take over.
        take_over: bool,
        /// Run of the newest state the taker saw.
        seen: Option<Seen>,
    },
    /// `PUT leases/{id}`: a renewal; never takes.
    Renew {
        /// Which.
        lease: LeaseId,
        /// New time to live; `None` keeps the lease's own.
        ttl: Option<Duration>,
    },
    /// `DELETE leases/{id}`.
    Release(LeaseId),
    /// `POST stop`. Needs no right.
    Stop,
    /// `POST estop`. Needs no right.
    EStop {
        /// Why, in the words of whoever pressed it.
        reason: Label,
    },
    /// `POST estop/reset`.
    Reset {
        /// The epoch that the person saw.
        epoch: u32,
    },
    /// Somebody with the right to drive typed a message: they count as present for 30 s.
    Present,
    /// A message of somebody with the right to drive begins a turn. A model acts in no other.
    Begin(TurnId),
    /// What the message caused is over: the caller's turn ends, with everything that it holds and moves, and nothing that is
    /// still on its way counts any more.
    End,
    /// A token died: its leases, turns, setpoint and task end.
    Revoke(TokenId),
}

/// How far a `move` goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Travel {
    /// Straight on.
    Distance {
        /// Backwards negative, m.
        distance_m: f32,
        /// Cruising speed, m/s; `None`: half the hard limit.
        speed_mps: Option<f32>,
    },
    /// On the spot.
    Turn {
        /// Counter-clockwise positive, rad.
        angle_rad: f32,
        /// Cruising turn rate, rad/s; `None`: half the hard limit.
        speed_radps: Option<f32>,
    },
}

/// The gate's answer.
pub type Answer = Result<Accepted, Refusal>;

/// What was accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Accepted {
    /// A velocity or teleop frame is in force.
    Driving {
        /// Under this lease.
        lease: LeaseId,
        /// The setpoint ends in.
        expires_in: Duration,
        /// What the envelope made of it, when it was clamped.
        limited: Option<Limited>,
    },
    /// A `move` runs.
    Moving {
        /// Its task.
        task: TaskId,
        /// Under this lease.
        lease: LeaseId,
        /// It ends at the latest in.
        deadline: Duration,
    },
    /// A take or renewal.
    Lease(LeaseView),
    /// The e-stop is latched.
    Latched {
        /// Its epoch.
        epoch: u32,
    },
    /// Done: head, lights, stop, reset, release, cancel, teleop open and close, revoke.
    Done,
}

/// What the envelope made of a command.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limited {
    /// Speed in force, m/s.
    pub linear_mps: f32,
    /// Turn rate in force, rad/s.
    pub angular_radps: f32,
    /// What limits it.
    pub reason: LimitReason,
}

/// What limits the speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReason {
    /// Nothing.
    None,
    /// A declared range sensor is old.
    RangeStale,
    /// An obstacle is near.
    Obstacle,
    /// Round trips to the MCU are slow.
    LinkSlow,
    /// Battery is low.
    BatteryLow,
    /// The profile declares no range sensor.
    NoRange,
    /// A model drives.
    AiBounds,
}

impl LimitReason {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::RangeStale => "range-stale",
            Self::Obstacle => "obstacle",
            Self::LinkSlow => "link-slow",
            Self::BatteryLow => "battery-low",
            Self::NoRange => "no-range",
            Self::AiBounds => "ai-bounds",
        }
    }
}

/// A lease as others see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeaseView {
    /// Number.
    pub id: LeaseId,
    /// What is held.
    pub resource: Resource,
    /// Rises with every take of the resource within a run.
    pub epoch: u32,
    /// Token's name.
    pub holder: Label,
    /// Effective class.
    pub class: Class,
    /// Token.
    pub token: TokenId,
    /// Ends in.
    pub expires_in: Duration,
}
