//! What a user would notice: what is understood in a question, what comes first and why, which notes come up, who answers.

mod lexical;
mod mood;
mod persona;
mod prompt;
mod question;
mod rank;
mod router;
mod sim;
mod stem;
mod surface;
mod time;
