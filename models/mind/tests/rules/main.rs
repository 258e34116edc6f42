//! What a user of the memory would notice: what is understood in a question, what comes first and why, which notes come up.

mod lexical;
mod mood;
mod persona;
mod prompt;
mod question;
mod rank;
mod stem;
mod surface;
mod time;
