//! `WS /ws/chat`: what happens, as it happens. In `{subscribe: [types], after?: id}`, out `{id, type, data}`; and live chat: in
//! `{chat: {message, conversation_id?, key}}`, out `{id: null, type, key, data}` with the events of [`super::chat`].
//!
//! One loop listens to the client and to the store, one writer sends; between them is a bounded queue. A client that does not
//! take what happens is closed with 1013 and comes back with the last id it saw. Both end with the socket; nothing runs on.

mod follower;
mod wish;

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use cloud_sync_protocol::store::{EventStore, Feed, MemoryStore, Whose};
use futures_util::stream::{self, BoxStream, SelectAll, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use utoipa_axum::routes;

use crate::access::{Guards, Principal};
use crate::credentials::chosen_subprotocol;
use crate::openapi::ApiRouter;
use crate::problem::{Answer, Problem};
use crate::rate::Rate;
use crate::scope::{Scope, Scopes};

use super::READ;
use super::body::Body;
use super::chat::{Chat, ChatEvent, ChatStores, check_key};
use super::whose::Assistant;
use follower::{Follower, Given, follow};
use wish::{ChatWish, Heard, Wish};

/// The largest message that comes in.
const MESSAGE_BYTES: usize = 16 * 1024;
/// Chat messages of one socket that are answered at once; more are refused.
const CHATS_MAX: usize = 8;
/// Messages that may wait for a slow client; one more closes its socket.
const QUEUE_MAX: usize = 64;
/// A client that takes no byte for so long is closed.
const SEND_MAX: Duration = Duration::from_secs(5);
/// How long a client that was too slow may take to read why it is let go.
const GOODBYE_MAX: Duration = Duration::from_secs(30);
/// How often a client is asked whether it is still there: a phone that left the network says nothing.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that is silent for so long, pings unanswered, is gone.
const SILENT_MAX: Duration = Duration::from_secs(60);

/// What the handler shares.
#[derive(Clone, Debug)]
struct Live<S, M, B> {
    assistant: Assistant<S>,
    chat: Chat<S, M, B>,
    guards: Guards,
}

/// The events' route.
pub(super) fn routes<S, M, B>(guards: &Guards, assistant: Assistant<S>, chat: Chat<S, M, B>) -> ApiRouter
where
    S: EventStore + ChatStores,
    M: MemoryStore,
    B: Body,
{
    let open = open::<S, M, B>;
    let live = Live { assistant, chat, guards: guards.clone() };
    ApiRouter::new(guards).route(READ, routes!(open)).with_state(live)
}

/// What happens, and live chat, over a WebSocket: in `{subscribe: [personality, note, chat, robot, notification], after?: id}`,
/// out `{id, type, data}`; in `{chat: {message, conversation_id?, key}}` (scope speak), out the events of `POST /api/chat` as
/// `{id: null, type, key, data}`. When the socket closes, what its messages move ends. With `after` first everything since that id; one `{type: reset, id}` where that is no longer kept: read
/// the state afresh. What cannot be read is answered by `{type: error, data: problem}`, and the socket stays open.
#[utoipa::path(get, path = "/ws/chat", tag = "memory",
    responses((status = 101, description = "WebSocket. Closed with 1013 where the client is too slow, 1012 where the robot was paired, 1008 where its token was revoked."),
              (status = 400, description = "No WebSocket was asked for.", body = Problem, content_type = "application/problem+json")))]
async fn open<S: EventStore + ChatStores, M: MemoryStore, B: Body>(
    State(live): State<Live<S, M, B>>,
    principal: Principal,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let Ok(upgrade) = upgrade else {
        return Err(Problem::bad_request("This route is a WebSocket: send the headers that open one."));
    };
    let whose = live.assistant.whose(&principal, None)?;
    Ok(upgrade
        .protocols(chosen_subprotocol(&headers))
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .on_upgrade(move |socket| serve(socket, live, principal, whose))
        .into_response())
}

/// Why a socket ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The client closed it, or is gone.
    Left,
    /// The program ends.
    Over,
    /// The client takes less than happens.
    TooSlow,
    /// A message that breaks the protocol or its limit.
    Unreadable,
    /// The token was revoked.
    Revoked,
    /// The robot was paired, or its pairing was forgotten: what is told there is told to others.
    Moved,
}

impl Ending {
    /// The goodbye (RFC 6455, 7.4).
    fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Left => return None,
            Self::Over => (1001, "the program ends"),
            Self::TooSlow => (1013, "too slow: subscribe again after the last id that you saw"),
            Self::Unreadable => (1009, "this message cannot be read; it has at most 16 KiB"),
            Self::Revoked => (1008, "this token was revoked"),
            Self::Moved => (1012, "the robot belongs to another town: subscribe again"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}

/// Serves one socket until it closes, its token dies, the robot moves to another town, or the program ends.
async fn serve<S: EventStore + ChatStores, M: MemoryStore, B: Body>(
    socket: WebSocket,
    live: Live<S, M, B>,
    principal: Principal,
    whose: Whose,
) {
    let revoked = live.guards.tokens().clone().until_revoked(principal.token);
    let (mut sink, stream) = socket.split();
    let (outbox, queue) = mpsc::channel(QUEUE_MAX);
    let talk = Talk { live: &live, principal: &principal, outbox };
    let moved = live.assistant.until_moved(&whose);
    let follower = follow(&live.assistant.store, whose.clone());
    let ending = tokio::select! {
        ending = talk.run(stream, follower) => ending,
        ending = write(&mut sink, queue) => ending,
        () = revoked => Ending::Revoked,
        () = moved => Ending::Moved,
    };
    let goodbye = sink.send(Message::Close(ending.frame()));
    // A client that takes no goodbye goes without. One that is slow gets the time to learn that it was.
    let patience = if ending == Ending::TooSlow { GOODBYE_MAX } else { SEND_MAX };
    drop(timeout(patience, goodbye).await);
}

/// One conversation with a client.
struct Talk<'a, S, M, B> {
    live: &'a Live<S, M, B>,
    principal: &'a Principal,
    outbox: mpsc::Sender<String>,
}

/// The events of the chat messages that are being answered, as they are sent.
type Chats = SelectAll<BoxStream<'static, String>>;

impl<S: EventStore + ChatStores, M: MemoryStore, B: Body> Talk<'_, S, M, B> {
    async fn run(
        &self,
        mut stream: SplitStream<WebSocket>,
        mut follower: Follower<'_, S, impl Feed>,
    ) -> Ending {
        let mut heard = Instant::now();
        let mut chats = Chats::new();
        loop {
            let step = tokio::select! {
                biased;
                message = stream.next() => {
                    heard = Instant::now();
                    self.hear(message, &mut follower, &mut chats).await
                }
                Some(event) = chats.next() => self.tell(vec![event]).await,
                given = follower.next() => self.pass_on(given, &mut follower).await,
                () = sleep_until(heard + SILENT_MAX) => Err(Ending::Left),
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    async fn hear(
        &self,
        message: Option<Result<Message, axum::Error>>,
        follower: &mut Follower<'_, S, impl Feed>,
        chats: &mut Chats,
    ) -> Result<(), Ending> {
        let bytes = match message {
            Some(Ok(Message::Text(text))) => text.into(),
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Close(_))) | None => return Err(Ending::Left),
            Some(Err(_broken)) => return Err(Ending::Unreadable),
        };
        match Heard::parse(&bytes) {
            Ok(Heard::Wish(wish)) => self.subscribe(wish, follower).await,
            Ok(Heard::Chat(chat)) => self.chat(chat, chats).await,
            Err(problem) => self.offer(told(&problem)),
        }
    }

    async fn subscribe(&self, wish: Wish, follower: &mut Follower<'_, S, impl Feed>) -> Result<(), Ending> {
        if let Err(problem) = self.live.guards.spend(self.principal, Rate::Read) {
            return self.offer(told(&problem));
        }
        self.tell(follower.subscribe(wish.kinds, wish.after)).await?;
        self.catch_up(follower).await
    }

    /// Begins to answer a message; its events come as they happen.
    async fn chat(&self, wish: ChatWish, chats: &mut Chats) -> Result<(), Ending> {
        let key = wish.key.clone();
        let begun = match self.check_chat(&wish, chats) {
            Ok(()) => self.live.chat.begin(self.principal.clone(), wish.body, Some(wish.key)).await,
            Err(problem) => Err(problem),
        };
        match begun {
            Ok(waited) => {
                let events = stream::unfold((waited, key), |(mut waited, key)| async {
                    let event = waited.next().await?;
                    Some((chatted(&key, &event), (waited, key)))
                });
                chats.push(events.boxed());
                Ok(())
            }
            Err(problem) => self.offer(chatted(&key, &ChatEvent::Error(problem))),
        }
    }

    fn check_chat(&self, wish: &ChatWish, chats: &Chats) -> Answer<()> {
        self.principal.check_scope(Scopes::of(&[Scope::Speak]))?;
        check_key("key", &wish.key)?;
        if chats.len() >= CHATS_MAX {
            return Err(
                Problem::rate_limited(1_000).detail_is("Wait for the answers to your messages first.")
            );
        }
        Ok(())
    }

    async fn pass_on(&self, given: Given, follower: &mut Follower<'_, S, impl Feed>) -> Result<(), Ending> {
        match given {
            Given::Event(text) => self.offer(text),
            Given::Behind => self.catch_up(follower).await,
            Given::Over => Err(Ending::Over),
        }
    }

    /// Sends what the client has missed, as fast as it takes it: the past may be longer than the queue.
    async fn catch_up(&self, follower: &mut Follower<'_, S, impl Feed>) -> Result<(), Ending> {
        loop {
            let missed = match follower.missed().await {
                Ok(missed) => missed,
                Err(problem) => return self.offer(told(&problem)),
            };
            if missed.is_empty() {
                return Ok(());
            }
            self.tell(missed).await?;
        }
    }

    /// Queues messages as fast as the client takes them.
    async fn tell(&self, texts: Vec<String>) -> Result<(), Ending> {
        for text in texts {
            // The queue's other end goes only with the socket.
            self.outbox.send(text).await.map_err(|_ended| Ending::Left)?;
        }
        Ok(())
    }

    /// Queues a message, if there is room.
    fn offer(&self, text: String) -> Result<(), Ending> {
        self.outbox.try_send(text).map_err(|_full| Ending::TooSlow)
    }
}

/// An event of a chat message. It has no id: it is told to nobody else, and not again.
fn chatted(key: &str, event: &ChatEvent) -> String {
    json!({ "id": null, "type": event.name(), "key": key, "data": event.data() }).to_string()
}

/// An input that was not understood. It has no id: it did not happen.
fn told(problem: &Problem) -> String {
    json!({ "id": null, "type": "error", "data": problem }).to_string()
}

async fn write(sink: &mut SplitSink<WebSocket, Message>, mut queue: mpsc::Receiver<String>) -> Ending {
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            Some(text) = queue.recv() => Message::Text(text.into()),
            _ = pings.tick() => Message::Ping(Vec::new().into()),
        };
        match timeout(SEND_MAX, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_gone)) => return Ending::Left,
            Err(_elapsed) => return Ending::TooSlow,
        }
    }
}
