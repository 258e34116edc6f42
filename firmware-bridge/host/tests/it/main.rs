//! The host end against a real controller, a model of one, and a real pty; everything but the pty in virtual time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod faults;
mod handshake;
mod model;
mod orders;
mod port;
mod real;
mod world;
