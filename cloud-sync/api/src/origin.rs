//! Guards against a web page that drives somebody else's robot: `Host` must be a name of this program (else a page
//! could rebind its own name to our address), and a browser's `Origin` must be our own page.

use std::net::IpAddr;

use axum::extract::Request;
use http::header::{HOST, ORIGIN};

use crate::problem::Problem;

/// Checks `Host` and `Origin`; `hosts` are names allowed beside IP literals, `localhost` and `*.local`, `origins` those of pages
/// that are served elsewhere.
pub fn check(request: &Request, hosts: &[String], origins: &[String]) -> Result<(), Problem> {
    // A request line with a whole URL names the host there.
    let host = match request.uri().authority() {
        Some(authority) => authority.as_str(),
        None => request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or(""),
    };
    if !is_own_host(host, hosts) {
        let detail = "The Host of this request is no name of this program; [http] hosts in the configuration adds names.";
        return Err(Problem::no_right(detail));
    }
    let Some(origin) = request.headers().get(ORIGIN) else { return Ok(()) };
    let is_own = origin.to_str().is_ok_and(|origin| {
        is_own_origin(origin, host, hosts) || origins.iter().any(|named| named.eq_ignore_ascii_case(origin))
    });
    if is_own {
        Ok(())
    } else {
        Err(Problem::no_right("A page from elsewhere (its Origin) may not use this."))
    }
}

fn is_own_host(host: &str, hosts: &[String]) -> bool {
    let name = without_port(host);
    if let Some(literal) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return literal.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6());
    }
    if name.starts_with(|first: char| first.is_ascii_digit()) && name.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || is_dot_local(name) || is_named(host, hosts)
}

fn is_dot_local(name: &str) -> bool {
    name.len()
        .checked_sub(6)
        .is_some_and(|at| at > 0 && name.is_char_boundary(at) && name[at..].eq_ignore_ascii_case(".local"))
}

/// An entry with a port names that port only.
fn is_named(host: &str, hosts: &[String]) -> bool {
    let name = without_port(host);
    hosts.iter().any(|own| own.eq_ignore_ascii_case(host) || own.eq_ignore_ascii_case(name))
}

/// Same host and port as the request went to, or a page served under one of our names (behind a proxy).
fn is_own_origin(origin: &str, host: &str, hosts: &[String]) -> bool {
    let Some(authority) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else {
        return false;
    };
    authority.eq_ignore_ascii_case(host) || is_named(authority, hosts)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
            if name.contains(':') && !name.starts_with('[') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_one(host: &str, origin: Option<&str>, passes: bool) {
        let mut request = Request::builder().uri("/api").header(HOST, host);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        let hosts = ["robot.example".to_owned(), "other.example:8443".to_owned()];
        let origins = ["https://app.example".to_owned()];
        let result = check(&request.body(axum::body::Body::empty()).unwrap(), &hosts, &origins);
        assert_eq!(result.is_ok(), passes, "{host} {origin:?}");
    }

    #[test]
    fn only_our_own_names_pass() {
        // IP literals, localhost, *.local and the configured names; a name that somebody rebinds is refused.
        for host in
            ["127.0.0.1:8700", "192.168.1.5", "[::1]:8700", "[fe80::1]", "localhost", "LocalHost:8700"]
        {
            check_one(host, None, true);
        }
        for host in
            ["robbie.local", "Robbie.LOCAL.:8700", "robot.example", "Robot.Example:99", "other.example:8443"]
        {
            check_one(host, None, true);
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            ".local",
            "127.0.0.1.evil.example",
            "[::1",
            "1.2.3",
        ] {
            check_one(host, None, false);
        }
        for host in
            ["other.example", "other.example:1", "evil.example:127.0.0.1", "::1", "[127.0.0.1]", "x.locale"]
        {
            check_one(host, None, false);
        }
    }

    #[test]
    fn only_our_own_page_passes() {
        // Same host and port, or a configured name; another port on the same machine is somebody else.
        check_one("127.0.0.1:8700", Some("http://127.0.0.1:8700"), true);
        check_one("robbie.local:8700", Some("https://robbie.local:8700"), true);
        check_one("127.0.0.1:8700", Some("https://robot.example"), true);
        check_one("127.0.0.1:8700", Some("https://other.example:8443"), true);
        check_one("127.0.0.1:8700", Some("https://app.example"), true);
        check_one("127.0.0.1:8700", Some("http://app.example"), false);
        check_one("127.0.0.1:8700", Some("https://app.example:1"), false);
        check_one("127.0.0.1:8700", Some("https://other.example"), false);
        check_one("127.0.0.1:8700", Some("http://127.0.0.1:3000"), false);
        check_one("127.0.0.1:8700", Some("http://localhost:8700"), false);
        check_one("127.0.0.1:8700", Some("null"), false);
        check_one("127.0.0.1:8700", Some("http://evil.example"), false);
        check_one("127.0.0.1:8700", Some("file://127.0.0.1:8700"), false);
    }
}
