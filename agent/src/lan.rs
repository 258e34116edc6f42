//! Reachable from the home network: the agent's own certificate, the addresses to type, the code to scan, and what a start
//! says of itself.

mod banner;
mod certificate;
mod interfaces;

pub use banner::{Banner, LatchNotice, TokenShown, qr};
pub use certificate::{CertificateError, Fingerprint, fingerprint_of, own_certificate};
pub use interfaces::{Interface, host_name, interfaces, own_url, urls};
