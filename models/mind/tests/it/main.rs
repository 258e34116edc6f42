//! The rules against labelled sentences.

mod mood;
mod never;
mod reflex;
mod score;
