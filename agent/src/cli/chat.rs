//! `chat`: talk to Robbie in this terminal. Words come as they are found, with what is done beside them.
//!
//! One message at a time; Ctrl-C leaves, and what the message still moves ends with the connection.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use cloud_sync_api::assistant::chat::{ChatReply, Status, ToolCall};
use cloud_sync_protocol::id::RowId;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::args::ReachArgs;
use super::client::Client;
use super::find;
use crate::config::Environment;
use crate::os;
use cloud_sync_api::failure::Failure;

/// A message may move the body for 20 s, and its answer comes after that.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Lines that were typed ahead.
const LINES_MAX: usize = 16;

/// One message, or a conversation where there is none.
pub(super) async fn run(
    reach: &ReachArgs,
    environment: &Environment,
    message: &[String],
    as_json: bool,
) -> Result<(), Failure> {
    let client = Client::new(find::target(reach, environment)?)?;
    let mut talk = Talk { client, conversation: None, as_json, is_in_line: false };
    if !message.is_empty() {
        return talk.say(&message.join(" ")).await;
    }
    let is_terminal = std::io::stdin().is_terminal() && !as_json;
    if is_terminal {
        println!("Talk to Robbie at {}. An empty line or Ctrl-D ends.", talk.client.url());
    }
    let mut lines = typed();
    loop {
        if is_terminal {
            print!("you> ");
            flush();
        }
        match lines.recv().await {
            Some(line) if line.trim().is_empty() && is_terminal => return Ok(()),
            Some(line) if line.trim().is_empty() => {}
            // In a conversation a refusal is told, and the next message may go better.
            Some(line) => match talk.say(&line).await {
                Err(Failure::Refused(why)) => eprintln!("{why}"),
                other => other?,
            },
            None => return Ok(()),
        }
    }
}

/// Lines of standard input, from a thread of its own: reading one cannot be given up.
fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

struct Talk {
    client: Client,
    conversation: Option<RowId>,
    as_json: bool,
    /// Words stand in this line already.
    is_in_line: bool,
}

/// One event of the stream, by name and data.
#[derive(Debug)]
enum Event {
    Token(String),
    Call(ToolCall),
    Done(Box<ChatReply>),
    Failed(String),
}

#[derive(Deserialize)]
struct Token {
    text: String,
}

#[derive(Deserialize)]
struct Refusal {
    detail: String,
}

impl Talk {
    async fn say(&mut self, message: &str) -> Result<(), Failure> {
        let body = json!({ "message": message, "conversation_id": self.conversation });
        let key = format!(
            "cli-{:016x}",
            os::random_u64().map_err(|error| Failure::Unavailable(error.to_string()))?
        );
        let mut stream = self.client.events("/api/chat", &body, &key, ANSWER_MAX).await?;
        while let Some((name, data)) = stream.next().await? {
            match event(&name, &data)? {
                Some(Event::Done(reply)) => {
                    self.conversation = Some(reply.conversation_id);
                    self.show_end(&reply, &data);
                    return Ok(());
                }
                Some(Event::Failed(why)) => return Err(Failure::Refused(why)),
                Some(event) if !self.as_json => self.show(&event),
                _ => {}
            }
        }
        Err(Failure::Unavailable("the agent broke off in the middle of its answer".to_owned()))
    }

    fn show_end(&mut self, reply: &ChatReply, data: &str) {
        if self.as_json {
            println!("{data}");
            return;
        }
        let tier = reply.tier.as_str();
        self.show_line(&format!("  [{tier}, {}, {} ms]", reply.mood.as_str(), reply.latency_ms));
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Token(text) => {
                let text = if self.is_in_line { text } else { text.trim_start() };
                print!("{text}");
                self.is_in_line = true;
            }
            Event::Call(call) => match call.status {
                Status::Running => self.show_line(&format!("  ({} ...)", words(call))),
                Status::Failed => self.show_line(&format!("  ({}: failed)", words(call))),
                Status::Done | Status::Skipped => {}
            },
            Event::Done(_) | Event::Failed(_) => {}
        }
        flush();
    }

    /// A line of its own.
    fn show_line(&mut self, line: &str) {
        if std::mem::take(&mut self.is_in_line) {
            println!();
        }
        println!("{line}");
    }
}

fn event(name: &str, data: &str) -> Result<Option<Event>, Failure> {
    let unreadable =
        |error: serde_json::Error| Failure::Refused(format!("cannot read the agent's answer: {error}"));
    Ok(match name {
        "token" => Some(Event::Token(serde_json::from_str::<Token>(data).map_err(unreadable)?.text)),
        "tool_call" => Some(Event::Call(serde_json::from_str(data).map_err(unreadable)?)),
        "done" => Some(Event::Done(serde_json::from_str(data).map_err(unreadable)?)),
        "error" => Some(Event::Failed(serde_json::from_str::<Refusal>(data).map_err(unreadable)?.detail)),
        // A newer agent may tell more.
        _ => None,
    })
}

/// A call as a person reads it: `drive distance_m 0.5`.
fn words(call: &ToolCall) -> String {
    let slots = serde_json::to_value(&call.call).unwrap_or_default();
    let slots = slots.as_object().into_iter().flatten().filter(|(name, _)| *name != "skill");
    let slots = slots.map(|(name, value)| format!(" {name} {value}"));
    format!("{}{}", call.call.skill().name(), slots.collect::<String>())
}

fn flush() {
    // A closed standard output is told by the next print.
    std::io::stdout().flush().ok();
}
