//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::memory_commands::MemoryCommand;
use super::models::ModelsCommand;
use crate::config::{Environment, Sources};
use crate::lan::Fingerprint;

/// Drives a robot body, safely: every command to move ends by itself, and anyone near may stop it.
///
/// `stop` and `estop` are software stops: no certification is claimed. Keep a way to cut the power.
#[derive(Debug, Parser)]
#[command(name = "robbie-agent", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  robbie-agent run                          a simulated robot on http://127.0.0.1:8700
  robbie-agent run --profile pi5 --lan      a real one, reachable from a phone over TLS
  robbie-agent drive                        drive it with the arrow keys
  robbie-agent estop                        stop it at once, until somebody resets it
  robbie-agent doctor                       what this board has, what is wrong, how to mend it

Exit codes: 64 wrong usage, 78 wrong configuration, 69 no agent or body to be reached, 1 refused by the agent.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the agent until it is told to end
    Run(RunArgs),
    /// Everything else.
    #[command(flatten)]
    Beside(Beside),
}

/// The commands beside `run`.
#[derive(Debug, Subcommand)]
pub enum Beside {
    /// Drive with the arrow keys in this terminal
    ///
    /// Hold an arrow key (or w a s d) to drive; let go and it stops. Space stops, e is the e-stop, t takes control, r resets
    /// an e-stop (it asks), + and - change the speed, q quits, h shows all keys. Nothing is sent while the picture of the
    /// robot is older than 0.3 s, so a bad network never drives it blindly.
    Drive(ReachArgs),
    /// Talk to Robbie: it understands and does what its body can do, remembers, and says what it cannot
    ///
    /// Without a message it is a conversation, one line a message. It moves the body only within the bounds of a chat.
    Chat {
        /// Which agent.
        #[command(flatten)]
        reach: ReachArgs,
        /// One JSON object an answer instead of text
        #[arg(long)]
        json: bool,
        /// What to say
        message: Vec<String>,
    },
    /// Say what sentences mean, moving nothing and asking no agent
    Understand(UnderstandArgs),
    /// Show what the robot does now
    Status {
        /// Which agent.
        #[command(flatten)]
        reach: ReachArgs,
        /// The whole state as JSON
        #[arg(long)]
        json: bool,
    },
    /// Stop base and head; they stay closed until a person takes control again
    Stop(ReachArgs),
    /// Emergency stop: latched, also over a restart, until `reset`
    Estop {
        /// Which agent.
        #[command(flatten)]
        reach: ReachArgs,
        /// Why, for whoever comes to look
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take back an emergency stop. It moves nothing: afterwards somebody has to take control
    Reset(ReachArgs),
    /// Make, list and revoke tokens; takes effect within a second, also while the agent runs
    #[command(subcommand)]
    Token(TokenCommand),
    /// Pair this robot with a cloud: its memory is kept in step with it, and it can be driven through it
    ///
    /// CODE comes from `robbie-cloud device add`, and is good once, for 10 minutes. A running agent takes the pairing up within
    /// 2 s. Pairing again with the same town and owner keeps everything.
    Pair(PairArgs),
    /// Take memories in, and measure how well they are found again
    #[command(subcommand)]
    Memory(MemoryCommand),
    /// Fetch and check the weights of models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Look at this board: what it has, what is wrong, how to mend it
    Doctor(DoctorArgs),
    /// Check a configuration, or show the one in force
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Flags that make up a configuration.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// Built-in profile: sim (default), pi5, pi4 or jetson
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key, such as motion.linear_mps_max=0.4; may be repeated. In the environment the same key is
    /// ROBBIE_MOTION__LINEAR_MPS_MAX
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Where to listen [default: 127.0.0.1:8700]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Listen on all interfaces, over TLS with a certificate of its own
    #[arg(long)]
    pub lan: bool,
}

impl ConfigArgs {
    /// Everything the configuration is made of.
    pub fn sources(&self, environment: &Environment) -> Sources {
        Sources {
            profile: self.profile.clone(),
            file: self.config.clone(),
            environment: environment.clone(),
            set: self.set.clone(),
            listen: self.listen.clone(),
            lan: self.lan,
        }
    }
}

/// The data folder.
#[derive(Clone, Debug, Default, Args)]
pub struct DataArgs {
    /// Data folder [default: $ROBBIE_DATA, $STATE_DIRECTORY, or ~/.local/share/robbie]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Flags of `run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The data folder.
    #[command(flatten)]
    pub data: DataArgs,
    /// Print the URL with the owner's token, also when the output is no terminal
    #[arg(long)]
    pub print_url: bool,
}

/// How to reach an agent. Without flags: the one on this machine.
#[derive(Clone, Debug, Default, Args)]
pub struct ReachArgs {
    /// URL of the agent, also with ?token=...; a token can be in ROBBIE_TOKEN as well [default: the agent that runs here]
    #[arg(long)]
    pub url: Option<String>,
    /// SHA-256 of the agent's certificate, as it printed it at its start
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<Fingerprint>,
    /// The data folder of the agent that runs here.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `token ...`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, and nothing else
    ///
    /// The class tells who stands behind it: local and remote for people's apps, autonomy for programs, ai for a
    /// language model. `local` counts only from this machine or the same network.
    Create {
        /// What it may do: read, view, speak, drive, admin; may be repeated
        #[arg(long, required = true)]
        scope: Vec<String>,
        /// local, remote, autonomy or ai
        #[arg(long, default_value = "autonomy")]
        class: String,
        /// Whose it is
        #[arg(long)]
        user: Option<String>,
        /// How it is shown to others who drive
        #[arg(long)]
        name: Option<String>,
        /// The data folder.
        #[command(flatten)]
        data: DataArgs,
    },
    /// List the tokens: never the secrets
    List {
        /// The data folder.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Revoke a token: its sockets close, and what it drives ends
    Revoke {
        /// Id or name, as `token list` shows it
        token: String,
        /// The data folder.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Flags of `pair`.
#[derive(Clone, Debug, Default, Args)]
pub struct PairArgs {
    /// The code that the cloud gave
    pub code: Option<String>,
    /// URL of the cloud: https, or http on this machine
    #[arg(long, value_name = "URL")]
    pub cloud: Option<String>,
    /// Forget the cloud, and remove what came from it: the rows of the paired owner, their tokens, the place in sync
    #[arg(long)]
    pub forget: bool,
    /// Forget without being asked
    #[arg(long, requires = "forget")]
    pub yes: bool,
    /// The configuration, which has the robot's name.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The data folder.
    #[command(flatten)]
    pub data: DataArgs,
}

/// Flags of `understand`.
///
/// Reads one sentence a line, or JSON lines {"text", "history"?: [{"who", "text"}], "speaker"?: "owner"|"guest", "state"?:
/// {"mood", "attraction_level", "gandhi_genghis", "energy"}}, from the arguments or from standard input.
#[derive(Clone, Debug, Default, Args)]
pub struct UnderstandArgs {
    /// One JSON object a line: {"calls", "mood", "why_mood", "notes", "tier", "reply"}
    #[arg(long)]
    pub json: bool,
    /// Print what a language model would be asked instead, one JSON list of messages a line
    #[arg(long)]
    pub prompt: bool,
    /// The sentence; without one, lines of standard input
    pub sentence: Vec<String>,
}

/// Flags of `doctor`.
#[derive(Clone, Debug, Default, Args)]
pub struct DoctorArgs {
    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// The configuration to look with.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The data folder.
    #[command(flatten)]
    pub data: DataArgs,
}

/// `config ...`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check a configuration: prints nothing and ends with 0 if `run` would take it, else says what is wrong, with 78
    Check(ConfigArgs),
    /// Show the configuration in force, every value with where it comes from
    Show(ConfigArgs),
}
