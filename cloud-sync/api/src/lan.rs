//! Reachable from the home network: a program's own certificate, by which clients know it again, and the addresses to type.

mod certificate;
mod interfaces;
mod pinned;

use std::path::Path;

pub use certificate::{CertificateError, Fingerprint, NotAFingerprint, fingerprint_of, own_certificate};
pub use interfaces::{Interface, host_name, interfaces, own_url, urls};
pub use pinned::client_config;

use crate::http_config::HttpConfig;

/// With `--lan`, the program's own certificate in `folder` stands in for one that nobody named.
///
/// # Errors
/// The certificate cannot be made.
pub fn with_certificate(http: &HttpConfig, folder: &Path) -> Result<HttpConfig, CertificateError> {
    let mut http = http.clone();
    if http.lan && http.tls.is_none() {
        let interfaces = interfaces().unwrap_or_default();
        let addresses: Vec<_> = interfaces.iter().map(|interface| interface.address).collect();
        http.tls = Some(own_certificate(folder, host_name().as_deref(), &addresses)?);
    }
    Ok(http)
}
