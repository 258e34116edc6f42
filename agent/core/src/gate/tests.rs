//! Tests of the gate against a small model of an MCU, in virtual time.

mod bounded;
mod closing;
mod estop;
mod freshness;
mod holding;
mod invariants;
mod moving;
mod rig;
mod table;
mod teleop;
mod turns;
mod world;
