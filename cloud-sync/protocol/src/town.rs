//! Names of towns and robots. They stand in paths, topics and schemas, so one that does not fit cannot be built.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// Characters of a name at most.
const LENGTH_MAX: usize = 32;

/// The text is no name of a town or robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 32 characters of a-z, 0-9 and -")]
pub struct NotAName;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, pattern = "^[a-z0-9-]{1,32}$")]
        pub struct $name(String);

        impl $name {
            /// As text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(NotAName) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|error: NotAName| D::Error::custom(error))
            }
        }
    };
}

name! {
    /// Id of a town, `[a-z0-9-]{1,32}`.
    TownId
}

name! {
    /// Id of a robot within its town, `[a-z0-9-]{1,32}`.
    RobotId
}

impl TownId {
    /// The town of a robot that is not paired, and of a cloud at its first start.
    #[must_use]
    pub fn home() -> Self {
        Self("home".to_owned())
    }
}

impl RobotId {
    /// This name with a number behind it, shortened where it must be.
    #[must_use]
    pub fn numbered(&self, number: u32) -> Self {
        let ending = format!("-{number}");
        let kept = self.0.len().min(LENGTH_MAX - ending.len());
        Self(format!("{}{ending}", &self.0[..kept]))
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LENGTH_MAX).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_everywhere_is_a_name() {
        // Also when it comes in as JSON.
        for fine in ["a", "robbie", "robbie-2", "-", "0123456789abcdef0123456789abcdef"] {
            assert_eq!(fine.parse::<TownId>().unwrap().as_str(), fine);
        }
        let long = "a".repeat(33);
        for wrong in ["", "Robbie", "a b", "a_b", "a/b", "a\"", "ä", "a\0", long.as_str()] {
            assert_eq!(wrong.parse::<RobotId>(), Err(NotAName), "{wrong:?}");
        }
    }

    #[test]
    fn a_numbered_name_is_a_name() {
        let check = |name: &str, number: u32, wanted: &str| {
            assert_eq!(name.parse::<RobotId>().unwrap().numbered(number).as_str(), wanted);
        };
        check("robbie", 2, "robbie-2");
        check(&"a".repeat(32), 17, &format!("{}-17", "a".repeat(29)));
    }
}
