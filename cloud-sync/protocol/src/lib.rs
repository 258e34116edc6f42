//! What robot, cloud and apps say to each other about memory: ids, the JSON of `/api`, and what a store must do.
//!
//! Pure: it reads no clock and draws no random number; both are arguments. It holds no rows.

pub mod chat;
pub mod command;
pub mod conflict;
pub mod cursor;
pub mod event;
pub mod id;
pub mod memory;
pub mod note;
pub mod persona;
pub mod stamp;
pub mod store;
pub mod sync;
pub mod town;
pub mod turn;
