//! What sets a tier up, and what it may take. Keys come from the environment alone, and are never shown; all else is settings.

use std::time::Duration;

use cloud_sync_api::environment::Environment;
use cloud_sync_api::settings::{Key, Kind, Problems, Settings};
use models_mind::router::{Deadlines, Price};
use models_mind::tier::Tier;
use models_providers::{Kind as Provider, Secret};

/// The settings of one provider: its section, the model it is asked for, and how long its first word may take, ms.
macro_rules! provider {
    ($section:literal, $model:literal, $first_token_ms:literal) => {
        [
            Key {
                name: concat!($section, ".base_url"),
                kind: Kind::Text { allowed: "a URL, http:// or https://", accepts: is_url },
                default: None,
                help: concat!("where ", $section, " answers, where that is not the provider's own address"),
            },
            Key {
                name: concat!($section, ".model"),
                kind: Kind::Text { allowed: "1 to 128 visible characters", accepts: is_model },
                default: Some($model),
                help: concat!("the model that ", $section, " is asked for"),
            },
            Key::count(
                concat!($section, ".first_token_ms"),
                100,
                60_000,
                "ms",
                $first_token_ms,
                "to the first word at most; less once it is known to be quicker",
            ),
            Key::count(
                concat!($section, ".between_tokens_ms"),
                100,
                60_000,
                "ms",
                "8000",
                "from one word to the next at most",
            ),
            Key {
                name: concat!($section, ".budget_usd_per_day"),
                kind: Kind::Number { min: 0.0, max: 100_000.0, unit: "US dollars" },
                default: Some("5"),
                help: "it rests once it has cost this much in 24 hours; 0: no limit",
            },
            Key {
                name: concat!($section, ".usd_per_million_input"),
                kind: Kind::Number { min: 0.0, max: 10_000.0, unit: "US dollars" },
                default: None,
                help: "price of a million tokens of questions; known for well-known models",
            },
            Key {
                name: concat!($section, ".usd_per_million_output"),
                kind: Kind::Number { min: 0.0, max: 10_000.0, unit: "US dollars" },
                default: None,
                help: "price of a million tokens of answers; known for well-known models",
            },
        ]
    };
}

const OLLAMA: &[Key] = &provider!("ollama", "llama3.2", "8000");
const OPENAI: &[Key] = &provider!("openai", "gpt-4.1-mini", "4000");
const CLAUDE: &[Key] = &provider!("claude", "claude-haiku-4-5", "4000");
const GEMINI: &[Key] = &provider!("gemini", "gemini-2.5-flash", "4000");

const CHAIN: &[Key] = &[
    Key::count(
        "chain.first_token_budget_ms",
        500,
        60_000,
        "ms",
        "8000",
        "to the first word at most, whoever it comes from",
    ),
    Key {
        name: "chain.hedge",
        kind: Kind::Switch,
        default: Some("false"),
        help: "ask a second tier when the first is slower than it is 19 times of 20; quicker, and costs more",
    },
];

/// Every setting of the chain.
pub const KEYS: [&[Key]; 5] = [CHAIN, OLLAMA, OPENAI, CLAUDE, GEMINI];

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.len() < 512 && rest.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

fn is_model(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A tier of the chain.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Which.
    pub tier: Tier,
    /// The same, as who speaks with it knows it.
    pub kind: Provider,
    /// Why it is not set up; `None`: it is.
    pub missing: Option<String>,
    /// Where it answers.
    pub base_url: String,
    /// Its key, where it needs one.
    pub key: Option<Secret>,
    /// Its model.
    pub model: String,
    /// How long is waited for it.
    pub deadlines: Deadlines,
    /// What it costs.
    pub price: Price,
    /// In 24 hours; `None`: no limit.
    pub budget_usd: Option<f64>,
}

/// The chain.
#[derive(Clone, Debug)]
pub struct MindConfig {
    /// To the first word.
    pub first_token_budget: Duration,
    /// Whether a second tier is asked when the first is slow.
    pub hedge: bool,
    /// All tiers, set up or not, in order.
    pub providers: Vec<ProviderSettings>,
}

/// A tier, its section, and the variable that sets it up.
const TIERS: [(Tier, Provider, &str, &str); 4] = [
    (Tier::Ollama, Provider::Ollama, "ollama", "OLLAMA_URL"),
    (Tier::OpenAi, Provider::OpenAi, "openai", "OPENAI_API_KEY"),
    (Tier::Claude, Provider::Claude, "claude", "ANTHROPIC_API_KEY"),
    (Tier::Gemini, Provider::Gemini, "gemini", "GEMINI_API_KEY"),
];

impl MindConfig {
    /// Reads it.
    ///
    /// # Errors
    /// Values that do not fit.
    pub fn read(settings: &Settings, environment: &Environment) -> Result<Self, Problems> {
        let providers = TIERS.iter().map(|tier| provider(settings, environment, tier));
        Ok(Self {
            first_token_budget: Duration::from_millis(settings.integer("chain.first_token_budget_ms")?),
            hedge: settings.switch("chain.hedge")?,
            providers: providers.collect::<Result<_, _>>()?,
        })
    }
}

/// No answer of one tier takes longer.
const TOTAL: Duration = Duration::from_secs(45);

fn provider(
    settings: &Settings,
    environment: &Environment,
    (tier, kind, section, variable): &(Tier, Provider, &str, &str),
) -> Result<ProviderSettings, Problems> {
    let name = |key: &str| format!("{section}.{key}");
    let given = environment.get(variable);
    // Ollama has no key: what sets it up is where it is.
    let (url, key) = match kind {
        Provider::Ollama => (given, None),
        _ => (None, given.map(Secret::new)),
    };
    let configured = settings.text(&name("base_url")).or(url);
    let model = settings.text(&name("model")).unwrap_or_default().to_owned();
    let (known_input, known_output) = kind.price_of(&model).unwrap_or_default();
    let price = |key: &str, known: f64| settings.number(&name(key)).unwrap_or(known);
    let first_token = Duration::from_millis(settings.integer(&name("first_token_ms"))?);
    let budget_usd: f64 = settings.number(&name("budget_usd_per_day")).unwrap_or_default();
    Ok(ProviderSettings {
        tier: *tier,
        kind: *kind,
        missing: given.is_none().then(|| format!("{variable} is not set.")),
        base_url: configured.unwrap_or(kind.default_base_url()).to_owned(),
        key,
        deadlines: Deadlines {
            // Most providers send the head of an answer together with its first word.
            connect: first_token,
            first_token,
            between_tokens: Duration::from_millis(settings.integer(&name("between_tokens_ms"))?),
            total: TOTAL,
        },
        price: Price {
            usd_per_million_input: price("usd_per_million_input", known_input),
            usd_per_million_output: price("usd_per_million_output", known_output),
        },
        budget_usd: (budget_usd > 0.0).then_some(budget_usd),
        model,
    })
}
