//! Remembers who was refused lately, so that a refused loop never starts the body by itself later.
//!
//! A person's command takes a free lease by itself, but not within 1 s of an answer that said somebody else decides.
//! Fixed size: when more tokens were refused within that second than fit, nobody gets an implicit lease until it is over.

use std::time::Duration;

use crate::caller::TokenId;
use crate::refusal::Refusal;
use crate::time::BootTime;

const MEMORY: Duration = Duration::from_secs(1);
const TOKENS_MAX: usize = 64;

/// Tokens that were refused within the last second.
#[derive(Debug)]
pub struct Backoff {
    refused: [Option<(TokenId, BootTime)>; TOKENS_MAX],
    /// The table was full: everybody counts as refused until then.
    everybody_until: BootTime,
}

impl Backoff {
    /// Nobody.
    pub const fn new() -> Self {
        Self { refused: [None; TOKENS_MAX], everybody_until: BootTime::from_us(0) }
    }

    /// Takes note of an answer, if it is one of those that count.
    pub fn note(&mut self, token: TokenId, refusal: &Refusal, now: BootTime) {
        if !counts(refusal) {
            return;
        }
        let until = now + MEMORY;
        let is_own = |slot: &Option<(TokenId, BootTime)>| slot.is_some_and(|(other, _)| other == token);
        let is_free = |slot: &Option<(TokenId, BootTime)>| slot.is_none_or(|(_, end)| end <= now);
        let index = self.refused.iter().position(is_own).or_else(|| self.refused.iter().position(is_free));
        match index {
            Some(index) => self.refused[index] = Some((token, until)),
            None => self.everybody_until = until,
        }
    }

    /// `token` must take explicitly.
    pub fn holds_back(&self, token: TokenId, now: BootTime) -> bool {
        now < self.everybody_until
            || self.refused.iter().flatten().any(|(other, end)| *other == token && now < *end)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

const fn counts(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::LeaseHeld { .. }
            | Refusal::Closed { .. }
            | Refusal::EStopLatched { .. }
            | Refusal::LeaseNeeded
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_after_one_second() {
        // A refused token is held back for exactly one second after its newest refusal; others are not.
        let mut backoff = Backoff::new();
        backoff.note(TokenId(1), &Refusal::LeaseNeeded, BootTime::from_ms(0));
        backoff.note(TokenId(1), &Refusal::LeaseNeeded, BootTime::from_ms(500));
        assert!(backoff.holds_back(TokenId(1), BootTime::from_ms(1499)));
        assert!(!backoff.holds_back(TokenId(1), BootTime::from_ms(1500)));
        assert!(!backoff.holds_back(TokenId(2), BootTime::from_ms(500)));
    }

    #[test]
    fn other_refusals_do_not_count() {
        // A stale stamp or a bad number says nothing about who decides.
        let mut backoff = Backoff::new();
        for refusal in [Refusal::LeaseGone, Refusal::NotFound, Refusal::NeutralFirst, Refusal::LinkDown] {
            backoff.note(TokenId(1), &refusal, BootTime::from_ms(0));
        }
        assert!(!backoff.holds_back(TokenId(1), BootTime::from_ms(1)));
    }

    #[test]
    fn a_full_table_holds_everybody_back() {
        // Nobody can wash a refusal out of the table by sending with many tokens.
        let mut backoff = Backoff::new();
        for token in 0..=TOKENS_MAX {
            backoff.note(TokenId(u32::try_from(token).unwrap()), &Refusal::LeaseNeeded, BootTime::from_ms(0));
        }
        assert!(backoff.holds_back(TokenId(64), BootTime::from_ms(999)));
        assert!(backoff.holds_back(TokenId(1000), BootTime::from_ms(999)));
        assert!(!backoff.holds_back(TokenId(1000), BootTime::from_ms(1000)));
    }
}
