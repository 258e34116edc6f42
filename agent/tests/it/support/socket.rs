//! A WebSocket of the agent.

use std::net::TcpStream;
use std::time::Instant;

use serde_json::Value;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use super::DEADLINE;
use super::agent::Agent;

/// An open socket.
pub(crate) struct Socket {
    inner: WebSocket<TcpStream>,
}

impl Socket {
    /// Opens `path` with this token.
    pub(crate) fn open(agent: &Agent, path: &str, token: &str) -> Self {
        let mut request = format!("ws://{}{path}", agent.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let stream = TcpStream::connect_timeout(&agent.address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let (inner, _) = tokio_tungstenite::tungstenite::client(request, stream).unwrap();
        Self { inner }
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: &Value) {
        self.inner.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message, or the code with which the agent closed the socket.
    pub(crate) fn receive(&mut self) -> Result<Value, u16> {
        loop {
            match self.inner.read().unwrap() {
                Message::Text(text) => return Ok(serde_json::from_str(&text).unwrap()),
                Message::Close(close) => return Err(close.map_or(1005, |close| close.code.into())),
                _ => {}
            }
        }
    }

    /// What the next message that has `name` has there.
    pub(crate) fn receive_named(&mut self, name: &str) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < end, "waited in vain for {name}");
            let message = self.receive().unwrap();
            if let Some(value) = message.get(name) {
                return value.clone();
            }
        }
    }
}
