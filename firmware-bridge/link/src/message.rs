//! What the two ends say to each other: the body of every frame class, as postcard.
//!
//! The layouts are pinned by golden vectors and by [`SCHEMA_HASH`](crate::schema::SCHEMA_HASH); changing one without a
//! new [`PROTOCOL`] version fails the tests. [`Hello`] is frozen for ever: two ends of any version can read it.

use serde::{Deserialize, Serialize};

/// Version of the wire that this crate speaks.
pub const PROTOCOL: Version = Version { major: 1, minor: 0 };

/// Protocol version. Ends with different majors exchange telemetry and stops only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Incremented when an old peer would misread a frame.
    pub major: u8,
    /// Incremented when something was added that an old peer may ignore.
    pub minor: u8,
}

/// The host asks who is there. Answered by [`Hello`] in any state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HelloRequest {
    /// What the host speaks.
    pub protocol: Version,
}

/// Who the MCU is. Frozen layout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// What the MCU speaks.
    pub protocol: Version,
    /// FNV-1a of the wire schema; differs when the ends were built from different message definitions.
    pub schema_hash: u64,
    /// Firmware version, major.minor.patch.
    pub firmware: [u8; 3],
    /// Board name, ASCII, zero padded.
    pub board: [u8; 16],
    /// Random for each start of the MCU. Arming names it, so an order meant for an earlier life is refused.
    pub boot_id: u32,
    /// Why the MCU started.
    pub reset_reason: ResetReason,
    /// State at the time of the answer.
    pub state: State,
    /// Reason of the state.
    pub reason: Reason,
    /// What the body has and how far it may go.
    pub capabilities: Capabilities,
}

/// What a body has, and the limits compiled into its firmware. The host can only tighten them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capabilities {
    /// A head with pan and tilt servos.
    pub head: bool,
    /// Lights.
    pub lights: bool,
    /// Number of range sensors, at most [`RANGES_MAX`].
    pub ranges: u8,
    /// Limits in force, already tightened.
    pub limits: Limits,
}

/// Limits of motion. Every field can only be tightened by the host: see [`Limits::tightened_by`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Highest speed of one wheel, m/s.
    pub wheel_mps_max: f32,
    /// Acceleration, and deceleration towards a client's own setpoint, of one wheel, m/s².
    pub acceleration_mps2: f32,
    /// Deceleration for everything else: end of a time to live, hold, stop. Tightening raises it. m/s².
    pub emergency_mps2: f32,
    /// Longest time without an accepted setpoint before the MCU stops by itself, ms.
    pub hold_ms: u16,
    /// Largest head pan to either side, rad.
    pub pan_rad_max: f32,
    /// Largest head tilt up or down, rad.
    pub tilt_rad_max: f32,
}

/// Range sensors a telemetry frame can carry.
pub const RANGES_MAX: usize = 4;

/// Where the MCU's state machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Started, self test not finished.
    Boot,
    /// Outputs off. Arming is possible.
    Disarmed,
    /// Setpoints move the body.
    Armed,
    /// Stopped and latched until `Clear` and `Arm`.
    Stopped,
    /// Emergency stop, latched until `Clear` (with its kind) and `Arm`.
    EStop,
    /// A fault of body or power, latched until it is gone and `Clear` and `Arm` came.
    Fault,
}

/// Why the MCU is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// Nothing to explain: armed by the host.
    None,
    /// Just started.
    Started,
    /// The host disarmed it.
    Disarmed,
    /// No setpoint was accepted for the hold time.
    HoldOver,
    /// The host sent Stop.
    HostStop,
    /// The host sent EStop.
    HostEStop,
    /// The e-stop input of the body was pressed.
    ButtonEStop,
    /// A wheel is driven but its encoder does not move.
    EncoderStuck,
    /// Battery below the cut-off voltage.
    BatteryLow,
}

/// Why the MCU started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetReason {
    /// Power was applied.
    PowerOn,
    /// Supply dipped below the minimum.
    BrownOut,
    /// The hardware watchdog bit: the firmware had hung.
    Watchdog,
    /// Asked for by software.
    Software,
    /// The reset pin.
    External,
}

/// A motion goal with its end. Unacknowledged, the latest wins; it is also the proof that the host lives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setpoint {
    /// When the host sent it, in the MCU's clock as the host estimates it, us. Never goes back within a boot.
    pub sent_at_us: u64,
    /// How long it may move the body, counted from the earlier of `sent_at_us` and arrival, ms.
    pub ttl_ms: u16,
    /// What the wheels shall do.
    pub wheels: WheelGoal,
}

/// What the wheels shall do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum WheelGoal {
    /// Standstill, reached with the emergency deceleration: what the gate sends when nobody drives.
    Halt,
    /// A driver's own goal, reached with the normal acceleration, a zero included.
    Follow {
        /// Left wheel, m/s, forward positive.
        left_mps: f32,
        /// Right wheel, m/s, forward positive.
        right_mps: f32,
    },
}

/// An acknowledged order. Retransmitted with the same `id` until a [`Reply`] comes; the MCU runs an id once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandFrame {
    /// Request id, rising, shared with [`StopFrame`].
    pub id: u16,
    /// The order.
    pub command: Command,
}

/// Orders that are acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Tighten the limits; the reply comes after they are in force, and `Hello` shows them.
    Tighten(Limits),
    /// Send a telemetry stream at `rate_hz` (0 ends it).
    Subscribe {
        /// Which stream.
        stream: Stream,
        /// Frames a second, 0..=100.
        rate_hz: u8,
    },
    /// Enable the outputs. Needs the current boot id, matching protocol, fresh time sync and a zero setpoint.
    Arm {
        /// Boot id from [`Hello`].
        boot_id: u32,
    },
    /// Switch the outputs off. Always allowed; no latch is lost.
    Disarm,
    /// Take back one kind of latch. Other latches stay; without one left the body is disarmed.
    Clear(Latch),
    /// Point the head. Only while armed.
    Head {
        /// To the left positive, rad.
        pan_rad: f32,
        /// Up positive, rad.
        tilt_rad: f32,
    },
    /// Set the lights, in any state.
    Lights {
        /// Red, green, blue.
        rgb: [u8; 3],
        /// 0 off .. 255 full.
        brightness: u8,
    },
}

/// Which latch a `Clear` takes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Latch {
    /// [`State::Stopped`].
    Stopped,
    /// [`State::EStop`].
    EStop,
    /// [`State::Fault`], if its cause is gone.
    Fault,
}

/// Telemetry streams a host can subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// [`Motion`].
    Motion,
    /// [`Senses`].
    Senses,
}

/// Stop now. Accepted in any state, without handshake and whatever the protocol minor is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StopFrame {
    /// Request id, shared with [`CommandFrame`].
    pub id: u16,
    /// Which latch to set.
    pub kind: StopKind,
}

/// Which latch a stop sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopKind {
    /// [`State::Stopped`].
    Stop,
    /// [`State::EStop`].
    EStop,
}

/// Answer to a [`CommandFrame`] or [`StopFrame`]; repeated word for word when the request comes again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// Id of the request.
    pub id: u16,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done.
    Done,
    /// Refused: not possible in this state.
    WrongState,
    /// Refused: another boot id.
    WrongBoot,
    /// Refused: protocol majors differ.
    WrongProtocol,
    /// Refused: no time sync within [`SYNC_FRESH_MS`](crate::limits::SYNC_FRESH_MS).
    NoTimeSync,
    /// Refused: the last accepted setpoint was not a standstill, or there was none.
    NotNeutral,
    /// Refused: a number was not finite or out of range.
    OutOfRange,
    /// Refused: this body does not have the part.
    NoSuchPart,
    /// Refused: the cause of the fault is still there.
    StillFaulty,
}

/// Host asks for the time. Answered at once by [`TimeReply`]; never retransmitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRequest {
    /// Host clock at sending, us; comes back unchanged.
    pub host_us: u64,
}

/// The MCU's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeReply {
    /// From the request.
    pub host_us: u64,
    /// MCU clock when the request was read, us since its start.
    pub mcu_us: u64,
}

/// Telemetry, each stream with its own sequence number in the frame header.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Telemetry {
    /// State and wheels; also sent at once when the state changes.
    Motion(Motion),
    /// Ranges, inertia, battery, head.
    Senses(Senses),
}

/// State and wheels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// MCU clock at sampling, us.
    pub t_us: u64,
    /// Boot id, so that a restart is seen even when its Hello was lost.
    pub boot_id: u32,
    /// State.
    pub state: State,
    /// Why.
    pub reason: Reason,
    /// Measured speed of the left wheel, m/s.
    pub left_mps: f32,
    /// Measured speed of the right wheel, m/s.
    pub right_mps: f32,
    /// Distance the left wheel has turned since start, um, forward positive.
    pub left_um: i64,
    /// Distance the right wheel has turned since start, um, forward positive.
    pub right_um: i64,
    /// `sent_at_us` of the newest accepted setpoint, 0 before the first.
    pub setpoint_us: u64,
    /// Setpoints refused so far: expired, out of order, not finite, from another major, or moving while not armed.
    pub setpoints_refused: u32,
    /// Frames that failed framing, checksum or parsing so far.
    pub frames_lost: u32,
}

impl Motion {
    /// Whether it was sampled later than `other`, in the same life of the MCU.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        self.boot_id == other.boot_id && self.t_us > other.t_us
    }
}

/// Ranges, inertia, battery, head.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Senses {
    /// MCU clock at sampling, us.
    pub t_us: u64,
    /// Range sensors in the order of the body's profile; `None`: no echo within range.
    pub ranges: [RangeReading; RANGES_MAX],
    /// Turn rate about the vertical axis, rad/s, counter-clockwise positive.
    pub gyro_radps: f32,
    /// Acceleration forward, m/s².
    pub acceleration_mps2: f32,
    /// Battery voltage, mV.
    pub battery_mv: u16,
    /// Battery charge, percent.
    pub battery_percent: u8,
    /// Head pan as measured, rad.
    pub pan_rad: f32,
    /// Head tilt as measured, rad.
    pub tilt_rad: f32,
}

/// One range sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeReading {
    /// Distance, mm; `u16::MAX` when nothing is within reach.
    pub mm: u16,
    /// Age of the reading at `t_us`, ms; `u16::MAX`: never read.
    pub age_ms: u16,
}

/// A line the firmware wants a human to see. Lowest priority, rate limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    /// Severity.
    pub level: LogLevel,
    /// What happened.
    pub event: LogEvent,
    /// Lines dropped since the last one.
    pub dropped: u16,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogLevel {
    /// Something stopped the body.
    Error,
    /// Coped with.
    Warn,
    /// Rare and good to know.
    Info,
}

/// Things the firmware reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogEvent {
    /// Started.
    Started,
    /// State changed.
    Entered(State, Reason),
    /// Battery under the soft limit: current is reduced.
    BatterySoftLimit,
}
