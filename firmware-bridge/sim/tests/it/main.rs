//! A simulated body as its users meet it: in virtual time, behind a pseudo-terminal, as a program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails here, and shows the line")]

mod body;
mod host;
mod program;
mod pty;
