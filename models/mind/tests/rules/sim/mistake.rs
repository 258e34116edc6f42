//! Known mistakes of whoever drives a router, or of a router, seen from outside.

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// All users are one: cached and shared words go to others.
    OneScope,
    /// Deadlines are hardly ever looked at.
    NoTick,
    /// Nobody is told that a client left.
    NoLeft,
    /// A dropped stream goes on.
    NoDrop,
    /// Calls and ends come twice.
    Twice,
}
