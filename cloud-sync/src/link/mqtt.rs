//! Asks robots over the broker and finds the answers again; keeps what they show.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloud_sync_api::mqtt::{self, Broker, Bytes, Config, Delivery, Lane, Message, Mqtt, Received};
use cloud_sync_api::supervise;
use cloud_sync_api::tokens::TokenStore;
use cloud_sync_protocol::command::{AWAY_AFTER_MS, By, CommandResult, Kind, NAME_BYTES_MAX, Status};
use cloud_sync_protocol::town::{RobotId, TownId};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, interval, timeout};

use super::known::{Known, Newest, Robot, Watching};
use super::topics::{Incoming, Topics};
use super::{FrameUp, FramesUp};
use crate::sync;

/// A robot that gives no answer by then is away.
const AWAY_AFTER: Duration = Duration::from_millis(AWAY_AFTER_MS);
/// Commands that wait for their answers; one more is refused as if the robot were away.
const ASKED_MAX: usize = 4096;
/// Sockets that wait for refusals.
const SOCKETS_MAX: usize = 1024;
/// Refusals that wait for a slow socket; more are only counted.
const REFUSALS_MAX: usize = 64;
/// Frames of sync that wait.
const FRAMES_MAX: usize = 64;
/// How often is looked who reads.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The robot does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the robot does not answer")]
pub struct Away;

/// What is refused of a socket's frames, by the number of the frame.
pub type Refusals = mpsc::Receiver<CommandResult>;

/// A handle. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    mqtt: Mqtt,
    town: TownId,
    topics: Topics,
    tokens: TokenStore,
    known: Known,
    asked: Mutex<HashMap<String, (RobotId, oneshot::Sender<CommandResult>)>>,
    sockets: Mutex<HashMap<String, (RobotId, mpsc::Sender<CommandResult>)>>,
    frames: mpsc::Sender<FrameUp>,
}

impl Link {
    /// Keeps the connection to `broker` from now on, for the robots of `town`. Without a broker every robot is away.
    pub fn start(broker: Option<Broker>, town: TownId, tokens: TokenStore) -> (Self, FramesUp) {
        let (frames, frames_up) = mpsc::channel(FRAMES_MAX);
        let (mqtt, topics) = (Mqtt::default(), Topics::of(&town));
        let (filters, shared) = (topics.filters(), topics.shared_filter());
        let link = Self(Arc::new(Inner {
            mqtt: mqtt.clone(),
            town,
            topics,
            tokens: tokens.clone(),
            known: Known::default(),
            asked: Mutex::default(),
            sockets: Mutex::default(),
            frames,
        }));
        let config = broker.map(|broker| Config {
            broker,
            client_id: format!(
                "robbie-cloud-{}",
                random_id().unwrap_or_else(|Away| std::process::id().to_string())
            ),
            will: None,
            hello: None,
            filters: filters
                .into_iter()
                .chain([shared])
                .map(|filter| (filter, Delivery::AtLeastOnce))
                .collect(),
        });
        let receiver = link.clone();
        supervise::spawn("mqtt", async move {
            // The broker stays the same as long as the program runs.
            let (_unchanged, config) = watch::channel(config);
            mqtt::run(mqtt, config, move |message| receiver.take(message)).await;
        });
        supervise::spawn("watch", link.clone().keep_watching());
        supervise::spawn("departures", link.clone().tell_departures());
        (link, frames_up)
    }

    /// The town whose robots are served.
    #[must_use]
    pub fn town(&self) -> &TownId {
        &self.0.town
    }

    /// Whether there is a connection to the broker, to wait for a change.
    #[must_use]
    pub fn connection(&self) -> watch::Receiver<bool> {
        self.0.mqtt.connection()
    }

    /// Whether a robot is there, and since which start; `None` where it never said so.
    #[must_use]
    pub fn status(&self, robot: &RobotId) -> Option<Status> {
        self.0.known.robot(robot).status.borrow().clone()
    }

    /// The robots that say that they are there.
    #[must_use]
    pub fn online(&self) -> Vec<sync::Robot> {
        self.0.known.online().iter().filter_map(|robot| self.device(robot)).collect()
    }

    /// Who a robot is, while its secret is valid.
    fn device(&self, robot: &RobotId) -> Option<sync::Robot> {
        let device = self.0.tokens.robot(self.0.town.as_str(), robot)?;
        Some(sync::Robot { town: self.0.town.clone(), id: robot.clone(), user: device.user_id.clone() })
    }

    /// A robot's newest state, to wait for the next.
    #[must_use]
    pub fn states(&self, robot: &RobotId) -> watch::Receiver<Option<Newest>> {
        self.0.known.robot(robot).state.subscribe()
    }

    /// Somebody reads a robot until the answer is dropped: it shows itself more often.
    #[must_use]
    pub fn watch(&self, id: &RobotId) -> Watching {
        let robot = self.0.known.robot(id);
        self.tell_watched(id, &robot);
        Watching::new(robot)
    }

    /// Asks a robot and waits for what becomes of it.
    ///
    /// # Errors
    /// [`Away`], within a second.
    pub async fn ask(
        &self,
        robot: &RobotId,
        kind: Kind,
        by: Option<&By>,
        body: Map<String, Value>,
    ) -> Result<CommandResult, Away> {
        if !self.0.known.robot(robot).is_online() {
            return Err(Away);
        }
        let id = random_id()?;
        let (sender, answer) = oneshot::channel();
        {
            let mut asked = self.asked();
            if asked.len() >= ASKED_MAX {
                return Err(Away);
            }
            asked.insert(id.clone(), (robot.clone(), sender));
        }
        let _forgotten_if_dropped = Forget { link: self, id: &id };
        self.send(robot, kind, Some(&id), by, body)?;
        timeout(AWAY_AFTER, answer).await.map_err(|_late| Away)?.map_err(|_forgotten| Away)
    }

    /// Sends a command and waits for nothing.
    ///
    /// # Errors
    /// [`Away`]: there is no connection.
    pub fn send(
        &self,
        robot: &RobotId,
        kind: Kind,
        id: Option<&str>,
        by: Option<&By>,
        mut body: Map<String, Value>,
    ) -> Result<(), Away> {
        if let Some(id) = id {
            body.insert("id".to_owned(), id.into());
        }
        if let Some(by) = by {
            // Texts and lists of texts: this cannot fail.
            body.insert("by".to_owned(), serde_json::to_value(by).unwrap_or_default());
        }
        let lane = if kind.is_urgent() { Lane::Urgent } else { Lane::Ordinary };
        let delivery = if kind.is_repeated() { Delivery::AtMostOnce } else { Delivery::AtLeastOnce };
        let payload = Value::Object(body).to_string().into_bytes().into();
        let topic = self.0.topics.command(robot, kind);
        self.0
            .mqtt
            .publish(lane, Message { topic, payload, delivery, retained: false })
            .map_err(|_unsent| Away)
    }

    /// A new socket to a robot: its name, and what is refused of its frames, whose ids are `NAME:NUMBER`.
    ///
    /// # Errors
    /// [`Away`]: there are too many.
    pub fn open_socket(&self, robot: &RobotId) -> Result<(Socket, Refusals), Away> {
        let mut sockets = self.sockets();
        if sockets.len() >= SOCKETS_MAX {
            return Err(Away);
        }
        let name = random_id()?;
        let (sender, refusals) = mpsc::channel(REFUSALS_MAX);
        sockets.insert(name.clone(), (robot.clone(), sender));
        Ok((Socket { link: self.clone(), name }, refusals))
    }

    /// Sends a frame of sync to a robot.
    ///
    /// # Errors
    /// [`Away`]: there is no connection.
    pub fn send_frame(&self, robot: &RobotId, frame: Vec<u8>) -> Result<(), Away> {
        let topic = self.0.topics.sync_down(robot);
        let message =
            Message { topic, payload: frame.into(), delivery: Delivery::AtLeastOnce, retained: false };
        self.0.mqtt.publish(Lane::Ordinary, message).map_err(|_unsent| Away)
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<String, (RobotId, oneshot::Sender<CommandResult>)>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sockets(&self) -> MutexGuard<'_, HashMap<String, (RobotId, mpsc::Sender<CommandResult>)>> {
        self.0.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never waits: the client stands still meanwhile.
    fn take(&self, message: Received) {
        let Some(incoming) = self.0.topics.read(&message.topic) else { return ignored("foreign") };
        let (Incoming::Status(robot)
        | Incoming::State(robot)
        | Incoming::Result(robot)
        | Incoming::SyncUp(robot)) = &incoming;
        if self.0.tokens.robot(self.0.town.as_str(), robot).is_none() {
            return ignored("unknown-robot");
        }
        if message.retained && !matches!(incoming, Incoming::Status(_)) {
            return ignored("retained");
        }
        match &incoming {
            Incoming::Status(robot) => match serde_json::from_slice::<Status>(&message.payload) {
                Ok(status) => _ = self.0.known.robot(robot).status.send_replace(Some(status)),
                Err(_malformed) => ignored("malformed"),
            },
            Incoming::State(robot) => self.take_state(robot, message.payload),
            Incoming::Result(robot) => self.take_result(robot, &message.payload),
            Incoming::SyncUp(robot) => {
                let Some(robot) = self.device(robot) else { return ignored("unknown-robot") };
                let frame = FrameUp { robot, frame: message.payload };
                if self.0.frames.try_send(frame).is_err() {
                    ignored("frames-full");
                }
            }
        }
    }

    fn take_state(&self, robot: &RobotId, body: Bytes) {
        // It goes out as it came, so it must be what it says it is.
        if serde_json::from_slice::<Map<String, Value>>(&body).is_err() {
            return ignored("malformed");
        }
        self.0.known.robot(robot).state.send_replace(Some(Newest { body, at: Instant::now() }));
    }

    fn take_result(&self, robot: &RobotId, payload: &[u8]) {
        let Ok(result) = serde_json::from_slice::<CommandResult>(payload) else {
            return ignored("malformed");
        };
        if let Some((socket, _)) = result.id.split_once(':') {
            let sockets = self.sockets();
            if let Some((_, sender)) = sockets.get(socket).filter(|(asked, _)| asked == robot)
                && sender.try_send(result).is_err()
            {
                ignored("refusals-full");
            }
            return;
        }
        let mut asked = self.asked();
        // Every replica hears every result; most are another's.
        if asked.get(&result.id).is_some_and(|(asked, _)| asked == robot)
            && let Some((_, sender)) = asked.remove(&result.id)
        {
            // Whoever asked may have left.
            drop(sender.send(result));
        }
    }

    fn tell_watched(&self, id: &RobotId, robot: &Robot) {
        if robot.must_be_told(Instant::now()) {
            // A robot that is away shows nothing anyway.
            self.send(id, Kind::Watch, None, None, Map::new()).ok();
        }
    }

    /// Tells robots that somebody reads them, as long as somebody does.
    async fn keep_watching(self) {
        let mut turns = interval(LOOK_EVERY);
        let mut connection = self.connection();
        loop {
            tokio::select! {
                _ = turns.tick() => {
                    for (id, robot) in self.0.known.read() {
                        self.tell_watched(&id, &robot);
                    }
                }
                changed = connection.changed() => {
                    if changed.is_ok() && !*connection.borrow_and_update() {
                        self.0.known.forget_who_is_there();
                    }
                }
            }
        }
    }

    /// Tells robots of tokens that died.
    async fn tell_departures(self) {
        let mut departures = self.0.tokens.departures();
        loop {
            let token = match departures.recv().await {
                Ok(token) => token,
                Err(tokio::sync::broadcast::error::RecvError::Lagged(missed)) => {
                    tracing::error!(missed, "tokens died faster than robots could be told");
                    continue;
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            };
            let is_of_town = token.home.as_ref().is_some_and(|home| home.town == self.0.town.as_str());
            if !is_of_town || token.device.is_some() || token.id.len() > NAME_BYTES_MAX {
                continue;
            }
            for robot in self.0.known.online() {
                let body = Map::from_iter([("token".to_owned(), Value::from(token.id.as_str()))]);
                if self.send(&robot, Kind::Revoke, None, None, body).is_err() {
                    tracing::warn!(%robot, "a robot does not hear that a token died; its leases end by themselves");
                }
            }
        }
    }
}

/// Whoever waits no longer is forgotten.
struct Forget<'a> {
    link: &'a Link,
    id: &'a str,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.link.asked().remove(self.id);
    }
}

/// A socket to a robot. Dropping it forgets its name; its end is told by whoever holds it.
#[derive(Debug)]
pub struct Socket {
    link: Link,
    name: String,
}

impl Socket {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.link.sockets().remove(&self.name);
    }
}

fn ignored(reason: &'static str) {
    metrics::counter!("robbie_link_ignored_total", "reason" => reason).increment(1);
}

/// 128 random bits; nobody guesses another's. Without randomness nobody is asked.
pub(crate) fn random_id() -> Result<String, Away> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_no_randomness| Away)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
