//! What is wrong with the memory, in words for `/health`. It decides nothing.

use std::sync::{Mutex, PoisonError};

#[derive(Default)]
struct State {
    /// What a damaged file cost at this start.
    loss: Option<String>,
    /// Why the newest write was not done.
    refused: Option<String>,
    /// The file was found damaged while running.
    damage: Option<String>,
}

/// What is wrong.
#[derive(Default)]
pub(crate) struct Health(Mutex<State>);

impl Health {
    pub(crate) fn lost(&self, loss: String) {
        self.state(|state| state.loss = Some(loss));
    }

    pub(crate) fn refused_for_room(&self) {
        self.state(|state| state.refused = Some("no room: nothing new can be remembered".to_owned()));
    }

    pub(crate) fn failed(&self, why: String) {
        tracing::error!(why, "the memory could not write");
        self.state(|state| state.refused = Some(format!("the newest write failed: {why}")));
    }

    pub(crate) fn damaged(&self, why: String) {
        self.state(|state| state.damage = Some(why));
    }

    /// A write was done: what kept writes from being done is over.
    pub(crate) fn wrote(&self) {
        self.state(|state| state.refused = None);
    }

    pub(crate) fn words(&self) -> Option<String> {
        let words = self.state(|state| {
            let parts = [&state.damage, &state.refused, &state.loss];
            parts.into_iter().flatten().cloned().collect::<Vec<_>>().join("; ")
        });
        (!words.is_empty()).then_some(words)
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
