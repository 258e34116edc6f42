//! `robbie-models`: all four stand-ins in one process, until Ctrl-C.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use clap::Parser;
use models_twin::{Change, Control, Kind, Twin};
use serde_json::{Map, Value};

/// Stands in for Ollama, OpenAI, Claude and Gemini, so that Robbie can be tried out without an account.
///
/// Prints one line of JSON: under `ollama`, `openai`, `claude` and `gemini` the base URL of each, and under `control` where
/// `PUT {control}{kind}` makes it answer by a script or fail, and `GET` tells what it was asked. No model runs, and nothing is
/// sent anywhere.
#[derive(Debug, Parser)]
#[command(name = "robbie-models", version)]
struct Args {
    /// Where it stands in for Ollama [default: a free port of this machine; so for the others]
    #[arg(long, value_name = "ADDRESS")]
    ollama: Option<SocketAddr>,
    /// Where it stands in for OpenAI
    #[arg(long, value_name = "ADDRESS")]
    openai: Option<SocketAddr>,
    /// Where it stands in for Claude
    #[arg(long, value_name = "ADDRESS")]
    claude: Option<SocketAddr>,
    /// Where it stands in for Gemini
    #[arg(long, value_name = "ADDRESS")]
    gemini: Option<SocketAddr>,
    /// Where it is controlled
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
    /// The only key that is taken [default: any, and none]
    #[arg(long)]
    key: Option<String>,
    /// Milliseconds from the head of an answer to its first word
    #[arg(long, value_name = "N", default_value_t = 0)]
    think_ms: u64,
    /// Milliseconds between two words
    #[arg(long, value_name = "N", default_value_t = 0)]
    between_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let addresses = [args.ollama, args.openai, args.claude, args.gemini];
    let mut twins = Vec::new();
    let mut urls = Map::new();
    for (kind, address) in Kind::ALL.into_iter().zip(addresses) {
        let address = address.unwrap_or(free);
        let twin = Twin::start(kind, address).await.with_context(|| format!("cannot listen on {address}"))?;
        let change = Change {
            key: args.key.clone(),
            think_ms: Some(args.think_ms),
            between_ms: Some(args.between_ms),
            ..Change::default()
        };
        twin.change(change).await;
        urls.insert(kind.as_str().to_owned(), Value::String(twin.url()));
        twins.push(twin);
    }
    let address = args.control.unwrap_or(free);
    let control =
        Control::start(address, &twins).await.with_context(|| format!("cannot listen on {address}"))?;
    urls.insert("control".to_owned(), Value::String(control.url()));
    println!("{}", Value::Object(urls));
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")
}
