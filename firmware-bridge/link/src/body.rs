//! From a frame to the message in it, one function for each direction.
//!
//! What one end sends can never be taken for what the other sends, and bytes that are left over are refused.

use core::fmt;

use serde::Deserialize;

use crate::frame::{Class, Frame};
use crate::message::{
    CommandFrame, Hello, HelloRequest, Log, Reply, Setpoint, StopFrame, Telemetry, TimeReply, TimeRequest,
};

/// A message from the host to the MCU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ToMcu {
    /// Class [`Class::Setpoint`].
    Setpoint(Setpoint),
    /// Class [`Class::Command`].
    Command(CommandFrame),
    /// Class [`Class::Stop`].
    Stop(StopFrame),
    /// Class [`Class::Hello`].
    Hello(HelloRequest),
    /// Class [`Class::Time`].
    Time(TimeRequest),
}

impl ToMcu {
    /// Reads what the host sent. A stop may be followed by bytes that a later minor version added; nothing else may.
    ///
    /// # Errors
    /// When the class goes the other way, or the body is not exactly one message.
    pub fn parse(frame: &Frame<'_>) -> Result<Self, ParseError> {
        match frame.class {
            Class::Setpoint => exact(frame.body).map(Self::Setpoint),
            Class::Command => exact(frame.body).map(Self::Command),
            Class::Stop => start(frame.body).map(|(stop, _)| Self::Stop(stop)),
            Class::Hello => exact(frame.body).map(Self::Hello),
            Class::Time => exact(frame.body).map(Self::Time),
            Class::Telemetry | Class::Log | Class::Reply => Err(ParseError::WrongWay),
        }
    }
}

/// A message from the MCU to the host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ToHost {
    /// Class [`Class::Telemetry`].
    Telemetry(Telemetry),
    /// Class [`Class::Log`].
    Log(Log),
    /// Class [`Class::Hello`].
    Hello(Hello),
    /// Class [`Class::Time`].
    Time(TimeReply),
    /// Class [`Class::Reply`].
    Reply(Reply),
}

impl ToHost {
    /// Reads what the MCU sent.
    ///
    /// # Errors
    /// When the class goes the other way, or the body is not exactly one message.
    pub fn parse(frame: &Frame<'_>) -> Result<Self, ParseError> {
        match frame.class {
            Class::Telemetry => exact(frame.body).map(Self::Telemetry),
            Class::Log => exact(frame.body).map(Self::Log),
            Class::Hello => exact(frame.body).map(Self::Hello),
            Class::Time => exact(frame.body).map(Self::Time),
            Class::Reply => exact(frame.body).map(Self::Reply),
            Class::Setpoint | Class::Command | Class::Stop => Err(ParseError::WrongWay),
        }
    }
}

/// Why a frame with a right checksum held no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// This class is never sent in this direction.
    WrongWay,
    /// The body is not the message of its class.
    Malformed,
    /// Bytes are left over after the message.
    Trailing,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongWay => "class is not sent in this direction",
            Self::Malformed => "body is not the message of its class",
            Self::Trailing => "bytes after the message",
        })
    }
}

impl core::error::Error for ParseError {}

fn exact<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ParseError> {
    let (message, rest) = start(body)?;
    if rest.is_empty() { Ok(message) } else { Err(ParseError::Trailing) }
}

fn start<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<(T, &'a [u8]), ParseError> {
    postcard::take_from_bytes(body).map_err(|_malformed| ParseError::Malformed)
}
