//! The program on the robot. Modules stand in dependency order: each uses only those above it, and a test checks that.
//!
//! Whatever may move the body goes through [`drive`]; [`wiring`] is the only file that names concrete parts.

pub mod os;
pub mod supervise;
pub mod belongs;
pub mod link;
pub mod drive;
pub mod memory;
pub mod chat;
pub mod sync;
pub mod mind;
pub mod config;
pub mod data_dir;
pub mod lan;
pub mod doctor;
pub mod page;
pub mod server;
pub mod wiring;
pub mod cli;
pub mod start;
