//! Rules of mind that need no machine: which mood fits whom, what a question asks for, how finds are ranked and explained,
//! which notes matter now, and vectors without weights. The robot uses them on SQLite, the cloud on Postgres.
//!
//! Pure: it reads no clock, no file and no network, and draws no random number. Only a [`router::Router`] keeps something between
//! two calls, and it belongs to whoever made it.

pub mod answer;
pub mod bounds;
pub mod lexical;
pub mod mood;
pub mod persona;
pub mod prompt;
pub mod recall;
pub mod reflex;
pub mod router;
pub mod skills;
pub mod stem;
pub mod surface;
pub mod tier;
pub mod time;
pub mod understood;
pub mod words;
