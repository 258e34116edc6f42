//! How both programs answer: problems, tokens, limits, server, OpenAPI, and the assistant's routes over any store.
//!
//! It knows nothing of robots beyond the classes of who may command one, and never moves anything.

pub mod access;
pub mod assistant;
pub mod attached;
pub mod catalogue;
pub mod connections;
pub mod credentials;
mod docs;
pub mod health;
pub mod json;
pub mod network;
pub mod openapi;
pub mod origin;
pub mod params;
pub mod peer;
pub mod problem;
pub mod rate;
pub mod scope;
pub mod server;
pub mod tls;
pub mod token_file;
pub mod tokens;
mod watched;
