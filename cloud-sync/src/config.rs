//! The configuration of the service: defaults, then a file, then the environment, then flags; the later one wins.
//!
//! Secrets are no settings: they come from the environment alone, and are never shown.

use std::path::PathBuf;

use cloud_sync_api::environment::Environment;
use cloud_sync_api::http_config::{self, HttpConfig, listen_key};
use cloud_sync_api::mqtt::{BadBroker, Broker};
use cloud_sync_api::settings::{Key, Kind, Layers, Problems, Settings, Source};

use crate::mind::{self, MindConfig};
use crate::store::{BadUrl, DatabaseConfig};

/// What the variables of the environment begin with that are settings: `ROBBIE_CLOUD_HTTP__LISTEN` is `http.listen`.
const PREFIX: &str = "ROBBIE_CLOUD_";
/// The one of them that is none: where the data are.
pub const DATA: &str = "ROBBIE_CLOUD_DATA";
/// Where the broker of the robots is, as it is handed to them.
const MQTT_URL: &str = "MQTT_URL";
/// Where the database is, with its password.
const DATABASE_URL: &str = "DATABASE_URL";

const KEYS: &[Key] = &[
    listen_key("127.0.0.1:8000"),
    Key {
        name: "http.cors_origins",
        kind: Kind::List { allowed: "an origin such as https://app.example.org", accepts: is_origin },
        default: Some(""),
        help: "web pages of other origins that may use the service",
    },
    Key::count("database.pool_max", 1, 1000, "connections", "8", "connections to the database at most"),
    Key::count(
        "limits.motion_per_s",
        0,
        100_000,
        "requests a second",
        "100",
        "a token's motion requests; 0: off",
    ),
    Key::count("limits.read_per_min", 0, 1_000_000, "requests a minute", "600", "a token's reads; 0: off"),
    Key::count(
        "limits.write_per_min",
        0,
        1_000_000,
        "requests a minute",
        "100",
        "a token's other writes; 0: off",
    ),
    Key::count(
        "limits.chat_per_min",
        0,
        100_000,
        "messages a minute",
        "30",
        "a token's chat messages; 0: off",
    ),
];

fn is_origin(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(fits))
}

/// Everything a configuration is made of.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`.
    pub file: Option<PathBuf>,
    /// The environment; [`Environment::of_process`].
    pub environment: Environment,
    /// `--set`, each `key=value`.
    pub set: Vec<String>,
    /// `--listen`.
    pub listen: Option<String>,
    /// `--lan`.
    pub lan: bool,
}

/// Rate limits of one token (or, on open routes, of one address). 0 means off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Motion requests a second.
    pub motion_per_s: u32,
    /// Reads a minute.
    pub read_per_min: u32,
    /// Other writes a minute.
    pub write_per_min: u32,
    /// Chat messages a minute.
    pub chat_per_min: u32,
}

/// The checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens, and who may stand in front of it.
    pub http: HttpConfig,
    /// Origins of web pages that may use it.
    pub cors_origins: Vec<String>,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The broker over which robots are reached; `None`: sync goes over HTTP, and no robot is reached.
    pub broker: Option<Broker>,
    /// The chain of language models.
    pub mind: MindConfig,
    /// Every value with where it came from.
    pub settings: Settings,
}

/// Why there is no configuration. All of them end the program with exit code 78.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    ReadFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Values are unknown, out of range, or do not go together.
    #[error(transparent)]
    Refused(#[from] Problems),
    /// Nobody says where the database is.
    #[error(
        "DATABASE_URL is not set: it says where Postgres (with pgvector) is, such as \
         DATABASE_URL=postgres://robbie:password@127.0.0.1:5432/robbie. For a try without any database of your own, \
         `make run` brings one along"
    )]
    NoDatabase,
    /// It cannot be used.
    #[error("DATABASE_URL {0}")]
    Database(BadUrl),
    /// It cannot be used.
    #[error("MQTT_URL {0}")]
    Broker(BadBroker),
}

/// Loads and checks a configuration.
///
/// # Errors
/// Everything that is wrong, each with its source, key and allowed range.
pub fn load(sources: &Sources) -> Result<Config, ConfigError> {
    let keys = KEYS.iter().chain(http_config::KEYS).chain(mind::KEYS.into_iter().flatten());
    let mut layers = Layers::new(keys.collect());
    if let Some(path) = &sources.file {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::ReadFile { path: path.clone(), source })?;
        layers.toml(&text, |line| Source::File(path.clone(), line));
    }
    let variables = sources.environment.settings(PREFIX).filter(|(variable, ..)| *variable != DATA);
    for (variable, name, value) in variables {
        layers.text(Source::Variable(variable.to_owned()), &name, value);
    }
    if let Some(listen) = &sources.listen {
        layers.text(Source::Flag("--listen".to_owned()), "http.listen", listen);
    }
    if sources.lan {
        layers.text(Source::Flag("--lan".to_owned()), "http.lan", "true");
    }
    for set in &sources.set {
        let source = Source::Flag("--set".to_owned());
        match set.split_once('=') {
            Some((name, value)) => layers.text(source, name.trim(), value.trim()),
            None => layers.problem(source, set, "must be KEY=VALUE, such as database.pool_max=4".to_owned()),
        }
    }
    check(layers.finish()?, &sources.environment)
}

fn check(settings: Settings, environment: &Environment) -> Result<Config, ConfigError> {
    let http = HttpConfig::read(&settings)?;
    let limits = LimitsConfig {
        motion_per_s: settings.integer("limits.motion_per_s")?,
        read_per_min: settings.integer("limits.read_per_min")?,
        write_per_min: settings.integer("limits.write_per_min")?,
        chat_per_min: settings.integer("limits.chat_per_min")?,
    };
    let url = environment.get(DATABASE_URL).ok_or(ConfigError::NoDatabase)?;
    let database = DatabaseConfig::from_url(url, settings.integer("database.pool_max")?)
        .map_err(ConfigError::Database)?;
    let cors_origins = settings.list("http.cors_origins").to_vec();
    let broker = environment
        .get(MQTT_URL)
        .filter(|url| !url.is_empty())
        .map(|url| Broker::parse(url, None, None).and_then(Broker::guarded))
        .transpose()
        .map_err(ConfigError::Broker)?;
    let mind = MindConfig::read(&settings, environment)?;
    Ok(Config { http, cors_origins, limits, database, broker, mind, settings })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(set: &[&str], variables: &[(&str, &str)]) -> Result<Config, String> {
        let set = set.iter().map(|set| (*set).to_owned()).collect();
        let environment = variables.iter().copied().collect();
        load(&Sources { set, environment, ..Sources::default() }).map_err(|error| error.to_string())
    }

    const URL: (&str, &str) = ("DATABASE_URL", "postgres://robbie:s3cret@localhost/robbie");

    #[test]
    fn it_stands_on_this_machine_unless_somebody_says_otherwise() {
        // The contract's port and limits.
        let config = loaded(&[], &[URL]).unwrap();
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8000");
        assert_eq!((config.limits.read_per_min, config.limits.write_per_min), (600, 100));
        assert!(!cloud_sync_api::settings::show(&config.settings).contains("s3cret"));
        let variables = [URL, ("ROBBIE_CLOUD_HTTP__LISTEN", "127.0.0.1:9"), ("ROBBIE_CLOUD_DATA", "/d")];
        assert_eq!(loaded(&[], &variables).unwrap().http.listen.port(), 9);
        assert_eq!(loaded(&["http.listen=127.0.0.1:10"], &variables).unwrap().http.listen.port(), 10);
        // The robot's variables are not the cloud's.
        assert!(loaded(&[], &[URL, ("ROBBIE_PROFILE", "pi5")]).is_ok());
    }

    #[test]
    fn a_tier_is_set_up_by_its_variable_and_its_key_is_never_shown() {
        let keys = [URL, ("OPENAI_API_KEY", "sk-5ecret"), ("OLLAMA_URL", "http://192.0.2.1:11434")];
        let config = loaded(&["openai.model=gpt-4.1", "gemini.budget_usd_per_day=0"], &keys).unwrap();
        let [ollama, openai, claude, gemini] = config.mind.providers.as_slice() else { panic!("four tiers") };
        assert_eq!((ollama.missing.as_deref(), openai.missing.as_deref()), (None, None));
        assert_eq!(claude.missing.as_deref(), Some("ANTHROPIC_API_KEY is not set."));
        assert_eq!(ollama.base_url, "http://192.0.2.1:11434");
        assert_eq!((openai.price.usd_per_million_input, openai.budget_usd), (2.0, Some(5.0)));
        assert_eq!(gemini.budget_usd, None);
        for tier in [ollama, claude, gemini] {
            assert_eq!(tier.model, tier.kind.default_model());
        }
        let shown = format!("{config:?}{}", cloud_sync_api::settings::show(&config.settings));
        assert!(!shown.contains("5ecret"), "{shown}");
        // An empty variable sets nothing up.
        let config = loaded(&[], &[URL, ("GEMINI_API_KEY", "")]).unwrap();
        assert!(config.mind.providers.iter().all(|tier| tier.missing.is_some()));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_helps() {
        let check = |set: &[&str], variables: &[(&str, &str)], words: &[&str]| {
            let said = loaded(set, variables).unwrap_err();
            for word in words {
                assert!(said.contains(word), "{said}: {word}");
            }
            assert!(!said.contains("s3cret"), "{said}");
        };
        check(&[], &[], &["DATABASE_URL is not set", "postgres://", "make run"]);
        check(&[], &[("DATABASE_URL", "s3cret")], &["DATABASE_URL is not a Postgres URL"]);
        check(&["http.listen=0.0.0.0:8000"], &[URL], &["--lan", "http.certificate", "http.trusted_proxies"]);
        check(&["http.cors_origins=app.example"], &[URL], &["http.cors_origins", "https://"]);
        check(&["database.pool_max=0"], &[URL], &["from 1 to 1000"]);
        check(&["warp=9"], &[URL], &["warp", "no such key"]);
        check(&["openai.base_url=ftp://x"], &[URL], &["openai.base_url", "http://"]);
        check(&["claude.first_token_ms=1"], &[URL], &["claude.first_token_ms", "from 100"]);
        check(&[], &[URL, ("MQTT_URL", "http://x")], &["MQTT_URL is not mqtt://"]);
        check(&[], &[URL, ("MQTT_URL", "mqtt://ann:@192.0.2.1")], &["MQTT_URL", "password"]);
    }
}
