//! Ollama, OpenAI, Claude and Gemini as tiers: what they are asked, what they answer piece by piece, and how they fail.
//!
//! A [`Provider`] keeps no deadline and tries nothing again; who is asked, and when, is the router's part. It reads no
//! environment: keys and addresses are given to it, and a key goes into the request and nowhere else.
//!
//! The four wire formats are read and written here, on reqwest, and not by the crate `genai` (0.7.2), which would be the
//! obvious choice. What that crate hides is what this one is for: it reports no response head, so that waiting for the head
//! and for the first token cannot be told apart; a body that just ends counts as a complete answer (Ollama, Gemini); its lines
//! have no limit, and a tool call's index from the wire sizes an allocation; error bodies are read to their end; and it logs
//! what providers say, which may repeat a key. It offers neither its requests without its transport nor its own reading of a
//! body, and it takes a plain `reqwest::Client`, so that nothing can be put in between.

mod answer;
mod client;
mod config;
mod failure;
mod frames;
mod heard;
mod price;
mod provider;
mod wire;

pub use config::{BadProvider, Kind, ProviderConfig, Secret};
pub use provider::Provider;
