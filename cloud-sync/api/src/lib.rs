//! How both programs answer: problems, tokens, limits, server, OpenAPI, and the assistant's routes over any store.
//!
//! It knows nothing of robots beyond the classes of who may command one, and never moves anything.

pub mod access;
pub mod assistant;
pub mod attached;
pub mod catalogue;
pub mod chain;
pub mod connections;
pub mod cors;
pub mod credentials;
pub mod data_dir;
mod docs;
pub mod environment;
pub mod failure;
pub mod files;
pub mod health;
pub mod home;
pub mod http_config;
pub mod json;
pub mod lan;
pub mod metrics_text;
pub mod mqtt;
pub mod network;
pub mod octets;
pub mod openapi;
pub mod origin;
pub mod params;
pub mod peer;
pub mod problem;
pub mod rate;
pub mod scope;
pub mod secrets;
pub mod server;
pub mod settings;
pub mod supervise;
pub mod tls;
pub mod token_file;
pub mod token_follower;
pub mod tokens;
pub mod v1;
mod watched;
