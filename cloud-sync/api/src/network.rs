//! A block of addresses, such as `10.0.0.0/8`. Pure.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that share the first `prefix` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Why a text is no network.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is neither an address nor a network such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl Network {
    /// The block around `address`. `None`: the prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= bits).then_some(Self { address, prefix })
    }

    /// From an interface's address and mask. `None`: the families differ, or the mask has holes.
    pub fn from_mask(address: IpAddr, mask: IpAddr) -> Option<Self> {
        let (ones, is_contiguous) = match (address, mask) {
            (IpAddr::V4(_), IpAddr::V4(mask)) => {
                let bits = mask.to_bits();
                (bits.leading_ones(), bits.leading_ones() == bits.count_ones())
            }
            (IpAddr::V6(_), IpAddr::V6(mask)) => {
                let bits = mask.to_bits();
                (bits.leading_ones(), bits.leading_ones() == bits.count_ones())
            }
            _ => return None,
        };
        if !is_contiguous {
            return None;
        }
        Self::new(address, u8::try_from(ones).ok()?)
    }

    /// Whether `address` lies inside.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()).leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let refuse = || NotANetwork(text.to_owned());
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let Ok(address) = address.parse::<IpAddr>() else { return Err(refuse()) };
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let Ok(prefix) = prefix.map_or(Ok(whole), str::parse::<u8>) else { return Err(refuse()) };
        Self::new(address, prefix).ok_or_else(refuse)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

/// The address that limits count by: an IPv6 host owns a whole /64, so counting single addresses would count nothing.
pub fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Stands for every client that a proxy did not name.
pub const UNNAMED: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: &str, address: &str, is_inside: bool) {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), is_inside, "{address} in {network}");
    }

    #[test]
    fn a_network_holds_its_addresses() {
        // Only addresses that share the prefix lie inside, and families never mix.
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("0.0.0.0/0", "8.8.8.8", true);
        check("0.0.0.0/0", "::1", false);
        check("fd00::/8", "fd12::1", true);
        check("fd00::/8", "fe80::1", false);
        check("::1", "::1", true);
    }

    #[test]
    fn nonsense_is_refused() {
        // A slip in the configuration is told, never read as something else.
        for text in ["", "x", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let holes = Network::from_mask("10.0.0.1".parse().unwrap(), "255.0.255.0".parse().unwrap());
        assert_eq!(holes, None);
    }
}
