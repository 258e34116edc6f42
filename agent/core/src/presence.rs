//! Who typed lately. Together with a lease on `presence` that is how the gate knows of a person.
//!
//! Fixed size: when more people type than fit, the one whose time is over first drops out. So it may forget somebody, and
//! never invents anybody.

use std::time::Duration;

use arrayvec::ArrayVec;

use crate::caller::TokenId;
use crate::time::BootTime;

/// How long somebody who typed a message counts as present.
pub const TYPED_COUNTS: Duration = Duration::from_secs(30);
const TOKENS_MAX: usize = 8;

/// Tokens that typed, and until when that counts.
#[derive(Debug)]
pub struct Typed {
    tokens: ArrayVec<(TokenId, BootTime), TOKENS_MAX>,
}

impl Typed {
    /// Nobody.
    pub const fn new() -> Self {
        Self { tokens: ArrayVec::new_const() }
    }

    /// `token` typed a message.
    pub fn note(&mut self, token: TokenId, at: BootTime) {
        let until = at + TYPED_COUNTS;
        if let Some((_, counts_until)) = self.tokens.iter_mut().find(|(other, _)| *other == token) {
            *counts_until = until.max(*counts_until);
            return;
        }
        if self.tokens.is_full() {
            let first_over = self.tokens.iter().enumerate().min_by_key(|(_, (_, until))| *until);
            let index = first_over.map_or(0, |(index, _)| index);
            self.tokens.remove(index);
        }
        self.tokens.push((token, until));
    }

    /// A token died.
    pub fn forget(&mut self, token: TokenId) {
        self.tokens.retain(|(other, _)| *other != token);
    }

    /// Until when somebody counts as present, if anybody typed.
    pub fn until(&self) -> Option<BootTime> {
        self.tokens.iter().map(|(_, until)| *until).max()
    }
}

impl Default for Typed {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(typed_ms: &[(u32, u64)], forgotten: &[u32], until_ms: Option<u64>) {
        let mut typed = Typed::new();
        for (token, at_ms) in typed_ms {
            typed.note(TokenId(*token), BootTime::from_ms(*at_ms));
        }
        for token in forgotten {
            typed.forget(TokenId(*token));
        }
        assert_eq!(typed.until(), until_ms.map(BootTime::from_ms));
    }

    #[test]
    fn a_message_counts_for_half_a_minute() {
        check(&[], &[], None);
        check(&[(1, 1000)], &[], Some(31_000));
        check(&[(1, 1000), (1, 5000), (1, 2000)], &[], Some(35_000));
    }
    #[test]
    fn a_dead_token_counts_no_more() {
        check(&[(1, 1000), (2, 500)], &[1], Some(30_500));
        check(&[(1, 1000), (1, 2000)], &[1], None);
    }
    #[test]
    fn a_crowd_loses_whoever_typed_first() {
        let crowd: Vec<(u32, u64)> = (0..9).map(|token| (token, 1000 + u64::from(token))).collect();
        check(&crowd, &[], Some(31_008));
        check(&crowd, &[1, 2, 3, 4, 5, 6, 7, 8], None);
    }
}
