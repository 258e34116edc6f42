//! Whose wire format is spoken.

use std::net::SocketAddr;

use serde::Serialize;

/// Who is stood in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Ollama's own chat.
    Ollama,
    /// OpenAI's chat completions.
    OpenAi,
    /// Claude's messages.
    Claude,
    /// Gemini's generated content.
    Gemini,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ollama, Self::OpenAi, Self::Claude, Self::Gemini];

    /// In paths and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ollama => "ollama",
            Self::OpenAi => "openai",
            Self::Claude => "claude",
            Self::Gemini => "gemini",
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ollama => "Ollama",
            Self::OpenAi => "OpenAI",
            Self::Claude => "Claude",
            Self::Gemini => "Gemini",
        }
    }

    /// The base URL of one that listens there.
    pub(crate) fn url(self, address: SocketAddr) -> String {
        let path = match self {
            Self::Ollama => "",
            Self::OpenAi | Self::Claude => "v1/",
            Self::Gemini => "v1beta/",
        };
        format!("http://{address}/{path}")
    }

    /// The header that holds the key, and what stands before it.
    pub(crate) const fn key_header(self) -> (&'static str, &'static str) {
        match self {
            Self::Ollama | Self::OpenAi => ("authorization", "Bearer "),
            Self::Claude => ("x-api-key", ""),
            Self::Gemini => ("x-goog-api-key", ""),
        }
    }
}
