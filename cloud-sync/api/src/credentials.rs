//! Where a request carries its token: header, cookie, WebSocket subprotocol; and the login that sets the cookie.
//!
//! It never decides whether a token is valid.

use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, LOCATION, SEC_WEBSOCKET_PROTOCOL, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::access::Guards;
use crate::peer::Peer;
use crate::problem::Problem;

/// Subprotocol that a WebSocket client should offer beside its token's, so that the answer need not repeat the token.
pub const SUBPROTOCOL: &str = "robbie";

/// A subprotocol that carries a token: browsers cannot set headers on a WebSocket.
const TOKEN_SUBPROTOCOL: &str = "robbie.token.";

/// How long a browser stays logged in.
const COOKIE_AGE_S: u32 = 365 * 24 * 3600;

/// The secret that a request carries. A header wins over a cookie: whoever sends one means it.
pub fn secret_of<'a>(headers: &'a HeaderMap, cookie: &str) -> Option<&'a [u8]> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        return bearer(value.as_bytes());
    }
    if let Some(secret) = offered(headers).find_map(|protocol| protocol.strip_prefix(TOKEN_SUBPROTOCOL)) {
        return Some(secret.as_bytes());
    }
    headers.get_all(COOKIE).iter().find_map(|line| cookie_value(line.as_bytes(), cookie.as_bytes()))
}

/// The subprotocol to answer a WebSocket with. Browsers drop a socket whose offers are all left unanswered.
pub fn chosen_subprotocol(headers: &HeaderMap) -> Option<String> {
    let is_ours = |protocol: &&str| *protocol == SUBPROTOCOL;
    let carries_token = |protocol: &&str| protocol.starts_with(TOKEN_SUBPROTOCOL);
    offered(headers).find(is_ours).or_else(|| offered(headers).find(carries_token)).map(str::to_owned)
}

/// Answers `GET /?token=...`: sets the cookie and leads to the page, so that the token leaves the address bar.
pub fn login(guards: &Guards, peer: &Peer, token: &str) -> Result<Response, Problem> {
    if guards.tokens().find(token.as_bytes()).is_none() {
        return Err(Problem::no_token(
            "This token is not known here. The file owner-token of the data folder holds the owner's.",
        ));
    }
    let secure = if peer.secure { "; Secure" } else { "" };
    let name = guards.cookie();
    let cookie = format!("{name}={token}; Path=/; Max-Age={COOKIE_AGE_S}; HttpOnly; SameSite=Strict{secure}");
    let Ok(cookie) = HeaderValue::from_str(&cookie) else {
        return Err(Problem::no_token("This is no token."));
    };
    let headers = [
        (SET_COOKIE, cookie),
        (LOCATION, HeaderValue::from_static("/")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, secret) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| secret.trim_ascii())
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
}

fn cookie_value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    line.split(|byte| *byte == b';')
        .map(<[u8]>::trim_ascii)
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &str)], secret: Option<&str>) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        assert_eq!(secret_of(&map, "robbie"), secret.map(str::as_bytes), "{headers:?}");
    }

    #[test]
    fn a_token_is_found_wherever_a_client_can_put_it() {
        // Header, cookie, subprotocol; a header that is wrong is not papered over by a cookie.
        check(&[], None);
        check(&[("authorization", "Bearer rb_1")], Some("rb_1"));
        check(&[("authorization", "bearer  rb_1 ")], Some("rb_1"));
        check(&[("authorization", "Basic rb_1")], None);
        check(&[("authorization", "Basic x"), ("cookie", "robbie=rb_2")], None);
        check(&[("cookie", "a=1; robbie=rb_2; b=3")], Some("rb_2"));
        check(&[("cookie", "a=1"), ("cookie", "robbie=rb_2")], Some("rb_2"));
        check(&[("cookie", "robbie2=rb_2")], None);
        check(&[("sec-websocket-protocol", "robbie, robbie.token.rb_3")], Some("rb_3"));
        check(&[("sec-websocket-protocol", "robbie")], None);
    }

    #[test]
    fn the_answer_repeats_the_token_only_if_it_must() {
        // A client that offers "robbie" too gets that one back.
        let mut map = HeaderMap::new();
        assert_eq!(chosen_subprotocol(&map), None);
        map.append("sec-websocket-protocol", "robbie.token.x".parse().unwrap());
        assert_eq!(chosen_subprotocol(&map).as_deref(), Some("robbie.token.x"));
        map.append("sec-websocket-protocol", "robbie".parse().unwrap());
        assert_eq!(chosen_subprotocol(&map).as_deref(), Some("robbie"));
    }
}
