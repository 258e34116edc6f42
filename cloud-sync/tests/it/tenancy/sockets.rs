//! What is told as it happens, over WebSockets: to nobody in another town, and of a user's own to that user alone.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::home::{ANN, Home, OF_OWNER, OF_TOWN};
use crate::support::http::Client;
use crate::support::within;

/// Opens the socket of events with this token, and asks for all that ever happened and will.
async fn follow(home: &Home, token: &str) -> WebSocketStream<TcpStream> {
    let address = home.cloud.address();
    let mut request = format!("ws://{address}/ws/chat").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = within("a socket", client_async(request, stream)).await.unwrap();
    let kinds = ["personality", "note", "chat", "robot", "notification"];
    let wish = json!({"subscribe": kinds, "after": 0}).to_string();
    socket.send(Message::text(wish)).await.unwrap();
    socket
}

/// Everything that is told up to the note that says `mark`.
async fn told_until(socket: &mut WebSocketStream<TcpStream>, mark: &str) -> String {
    let mut told = String::new();
    within(mark, async {
        while !told.contains(mark) {
            match socket.next().await.unwrap().unwrap() {
                Message::Text(text) => told += &text,
                Message::Close(close) => panic!("closed: {close:?}"),
                _ => {}
            }
        }
    })
    .await;
    told
}

/// The owner writes, says and feels something more.
async fn something_happens(owner: &Client) {
    owner.post("/api/sticky-notes", &json!({"content": "one more quokka-note"})).await.expect(201);
    owner.post("/api/chat", &json!({"message": "one more numbat-said"})).await.expect(200);
    let mood = json!({"mood": "focused", "energy": 41, "context": "one more numbat-mood"});
    owner.post("/api/mood/update", &mood).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_reach_those_whose_they_are() {
    // From the past and as they happen. The owner hears all of it, another user of the town its notes, another town nothing.
    let home = Home::make().await;
    let (owner, side) = (home.cloud.owner(), home.side());
    let ann = home.token(ANN, &["read"]).await.1;
    let mut sockets = Vec::new();
    for token in [home.cloud.owner_token(), ann, home.side_token().to_owned()] {
        sockets.push(follow(&home, &token).await);
    }
    something_happens(&owner).await;
    for admin in [&owner, &side] {
        admin.post("/api/sticky-notes", &json!({"content": "the last word"})).await.expect(201);
    }
    let mut told = Vec::new();
    for socket in &mut sockets {
        told.push(told_until(socket, "the last word").await);
    }
    let tells = |place: usize, word: &str| told[place].contains(word);
    for word in ["quokka-note", "numbat-said", "\"mood\":\"focused\""] {
        assert!(tells(0, word), "its owner hears of {word}: {}", told[0]);
    }
    assert!(tells(1, "one more quokka-note"), "{}", told[1]);
    for word in OF_OWNER {
        assert!(!tells(1, word), "another user hears of {word}: {}", told[1]);
    }
    for word in OF_TOWN.into_iter().chain(OF_OWNER) {
        assert!(!tells(2, word), "another town hears of {word}: {}", told[2]);
    }
}
