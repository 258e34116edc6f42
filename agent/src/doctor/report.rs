//! What was found, for a person and for a program.

use std::fmt;

use serde_json::{Value, json};

/// Exit code when the configuration is wrong.
const CONFIGURATION: u8 = 78;
/// Exit code when something else is.
const UNAVAILABLE: u8 = 69;

/// How it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// The robot works, but less well or less safely than it could.
    Warn,
    /// Something does not work.
    Fail,
}

impl Status {
    /// The word in the report: `ok`, `warn`, `fail`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Stable name, `part.thing`.
    pub id: &'static str,
    /// How it looks.
    pub status: Status,
    /// What was found.
    pub what: String,
    /// What helps, where something does.
    pub fix: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(id: &'static str, what: impl Into<String>) -> Self {
        Self { id, status: Status::Ok, what: what.into(), fix: None }
    }

    /// It works, but could be better.
    pub fn warn(id: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, status: Status::Warn, what: what.into(), fix: Some(fix.into()) }
    }

    /// It does not work.
    pub fn fail(id: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { id, status: Status::Fail, what: what.into(), fix: Some(fix.into()) }
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of looking.
    pub checks: Vec<Check>,
}

impl Report {
    /// The worst of all.
    pub fn status(&self) -> Status {
        self.checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok)
    }

    /// 0 without a failure, else 78 for the configuration and 69 for anything else.
    pub fn exit_code(&self) -> u8 {
        let mut failed = self.checks.iter().filter(|check| check.status == Status::Fail).peekable();
        if failed.peek().is_none() {
            return 0;
        }
        if failed.any(|check| check.id == "config") { CONFIGURATION } else { UNAVAILABLE }
    }

    /// `{format, version, status, checks: [{id, status, what, fix}]}`. Ids, words and fields stay as they are; new ones may come.
    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|check| json!({"id": check.id, "status": check.status.as_str(), "what": check.what, "fix": check.fix}))
            .collect();
        json!({
            "format": 1,
            "version": env!("CARGO_PKG_VERSION"),
            "status": self.status().as_str(),
            "checks": checks,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let word = match check.status {
                Status::Ok => "ok  ",
                Status::Warn => "WARN",
                Status::Fail => "FAIL",
            };
            writeln!(f, "{word}  {:<18} {}", check.id, check.what)?;
            if let Some(fix) = &check.fix {
                writeln!(f, "      {:<18} -> {fix}", "")?;
            }
        }
        let count = |status| self.checks.iter().filter(|check| check.status == status).count();
        writeln!(
            f,
            "\n{} ok, {} to look at, {} to mend",
            count(Status::Ok),
            count(Status::Warn),
            count(Status::Fail)
        )
    }
}
