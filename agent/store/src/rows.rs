//! The tables, one module each: SQL in, types of `cloud-sync-protocol` out. What belongs to one write is written in one
//! transaction: the row, its row in `memory`, its words, its event.

mod chat;
pub(crate) mod columns;
pub(crate) mod events;
pub(crate) mod facts;
pub(crate) mod memory;
pub(crate) mod notes;
pub(crate) mod persona;
mod surface;
pub(crate) mod turns;

pub use facts::NewFact;
pub use turns::{NewTurn, TURNS_AT_ONCE_MAX};
