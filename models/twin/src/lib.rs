//! Stands in for Ollama, OpenAI, Claude and Gemini: HTTP servers that speak their wire formats, answer what a script says,
//! and fail in every way on demand. A part of the product like the simulated body: to try Robbie out without an account, and
//! to measure and break what is built on models. No model runs here, and nothing goes anywhere else.

mod control;
mod fault;
mod kind;
mod reply;
mod script;
mod seen;
mod server;
mod service;
mod settings;
mod state;
mod steps;
mod wire;

pub use control::Control;
pub use fault::{Fault, Faulty};
pub use kind::Kind;
pub use script::{Call, Rule};
pub use seen::Seen;
pub use server::Twin;
pub use settings::Change;
