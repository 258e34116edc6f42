//! What a route asks of whoever uses it. It checks nothing.

use super::Class;
use crate::rate::Rate;
use crate::scope::{Scope, Scopes};

/// Who may use a route, and which bucket it draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A valid token with one of these scopes.
    Token {
        /// The scopes of which it must have one.
        scopes: Scopes,
        /// The lowest effective class that may, where class matters.
        class_min: Option<Class>,
        /// The bucket.
        rate: Rate,
    },
    /// A paired robot, by its own secret; a person's token does not do.
    Device(Rate),
    /// A valid token with this scope, or a paired robot; each has its bucket.
    ScopeOrDevice {
        /// The scope of a token.
        scope: Scope,
        /// The bucket of a token.
        rate: Rate,
        /// The bucket of a robot.
        device: Rate,
    },
    /// Everybody; counted by address.
    Open,
    /// Whoever is on this machine, without a proxy between.
    Loopback,
    /// Everybody, always: nothing is checked or counted.
    Always,
}

impl Rule {
    /// A valid token with `scope`.
    pub const fn scope(scope: Scope, rate: Rate) -> Self {
        Self::either(&[scope], rate)
    }

    /// A valid token with one of `scopes`; what the body asks for decides which, and the handler checks that.
    pub const fn either(scopes: &[Scope], rate: Rate) -> Self {
        Self::Token { scopes: Scopes::of(scopes), class_min: None, rate }
    }

    /// A valid token with `scope`, of at least class `class_min` from where it comes.
    pub const fn ranked(scope: Scope, class_min: Class, rate: Rate) -> Self {
        Self::Token { scopes: Scopes::of(&[scope]), class_min: Some(class_min), rate }
    }
}
