//! What can be held by a lease, and what can be open or closed.

/// What can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// The wheels.
    Base,
    /// The head.
    Head,
    /// The lights. They need no lease unless somebody holds one.
    Lights,
    /// Held by a person who is there. It moves nothing and is never closed; without it a model moves nothing.
    Presence,
}
