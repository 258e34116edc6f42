//! The program as a person runs it: real processes, real sockets, temporary folders.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod broker;
mod database;
mod run;
mod stand_in;
mod support;
mod whole;
