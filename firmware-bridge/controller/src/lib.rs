//! The microcontroller's state machine: arming, time to live, hold, latches, limits and the only ramps there are.
//!
//! It trusts nobody: whatever bytes arrive, the wheels' goal is zero unless a host that did everything right keeps
//! saying otherwise. It does no I/O, has no clock, allocates nothing and never panics.

#![no_std]
#![forbid(unsafe_code)]

mod body;
mod controller;
mod drive;
mod faults;
mod fittings;
mod machine;
mod orders;
mod outbox;
mod replies;
mod sample;

pub use body::{Config, Inputs, Outputs, View};
pub use controller::Controller;
