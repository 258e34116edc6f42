//! Models on the robot as their user meets them: weights pulled from a server that misbehaves, and vectors that can be trusted.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]
#![expect(clippy::disallowed_methods, reason = "tests have no supervisor")]

mod embeds;
mod pulls;
mod server;
mod support;
