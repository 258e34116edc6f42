//! The wire between Linux and the microcontroller (MCU): frames, messages, limits and their arithmetic.
//!
//! Both ends compile this crate, so they cannot disagree. It does no I/O, has no clock, allocates nothing and never
//! panics on bytes that came from outside.

#![no_std]
#![forbid(unsafe_code)]

mod body;
pub mod frame;
pub mod limits;
pub mod message;
pub mod schema;

pub use body::{ParseError, ToHost, ToMcu};
