//! Where a request came from: its connection, and what a trusted proxy says about who is behind it.
//!
//! It only finds out; what a peer may do is decided in [`crate::access`].

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::network::{self, Network};

/// The connection that a request came over. The server puts it into every request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The other end of the connection.
    pub socket: SocketAddr,
    /// The connection is TLS.
    pub tls: bool,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The other end of the connection; behind a proxy, the proxy.
    pub socket: SocketAddr,
    /// The client's address. `None`: behind a trusted proxy that names none.
    pub address: Option<IpAddr>,
    /// Who stands between.
    pub through: Through,
    /// The client's own connection is encrypted, as far as we can know.
    pub secure: bool,
}

/// What stands between us and the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// Nothing that we know of.
    Nothing,
    /// A proxy named in `[http] trusted_proxies`.
    TrustedProxy,
    /// Something that adds forwarding headers and is not named: nothing it says is believed, least of all that its
    /// clients are as near as itself.
    UnknownProxy,
}

/// More hops than any honest chain of proxies has.
const HOPS_MAX: usize = 32;

/// Headers by which a proxy gives itself away.
const TRACES: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

impl Peer {
    /// Finds out who sent a request.
    pub fn of(arrival: Arrival, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let direct = arrival.socket.ip().to_canonical();
        if !is_trusted(direct, trusted) {
            let is_forwarded = TRACES.iter().any(|name| headers.contains_key(*name));
            let through = if is_forwarded { Through::UnknownProxy } else { Through::Nothing };
            return Self { socket: arrival.socket, address: Some(direct), through, secure: arrival.tls };
        }
        let is_https = headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
        Self {
            socket: arrival.socket,
            address: forwarded_for(headers, trusted),
            through: Through::TrustedProxy,
            secure: arrival.tls || is_https,
        }
    }

    /// On this machine, without a proxy between.
    pub fn is_loopback_direct(&self) -> bool {
        self.through == Through::Nothing && self.socket.ip().to_canonical().is_loopback()
    }

    /// Whether a command from here must show what its sender saw: it came through a proxy, or over a network.
    pub fn must_show_seen(&self) -> bool {
        !self.is_loopback_direct()
    }

    /// The address that limits count by.
    pub fn counted(&self) -> IpAddr {
        self.address.map_or(network::UNNAMED, network::counted)
    }
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

/// The rightmost address that is no trusted proxy: what stands left of it was written by the client.
fn forwarded_for(headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for");
    let mut hops: Vec<&str> = Vec::new();
    for line in lines {
        hops.extend(line.to_str().ok()?.split(',').map(str::trim));
    }
    let mut leftmost = None;
    for hop in hops.into_iter().rev().take(HOPS_MAX) {
        let address = hop_address(hop)?;
        if !is_trusted(address, trusted) {
            return Some(address);
        }
        leftmost = Some(address);
    }
    leftmost
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address = hop
        .parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .or_else(|| hop.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok())?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(socket: &str, headers: &[(&'static str, &str)]) -> Peer {
        let trusted = ["127.0.0.1".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Peer::of(Arrival { socket: socket.parse().unwrap(), tls: false }, &map, &trusted)
    }

    fn check(forwarded: &[&str], address: Option<&str>) {
        let headers: Vec<_> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
        let peer = peer("127.0.0.1:1", &headers);
        assert_eq!(peer.through, Through::TrustedProxy);
        assert_eq!(peer.address, address.map(|address| address.parse().unwrap()), "{forwarded:?}");
    }

    #[test]
    fn the_rightmost_stranger_counts() {
        // What a client writes itself stands left, and is never believed.
        check(&["203.0.113.9"], Some("203.0.113.9"));
        check(&["127.0.0.1, 203.0.113.9"], Some("203.0.113.9"));
        check(&["127.0.0.1, 203.0.113.9, 10.1.1.1"], Some("203.0.113.9"));
        check(&["192.0.2.1", "203.0.113.9"], Some("203.0.113.9"));
        check(&["203.0.113.9:55"], Some("203.0.113.9"));
        check(&["[2001:db8::1]:55"], Some("2001:db8::1"));
        check(&["::ffff:203.0.113.9"], Some("203.0.113.9"));
        check(&["10.1.1.1"], Some("10.1.1.1"));
    }

    #[test]
    fn a_proxy_that_names_nobody_hides_the_address() {
        // Absent or unreadable is unknown, never the proxy's own address.
        check(&[], None);
        check(&[""], None);
        check(&["unknown"], None);
        check(&["203.0.113.9, unknown"], None);
    }

    #[test]
    fn a_stranger_cannot_name_another_address() {
        // Only trusted proxies are believed; anybody else who forwards is treated as far away.
        let forwarded = peer("192.0.2.7:1", &[("x-forwarded-for", "127.0.0.1")]);
        assert_eq!(forwarded.address, Some("192.0.2.7".parse().unwrap()));
        assert_eq!(forwarded.through, Through::UnknownProxy);
        let unnamed_proxy = peer("127.0.0.2:1", &[("via", "1.1 proxy")]);
        assert!(!unnamed_proxy.is_loopback_direct());
        let plain = peer("127.0.0.2:1", &[]);
        assert!(plain.is_loopback_direct());
        assert!(!plain.must_show_seen());
    }
}
