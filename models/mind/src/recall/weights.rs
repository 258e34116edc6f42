//! What each signal of a hit weighs. Numbers only; what they are multiplied with stands in the ranking.
//!
//! They were chosen on three conversations of LoCoMo (Maharana and others, "Evaluating very long-term conversational memory
//! of LLM agents", ACL 2024). Where one conversation is left out and the
//! weights are chosen on the others, they find as much on it (`make bench ONLY=memory`); [`Constant::tried`] lets anybody choose
//! them again on other conversations.

/// Weights of the signals. None is less than 0, and `asking` is at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of the row whose meaning is nearest.
    pub meaning: f32,
    /// Of the row that fits best by word.
    pub words: f32,
    /// Of a row by somebody who is named.
    pub speaker: f32,
    /// Of a row of the time that is named, or that says when.
    pub time: f32,
    /// What a turn gets of meaning and words of the turn before it: answers follow questions, and talk stays at a thing.
    pub neighbour: f32,
    /// The part of its meaning and words that a turn loses which only asks: it repeats the question and answers nothing.
    pub asking: f32,
}

/// A weight by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    /// [`Weights::words`].
    Words,
    /// [`Weights::speaker`].
    Speaker,
    /// [`Weights::time`].
    Time,
    /// [`Weights::neighbour`].
    Neighbour,
    /// [`Weights::asking`].
    Asking,
}

impl Weights {
    /// For the vectors of a sentence embedder.
    pub const SENTENCES: Self =
        Self { meaning: 1.0, words: 0.5, speaker: 0.75, time: 0.45, neighbour: 0.45, asking: 0.6 };
    /// For the vectors of [`crate::lexical`], which know little that the words do not say.
    pub const LEXICAL: Self = Self { meaning: 0.1, ..Self::SENTENCES };
}

impl Constant {
    /// Every weight that was chosen; the meaning is the measure of the others.
    pub const ALL: [Self; 5] = [Self::Words, Self::Speaker, Self::Time, Self::Neighbour, Self::Asking];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Speaker => "speaker",
            Self::Time => "time",
            Self::Neighbour => "neighbour",
            Self::Asking => "asking",
        }
    }

    /// The values that were tried.
    #[must_use]
    pub const fn tried(self) -> &'static [f32] {
        match self {
            Self::Words => &[0.25, 0.4, 0.5, 0.6, 0.75, 1.0],
            Self::Speaker => &[0.3, 0.45, 0.6, 0.75, 0.9],
            Self::Time => &[0.0, 0.15, 0.3, 0.45, 0.6],
            Self::Neighbour => &[0.0, 0.15, 0.3, 0.45, 0.6],
            Self::Asking => &[0.0, 0.2, 0.4, 0.6, 0.8],
        }
    }

    /// These weights with another value for this one.
    #[must_use]
    pub const fn set(self, mut weights: Weights, value: f32) -> Weights {
        match self {
            Self::Words => weights.words = value,
            Self::Speaker => weights.speaker = value,
            Self::Time => weights.time = value,
            Self::Neighbour => weights.neighbour = value,
            Self::Asking => weights.asking = value,
        }
        weights
    }
}
