//! Drives a small real server over real sockets: what a client notices of tokens, limits and documents.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "tests have no supervisor")]

#[path = "../contract/mod.rs"]
mod contract;

mod assistant;
mod bodies;
mod documents;
mod floods;
mod minds;
mod order;
mod support;
mod tokens;
