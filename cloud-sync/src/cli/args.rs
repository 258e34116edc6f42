//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use cloud_sync_api::environment::Environment;
use cloud_sync_api::lan::Fingerprint;

use crate::config::Sources;

/// Keeps robots and apps in step: the memory, the people and the robots of one or more towns, in Postgres.
#[derive(Debug, Parser)]
#[command(name = "robbie-cloud", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://robbie:password@127.0.0.1/robbie robbie-cloud run
  robbie-cloud device add                   a code for `robbie-agent pair`
  robbie-cloud user add ann                 another person of the town
  robbie-cloud token create --scope read --scope speak --class remote --user ann

Exit codes: 64 wrong usage, 78 wrong configuration, 69 no service to be reached, 1 refused by the service.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the service until it is told to end; DATABASE_URL says where Postgres is
    Run(RunArgs),
    /// Everything else.
    #[command(flatten)]
    Beside(Beside),
}

/// The commands beside `run`: they ask the running service.
#[derive(Debug, Subcommand)]
pub enum Beside {
    /// Make, list and remove towns: each has its own people, robots and memory. For the first town's owner
    #[command(subcommand)]
    Town(TownCommand),
    /// Add, list and remove people of the town
    #[command(subcommand)]
    User(UserCommand),
    /// Pair, list and revoke robots of the town
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Make, list and revoke tokens of the town; takes effect within a second
    #[command(subcommand)]
    Token(TokenCommand),
    /// Check a configuration, or show the one in force; asks no service
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// `config ...`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration: prints nothing and ends with 0 if `run` would take it, else says what is wrong, with 78
    Check(RunArgs),
    /// Show the configuration in force, every value with where it comes from, and which language models it sets up
    Show(RunArgs),
}

/// The data folder.
#[derive(Clone, Debug, Default, Args)]
pub struct DataArgs {
    /// Data folder [default: $ROBBIE_CLOUD_DATA, $STATE_DIRECTORY, or ~/.local/share/robbie-cloud]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Flags of `run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key, such as database.pool_max=4; may be repeated. In the environment the same key is
    /// ROBBIE_CLOUD_DATABASE__POOL_MAX
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Listen on all interfaces, over TLS with a certificate of its own
    #[arg(long)]
    pub lan: bool,
    /// The data folder.
    #[command(flatten)]
    pub data: DataArgs,
    /// Print the URL with the owner's token, also when the output is no terminal
    #[arg(long)]
    pub print_url: bool,
}

impl RunArgs {
    /// Everything the configuration is made of.
    pub fn sources(&self, environment: &Environment) -> Sources {
        Sources {
            file: self.config.clone(),
            environment: environment.clone(),
            set: self.set.clone(),
            listen: self.listen.clone(),
            lan: self.lan,
        }
    }
}

/// How to reach a service. Without flags: the one on this machine.
#[derive(Clone, Debug, Default, Args)]
pub struct ReachArgs {
    /// URL of the service; the token for it is in ROBBIE_TOKEN [default: the service that runs here]
    #[arg(long)]
    pub url: Option<String>,
    /// SHA-256 of the service's own certificate, as it printed it at its start
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<Fingerprint>,
    /// The data folder of the service that runs here, with its owner's token.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `town ...`.
#[derive(Debug, Subcommand)]
pub enum TownCommand {
    /// Make a town and print its owner's token, and nothing else
    Add {
        /// Its id: 1 to 32 of a-z, 0-9 and -
        id: String,
        /// Whom its assistant belongs to [default: owner]
        #[arg(long)]
        owner: Option<String>,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// List the towns
    List {
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Remove a town, with everything that was ever written in it
    Remove {
        /// Its id
        id: String,
        /// Yes, everything
        #[arg(long)]
        yes: bool,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
}

/// `user ...`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a person of the town
    Add {
        /// Their id
        id: String,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// List the people of the town
    List {
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Remove a person, with their tokens and robots; what they wrote stays
    Remove {
        /// Their id
        id: String,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
}

/// `device ...`.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Make a pairing code and print it, and nothing else: good once and for ten minutes
    Add {
        /// The name that the robot shall have [default: the one it wishes]
        #[arg(long, value_name = "ID")]
        robot: Option<String>,
        /// Whose it shall be [default: whose token this is]
        #[arg(long)]
        user: Option<String>,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// List the robots of the town
    List {
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Revoke a robot; what it wrote stays
    Revoke {
        /// Its id
        id: String,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
}

/// `token ...`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, and nothing else
    ///
    /// The class tells who stands behind it: local and remote for people's apps, autonomy for programs, ai for a
    /// language model.
    Create {
        /// What it may do: read, view, speak, drive, admin; may be repeated
        #[arg(long, required = true)]
        scope: Vec<String>,
        /// local, remote, autonomy or ai
        #[arg(long, default_value = "autonomy")]
        class: String,
        /// Whose it is [default: whose token this is]
        #[arg(long)]
        user: Option<String>,
        /// How it is shown to others
        #[arg(long)]
        name: Option<String>,
        /// The town it is for: an admin's token is good for its own town only
        #[arg(long)]
        town: Option<String>,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// List the tokens: never the secrets
    List {
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
    /// Revoke a token: its sockets close, and what it drives ends
    Revoke {
        /// Id or name, as `token list` shows it
        token: String,
        /// Which service.
        #[command(flatten)]
        reach: ReachArgs,
    },
}
