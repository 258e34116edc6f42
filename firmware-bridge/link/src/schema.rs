//! Which message definitions this crate was built from.
//!
//! `schema.txt` describes every type on the wire in a canonical form; a test writes the same text from the types and
//! compares, another keeps the hash of each protocol version. So a changed message without a new version cannot pass.

/// The types on the wire, one a line, in the order they are met.
pub const DESCRIPTION: &str = include_str!("schema.txt");

/// FNV-1a, 64 bit, of [`DESCRIPTION`].
pub const SCHEMA_HASH: u64 = fnv1a(DESCRIPTION.as_bytes());

const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash ^= bytes[at] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}
