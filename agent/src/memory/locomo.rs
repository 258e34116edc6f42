//! Conversations and questions in the format of LoCoMo (Maharana et al., ACL 2024): which turns answer a question is known,
//! so that recall can be measured. It never asks a model anything.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

/// A conversation with its questions.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Name of its file.
    pub name: String,
    /// All turns, oldest first.
    pub turns: Vec<Turn>,
    /// The questions that can be answered from it: categories 1 to 4.
    pub questions: Vec<Question>,
}

/// One turn.
#[derive(Clone, Debug)]
pub struct Turn {
    /// `D3:7`: the seventh turn of the third session.
    pub dia_id: String,
    /// Who.
    pub speaker: String,
    /// What, with what a picture shows that was sent along.
    pub text: String,
    /// When the session began, and a second more for each turn in it.
    pub at: Timestamp,
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question {
    /// As asked.
    pub text: String,
    /// 1 multi-hop, 2 temporal, 3 open domain, 4 single hop.
    pub category: u8,
    /// Turns that answer it.
    pub evidence: Vec<String>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LocomoError {
    /// The folder or a file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not in this format.
    #[error("{path} is no conversation in LoCoMo's format: {what}")]
    Format {
        /// Which.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// There is none.
    #[error("{path} holds no file NAME.json")]
    Empty {
        /// The folder.
        path: String,
    },
}

/// Sessions of a file.
const SESSIONS_MAX: u32 = 500;

#[derive(Deserialize)]
struct RawTurn {
    speaker: String,
    dia_id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    blip_caption: Option<String>,
}

#[derive(Deserialize)]
struct RawQuestion {
    question: String,
    #[serde(default)]
    evidence: Vec<String>,
    category: u8,
}

/// Every `*.json` in a folder, by name.
///
/// # Errors
/// A file that cannot be read, or is in another format.
pub fn load(folder: &Path) -> Result<Vec<Conversation>, LocomoError> {
    let shown = |path: &Path| path.display().to_string();
    let failed = |path: &Path| {
        let path = shown(path);
        move |source| LocomoError::Read { path, source }
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed(folder))? {
        let path = entry.map_err(failed(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(LocomoError::Empty { path: shown(folder) });
    }
    files
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).map_err(failed(path))?;
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            parse(name, &text).map_err(|what| LocomoError::Format { path: shown(path), what })
        })
        .collect()
}

fn parse(name: String, text: &str) -> Result<Conversation, String> {
    let root: HashMap<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut turns = Vec::new();
    for session in 1..=SESSIONS_MAX {
        let Some(raw) = root.get(&format!("session_{session}")) else {
            // Some files give dates to sessions that were never held.
            continue;
        };
        let began = root.get(&format!("session_{session}_date_time")).and_then(Value::as_str);
        let began = began.and_then(when).ok_or_else(|| format!("session_{session} has no readable date"))?;
        let raw: Vec<RawTurn> = serde_json::from_value(raw.clone()).map_err(|error| error.to_string())?;
        for (second, turn) in raw.into_iter().enumerate() {
            let at = Timestamp::from_second(began.as_second() + second as i64)
                .map_err(|error| error.to_string())?;
            turns.push(Turn {
                dia_id: turn.dia_id,
                speaker: turn.speaker,
                text: said(turn.text, turn.blip_caption),
                at,
            });
        }
    }
    let questions: Vec<RawQuestion> = serde_json::from_value(root.get("qa").cloned().ok_or("it has no qa")?)
        .map_err(|error| error.to_string())?;
    let questions = questions
        .into_iter()
        .filter(|question| (1..=4).contains(&question.category))
        .map(|question| Question {
            text: question.question,
            category: question.category,
            evidence: question.evidence.iter().flat_map(|ids| evidence(ids)).collect(),
        })
        .filter(|question| !question.evidence.is_empty())
        .collect();
    Ok(Conversation { name, turns, questions })
}

fn said(text: String, caption: Option<String>) -> String {
    match caption.filter(|caption| !caption.is_empty()) {
        Some(caption) => format!("{text} [shows a picture: {caption}]"),
        None => text,
    }
}

/// Some entries name several turns at once.
fn evidence(ids: &str) -> Vec<String> {
    let apart = |letter: char| letter == ';' || letter == ',' || letter.is_whitespace();
    ids.split(apart).filter(|id| id.starts_with('D')).map(str::to_owned).collect()
}

/// `1:56 pm on 8 May, 2023`.
fn when(text: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%I:%M %p on %d %B, %Y", text.trim()).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Share of a question's evidence among the turns that were returned.
pub fn recall(evidence: &[String], returned: &[&str]) -> f64 {
    let found = evidence.iter().filter(|id| returned.contains(&id.as_str())).count();
    found as f64 / evidence.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_read_with_its_dates_pictures_and_answerable_questions() {
        let text = r#"{"session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [{"speaker": "Ann", "dia_id": "D1:1", "text": "Look!", "blip_caption": "a red kite"},
                          {"speaker": "Ben", "dia_id": "D1:2", "text": "Nice."}],
            "session_2_date_time": "1:14 am on 25 June, 2023",
            "qa": [{"question": "What did Ann show?", "answer": "a kite", "evidence": ["D1:1; D1:2"], "category": 4},
                   {"question": "What did Ann hide?", "evidence": ["D1:1"], "category": 5},
                   {"question": "Who is Ann?", "evidence": [], "category": 3}]}"#;
        let conversation = parse("x".to_owned(), text).unwrap();
        assert_eq!(conversation.turns[0].text, "Look! [shows a picture: a red kite]");
        assert_eq!(conversation.turns[1].at.to_string(), "2023-05-08T13:56:01Z");
        assert_eq!(conversation.questions.len(), 1);
        assert_eq!(conversation.questions[0].evidence, ["D1:1", "D1:2"]);
    }

    #[test]
    fn recall_is_the_share_of_the_evidence_that_came_back() {
        let evidence = ["D1:1".to_owned(), "D1:2".to_owned()];
        assert_eq!(recall(&evidence, &["D2:1", "D1:2"]), 0.5);
        assert_eq!(recall(&evidence, &[]), 0.0);
        assert_eq!(recall(&evidence, &["D1:2", "D1:1"]), 1.0);
    }
}
