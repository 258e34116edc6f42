//! The whole program as people meet it: real processes, a real pty, real files, HTTP on a port of the system's choice.
//!
//! Files named `http_*` hold how the routes answer; the others hold what happens to the body when something dies, freezes,
//! lies or is pulled out. `support` has the tools: [`support::agent`] starts `robbie-agent` (and kills it when dropped),
//! [`support::body`] does the same with `robbie-body` and reads its trace, [`support::http`] is a client that sends exactly
//! what a test says, [`support::socket`] a WebSocket. Everything waits for conditions, with a deadline, and never for a
//! guessed time.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod support;
#[path = "../../../cloud-sync/api/tests/contract/mod.rs"]
mod contract;
#[path = "../../../models/local/tests/it/support.rs"]
mod weights;

mod aborts;
mod agent_dies;
mod chat;
mod disk;
mod ends;
mod frozen;
mod http_bad_input;
mod http_leases;
mod http_move;
mod http_names;
mod http_openapi;
mod http_rate;
mod http_rig;
mod http_stop;
mod http_streams;
mod http_teleop;
mod keeps_contract;
mod lan;
mod latch;
mod memory;
mod mqtt;
mod port;
mod proxy;
mod revoked;
mod service;
mod sync;
