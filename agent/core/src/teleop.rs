//! Teleop sockets: one a token, a stick that must be let go before it drives, and a sequence that only rises.
//!
//! Fixed size: when more tokens drive than fit, the socket that was quiet longest is over.

use std::time::Duration;

use crate::caller::TokenId;
use crate::refusal::Refusal;
use crate::request::SocketId;
use crate::time::BootTime;

/// Time without an accepted frame after which the stick must be let go.
const NEUTRAL_AFTER: Duration = Duration::from_millis(500);
const SOCKETS_MAX: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Socket {
    id: SocketId,
    token: TokenId,
    newest_seq: Option<u64>,
    /// The newest accepted frame; `None`: the next one must be zero.
    accepted_at: Option<BootTime>,
    active_at: BootTime,
}

/// All open teleop sockets.
#[derive(Debug)]
pub struct Sockets {
    slots: [Option<Socket>; SOCKETS_MAX],
}

impl Sockets {
    /// None.
    pub const fn new() -> Self {
        Self { slots: [None; SOCKETS_MAX] }
    }

    /// A socket opened. Says which one it ends: the token's earlier one, or the quietest when there is no room.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]: the token has opened a later one, whose opening came here first.
    pub fn open(&mut self, id: SocketId, token: TokenId, now: BootTime) -> Result<Option<SocketId>, Refusal> {
        let own = self.slots.iter().position(|slot| slot.is_some_and(|socket| socket.token == token));
        if own.and_then(|index| self.slots[index]).is_some_and(|present| id < present.id) {
            return Err(Refusal::NotFound);
        }
        let free = || self.slots.iter().position(Option::is_none);
        let index = own.or_else(free).unwrap_or_else(|| self.quietest());
        let ended = self.slots[index].map(|socket| socket.id);
        self.slots[index] = Some(Socket { id, token, newest_seq: None, accepted_at: None, active_at: now });
        Ok(ended.filter(|ended| *ended != id))
    }

    fn quietest(&self) -> usize {
        let active_at = |slot: &Option<Socket>| slot.map(|socket| socket.active_at);
        self.slots.iter().enumerate().min_by_key(|(_, slot)| active_at(slot)).map_or(0, |(index, _)| index)
    }

    /// The socket is there and the token's.
    pub fn is_open(&self, id: SocketId, token: TokenId) -> bool {
        self.find(id).is_some_and(|socket| socket.token == token)
    }

    /// A frame that moves something may come.
    pub fn is_neutral_passed(&self, id: SocketId, now: BootTime) -> bool {
        self.find(id).and_then(|socket| socket.accepted_at).is_some_and(|at| now.since(at) < NEUTRAL_AFTER)
    }

    /// Whether `seq` rises.
    ///
    /// # Errors
    /// [`Refusal::NotRising`].
    pub fn check_seq(&self, id: SocketId, seq: u64) -> Result<(), Refusal> {
        match self.find(id).and_then(|socket| socket.newest_seq) {
            Some(newest) if seq <= newest => Err(Refusal::NotRising { newest }),
            _ => Ok(()),
        }
    }

    /// A frame was accepted.
    pub fn accepted(&mut self, id: SocketId, seq: u64, now: BootTime) {
        for socket in self.slots.iter_mut().flatten().filter(|socket| socket.id == id) {
            socket.newest_seq = Some(seq);
            socket.accepted_at = Some(now);
            socket.active_at = now;
        }
    }

    /// Base was closed: every stick must be let go.
    pub fn demand_neutral(&mut self) {
        for socket in self.slots.iter_mut().flatten() {
            socket.accepted_at = None;
        }
    }

    /// A socket is over.
    pub fn close(&mut self, id: SocketId) {
        self.drop_where(|socket| socket.id == id);
    }

    /// A token died.
    pub fn close_token(&mut self, token: TokenId) {
        self.drop_where(|socket| socket.token == token);
    }

    fn drop_where(&mut self, is_over: impl Fn(&Socket) -> bool) {
        for slot in &mut self.slots {
            if slot.as_ref().is_some_and(&is_over) {
                *slot = None;
            }
        }
    }

    fn find(&self, id: SocketId) -> Option<&Socket> {
        self.slots.iter().flatten().find(|socket| socket.id == id)
    }
}

impl Default for Sockets {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_socket_of_a_token_ends_its_first() {
        let mut sockets = Sockets::new();
        assert_eq!(sockets.open(SocketId(1), TokenId(1), BootTime::from_ms(0)), Ok(None));
        assert_eq!(sockets.open(SocketId(2), TokenId(1), BootTime::from_ms(0)), Ok(Some(SocketId(1))));
        assert!(!sockets.is_open(SocketId(1), TokenId(1)));
        assert!(sockets.is_open(SocketId(2), TokenId(1)));
        assert!(!sockets.is_open(SocketId(2), TokenId(2)));
    }

    #[test]
    fn without_room_the_quietest_socket_is_over() {
        let mut sockets = Sockets::new();
        for number in 0..32 {
            let token = TokenId(u32::try_from(number).unwrap());
            assert_eq!(sockets.open(SocketId(number), token, BootTime::from_ms(number)), Ok(None));
        }
        sockets.accepted(SocketId(0), 1, BootTime::from_ms(100));
        assert_eq!(sockets.open(SocketId(99), TokenId(99), BootTime::from_ms(101)), Ok(Some(SocketId(1))));
        assert!(sockets.is_open(SocketId(0), TokenId(0)));
    }
}
