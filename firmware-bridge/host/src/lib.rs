//! The Linux end of the link to the microcontroller (MCU).
//!
//! [`Session`] is the protocol without any I/O: bytes in, frames out, time is an argument. [`Port`] is the tty below
//! it. Neither decides what moves the body; that is the gate's part. Neither starts a thread, sleeps or logs.

mod clock;
mod commands;
mod config;
mod handshake;
mod losses;
mod orders;
mod port;
mod rtt;
mod session;
mod setpoint;
mod status;
mod stop;
mod sync;

pub use config::SessionConfig;
pub use handshake::SessionFault;
pub use losses::Losses;
pub use port::{Port, PortError, PortReader, WireError};
pub use session::Session;
