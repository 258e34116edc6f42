//! Where a broker is: `mqtt://host:1883`, `mqtts://host:8883`, with a name and a password where it asks for them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use rumqttc::{LastWill, MqttOptions, QoS, TlsConfiguration, Transport};
use rustls::{ClientConfig, RootCertStore};

use super::{Config, Delivery, PACKET_BYTES_MAX};

/// How often a broker that says nothing is asked whether it is there. One that gives no answer until the next time is not.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Messages on their way to the broker that it has not acknowledged.
const INFLIGHT_MAX: u16 = 64;

/// A broker.
#[derive(Clone, PartialEq, Eq)]
pub struct Broker {
    host: String,
    port: u16,
    is_encrypted: bool,
    login: Option<(String, String)>,
}

/// The text names no broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBroker {
    /// It is no URL of a broker.
    #[error("is not mqtt://HOST[:PORT] or mqtts://HOST[:PORT]")]
    NotAUrl,
    /// Whoever reaches it could drive every robot.
    #[error("is a broker beyond this machine without a password: give it one, mqtt://NAME:PASSWORD@HOST")]
    NoPassword,
}

impl fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the password.
        write!(formatter, "{self}")
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "mqtts" } else { "mqtt" };
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(formatter, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

impl Broker {
    /// The broker of a URL. A name and a password given beside it win over those in it.
    ///
    /// # Errors
    /// [`BadBroker`].
    pub fn parse(url: &str, username: Option<&str>, password: Option<&str>) -> Result<Self, BadBroker> {
        let uri: Uri = url.trim().parse().map_err(|_no_uri| BadBroker::NotAUrl)?;
        let is_encrypted = match uri.scheme_str() {
            Some("mqtt") => false,
            Some("mqtts") => true,
            _ => return Err(BadBroker::NotAUrl),
        };
        let authority = uri.authority().ok_or(BadBroker::NotAUrl)?;
        if authority.host().is_empty() || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(BadBroker::NotAUrl);
        }
        let inside = authority.as_str().rsplit_once('@').map(|(login, _)| login);
        let login = match (username, inside) {
            (Some(name), _) => Some((name.to_owned(), password.unwrap_or_default().to_owned())),
            (None, Some(login)) => {
                let (name, password) = login.split_once(':').unwrap_or((login, ""));
                Some((unescaped(name)?, unescaped(password)?))
            }
            (None, None) => None,
        };
        let port = authority.port_u16().unwrap_or(if is_encrypted { 8883 } else { 1883 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port, is_encrypted, login })
    }

    /// The same, unless everybody who reaches it could drive every robot: it is on this machine, or asks for a password.
    ///
    /// # Errors
    /// [`BadBroker::NoPassword`].
    pub fn guarded(self) -> Result<Self, BadBroker> {
        let is_here = self.host == "localhost"
            || self.host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let has_password = self.login.as_ref().is_some_and(|(_, password)| !password.is_empty());
        if is_here || has_password { Ok(self) } else { Err(BadBroker::NoPassword) }
    }

    /// Name and password.
    #[must_use]
    pub fn login(&self) -> Option<(&str, &str)> {
        self.login.as_ref().map(|(name, password)| (name.as_str(), password.as_str()))
    }
}

fn unescaped(text: &str) -> Result<String, BadBroker> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).ok_or(BadBroker::NotAUrl)?;
        bytes.push(byte);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_not_text| BadBroker::NotAUrl)
}

/// What the client library is told. Session and limits are never left to its own choice.
pub(super) fn options(config: &Config) -> MqttOptions {
    let Broker { host, port, is_encrypted, login } = &config.broker;
    // The library puts host and port together again without brackets.
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let mut options = MqttOptions::new(&config.client_id, host, *port);
    options.set_clean_session(true);
    options.set_keep_alive(KEEP_ALIVE);
    options.set_inflight(INFLIGHT_MAX);
    options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if let Some((name, password)) = login {
        options.set_credentials(name, password);
    }
    if let Some(will) = &config.will {
        let (payload, delivery) = (will.payload.to_vec(), quality(will.delivery));
        options.set_last_will(LastWill::new(&will.topic, payload, delivery, will.retained));
    }
    if *is_encrypted {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls()))));
    }
    options
}

/// The library's word for it.
pub(super) const fn quality(delivery: Delivery) -> QoS {
    match delivery {
        Delivery::AtMostOnce => QoS::AtMostOnce,
        Delivery::AtLeastOnce => QoS::AtLeastOnce,
    }
}

/// Trusts whom the system trusts.
fn tls() -> ClientConfig {
    let mut roots = RootCertStore::empty();
    // Certificates that cannot be read are not trusted; without any, the connection says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, shown: &str, login: Option<(&str, &str)>) {
        let broker = Broker::parse(url, None, None).unwrap();
        assert_eq!((format!("{broker:?}").as_str(), broker.login()), (shown, login));
    }

    #[test]
    fn a_broker_has_a_name_a_port_and_perhaps_a_password() {
        // Which is never shown.
        check("mqtt://localhost", "mqtt://localhost:1883", None);
        check("mqtts://b.example", "mqtts://b.example:8883", None);
        check("mqtt://ann:s3%40cret@10.0.0.1:99/", "mqtt://10.0.0.1:99", Some(("ann", "s3@cret")));
        check("mqtt://[::1]:5", "mqtt://[::1]:5", None);
        let beside = Broker::parse("mqtt://x:y@h", Some("ann"), Some("other")).unwrap();
        assert_eq!(beside.login(), Some(("ann", "other")));
        for wrong in
            ["", "localhost", "http://h", "mqtt://", "mqtt://h/path", "mqtt://h?x=1", "mqtt://a:%zz@h"]
        {
            assert_eq!(Broker::parse(wrong, None, None), Err(BadBroker::NotAUrl), "{wrong:?}");
        }
    }

    #[test]
    fn whoever_reaches_a_broker_needs_a_password() {
        for (url, is_fine) in [
            ("mqtt://localhost", true),
            ("mqtt://127.0.0.2", true),
            ("mqtt://[::1]", true),
            ("mqtt://192.0.2.1", false),
            ("mqtts://ann@b.example", false),
            ("mqtts://ann:x@b.example", true),
        ] {
            assert_eq!(Broker::parse(url, None, None).unwrap().guarded().is_ok(), is_fine, "{url}");
        }
    }
}
