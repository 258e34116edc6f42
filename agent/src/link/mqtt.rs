//! Tells the client of the broker which one it is, hands out what comes, and takes what is to be sent.

use std::sync::Arc;

use cloud_sync_api::mqtt::{self, Broker, Bytes, Config, Delivery, Lane, Message, Mqtt, Received};
use cloud_sync_protocol::command::{CommandResult, Kind, Status};
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::topics::{Incoming, Topics};
use super::{Command, Commands, LinkConfig, SyncFrames};
use crate::supervise;

/// Commands that wait.
const COMMANDS_MAX: usize = 256;
/// Stops, ends and revocations that wait.
const URGENT_MAX: usize = 64;
/// Frames of sync that wait, each way: one is under way at a time, and the cloud says something by itself now and then.
const FRAMES_MAX: usize = 8;

/// What the robot tells the cloud. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Link {
    mqtt: Mqtt,
    hello: Arc<Status>,
    topics: watch::Receiver<Option<Topics>>,
}

/// Keeps the connection that `config` names from now on; `hello` is what is shown of the robot while it lasts.
pub fn start(hello: Status, config: watch::Receiver<Option<LinkConfig>>) -> (Link, Commands, SyncFrames) {
    let mqtt = Mqtt::default();
    let (topics, reading) = watch::channel(None);
    let (wanted, told) = watch::channel(None);
    let (urgent, urgent_out) = mpsc::channel(URGENT_MAX);
    let (others, others_out) = mpsc::channel(COMMANDS_MAX);
    let (down, down_out) = mpsc::channel(FRAMES_MAX);
    let (up, up_out) = mpsc::channel(FRAMES_MAX);
    let link = Link { mqtt: mqtt.clone(), hello: Arc::new(hello.clone()), topics: reading.clone() };
    let receive =
        move |message| take(message, &reading, &Inside { urgent: &urgent, others: &others, down: &down });
    supervise::spawn("link", follow(config, hello, topics, wanted));
    supervise::spawn("mqtt", mqtt::run(mqtt.clone(), told, receive));
    supervise::spawn("sync-up", carry_up(link.clone(), up_out));
    let commands = Commands { urgent: urgent_out, others: others_out };
    (link, commands, SyncFrames { up, down: down_out, is_connected: mqtt.connection() })
}

impl Link {
    /// There is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.mqtt.is_connected()
    }

    /// When the broker last said anything at all.
    #[must_use]
    pub fn heard(&self) -> Option<Instant> {
        self.mqtt.heard()
    }

    /// Shows how the robot is; only the newest counts.
    pub fn show_state(&self, state: Vec<u8>) {
        if let Some(topics) = &*self.topics.borrow() {
            self.mqtt.show(message(topics.state(), state.into(), Delivery::AtMostOnce));
        }
    }

    /// Tells what happened, also once there is a connection again.
    pub fn tell<T: Serialize>(&self, kind: &str, event: &T) {
        if let Some(topics) = &*self.topics.borrow() {
            self.publish(Lane::Kept, topics.event(kind), event);
        }
    }

    /// Answers a command.
    pub fn answer(&self, result: &CommandResult) {
        if let Some(topics) = &*self.topics.borrow() {
            self.publish(Lane::Ordinary, topics.results(), result);
        }
    }

    /// Says again that the robot is there: the broker acknowledges it, and so says that it is there too.
    pub fn beat(&self) {
        if let Some(topics) = &*self.topics.borrow() {
            self.mqtt.show(status(topics, &self.hello));
        }
    }

    fn publish<T: Serialize>(&self, lane: Lane, topic: String, value: &T) {
        // Strings and numbers: this cannot fail.
        let payload = serde_json::to_vec(value).unwrap_or_default();
        if let Err(unsent) = self.mqtt.publish(lane, message(topic, payload.into(), Delivery::AtLeastOnce)) {
            tracing::debug!("nothing is told over the broker: {unsent}");
        }
    }
}

fn message(topic: String, payload: Bytes, delivery: Delivery) -> Message {
    Message { topic, payload, delivery, retained: false }
}

fn status(topics: &Topics, status: &Status) -> Message {
    let payload = serde_json::to_vec(status).unwrap_or_default();
    Message { retained: true, ..message(topics.status(), payload.into(), Delivery::AtLeastOnce) }
}

/// Follows who the robot is and where its broker stands.
async fn follow(
    mut config: watch::Receiver<Option<LinkConfig>>,
    hello: Status,
    topics: watch::Sender<Option<Topics>>,
    wanted: watch::Sender<Option<Config>>,
) {
    loop {
        let now = config.borrow_and_update().clone();
        let (own, broker) = match now.as_ref().map(|now| (now, broker(now))) {
            Some((now, Some(broker))) => (Some(Topics::of(&now.town, &now.robot)), Some((now, broker))),
            _ => (None, None),
        };
        let next = own.as_ref().zip(broker).map(|(topics, (now, broker))| Config {
            broker,
            client_id: format!("robbie-{}-{}", now.town, now.robot),
            will: Some(status(topics, &Status { online: false, ..hello.clone() })),
            hello: Some(status(topics, &hello)),
            filters: topics.filters().into_iter().map(|filter| (filter, Delivery::AtLeastOnce)).collect(),
        });
        topics.send_replace(own);
        wanted.send_replace(next);
        if config.changed().await.is_err() {
            // The program ends, and the broker says so for us.
            std::future::pending::<()>().await;
        }
    }
}

fn broker(config: &LinkConfig) -> Option<Broker> {
    let LinkConfig { url, username, password, .. } = config;
    let parsed = Broker::parse(url, username.as_deref(), password.as_deref()).and_then(Broker::guarded);
    match parsed {
        Ok(broker) => Some(broker),
        Err(error) => {
            tracing::error!("the cloud's broker {error}; there is no connection to it");
            None
        }
    }
}

/// Where what comes goes.
struct Inside<'a> {
    urgent: &'a mpsc::Sender<Command>,
    others: &'a mpsc::Sender<Command>,
    down: &'a mpsc::Sender<Vec<u8>>,
}

/// Never waits: the client stands still meanwhile.
fn take(message: Received, topics: &watch::Receiver<Option<Topics>>, inside: &Inside<'_>) {
    let topics = topics.borrow();
    let Some(incoming) = topics.as_ref().and_then(|topics| topics.read(&message.topic)) else {
        return dropped("foreign");
    };
    match incoming {
        Incoming::SyncDown if message.retained => dropped("retained"),
        Incoming::SyncDown => {
            if inside.down.try_send(message.payload.to_vec()).is_err() {
                dropped("frames-full");
            }
        }
        Incoming::Command(word) => {
            let kind = Kind::named(word);
            let is_urgent = kind.is_some_and(Kind::is_urgent);
            let queue = if is_urgent { inside.urgent } else { inside.others };
            let command = Command { kind, payload: message.payload, retained: message.retained };
            if queue.try_send(command).is_err() {
                dropped("commands-full");
            }
        }
    }
}

fn dropped(reason: &'static str) {
    metrics::counter!("robbie_link_dropped_total", "reason" => reason).increment(1);
}

async fn carry_up(link: Link, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        let Some(topic) = link.topics.borrow().as_ref().map(Topics::sync_up) else { continue };
        if let Err(unsent) =
            link.mqtt.publish(Lane::Ordinary, message(topic, frame.into(), Delivery::AtLeastOnce))
        {
            // Whoever waits for the answer waits in vain, and takes the other way.
            tracing::debug!("a frame does not go over the broker: {unsent}");
        }
    }
}
