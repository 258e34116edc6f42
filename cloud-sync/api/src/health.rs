//! `/health`: what is wrong right now. Parts report; it never looks for faults itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json;
use crate::problem::{Answer, Problem};

/// The faults of all parts. Cheap to clone; each part sets and clears its own.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    has_started: AtomicBool,
    by_part: Mutex<BTreeMap<&'static str, String>>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// The part, such as `link` or `tokens`.
    pub part: String,
    /// What is wrong and what helps.
    pub detail: String,
}

/// How the program is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` while there are faults.
    pub status: &'static str,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Faults {
    /// From now on `/health` answers 200.
    pub fn has_started(&self) {
        self.0.has_started.store(true, Ordering::Release);
    }

    /// `part` is faulty; replaces what it said before.
    pub fn set(&self, part: &'static str, detail: impl Into<String>) {
        self.by_part().insert(part, detail.into());
    }

    /// `part` is well.
    pub fn clear(&self, part: &'static str) {
        self.by_part().remove(part);
    }

    /// How the program is; `None` while it starts.
    pub fn health(&self) -> Option<Health> {
        if !self.0.has_started.load(Ordering::Acquire) {
            return None;
        }
        let faults: Vec<Fault> = self
            .by_part()
            .iter()
            .map(|(part, detail)| Fault { part: (*part).to_owned(), detail: detail.clone() })
            .collect();
        let status = if faults.is_empty() { "ok" } else { "degraded" };
        Some(Health { status, faults })
    }

    fn by_part(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.0.by_part.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How the program is. 503 while it starts, then 200 with what is wrong.
#[utoipa::path(
    get,
    path = "/health",
    tag = "program",
    responses(
        (status = 200, description = "Started; `degraded` names what is wrong.", body = Health),
        (status = 503, description = "Still starting.", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn health(State(faults): State<Faults>) -> Answer<Response> {
    match faults.health() {
        Some(health) => Ok(json::answer(StatusCode::OK, &health)),
        None => Err(Problem::starting("The program is starting.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_and_go() {
        // Starting, ok, degraded with the newest word of each part, ok again.
        let faults = Faults::default();
        assert_eq!(faults.health(), None);
        faults.has_started();
        assert_eq!(faults.health().unwrap().status, "ok");
        faults.set("link", "no answer");
        faults.set("link", "no answer on /dev/ttyACM0");
        let health = faults.health().unwrap();
        assert_eq!(health.status, "degraded");
        assert_eq!(
            health.faults,
            [Fault { part: "link".to_owned(), detail: "no answer on /dev/ttyACM0".to_owned() }]
        );
        faults.clear("link");
        assert_eq!(faults.health().unwrap().status, "ok");
    }
}
