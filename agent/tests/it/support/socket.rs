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
        let stream = TcpStream::connect_timeout(&agent.address, DEADLINE).unwrap();
        Self::over(stream, agent, path, token)
    }

    /// The same over a connection to the agent that the test has made.
    pub(crate) fn over(stream: TcpStream, agent: &Agent, path: &str, token: &str) -> Self {
        let mut request = format!("ws://{}{path}", agent.address).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        let (inner, _) = tokio_tungstenite::tungstenite::client(request, stream).unwrap();
        Self { inner }
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    /// Sends a text that need not be JSON.
    pub(crate) fn send_text(&mut self, text: &str) {
        self.inner.send(Message::text(text)).unwrap();
    }

    /// Closes it, as a page does that is left.
    pub(crate) fn close(mut self) {
        self.inner.close(None).unwrap();
        self.inner.flush().unwrap();
    }

    /// Waits for the agent to end it, whatever else it says before; the code, where it says one.
    pub(crate) fn wait_for_end(mut self) -> Option<u16> {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            match self.inner.read() {
                Ok(Message::Close(close)) => return close.map(|close| close.code.into()),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        panic!("the agent does not end the socket");
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
