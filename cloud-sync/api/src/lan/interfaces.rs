//! Network interfaces of this machine and the addresses under which a program can be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

/// One address of one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, `wlan0`.
    pub name: String,
    /// The address.
    pub address: IpAddr,
    /// Loopback.
    pub loopback: bool,
    /// A tunnel or dial-up line: its address is of use to the machine at its other end only.
    pub point_to_point: bool,
}

/// All addresses of interfaces that are up.
///
/// # Errors
/// The kernel does not list them.
pub fn interfaces() -> std::io::Result<Vec<Interface>> {
    let mut found = Vec::new();
    for entry in getifaddrs()? {
        let Some(address) = entry.address.as_ref().and_then(ip_of) else { continue };
        if !entry.flags.contains(InterfaceFlags::IFF_UP) {
            continue;
        }
        let loopback = entry.flags.contains(InterfaceFlags::IFF_LOOPBACK);
        let point_to_point = entry.flags.contains(InterfaceFlags::IFF_POINTOPOINT);
        found.push(Interface { name: entry.interface_name, address, loopback, point_to_point });
    }
    Ok(found)
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

/// Name of this machine.
pub fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The URLs under which a program that listens at `listen` is reached: those for other machines first.
pub fn urls(scheme: &str, listen: SocketAddr, interfaces: &[Interface]) -> Vec<String> {
    if !listen.ip().is_unspecified() {
        return vec![format!("{scheme}://{listen}")];
    }
    let reachable = |address: &IpAddr| match address {
        IpAddr::V4(_) => true,
        // A link-local address needs the name of an interface of the *other* machine: nobody can type it.
        IpAddr::V6(v6) => listen.is_ipv6() && !v6.is_unicast_link_local(),
    };
    let mut sorted: Vec<&Interface> = interfaces.iter().collect();
    sorted
        .sort_by_key(|interface| (interface.loopback, interface.point_to_point, interface.address.is_ipv6()));
    let addresses = sorted.iter().map(|interface| interface.address).filter(reachable);
    addresses.map(|address| format!("{scheme}://{}", SocketAddr::new(address, listen.port()))).collect()
}

/// The URL by which a program on this machine reaches one that listens at `listen`.
pub fn own_url(scheme: &str, listen: SocketAddr) -> String {
    let own = match listen.ip() {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    format!("{scheme}://{}", SocketAddr::new(own, listen.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, address: &str) -> Interface {
        let address = address.parse().unwrap();
        Interface { name: name.into(), address, loopback: name == "lo", point_to_point: name == "wg0" }
    }

    fn check(listen: &str, expected: &[&str]) {
        let all = [
            interface("lo", "127.0.0.1"),
            interface("lo", "::1"),
            interface("wg0", "10.9.0.2"),
            interface("wlan0", "192.168.1.7"),
            interface("wlan0", "fe80::1"),
            interface("wlan0", "2001:db8::7"),
        ];
        assert_eq!(urls("https", listen.parse().unwrap(), &all), expected);
    }

    #[test]
    fn lists_what_a_phone_can_type_first() {
        // The first one is in the QR code, so it must be one that another machine reaches.
        check(
            "0.0.0.0:8700",
            &["https://192.168.1.7:8700", "https://10.9.0.2:8700", "https://127.0.0.1:8700"],
        );
        check("127.0.0.1:9000", &["https://127.0.0.1:9000"]);
        check("192.168.1.7:1", &["https://192.168.1.7:1"]);
        check(
            "[::]:8700",
            &[
                "https://192.168.1.7:8700",
                "https://[2001:db8::7]:8700",
                "https://10.9.0.2:8700",
                "https://127.0.0.1:8700",
                "https://[::1]:8700",
            ],
        );
    }

    #[test]
    fn this_machine_has_a_loopback() {
        // The real call: no machine is without.
        let found = interfaces().unwrap();
        assert!(found.iter().any(|interface| interface.loopback && interface.address.is_loopback()));
    }
}
