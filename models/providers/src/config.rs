//! Who is asked, where, and with which key. A key that is in a [`Secret`] comes out only into a request.

use std::fmt;

use crate::price;

/// Whose wire format is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Models of one's own.
    Ollama,
    /// OpenAI and who speaks as it does.
    OpenAi,
    /// Claude, of Anthropic.
    Claude,
    /// Gemini, of Google.
    Gemini,
    /// The chain of a robot's cloud, which speaks as OpenAI does, at `{cloud}/v1/`.
    Cloud,
}

impl Kind {
    /// Those that a cloud asks, in that order.
    pub const ALL: [Self; 4] = [Self::Ollama, Self::OpenAi, Self::Claude, Self::Gemini];

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::OpenAi => "OpenAI",
            Self::Claude => "Claude",
            Self::Gemini => "Gemini",
            Self::Cloud => "The cloud",
        }
    }

    /// Where it is when nothing else is said.
    #[must_use]
    pub const fn default_base_url(self) -> &'static str {
        match self {
            Self::Ollama => "http://127.0.0.1:11434/",
            Self::OpenAi => "https://api.openai.com/v1/",
            Self::Claude => "https://api.anthropic.com/v1/",
            Self::Gemini => "https://generativelanguage.googleapis.com/v1beta/",
            Self::Cloud => "http://127.0.0.1:8000/v1/",
        }
    }

    /// A small, quick model that calls tools.
    #[must_use]
    pub const fn default_model(self) -> &'static str {
        match self {
            Self::Ollama => "llama3.2",
            Self::OpenAi => "gpt-4.1-mini",
            Self::Claude => "claude-haiku-4-5",
            Self::Gemini => "gemini-2.5-flash",
            Self::Cloud => "robbie",
        }
    }

    /// Whether it answers nobody without a key, at its default address.
    #[must_use]
    pub const fn needs_key(self) -> bool {
        !matches!(self, Self::Ollama)
    }

    /// US dollars for a million tokens of the question and of the answer. `None` for a model whose price is not known here.
    #[must_use]
    pub fn price_of(self, model: &str) -> Option<(f64, f64)> {
        price::of(self, model)
    }
}

/// A key. Neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `key`, without white space around it.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What a provider is set up with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Whose wire format is spoken.
    pub kind: Kind,
    /// Up to and with the version, such as [`Kind::default_base_url`]; a missing slash at its end is added.
    pub base_url: String,
    /// What identifies who asks. Servers of one's own often want none.
    pub key: Option<Secret>,
    /// The model's name, as the provider has it.
    pub model: String,
}

/// A provider that cannot be set up. Its message repeats no key.
#[derive(Debug, thiserror::Error)]
pub enum BadProvider {
    /// Not an address, not over HTTP, or with a password in it.
    #[error("{0}: the address must start with http:// or https://, and hold no password and no query")]
    BaseUrl(&'static str),
    /// Empty, or with characters that cannot be sent.
    #[error("{0}: the key is empty or has characters that no key has")]
    Key(&'static str),
    /// Empty, or no name of a model.
    #[error("{0}: the model's name is empty or has characters that no model's name has")]
    Model(&'static str),
    /// TLS could not be set up.
    #[error("{0}: the HTTP client could not be made")]
    Client(&'static str, #[source] reqwest::Error),
}
