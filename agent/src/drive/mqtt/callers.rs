//! Whoever the cloud says asks, by numbers of their own: a token of the cloud is never taken for one of the robot's.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use agent_core::caller::{TokenId, TurnId};
use cloud_sync_api::access::{Class, Principal};
use cloud_sync_api::peer::{Peer, Through};
use cloud_sync_api::problem::Problem;
use cloud_sync_api::scope::{Scope, Scopes};
use cloud_sync_api::token_file::class_named;
use cloud_sync_api::tokens::Token;
use cloud_sync_protocol::command::By;
use tokio::time::Instant;

use super::command::is_name;
use crate::drive::robot::TurnIds;

/// Numbers of the cloud's tokens begin here; the robot's own begin at 0 and never come this far.
const FIRST: u32 = 1 << 31;
/// Bytes of a user's id at most.
const USER_BYTES_MAX: usize = 256;
/// Tokens that are known at a time. For one more the one that was quiet longest is over, as if it had died; it may come again, as a
/// new one.
const TOKENS_MAX: usize = 256;
/// Tokens that died; the oldest is forgotten for a new one. Its commands are too old by then.
const DEAD_MAX: usize = 1024;
/// Turns that are known at a time. One more is refused while they are young, or a forgotten one could begin again.
const TURNS_MAX: usize = 256;
/// After so long a turn is forgotten: whatever still comes of it is too old.
const TURN_KEPT: Duration = Duration::from_secs(600);

/// Behind the broker nobody has an address.
const BEHIND_BROKER: Peer = Peer {
    socket: SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    address: None,
    through: Through::TrustedProxy,
    secure: true,
};

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Callers(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    /// The quietest first.
    tokens: VecDeque<Arc<Token>>,
    made: u32,
    dead: VecDeque<String>,
    forgotten: Option<TokenId>,
    turns: VecDeque<Turn>,
}

#[derive(Debug)]
struct Turn {
    token: TokenId,
    name: String,
    id: TurnId,
    begun: Instant,
}

impl Callers {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks.
    ///
    /// # Errors
    /// 400 where the cloud says nothing that makes sense, 401 for a token that died, 410 for a turn that never began.
    pub(super) fn principal(&self, by: &By) -> Result<Principal, Problem> {
        let bad = |what: &str| Problem::bad_request(format!("`by` does not fit: {what}.")).field("by");
        if !is_name(&by.token) || by.user_id.is_empty() || by.user_id.len() > USER_BYTES_MAX {
            return Err(bad("token and user_id are short texts"));
        }
        let scopes: Scopes = by
            .scopes
            .iter()
            .map(|word| word.parse::<Scope>())
            .collect::<Result<_, _>>()
            .map_err(|error| bad(&error.to_string()))?;
        let class = class_named(&by.class).ok_or_else(|| bad("there is no such class"))?.min(Class::Remote);
        if (class == Class::Ai) != by.turn.is_some() {
            return Err(bad("a model names its turn, and only a model does"));
        }
        let mut tables = self.tables();
        if tables.dead.contains(&by.token) {
            return Err(Problem::no_token("This token was revoked."));
        }
        let entry = tables.entry(by, scopes);
        let turn = match &by.turn {
            None => None,
            Some(name) => Some(tables.turn(entry.number, name).ok_or_else(Problem::lease_gone)?),
        };
        Ok(Principal { token: entry.number, class, peer: BEHIND_BROKER, entry, turn })
    }

    /// The token that had to go for another one, once.
    pub(super) fn take_forgotten(&self) -> Option<TokenId> {
        self.tables().forgotten.take()
    }

    /// A token died. Its number, if it ever asked.
    pub(super) fn revoke(&self, token: &str) -> Option<TokenId> {
        let mut tables = self.tables();
        if is_name(token) && !tables.dead.iter().any(|dead| dead == token) {
            if tables.dead.len() >= DEAD_MAX {
                tables.dead.pop_front();
            }
            tables.dead.push_back(token.to_owned());
        }
        let at = tables.tokens.iter().position(|known| known.id == token)?;
        tables.tokens.remove(at).map(|known| known.number)
    }

    /// A person's message begins a turn.
    ///
    /// # Errors
    /// 410: it has begun before. 429: there are too many.
    pub(super) fn begin_turn(
        &self,
        person: &Principal,
        name: &str,
        ids: &TurnIds,
    ) -> Result<TurnId, Problem> {
        let now = Instant::now();
        let mut tables = self.tables();
        while tables.turns.front().is_some_and(|turn| now - turn.begun >= TURN_KEPT) {
            tables.turns.pop_front();
        }
        if tables.turn(person.token, name).is_some() {
            return Err(Problem::lease_gone());
        }
        if tables.turns.len() >= TURNS_MAX {
            return Err(Problem::rate_limited(60_000));
        }
        let id = ids.next();
        tables.turns.push_back(Turn { token: person.token, name: name.to_owned(), id, begun: now });
        Ok(id)
    }
}

impl Tables {
    fn turn(&self, token: TokenId, name: &str) -> Option<TurnId> {
        self.turns.iter().find(|turn| turn.token == token && turn.name == name).map(|turn| turn.id)
    }

    /// The entry of a token, which is the loudest from now on. One whose rights changed keeps its number.
    fn entry(&mut self, by: &By, scopes: Scopes) -> Arc<Token> {
        let found = self.tokens.iter().position(|known| known.id == by.token);
        let known = found.and_then(|at| self.tokens.remove(at));
        let entry = match known {
            Some(known) if known.scopes == scopes && known.user_id == by.user_id => known,
            Some(known) => {
                Arc::new(Token::elsewhere(known.number, &by.token, &by.user_id, scopes, Class::Remote))
            }
            None => {
                if self.tokens.len() >= TOKENS_MAX {
                    self.forgotten = self.tokens.pop_front().map(|quietest| quietest.number);
                }
                let number = TokenId(FIRST + self.made);
                self.made += 1;
                Arc::new(Token::elsewhere(number, &by.token, &by.user_id, scopes, Class::Remote))
            }
        };
        self.tokens.push_back(entry.clone());
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(token: &str, class: &str, turn: Option<&str>) -> By {
        By {
            token: token.to_owned(),
            user_id: "ann".to_owned(),
            class: class.to_owned(),
            scopes: vec!["read".to_owned(), "drive".to_owned()],
            turn: turn.map(str::to_owned),
        }
    }

    #[test]
    fn nobody_is_nearer_than_remote_and_everybody_shows_what_they_saw() {
        let callers = Callers::default();
        let check = |class: &str, wanted: Class| {
            let principal = callers.principal(&by("t", class, None)).unwrap();
            assert_eq!((principal.class, principal.token), (wanted, TokenId(FIRST)));
            assert!(principal.peer.must_show_seen());
        };
        check("local", Class::Remote);
        check("remote", Class::Remote);
        check("autonomy", Class::Autonomy);
        for (class, turn) in [("ai", None), ("remote", Some("m")), ("king", None)] {
            assert_eq!(callers.principal(&by("t", class, turn)).unwrap_err().status().as_u16(), 400);
        }
    }

    #[test]
    fn a_turn_begins_once_and_before_a_model_acts_in_it() {
        let (callers, ids) = (Callers::default(), TurnIds::default());
        let model = by("t", "ai", Some("message"));
        assert_eq!(callers.principal(&model).unwrap_err().word(), "lease-gone");
        let person = callers.principal(&by("t", "remote", None)).unwrap();
        let turn = callers.begin_turn(&person, "message", &ids).unwrap();
        assert_eq!(callers.principal(&model).unwrap().turn, Some(turn));
        assert_eq!(callers.begin_turn(&person, "message", &ids).unwrap_err().word(), "lease-gone");
        // Another's turn of the same name is another turn.
        assert_eq!(callers.principal(&by("u", "ai", Some("message"))).unwrap_err().word(), "lease-gone");
        for other in 1..TURNS_MAX {
            callers.begin_turn(&person, &other.to_string(), &ids).unwrap();
        }
        assert_eq!(callers.begin_turn(&person, "one more", &ids).unwrap_err().word(), "rate-limited");
    }

    #[test]
    fn a_token_that_died_stays_dead() {
        let callers = Callers::default();
        let number = callers.principal(&by("t", "remote", None)).unwrap().token;
        assert_eq!(callers.revoke("t"), Some(number));
        assert_eq!(callers.principal(&by("t", "remote", None)).unwrap_err().word(), "no-token");
        assert_eq!(callers.revoke("never seen"), None);
        assert_eq!(callers.principal(&by("never seen", "remote", None)).unwrap_err().word(), "no-token");
    }

    #[test]
    fn for_one_too_many_the_quietest_is_over() {
        let callers = Callers::default();
        let first = callers.principal(&by("0", "remote", None)).unwrap().token;
        for token in 1..TOKENS_MAX {
            callers.principal(&by(&token.to_string(), "remote", None)).unwrap();
        }
        let quietest = callers.principal(&by("1", "remote", None)).unwrap();
        assert_eq!(quietest.token, TokenId(FIRST + 1));
        assert_eq!(callers.take_forgotten(), None);
        callers.principal(&by("one more", "remote", None)).unwrap();
        assert_eq!(callers.take_forgotten(), Some(first));
        let again = callers.principal(&by("0", "remote", None)).unwrap();
        assert_ne!(again.token, first, "no number is used twice");
    }
}
