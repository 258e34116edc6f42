//! Keeps the memory in step with the cloud, once the robot is paired: says what the protocol's replica says next, carries
//! frames there and back, and hands what comes of it to the store.
//!
//! It decides nothing about rows and drops nothing: everything that waits, waits in the store. Without pairing it does
//! nothing, and without network it tries again, ever more slowly.

mod cloud;
mod engine;
mod pairing;
mod path;
mod pulse;
mod status;

pub use cloud::{Cloud, CloudError, Me, Mqtt, Paired, host_is_loopback};
pub use engine::{Engine, run};
pub use pairing::{CloudFile, Pairing, PairingError, follow};
pub use path::{Broker, Paths};
pub use pulse::{Pulse, Shown};
pub use status::InStep;
