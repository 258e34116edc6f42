//! Sync: a log of operations that the server puts in order, with a register for each field.
//!
//! Only the server merges ([`server`]). A replica shows what the server last said and, over it, its own operations that wait
//! ([`row::overlay`]); it speaks with the server by [`frame`]s, in the order that [`replica`] gives. Everything here is a
//! function of its arguments: rows, clocks and connections are somebody else's. [`model`] is the whole server in memory, for
//! simulation.
//!
//! The shape follows PowerSync (write checkpoints) and Replicache (contiguous mutation ids, rebase); the version that an
//! operation's writer had seen ([`op::Op::base`]) tells edits that follow each other from those that do not.

pub mod clock;
pub mod frame;
pub mod model;
pub mod op;
pub mod replica;
pub mod row;
pub mod server;
pub mod table;
