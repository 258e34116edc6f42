//! What can be typed, and what the environment says: the folders.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;

/// The whole of Robbie on one machine, without any service installed: to try it, not to keep what matters.
#[derive(Debug, Parser)]
#[command(name = "robbie-tryout", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  robbie-tryout run                    everything; one list of URLs; one Ctrl-C ends all of it
  robbie-tryout cloud off              the cloud crashes; `cloud on` starts it again
  robbie-tryout database --data DIR    only a database: it prints DATABASE_URL=... when it is ready
  robbie-tryout broker                 only a broker: it prints MQTT_URL=... when it is ready

Exit codes: 64 wrong usage, 78 a folder or program is not as it must be, 69 a port is taken or a part ended.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start database, broker, cloud and one simulated robot that is paired with it, and print where they are
    Run(RunArgs),
    /// Take the cloud away from the try-out that runs, or bring it back
    Cloud(CloudArgs),
    /// Serve a Postgres database with pgvector from a folder, to one connection at a time
    ///
    /// An answered write survives a kill of this process, but not a power cut: nothing waits for the disk. The engine is
    /// unpacked once into the user's cache folder (70 MB; it may be removed at any time).
    Database(DatabaseArgs),
    /// Serve an MQTT broker that keeps everything in memory
    Broker(BrokerArgs),
    /// Become another program that does not outlive the one that started it
    #[command(hide = true)]
    Child(ChildArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DataArgs {
    /// Data folder; every part has a folder in it [default: $ROBBIE_TRYOUT_DATA or ~/.local/share/robbie-tryout]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CloudArgs {
    /// Off kills it, as a crash would; on starts it again
    pub(crate) wish: CloudWish,
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CloudWish {
    Off,
    On,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// The data folder.
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Where the cloud listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000", value_parser = loopback)]
    pub(crate) cloud_listen: SocketAddr,
    /// Where the robot listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8700", value_parser = loopback)]
    pub(crate) robot_listen: SocketAddr,
    /// Where the database listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) database_listen: SocketAddr,
    /// Where the broker listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) broker_listen: SocketAddr,
    /// Seed of the simulated body
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Show what every part prints, not only what it last said before it ended
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Print the owner's tokens, also when the output is no terminal
    #[arg(long)]
    pub(crate) print_url: bool,
    /// Folder of robbie-cloud and robbie-agent [default: the folder of this program]
    #[arg(long, value_name = "DIR")]
    pub(crate) programs: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// Folder of the database; made when it is missing
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct BrokerArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = loopback)]
    pub(crate) listen: SocketAddr,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct ChildArgs {
    /// Process id of the one that starts it
    pub(crate) parent: u32,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub(crate) command: Vec<std::ffi::OsString>,
}

impl DataArgs {
    /// The folder by flag, `ROBBIE_TRYOUT_DATA`, or `~/.local/share/robbie-tryout`.
    pub(crate) fn resolve(&self) -> Result<PathBuf, Failure> {
        let named = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = self.data.clone().or_else(|| named("ROBBIE_TRYOUT_DATA"));
        folder.or_else(|| named("HOME").map(|home| home.join(".local/share/robbie-tryout"))).ok_or_else(
            || {
                Failure::Configuration(
                    "no data folder: give --data DIR, or set ROBBIE_TRYOUT_DATA or HOME".to_owned(),
                )
            },
        )
    }
}

/// An address of this machine: neither the database nor the broker asks anybody for a password.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|error| format!("{error}, such as 127.0.0.1:8000"))?;
    if !address.ip().is_loopback() {
        return Err(
            "a try-out is for this machine alone: give a loopback address such as 127.0.0.1".to_owned()
        );
    }
    Ok(address)
}
