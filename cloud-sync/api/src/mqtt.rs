//! A connection to an MQTT broker that both programs use. It knows no topic and no message; it carries them.
//!
//! The client library loses what was not acknowledged when a connection breaks, and can lock up for ever when it is used again
//! afterwards. So every connection has a client of its own with a clean session, nothing is left to it that must not be lost, the
//! future that polls it waits for nothing else, and a broker that falls silent is left and asked anew.

mod connection;
mod options;
mod outgoing;
mod poison;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use axum::body::Bytes;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

pub use connection::run;
pub use options::{BadBroker, Broker};

use outgoing::Outgoing;
use poison::Poison;

/// Bytes of one packet at most, both ways: a frame of 64 KiB with plenty of room. What a broker lets through must never exceed
/// it, or the connection would break.
pub const PACKET_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a message that we send at most.
pub const MESSAGE_BYTES_MAX: usize = 96 * 1024;

/// How surely a message arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At most once (QoS 0).
    AtMostOnce,
    /// At least once, while the connection holds (QoS 1).
    AtLeastOnce,
}

/// A message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub payload: Bytes,
    /// How surely it arrives.
    pub delivery: Delivery,
    /// The broker keeps it for those who come later.
    pub retained: bool,
}

/// A message that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub payload: Bytes,
    /// The broker had kept it: it says nothing about now.
    pub retained: bool,
}

/// What a message is to the queue that it waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Before all others: what only ends something. At most 64 wait.
    Urgent,
    /// In order; at most 256 wait, and none outlives the connection.
    Ordinary,
    /// In order, and also when there is a connection again; at most 64 wait, and the oldest goes for a new one.
    Kept,
}

/// Why a message is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsent {
    /// There is no connection.
    #[error("there is no connection to the broker")]
    Away,
    /// Too many wait.
    #[error("too many messages wait for the broker")]
    Full,
    /// It is longer than any of ours.
    #[error("the message is too long")]
    TooLong,
    /// The broker ended the connection over this very message again and again.
    #[error("the broker does not take this message")]
    Poisonous,
}

/// To which broker, and as whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Config {
    /// The broker.
    pub broker: Broker,
    /// Name of the connection; a second one of the same name ends the first.
    pub client_id: String,
    /// What the broker says for us when we fall silent.
    pub will: Option<Message>,
    /// What we say first.
    pub hello: Option<Message>,
    /// What we want to hear.
    pub filters: Vec<(String, Delivery)>,
}

impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Config")
            .field("broker", &self.broker)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A handle. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Mqtt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    outgoing: Mutex<Outgoing>,
    added: Notify,
    poison: Mutex<Poison>,
    is_connected: watch::Sender<bool>,
    heard: watch::Sender<Option<Instant>>,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            outgoing: Mutex::default(),
            added: Notify::new(),
            poison: Mutex::default(),
            is_connected: watch::Sender::new(false),
            heard: watch::Sender::new(None),
        }
    }
}

impl Mqtt {
    /// Hands a message over. It has not been sent yet when this returns, and may be lost with the connection.
    ///
    /// # Errors
    /// [`Unsent`]: it will never be sent.
    pub fn publish(&self, lane: Lane, message: Message) -> Result<(), Unsent> {
        let unsent = self.try_publish(lane, message);
        if let Err(unsent) = unsent {
            count_unsent(unsent);
        }
        unsent
    }

    fn try_publish(&self, lane: Lane, message: Message) -> Result<(), Unsent> {
        if message.payload.len() > MESSAGE_BYTES_MAX {
            return Err(Unsent::TooLong);
        }
        if self.poison().is_poisonous(&message) {
            return Err(Unsent::Poisonous);
        }
        if lane != Lane::Kept && !self.is_connected() {
            return Err(Unsent::Away);
        }
        self.outgoing().add(lane, message)?;
        self.0.added.notify_one();
        Ok(())
    }

    /// Shows something of which only the newest counts: one that waits for the same topic is replaced. Without a connection
    /// nothing is shown.
    pub fn show(&self, message: Message) {
        if !self.is_connected() {
            return;
        }
        self.outgoing().show(message);
        self.0.added.notify_one();
    }

    /// There is a connection, and the broker sends what was asked for.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        *self.0.is_connected.borrow()
    }

    /// The same, to wait for a change.
    #[must_use]
    pub fn connection(&self) -> watch::Receiver<bool> {
        self.0.is_connected.subscribe()
    }

    /// When the broker last said anything at all; `None` before it ever did.
    #[must_use]
    pub fn heard(&self) -> Option<Instant> {
        *self.0.heard.borrow()
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.0.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poison(&self) -> MutexGuard<'_, Poison> {
        self.0.poison.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_connected(&self, is_connected: bool) {
        self.0.is_connected.send_replace(is_connected);
        metrics::gauge!("robbie_mqtt_connected").set(if is_connected { 1.0 } else { 0.0 });
    }
}

fn count_unsent(unsent: Unsent) {
    let reason = match unsent {
        Unsent::Away => "away",
        Unsent::Full => "full",
        Unsent::TooLong => "too-long",
        Unsent::Poisonous => "poisonous",
    };
    metrics::counter!("robbie_mqtt_unsent_total", "reason" => reason).increment(1);
}
