//! Reachable from the home network: the agent's own certificate, the addresses to type, the code to scan, and what a start
//! says of itself.

mod banner;

pub use banner::{Banner, LatchNotice, TokenShown, qr};
pub use cloud_sync_api::lan::{
    CertificateError, Fingerprint, Interface, fingerprint_of, host_name, interfaces, own_certificate,
    own_url, urls,
};

use crate::config::HttpConfig;
use crate::data_dir::DataPaths;

/// With `--lan`, the agent's own certificate stands in for one that nobody named.
///
/// # Errors
/// The certificate cannot be made.
pub fn with_certificate(http: &HttpConfig, paths: &DataPaths) -> Result<HttpConfig, CertificateError> {
    cloud_sync_api::lan::with_certificate(http, &paths.tls())
}
