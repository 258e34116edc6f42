//! Pure rules of motion: who may move the body, how far, and what ends it.
//!
//! No I/O, no clock, no allocation while running: time is an argument, and everything has a fixed size. The program on the
//! robot feeds [`gate::Gate::step`] from one thread and carries out what it returns; the simulator feeds the same
//! function in virtual time.

pub mod access;
pub mod ai;
pub mod backoff;
pub mod budget;
pub mod caller;
pub mod envelope;
pub mod freshness;
pub mod gate;
pub mod latch;
pub mod lease;
pub mod odometry;
pub mod presence;
pub mod profile;
pub mod refusal;
pub mod report;
pub mod request;
pub mod resource;
pub mod snapshot;
pub mod teleop;
pub mod time;
pub mod travel;
pub mod wheels;
pub mod why;

#[cfg(test)]
mod testing;
