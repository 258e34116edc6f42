//! What a token may do: five scopes that do not contain each other. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Every GET that no other scope names.
    Read,
    /// Camera and microphone.
    View,
    /// Chat, say, lights, writing notes and mood.
    Speak,
    /// Base and head.
    Drive,
    /// Tokens, pairing, e-stop reset.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [Self::Read, Self::View, Self::Speak, Self::Drive, Self::Admin];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::View => "view",
            Self::Speak => "speak",
            Self::Drive => "drive",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The word is no scope.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is no scope; there are read, view, speak, drive, admin")]
pub struct NotAScope(String);

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| NotAScope(text.to_owned()))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope.
    pub const ALL: Self = Self(0b1_1111);

    /// These.
    pub const fn of(scopes: &[Scope]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < scopes.len() {
            bits |= 1 << scopes[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    /// Whether `scope` is in it.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }

    /// Its scopes in their order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | 1 << scope as u8))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let between = if index == 0 { "" } else { " or " };
            write!(formatter, "{between}{scope}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_do_not_contain_each_other() {
        // A token with one scope has that one alone; every word is read back.
        for scope in Scope::ALL {
            let alone: Scopes = [scope].into_iter().collect();
            assert!(alone.iter().eq([scope]));
            assert_eq!((alone, alone.to_string().as_str()), (Scopes::of(&[scope]), scope.as_str()));
            assert!(Scopes::ALL.contains(scope));
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert!("Drive".parse::<Scope>().is_err());
        assert_eq!(Scopes::of(&[Scope::Drive, Scope::Speak]).to_string(), "speak or drive");
    }
}
