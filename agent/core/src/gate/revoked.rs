//! Tokens that died in this run: a request of theirs that was under way when they did moves nothing any more.
//!
//! Fixed size: a new one takes the place of the oldest. So a request would have to stay on its way while 64 further tokens
//! die, far longer than the edge waits for a body or for an answer; the edge knows the token no more, whatever came first.

use arrayvec::ArrayVec;

use crate::caller::TokenId;
use crate::refusal::Refusal;
use crate::request::{Asked, Request};

const TOKENS_MAX: usize = 64;

/// The newest tokens that died, oldest first.
#[derive(Debug)]
pub(super) struct Revoked {
    tokens: ArrayVec<TokenId, TOKENS_MAX>,
}

impl Revoked {
    pub(super) const fn new() -> Self {
        Self { tokens: ArrayVec::new_const() }
    }

    pub(super) fn push(&mut self, token: TokenId) {
        if self.contains(token) {
            return;
        }
        if self.tokens.is_full() {
            self.tokens.remove(0);
        }
        self.tokens.push(token);
    }

    /// 401: what moves, opens, lights or resets needs a living token; what only ends something does not.
    pub(super) fn check(&self, asked: &Asked) -> Result<(), Refusal> {
        let only_ends = matches!(
            asked.request,
            Request::Stop
                | Request::EStop { .. }
                | Request::TeleopClose(_)
                | Request::End
                | Request::Revoke(_)
        );
        if !only_ends && self.contains(asked.caller.token) {
            return Err(Refusal::TokenRevoked);
        }
        Ok(())
    }

    fn contains(&self, token: TokenId) -> bool {
        self.tokens.contains(&token)
    }
}
