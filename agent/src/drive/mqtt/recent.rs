//! Ids of the newest commands: a broker may deliver one twice, and it is done once.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cloud_sync_api::problem::Problem;
use tokio::time::Instant;

/// Ids that are kept; the oldest goes for a new one.
const KEPT_MAX: usize = 256;
/// How long.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// The newest ids.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<VecDeque<(String, Instant)>>);

impl Recent {
    /// Whether a command of this id is seen for the first time.
    ///
    /// # Errors
    /// 400 without an id: it could be done twice.
    pub(super) fn is_new(&self, id: Option<&str>, now: Instant) -> Result<bool, Problem> {
        let Some(id) = id else {
            return Err(Problem::bad_request("A command has an `id`, by which it is done once.").field("id"));
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.front().is_some_and(|(_, at)| now - *at >= KEPT_FOR) {
            kept.pop_front();
        }
        if kept.iter().any(|(known, _)| known == id) {
            return Ok(false);
        }
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((id.to_owned(), now));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_counts_once_within_a_minute_and_256_others() {
        let recent = Recent::default();
        let now = Instant::now();
        let check = |id: &str, at: u64, wanted: bool| {
            assert_eq!(recent.is_new(Some(id), now + Duration::from_secs(at)).unwrap(), wanted, "{id} {at}");
        };
        check("a", 0, true);
        check("a", 59, false);
        check("a", 60, true);
        for other in 0..255 {
            check(&other.to_string(), 60, true);
        }
        check("a", 61, false);
        check("one more", 61, true);
        check("a", 61, true);
        assert_eq!(recent.is_new(None, now).unwrap_err().status().as_u16(), 400);
    }
}
