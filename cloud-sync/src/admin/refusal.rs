//! What a refusal of the registry looks like on the wire.

use cloud_sync_api::problem::Problem;
use cloud_sync_api::secrets::NoRandomness;

use crate::store::registry::{NAME_BYTES_MAX, is_name};
use crate::store::{DatabaseError, RegistryError};

/// The problem of a refusal.
pub(super) fn problem(error: RegistryError) -> Problem {
    match error {
        RegistryError::NotFound(what) => Problem::not_found(format!("There is no such {what} here.")),
        RegistryError::Taken { what } => {
            Problem::version_conflict(1).detail_is(format!("There is a {what} of that name already."))
        }
        RegistryError::Full { .. } => Problem::unfitting("id", sentence(&error.to_string())),
        RegistryError::Needed(why) => Problem::unfitting("id", sentence(why)),
        RegistryError::TooManyTries { retry_after_ms } => {
            Problem::rate_limited(retry_after_ms.unsigned_abs())
                .detail_is("Too many wrong codes came from your address. Wait a while, then use a new code.")
        }
        RegistryError::BelongsElsewhere => Problem::version_conflict(1).detail_is(
            "This robot belongs to another town or user. `robbie-agent pair --forget` on the robot ends that; the code stays good.",
        ),
        RegistryError::WrongCode => Problem::not_found(
            "This code is not valid: it may have been used, or be older than ten minutes. `robbie-cloud device add` makes a new one.",
        ),
        RegistryError::Database(DatabaseError::Full) => {
            Problem::memory_full("The database has no room left: nothing was changed.")
        }
        RegistryError::Database(_) | RegistryError::Schema(_) => {
            tracing::warn!("{}", cloud_sync_api::failure::chain(&error));
            Problem::memory_down("The database does not answer; nothing is lost. Try again in a moment.")
        }
    }
}

/// 503: no secret can be made.
pub(super) fn no_randomness(error: NoRandomness) -> Problem {
    tracing::error!(%error, "no secret can be made");
    Problem::memory_down("The system gives no random numbers: no secret can be made.")
}

/// 400 unless `text` can be a user's id or a token's name.
pub(super) fn check_name(field: &'static str, text: &str) -> Result<(), Problem> {
    if is_name(text) {
        return Ok(());
    }
    let detail = format!("{field} must have 1 to {NAME_BYTES_MAX} bytes and no control characters.");
    Err(Problem::bad_request(detail).field(field))
}

/// 400 unless `text` is a town's or robot's id.
pub(super) fn parse_name<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Problem> {
    text.parse().map_err(|error| Problem::bad_request(format!("{field} {error}.")).field(field))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
