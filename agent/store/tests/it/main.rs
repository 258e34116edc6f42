//! The memory as a program uses it: real files in temporary folders, opened and closed and opened again.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too")]

mod support;

mod bounds;
mod chat;
mod damage;
mod events;
mod full_disk;
mod groups;
mod like_a_model;
mod lists;
mod of_before;
mod talk_like_a_model;
mod texts;
