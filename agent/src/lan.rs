//! Reachable from the home network: the agent's own certificate, the addresses to type, the code to scan, and what a start
//! says of itself.

mod banner;
mod certificate;
mod interfaces;

pub use banner::{Banner, LatchNotice, TokenShown, qr};
pub use certificate::{CertificateError, Fingerprint, fingerprint_of, own_certificate};
pub use interfaces::{Interface, host_name, interfaces, own_url, urls};

use crate::config::HttpConfig;
use crate::data_dir::DataPaths;

/// With `--lan`, the agent's own certificate stands in for one that nobody named.
///
/// # Errors
/// The certificate cannot be made.
pub fn with_certificate(http: &HttpConfig, paths: &DataPaths) -> Result<HttpConfig, CertificateError> {
    let mut http = http.clone();
    if http.lan && http.tls.is_none() {
        let interfaces = interfaces().unwrap_or_default();
        let addresses: Vec<_> = interfaces.iter().map(|interface| interface.address).collect();
        http.tls = Some(own_certificate(paths, host_name().as_deref(), &addresses)?);
    }
    Ok(http)
}
