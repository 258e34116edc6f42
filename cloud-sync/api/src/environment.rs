//! A snapshot of the environment, taken once, so that everything below is a function of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The variables that a program looks at.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that holds a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// Settings: the variable, the dotted key, the value. With the prefix `ROBBIE_`, `ROBBIE_HTTP__LISTEN` is `http.listen`.
    pub fn settings(&self, prefix: &str) -> impl Iterator<Item = (&str, String, &str)> {
        self.variables.iter().filter_map(move |(name, value)| {
            let key = name.strip_prefix(prefix)?;
            Some((name.as_str(), key.to_lowercase().replace("__", "."), value.as_str()))
        })
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self { variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect() }
    }
}
