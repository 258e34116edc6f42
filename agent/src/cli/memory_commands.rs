//! `memory import` and `memory eval`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use super::args::{DataArgs, ReachArgs};
use super::client::Client;
use super::find;
use crate::config::Environment;
use crate::data_dir;
use crate::memory::eval::{self, Figures};
use cloud_sync_api::failure::{Failure, chain};

/// Bytes of a line.
const LINE_BYTES_MAX: usize = 128 * 1024;
/// Bytes of turns in one request; its body may have 64 KiB.
const PIECE_BYTES_MAX: usize = 48 * 1024;
/// Turns in one request.
const PIECE_TURNS_MAX: usize = 200;

/// Take memories in, and measure how well they are found again.
#[derive(Debug, Subcommand)]
pub enum MemoryCommand {
    /// Take conversations in: JSON lines {"text", "speaker"?, "sender"?, "at"?, "conversation"?}
    ///
    /// `sender` is user (default) or robbie, `at` a time such as 2026-11-24T10:00:00Z, `conversation` any name. Importing the
    /// same file again changes nothing, so an import that was interrupted is simply repeated.
    Import {
        /// Which agent.
        #[command(flatten)]
        reach: ReachArgs,
        /// The file; - reads standard input
        file: PathBuf,
    },
    /// Measure recall on conversations in LoCoMo's format: the share of the evidence among the first 5 and 10 turns found
    ///
    /// Needs no agent. Uses the sentence embedder if its weights are there (`robbie-agent models pull minilm`), else the
    /// built-in lexical embedding.
    Eval {
        /// Data folder, where the weights are.
        #[command(flatten)]
        data: DataArgs,
        /// Folder with one NAME.json a conversation
        dir: PathBuf,
        /// JSON instead of a table
        #[arg(long)]
        json: bool,
    },
}

#[derive(Deserialize)]
struct Line {
    text: String,
    speaker: Option<String>,
    sender: Option<String>,
    at: Option<String>,
    conversation: Option<String>,
}

/// Turns of one conversation that go out together.
#[derive(Default)]
struct Piece {
    turns: Vec<Value>,
    bytes: usize,
    /// Turns that went out before.
    position: u64,
}

pub(super) async fn run(command: &MemoryCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        MemoryCommand::Import { reach, file } => import(reach, environment, file).await,
        MemoryCommand::Eval { data, dir, json } => evaluate(data, environment, dir, *json).await,
    }
}

async fn import(reach: &ReachArgs, environment: &Environment, file: &Path) -> Result<(), Failure> {
    let client = Client::new(find::target(reach, environment)?)?;
    let input: Box<dyn std::io::Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        let opened = std::fs::File::open(file);
        Box::new(opened.map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?)
    };
    let mut pieces: HashMap<String, Piece> = HashMap::new();
    let mut told = Progress::new();
    for (number, line) in BufReader::new(input).lines().enumerate() {
        let wrong = |what: String| Failure::Usage(format!("{} line {}: {what}", file.display(), number + 1));
        let line = line.map_err(|error| wrong(error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        if line.len() > LINE_BYTES_MAX {
            return Err(wrong(format!("longer than {LINE_BYTES_MAX} bytes")));
        }
        let read: Line = serde_json::from_str(&line).map_err(|error| wrong(error.to_string()))?;
        let name = read.conversation.clone().unwrap_or_else(|| file.display().to_string());
        let piece = pieces.entry(name.clone()).or_default();
        if piece.bytes + line.len() > PIECE_BYTES_MAX || piece.turns.len() >= PIECE_TURNS_MAX {
            told.add(send(&client, &name, piece).await?);
        }
        piece.take(read, line.len());
    }
    for (name, piece) in &mut pieces {
        told.add(send(&client, name, piece).await?);
    }
    told.end();
    Ok(())
}

impl Piece {
    fn take(&mut self, line: Line, bytes: usize) {
        self.bytes += bytes;
        self.turns.push(json!({
            "text": line.text, "speaker": line.speaker, "at": line.at,
            "sender": line.sender.unwrap_or_else(|| "user".to_owned()),
            "position": self.position,
        }));
        self.position += 1;
    }
}

async fn send(client: &Client, conversation: &str, piece: &mut Piece) -> Result<usize, Failure> {
    let turns = std::mem::take(&mut piece.turns);
    piece.bytes = 0;
    if turns.is_empty() {
        return Ok(0);
    }
    let count = turns.len();
    let body = json!({ "conversation": conversation, "turns": turns });
    let _answer: Value = client.post("/api/memory/import", &body).await?;
    Ok(count)
}

/// Tells how far an import is: on a terminal as it goes, else once.
struct Progress {
    turns: usize,
    is_live: bool,
}

impl Progress {
    fn new() -> Self {
        Self { turns: 0, is_live: std::io::stderr().is_terminal() }
    }

    fn add(&mut self, turns: usize) {
        self.turns += turns;
        if self.is_live {
            eprint!("\r{} turns", self.turns);
        }
    }

    fn end(&self) {
        if self.is_live {
            eprintln!();
        }
        println!("{} turns are remembered", self.turns);
    }
}

async fn evaluate(
    data: &DataArgs,
    environment: &Environment,
    dir: &Path,
    as_json: bool,
) -> Result<(), Failure> {
    let folder = data_dir::resolve(data.data.as_deref(), environment)
        .map_err(|error| Failure::Configuration(chain(&error)))?;
    let paths = data_dir::DataPaths::new(folder);
    let figures = eval::measure(dir, &paths.models(), |name| eprintln!("{name} ..."))
        .await
        .map_err(|error| Failure::Unavailable(chain(&*error)))?;
    if as_json {
        println!("{}", serde_json::to_string(&figures).unwrap_or_default());
    } else {
        print(&figures);
    }
    Ok(())
}

fn print(figures: &Figures) {
    println!("embedding: {}", figures.embedding);
    println!("{:<16} {:>9} {:>10} {:>10}", "conversation", "questions", "recall@5", "recall@10");
    for row in figures.conversations.iter().chain([&figures.all]) {
        println!(
            "{:<16} {:>9} {:>9.1} % {:>9.1} %",
            row.name,
            row.questions,
            row.recall_at_5 * 100.0,
            row.recall_at_10 * 100.0
        );
    }
}
