//! The robot's memory: one SQLite file, `memory.db`, that loses nothing which was answered, and finds it again.
//!
//! One thread writes and groups what arrives while the disk works; a few connections read; vectors are held in memory beside
//! it. It ranks nothing and asks no model: it hands out candidates.
//!
//! # What is kept, and what happens when there is no more room
//!
//! | class | bound ([`Limits`]) | at the bound |
//! |---|---|---|
//! | notes, turns, facts | bytes a class | writing is refused with `Full`; nothing is ever dropped |
//! | everything, as bytes of the file | `total_bytes` | writing is refused with `Full`; deleting goes on |
//! | events | 24 hours, 10,000 rows, bytes | the oldest go; whoever asks for them is told to read the state afresh |
//! | answers to chat messages, by key | rows | the oldest go; what was said stays |
//! | history of moods | rows a user | the oldest go |
//! | vectors | derived from texts, a model each | gone with their text; refused with `Full` at `total_bytes` |
//! | writes that wait | 256 | the caller waits up to 5 s, then `Failed` |
//! | reads at once | 3 | the caller waits up to 5 s, then `Failed` |
//! | log (`-wal`) | 8 MB, at most 16 MB stay on disk | it is worked into the file |
//! | room kept back on the disk | 1 MB | given to what deletes when the disk is full, and kept back again when there is room |
//! | damaged files set aside | none: they are the only copy of what could not be read | a person deletes them |
//!
//! A full disk refuses writes with `Full` while reading and deleting go on, and the next write that fits works again.

mod candidates;
mod damage;
mod fail;
mod health;
mod index;
mod limits;
mod open;
mod readers;
mod reserve;
mod rows;
mod store;
mod sync;
mod vec0;
mod vectors;
mod words;
mod writer;

pub use candidates::CandidateQuery;
pub use damage::{Counts, Loss};
pub use index::{DIMENSIONS, Span, Vector};
pub use limits::Limits;
pub use models_mind::recall::Candidate;
pub use open::OpenError;
pub use rows::{NewFact, NewTurn, TURNS_AT_ONCE_MAX};
pub use store::{Clock, OpenConfig, Opened, Random, Store};
pub use vectors::ContentHash;
