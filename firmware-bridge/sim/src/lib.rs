//! A simulated robot body: the real controller and physics behind a real pseudo-terminal.
//!
//! Three layers, each usable without the next: [`physics`] is pure (`World::step`), [`Body`] joins it with the
//! controller and with faults and is sans-IO (virtual time works), [`SimBody`] runs a body on a thread behind a pty.
//! Nothing here decides when a robot may move: that is the controller's business alone.

#![forbid(unsafe_code)]

mod body;
mod clock;
mod faults;
pub mod physics;
mod profile;
mod pty;
mod room;
mod runner;
mod trace;
mod wire;

pub use body::{Body, BodyView};
pub use faults::{Button, Fault, FaultError, HELP as FAULT_HELP, RangeSide, Wheel};
pub use profile::{
    BatteryProfile, BodyProfile, HeadProfile, McuProfile, ProfileError, RangeProfile, WheelProfile,
};
pub use room::{Point, Room, Segment};
pub use runner::{BodyEnded, SimBody, StartError};
