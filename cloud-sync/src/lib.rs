//! The cloud service. Modules stand in dependency order: each uses only those above it, and a test checks that.
//!
//! [`store`] is the only one that speaks SQL; [`wiring`] is the only file that names concrete parts.

pub mod clock;
pub mod store;
pub mod memory;
pub mod sync;
pub mod access;
pub mod link;
pub mod robots;
pub mod admin;
pub mod mind;
pub mod config;
pub mod data_dir;
pub mod server;
pub mod wiring;
pub mod cli;
pub mod start;
