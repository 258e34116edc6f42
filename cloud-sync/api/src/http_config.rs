//! `[http]`: where a program listens, who may stand in front of it, how much it takes. Each program declares `http.listen` with
//! a default of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::network::Network;
use crate::settings::{Key, Kind, Problems, Settings};

/// `http.listen`, with the address that holds where nobody says.
pub const fn listen_key(default: &'static str) -> Key {
    let kind = Kind::Text {
        allowed: "an address with its port, such as 127.0.0.1:8700",
        accepts: is_socket_address,
    };
    Key { name: "http.listen", kind, default: Some(default), help: "where the program listens" }
}

/// `http.lan`.
const LAN: Key = Key {
    name: "http.lan",
    kind: Kind::Switch,
    default: Some("false"),
    help: "listen on all interfaces, over TLS with a certificate of its own made at first start",
};

/// The other keys.
pub const KEYS: &[Key] = &[
    LAN,
    Key {
        name: "http.hosts",
        kind: Kind::List { allowed: "a host name without port", accepts: is_host },
        default: Some(""),
        help: "names by which clients may call the program, besides addresses, localhost and *.local",
    },
    Key {
        name: "http.trusted_proxies",
        kind: Kind::List { allowed: "an address or a network, such as 10.0.0.0/8", accepts: is_network },
        default: Some(""),
        help: "proxies whose forwarded address is believed",
    },
    Key {
        name: "http.certificate",
        kind: Kind::Text { allowed: "the path of a PEM file", accepts: is_path },
        default: None,
        help: "certificate chain to serve TLS with, instead of the one of --lan",
    },
    Key {
        name: "http.key",
        kind: Kind::Text { allowed: "the path of a PEM file", accepts: is_path },
        default: None,
        help: "private key of http.certificate",
    },
    Key::count("http.connections", 16, 65_536, "connections", "512", "open connections at most"),
    Key::count("http.connections_per_peer", 4, 65_536, "connections", "64", "of them from one address"),
];

fn is_socket_address(text: &str) -> bool {
    text.parse::<SocketAddr>().is_ok()
}

fn is_host(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn is_network(text: &str) -> bool {
    text.parse::<Network>().is_ok()
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

/// A certificate chain and its key, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Where the program listens, and who may stand in front of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where it listens. With `lan` and a loopback address: all IPv4 interfaces with its port.
    pub listen: SocketAddr,
    /// Serve TLS with the program's own certificate, unless `tls` names another.
    pub lan: bool,
    /// A person's own certificate.
    pub tls: Option<TlsFiles>,
    /// Further names for `Host`.
    pub hosts: Vec<String>,
    /// Proxies whose forwarded address is believed.
    pub trusted_proxies: Vec<Network>,
    /// Open connections at most.
    pub connections: usize,
    /// Of them from one address.
    pub connections_per_peer: usize,
}

impl HttpConfig {
    /// Reads the settings. Refuses to talk in the clear beyond this machine.
    ///
    /// # Errors
    /// An address, a certificate without key, or one beyond this machine without TLS and without proxy.
    pub fn read(settings: &Settings) -> Result<Self, Problems> {
        let lan = settings.switch("http.lan")?;
        let listen = listen(settings, lan)?;
        let tls = tls(settings)?;
        let trusted_proxies: Vec<Network> =
            settings.list("http.trusted_proxies").iter().filter_map(|text| text.parse().ok()).collect();
        let in_the_clear = !lan && tls.is_none() && trusted_proxies.is_empty();
        if in_the_clear && !listen.ip().is_loopback() {
            let what = format!(
                "{listen} is reachable from other machines, and without TLS anyone there could read the tokens. Use \
                 --lan (a certificate of its own), or http.certificate and http.key, or name the proxy in front of it in http.trusted_proxies; or \
                 listen on 127.0.0.1:{}",
                listen.port()
            );
            return Err(settings.problem("http.listen", what));
        }
        Ok(Self {
            listen,
            lan,
            tls,
            hosts: settings.list("http.hosts").to_vec(),
            trusted_proxies,
            connections: settings.integer("http.connections")?,
            connections_per_peer: settings.integer("http.connections_per_peer")?,
        })
    }

    /// It serves TLS.
    pub fn serves_tls(&self) -> bool {
        self.lan || self.tls.is_some()
    }
}

fn listen(settings: &Settings, lan: bool) -> Result<SocketAddr, Problems> {
    let text = settings.text("http.listen");
    let mut listen: SocketAddr =
        text.and_then(|text| text.parse().ok()).ok_or_else(|| settings.missing("http.listen"))?;
    if lan && listen.ip().is_loopback() {
        listen.set_ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    }
    Ok(listen)
}

fn tls(settings: &Settings) -> Result<Option<TlsFiles>, Problems> {
    match (settings.text("http.certificate"), settings.text("http.key")) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(TlsFiles { certificate: certificate.into(), key: key.into() }))
        }
        (Some(_), None) => Err(settings.missing("http.key")),
        (None, Some(_)) => Err(settings.missing("http.certificate")),
    }
}
