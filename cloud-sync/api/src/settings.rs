//! How settings are declared, layered and read: each feature lists its keys, and every value remembers where it came from.
//!
//! A value outside its key's range never gets in, and an error names the source, the key and what is allowed. Nothing here
//! knows a single key; nothing here reads the environment.

mod key;
mod layers;
mod show;
mod toml_file;

pub use key::{Key, Kind};
pub use layers::{Entry, Layers, Problem, Problems, Settings, Source, Value};
pub use show::show;
