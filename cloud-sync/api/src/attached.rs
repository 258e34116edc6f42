//! Which addresses are in a directly attached subnet: what "beside the robot" means on a network.
//!
//! Tunnels and point-to-point links do not count: whoever sits at their other end can be anywhere.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use agent_core::caller::Class;
use nix::net::if_::InterfaceFlags;

use crate::network::Network;
use crate::peer::Peer;

/// How long a list of interfaces is used.
const FRESH: Duration = Duration::from_secs(3);

/// `ARPHRD_ETHER` of Linux's `if_arp.h`: Ethernet and Wi-Fi. Tunnels have other types.
const ETHERNET: &str = "1";

/// Kinds of interface that look like Ethernet and lead elsewhere, as `DEVTYPE` in sysfs.
const TUNNELS: [&str; 5] = ["vxlan", "geneve", "wireguard", "gretap", "bareudp"];

/// The subnets attached now, looked up again when they are older than a few seconds.
#[derive(Debug, Default)]
pub struct Attached(RwLock<Option<Seen>>);

#[derive(Debug)]
struct Seen {
    at: Instant,
    subnets: Vec<Subnet>,
}

#[derive(Clone, Copy, Debug)]
struct Subnet {
    network: Network,
    interface: u32,
}

impl Attached {
    /// The highest class that a peer may have on a robot: local from loopback or an attached subnet, else remote.
    pub fn class_of(&self, peer: &Peer) -> Class {
        let Some(address) = peer.address else { return Class::Remote };
        if address.is_loopback() || self.contains(address, peer.socket) {
            Class::Local
        } else {
            Class::Remote
        }
    }

    fn contains(&self, address: IpAddr, socket: SocketAddr) -> bool {
        let is_inside = |seen: &Seen| seen.subnets.iter().any(|subnet| subnet.contains(address, socket));
        {
            let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(seen) = seen.as_ref().filter(|seen| seen.at.elapsed() < FRESH) {
                return is_inside(seen);
            }
        }
        let fresh = Seen { at: Instant::now(), subnets: look() };
        let answer = is_inside(&fresh);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        answer
    }
}

impl Subnet {
    fn contains(&self, address: IpAddr, socket: SocketAddr) -> bool {
        if !self.network.contains(address) {
            return false;
        }
        // A link-local address says nothing without its interface.
        match (address, socket) {
            (IpAddr::V6(address), SocketAddr::V6(socket)) if address.is_unicast_link_local() => {
                *socket.ip() == address && socket.scope_id() == self.interface
            }
            (IpAddr::V6(address), SocketAddr::V4(_)) => !address.is_unicast_link_local(),
            _ => true,
        }
    }
}

/// The subnets of all interfaces that are up and no tunnel. None where the system does not tell: then nobody is local.
fn look() -> Vec<Subnet> {
    let Ok(interfaces) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    interfaces
        .filter(|interface| counts(interface.flags, Path::new("/sys/class/net"), &interface.interface_name))
        .filter_map(|interface| {
            let address = ip_of(interface.address.as_ref()?)?;
            let network = Network::from_mask(address, ip_of(interface.netmask.as_ref()?)?)?;
            let index = nix::net::if_::if_nametoindex(interface.interface_name.as_str()).ok()?;
            Some(Subnet { network, interface: index })
        })
        .collect()
}

/// Whether an interface leads to a network of its own. An interface without sysfs entry does not count.
fn counts(flags: InterfaceFlags, sysfs: &Path, name: &str) -> bool {
    let is_up = flags.contains(InterfaceFlags::IFF_UP);
    if !is_up || flags.intersects(InterfaceFlags::IFF_POINTOPOINT | InterfaceFlags::IFF_LOOPBACK) {
        return false;
    }
    let folder = sysfs.join(name);
    let kind = std::fs::read_to_string(folder.join("type")).unwrap_or_default();
    let uevent = std::fs::read_to_string(folder.join("uevent")).unwrap_or_default();
    let device = uevent.lines().find_map(|line| line.strip_prefix("DEVTYPE=")).unwrap_or("");
    // tun and tap, which virtual private networks use, have this file.
    let is_tunnel = folder.join("tun_flags").exists() || TUNNELS.contains(&device);
    kind.trim() == ETHERNET && !is_tunnel
}

fn ip_of(address: &nix::sys::socket::SockaddrStorage) -> Option<IpAddr> {
    if let Some(address) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(address.ip()));
    }
    address.as_sockaddr_in6().map(|address| IpAddr::V6(Ipv6Addr::from(address.ip().octets())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::{Arrival, Through};

    fn class(seen: Vec<Subnet>, peer: &Peer) -> Class {
        Attached(RwLock::new(Some(Seen { at: Instant::now(), subnets: seen }))).class_of(peer)
    }

    fn from(socket: &str) -> Peer {
        Peer::of(Arrival { socket: socket.parse().unwrap(), tls: true }, &http::HeaderMap::new(), &[])
    }

    fn subnet(network: &str) -> Vec<Subnet> {
        vec![Subnet { network: network.parse().unwrap(), interface: 2 }]
    }

    #[test]
    fn only_neighbours_are_local() {
        // Loopback and the own subnet are local; everything else, and whoever is not named, is remote.
        assert_eq!(class(vec![], &from("127.0.0.1:1")), Class::Local);
        assert_eq!(class(vec![], &from("[::1]:1")), Class::Local);
        assert_eq!(class(subnet("192.168.1.0/24"), &from("192.168.1.7:1")), Class::Local);
        assert_eq!(class(subnet("192.168.1.0/24"), &from("[::ffff:192.168.1.7]:1")), Class::Local);
        assert_eq!(class(subnet("192.168.1.0/24"), &from("192.168.2.7:1")), Class::Remote);
        assert_eq!(class(vec![], &from("192.168.1.7:1")), Class::Remote);
        assert_eq!(class(subnet("fe80::/64"), &from("[fe80::1%2]:1")), Class::Local);
        assert_eq!(class(subnet("fe80::/64"), &from("[fe80::1%3]:1")), Class::Remote);
        let unnamed = Peer { address: None, through: Through::TrustedProxy, ..from("127.0.0.1:1") };
        assert_eq!(class(vec![], &unnamed), Class::Remote);
    }

    fn check(files: &[(&str, &str)], flags: InterfaceFlags, wanted: bool) {
        let sysfs = tempfile::tempdir().unwrap();
        std::fs::create_dir(sysfs.path().join("if0")).unwrap();
        for (name, content) in files {
            std::fs::write(sysfs.path().join("if0").join(name), content).unwrap();
        }
        assert_eq!(counts(flags, sysfs.path(), "if0"), wanted, "{files:?} {flags:?}");
    }

    #[test]
    fn tunnels_do_not_count() {
        // At the other end of a tunnel somebody far away can sit.
        let up = InterfaceFlags::IFF_UP | InterfaceFlags::IFF_BROADCAST;
        check(&[("type", "1\n"), ("uevent", "INTERFACE=if0\n")], up, true);
        check(&[("type", "1\n"), ("uevent", "DEVTYPE=wlan\n")], up, true);
        check(&[("type", "1\n")], InterfaceFlags::IFF_BROADCAST, false);
        check(&[("type", "1\n")], up | InterfaceFlags::IFF_POINTOPOINT, false);
        check(&[("type", "1\n"), ("tun_flags", "0x1002\n")], up, false);
        check(&[("type", "1\n"), ("uevent", "DEVTYPE=vxlan\n")], up, false);
        check(&[("type", "65534\n"), ("uevent", "DEVTYPE=wireguard\n")], up, false);
        check(&[("type", "512\n")], up, false);
        check(&[], up, false);
    }
}
