//! What a store's refusal looks like on the wire. The only place that knows both.

use cloud_sync_protocol::store::StoreError;

use crate::problem::Problem;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found("There is no such thing here, or it is not yours."),
            StoreError::Conflict { version } => Self::version_conflict(version),
            StoreError::BadCursor => bad_cursor(),
            StoreError::Full => Self::memory_full(
                "There is no room left: nothing was written, nothing is lost. Make room, then send this again.",
            ),
            StoreError::Failed(_) => Self::memory_down(error.to_string()),
        }
    }
}

/// 400: the cursor is not of this list.
pub(super) fn bad_cursor() -> Problem {
    Problem::bad_request(
        "This cursor does not belong to this list and its filters. Begin without one, and follow X-Next-Cursor.",
    )
    .field("cursor")
}
