//! The loop: ask the replica what to say, say it, keep what the answer means. After a failure it begins a new conversation;
//! everything durable is in the store, so nothing is lost by that.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent_store::Store;
use cloud_sync_protocol::stamp::Stamp;
use cloud_sync_protocol::store::{EventStore, Feed, StoreError};
use cloud_sync_protocol::sync::frame::{Frame, FrameError, Why};
use cloud_sync_protocol::sync::op::Scope;
use cloud_sync_protocol::sync::replica::{Change, Durable, Replica, Step};
use tokio::sync::watch;

use super::cloud::{Cloud, CloudError, Mqtt};
use super::pairing::{CloudFile, Pairing};
use super::path::{Broker, Paths};
use super::pulse::Pulse;
use crate::belongs::{Belongs, BelongsError};
use crate::link::LinkConfig;

/// How often a robot without a broker asks whether anything changed.
const ASK_EVERY: Duration = Duration::from_millis(700);
/// The same with a broker, which tells by itself: for what it lost.
const ASK_EVERY_WITH_BROKER: Duration = Duration::from_secs(15);
/// How often the cloud is asked for its broker, while there is no connection to one.
const BROKER_EVERY: Duration = Duration::from_secs(60);
/// How long whoever was let in before a pairing may go on under the names of before.
const NAMES_TAKE_HOLD: Duration = Duration::from_secs(2);
/// Pauses after failures: the first, doubling, at most the last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// Pause where only a person can help.
const PAUSE_REFUSED: Duration = Duration::from_secs(60);
/// Bytes of operations of one frame, before compression: half of it always fits.
const PUSH_BYTES: usize = 128 * 1024;

/// What the loop works with.
pub struct Engine {
    /// The memory.
    pub store: Store,
    /// What `DIR/cloud.json` says.
    pub file: watch::Receiver<Option<CloudFile>>,
    /// Where it is.
    pub path: PathBuf,
    /// To whom the robot belongs, for everybody else in the program.
    pub belongs: Belongs,
    /// The broker's end of sync.
    pub broker: Broker,
    /// The broker to connect to, for the link.
    pub link: watch::Sender<Option<LinkConfig>>,
    /// Reads every clock there is.
    pub clock: Arc<dyn Fn() -> Stamp + Send + Sync>,
    /// Names conversations.
    pub random: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// How it is doing.
    pub pulse: Pulse,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a conversation ended.
#[derive(Debug, thiserror::Error)]
enum TalkError {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the cloud will not talk: {0}")]
    Refused(&'static str),
    #[error(transparent)]
    Belongs(#[from] BelongsError),
}

impl TalkError {
    /// Trying again soon does not help.
    fn needs_a_person(&self) -> bool {
        match self {
            Self::Cloud(error) => error.needs_a_person(),
            Self::Store(error) => matches!(error, StoreError::Full),
            Self::Refused(_) | Self::Belongs(_) => true,
        }
    }
}

/// Runs until the program ends.
pub async fn run(mut engine: Engine) {
    loop {
        let file = engine.file.borrow_and_update().clone();
        match file {
            None => {
                engine.pulse.change(|shown| *shown = super::pulse::Shown::default());
                engine.link.send_replace(None);
                if engine.file.changed().await.is_err() {
                    return;
                }
            }
            Some(CloudFile::Forget) => forget(&mut engine).await,
            Some(CloudFile::Paired(pairing)) => engine = talk_until_changed(engine, pairing).await,
        }
    }
}

async fn forget(engine: &mut Engine) {
    engine.link.send_replace(None);
    let forgotten = async {
        // The tokens first: a crash in between repeats both.
        if let Some(durable) = engine.store.sync_state().await? {
            let now_s = (engine.clock)().wall.as_second();
            engine.belongs.to_nobody(&durable.user, now_s.max(0).unsigned_abs())?;
            engine.store.forget_pairing().await?;
        }
        Ok::<(), TalkError>(())
    };
    match forgotten.await {
        Ok(()) => {
            if let Err(error) = CloudFile::remove(&engine.path) {
                tracing::warn!(%error, "the pairing is forgotten, its file stays");
            }
        }
        Err(error) => {
            tracing::error!(%error, "the pairing cannot be forgotten");
            engine.pulse.change(|shown| shown.fault = Some(error.to_string()));
        }
    }
    // A file that was removed, or a person who tries something else.
    tokio::time::timeout(PAUSE_REFUSED, engine.file.changed()).await.ok();
}

/// Talks with one cloud, until the pairing is another one.
async fn talk_until_changed(mut engine: Engine, pairing: Pairing) -> Engine {
    engine.pulse.change(|shown| {
        *shown = super::pulse::Shown { cloud: Some(pairing.url.clone()), ..super::pulse::Shown::default() };
    });
    let cloud = match Cloud::at(&pairing.url) {
        Ok(cloud) => cloud,
        Err(error) => {
            engine.pulse.change(|shown| shown.fault = Some(error.to_string()));
            // Nobody is left to change it when the program ends.
            engine.file.changed().await.ok();
            return engine;
        }
    };
    let mut file = engine.file.clone();
    let paths = Paths::new(cloud, pairing.secret.clone(), engine.broker);
    let mut talk = Talk {
        store: engine.store.clone(),
        belongs: engine.belongs.clone(),
        pairing,
        paths,
        link: engine.link.clone(),
        clock: engine.clock.clone(),
        random: engine.random.clone(),
        pulse: engine.pulse.clone(),
        replica: Replica::default(),
    };
    tokio::select! {
        () = talk.keep_on() => {}
        _ = file.changed() => {}
    }
    Engine { broker: talk.paths.into_broker(), ..engine }
}

struct Talk {
    store: Store,
    belongs: Belongs,
    pairing: Pairing,
    paths: Paths,
    link: watch::Sender<Option<LinkConfig>>,
    clock: Arc<dyn Fn() -> Stamp + Send + Sync>,
    random: Arc<dyn Fn() -> u64 + Send + Sync>,
    pulse: Pulse,
    replica: Replica,
}

impl Talk {
    /// Begins again after every failure, ever more slowly.
    async fn keep_on(&mut self) {
        let mut pause = PAUSE.0;
        loop {
            let began = tokio::time::Instant::now();
            let Err(error) = self.talk().await else { continue };
            let needs_a_person = error.needs_a_person();
            let text = cloud_sync_api::failure::chain(&error);
            self.pulse.change(|shown| {
                shown.is_connected = false;
                shown.fault = needs_a_person.then(|| text.clone());
                shown.away = Some(text.clone());
            });
            if needs_a_person {
                tracing::warn!("sync waits: {text}");
            } else {
                tracing::debug!("sync tries again: {text}");
            }
            // A conversation that went on for a while was none of the failures that should slow us down.
            if began.elapsed() > PAUSE.1 {
                pause = PAUSE.0;
            }
            let wait = if needs_a_person { PAUSE_REFUSED } else { self.jittered(pause) };
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    /// Robots that lost the same cloud do not come back in step.
    fn jittered(&self, pause: Duration) -> Duration {
        pause.mul_f64(0.75 + 0.5 * ((self.random)() % 1024) as f64 / 1024.0)
    }

    async fn talk(&mut self) -> Result<(), TalkError> {
        let Pairing { town, robot, user_id, .. } = &self.pairing;
        self.store.pair(town, robot, user_id).await?;
        self.belongs.to(town, user_id, robot)?;
        let mut named_at = Some(tokio::time::Instant::now());
        self.replica.begin((self.random)());
        let mut written = self.store.follow();
        let mut broker_asked: Option<tokio::time::Instant> = None;
        loop {
            if named_at.is_some_and(|at| at.elapsed() >= NAMES_TAKE_HOLD) {
                named_at = None;
                let Pairing { town, robot, user_id, .. } = &self.pairing;
                self.store.pair(town, robot, user_id).await?;
            }
            if broker_asked.is_none_or(|at| at.elapsed() >= BROKER_EVERY) && !self.paths.is_over_broker() {
                broker_asked = Some(tokio::time::Instant::now());
                self.ask_for_broker().await?;
            }
            let Some(durable) = self.store.sync_state().await? else {
                return Err(StoreError::Failed("the pairing is gone".to_owned()).into());
            };
            match self.replica.step(&durable) {
                Step::Greet => {
                    let hello = self.replica.hello(&durable, (self.clock)());
                    self.say(&durable, hello).await?;
                }
                Step::Push { from } => self.push(&durable, from).await?,
                Step::Pull(scope) => self.say(&durable, self.replica.pull(&durable, &scope)).await?,
                Step::Rest => {
                    let now_ms = (self.clock)().wall.as_millisecond();
                    self.pulse.change(|shown| shown.converged_ms = Some(now_ms));
                    self.rest(&durable, &mut written).await?;
                }
            }
        }
    }

    /// Where the broker is may have changed, so it is asked anew while there is no connection.
    async fn ask_for_broker(&mut self) -> Result<(), TalkError> {
        let me = self.paths.cloud().me(self.paths.secret()).await?;
        let wanted = me.mqtt.and_then(|mqtt| link_config(&self.pairing, mqtt));
        self.link.send_if_modified(|link| {
            *link != wanted && {
                *link = wanted;
                true
            }
        });
        Ok(())
    }

    /// Waits until there may be something to say; asks from time to time whether anything changed.
    async fn rest(&mut self, durable: &Durable, written: &mut impl Feed) -> Result<(), TalkError> {
        let ask_every = if self.paths.is_over_broker() { ASK_EVERY_WITH_BROKER } else { ASK_EVERY };
        tokio::select! {
            next = written.next() => {
                if next.is_none() {
                    return Err(StoreError::Failed("the memory has ended".to_owned()).into());
                }
            }
            frame = self.paths.hear() => {
                // What the cloud says by itself changes nothing but what is asked next.
                self.take(durable, frame).await?;
            }
            () = tokio::time::sleep(ask_every) => {
                for scope in [Scope::Town, Scope::User(durable.user.clone())] {
                    let Some(durable) = self.store.sync_state().await? else { return Ok(()) };
                    self.say(&durable, self.replica.pull(&durable, &scope)).await?;
                }
            }
        }
        Ok(())
    }

    async fn push(&mut self, durable: &Durable, from: u64) -> Result<(), TalkError> {
        let mut ops = self.store.outbox(from, PUSH_BYTES).await?;
        loop {
            if ops.is_empty() {
                return Err(StoreError::Failed("the outbox has a gap".to_owned()).into());
            }
            let frame = self.replica.push(durable, ops, (self.clock)());
            match frame.encode() {
                Err(FrameError::TooLong) => {
                    let Frame::Push(push) = frame else { return Ok(()) };
                    ops = push.ops;
                    if ops.len() == 1 {
                        // No row is as long as a frame; a table of a newer program might be.
                        return Err(CloudError::Frame(FrameError::TooLong).into());
                    }
                    ops.truncate(ops.len() / 2);
                }
                _ => return self.say(durable, frame).await,
            }
        }
    }

    async fn say(&mut self, durable: &Durable, frame: Frame) -> Result<(), TalkError> {
        let answers = self.paths.exchange(&frame).await?;
        let is_over_broker = self.paths.is_over_broker();
        self.pulse.change(|shown| {
            (shown.is_connected, shown.is_over_broker) = (true, is_over_broker);
            (shown.fault, shown.away) = (None, None);
        });
        for frame in answers {
            self.take(durable, frame).await?;
        }
        Ok(())
    }

    async fn take(&mut self, durable: &Durable, frame: Frame) -> Result<(), TalkError> {
        let chain = match &frame {
            Frame::HelloAck(ack) => self.store.chain_at(ack.accepted).await?,
            _ => None,
        };
        let ends = matches!(frame, Frame::HelloAck(_) | Frame::Refusal(_));
        match self.replica.receive(durable, frame, |_accepted| chain) {
            Change::None => {}
            Change::Refused(why) => return Err(TalkError::Refused(refused(why))),
            change => self.store.apply_change(change).await?,
        }
        if ends && !self.replica.is_open() {
            self.replica.begin((self.random)());
        }
        Ok(())
    }
}

const fn refused(why: Why) -> &'static str {
    match why {
        Why::TooNew => "it is older than this robot; update the cloud",
        Why::NotYours => "it takes this robot for another one; pair anew with `robbie-agent pair`",
        Why::Malformed | Why::GreetAgain | Why::Gap { .. } => "it does not understand this robot",
    }
}

/// The broker that the cloud names, and who the robot is there. Names that fit no topic are none of a cloud's.
fn link_config(pairing: &Pairing, mqtt: Mqtt) -> Option<LinkConfig> {
    let Mqtt { url, username, password } = mqtt;
    let (town, robot) = (pairing.town.parse().ok()?, pairing.robot.parse().ok()?);
    Some(LinkConfig { url, username, password, town, robot })
}
