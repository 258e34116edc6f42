//! Everything that may move the body: the gate's thread and the doors to it.
//!
//! A request enters at [`handle::DriveHandle`], is decided by `agent_core::gate` on the gate's own thread, and leaves as
//! frames through the link session. No other path exists.

pub mod clean;
pub mod config;
pub mod gate_thread;
pub mod handle;
pub mod http;
pub mod latch_file;
pub mod mailbox;
pub mod mqtt;
pub mod pilot;
pub mod port_keeper;
pub mod refusals;
pub mod robot;
pub mod routes;
pub mod shown;
pub mod stop;
pub mod stream;
pub mod teleop;
pub mod wire;
