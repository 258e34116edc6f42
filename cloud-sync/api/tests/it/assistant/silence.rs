//! Who is still there at `/ws/chat`, in virtual time: a phone that left the network closes nothing and says nothing.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Town;
use super::store::Memory;

const PING_EVERY_S: u64 = 20;
const SILENT_MAX: Duration = Duration::from_secs(60);
/// Virtual time runs on to the next timer whenever bytes are still on their way through the kernel.
const SLACK: Duration = Duration::from_secs(25);

async fn open(town: &Town) -> WebSocketStream<TcpStream> {
    let mut request = format!("ws://{}/ws/chat", town.address).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", town.owner()).parse().unwrap());
    let stream = TcpStream::connect(town.address).await.unwrap();
    client_async(request, stream).await.unwrap().0
}

/// What comes before the server closes a connection that nobody answers on, and when that is.
async fn until_closed(socket: &mut WebSocketStream<TcpStream>) -> (Vec<u8>, Instant) {
    let mut bytes = Vec::new();
    // Past the WebSocket, so that no ping is answered.
    let end = timeout(SILENT_MAX * 3, socket.get_mut().read_to_end(&mut bytes)).await;
    end.expect("the server keeps a socket at which nobody is").unwrap();
    (bytes, Instant::now())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays_however_long_nothing_happens() {
    let town = Town::start("home", &Memory::default());
    let mut socket = open(&town).await;
    let began = Instant::now();
    let mut pings_s = Vec::new();
    while pings_s.len() < 16 {
        let message = timeout(SILENT_MAX, socket.next()).await.expect("a ping").unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        pings_s.push(began.elapsed().as_secs());
        // The answer waits in the socket until somebody sends.
        socket.flush().await.unwrap();
    }
    let between = pings_s.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(between.clone().all(|s| s <= 2 * PING_EVERY_S), "{pings_s:?}");
    assert!(pings_s[15] >= 14 * PING_EVERY_S, "{pings_s:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_nothing_is_closed_after_a_minute() {
    let town = Town::start("home", &Memory::default());
    let mut socket = open(&town).await;
    let began = Instant::now();
    let (bytes, ended) = until_closed(&mut socket).await;
    let took = ended - began;
    assert!((SILENT_MAX - SLACK..SILENT_MAX + SLACK).contains(&took), "{took:?}");
    // The first may have come with the answer to the handshake.
    assert!(bytes.starts_with(&[0x89, 0, 0x89, 0]), "asked again: {bytes:?}");
    assert!(bytes.ends_with(&[0x88, 0]), "with a goodbye: {bytes:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_a_client_says_counts_as_a_sign_of_life() {
    let town = Town::start("home", &Memory::default());
    let mut socket = open(&town).await;
    tokio::time::sleep(SILENT_MAX - Duration::from_secs(1)).await;
    socket.send(Message::text("what is this")).await.unwrap();
    let said = Instant::now();
    let (bytes, ended) = until_closed(&mut socket).await;
    let took = ended - said;
    assert!((SILENT_MAX - SLACK..SILENT_MAX + SLACK).contains(&took), "{took:?}");
    assert!(String::from_utf8_lossy(&bytes).contains("\"type\":\"error\""), "answered meanwhile");
}
