//! The controller as its two neighbours see it: bytes of a host on one side, measurements and outputs on the other.

mod arming;
mod commands;
mod deadlines;
mod faults;
mod harness;
mod latches;
mod properties;
mod ramps;
mod rig;
mod telemetry;
