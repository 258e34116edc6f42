//! A program's own certificate: made at the first start with `--lan` and kept, so that a person compares its fingerprint once.

use std::fmt;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::files::write_private;
use crate::http_config::TlsFiles;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be made.
    #[error("cannot make a certificate")]
    Make(#[source] rcgen::Error),
    /// It cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be read.
    #[error(
        "cannot read the certificate {path}; if it is the program's own, delete its folder and a new one is made"
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
}

/// SHA-256 of a certificate: what a person compares, and what commands pin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of_der(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

/// As browsers print it: `AB:CD:...`.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, with or without colons")]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        let digits: Vec<u8> = text
            .chars()
            .filter(|character| *character != ':')
            .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()).ok_or(NotAFingerprint))
            .collect::<Result<_, _>>()?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
        if digits.len() != 64 {
            return Err(NotAFingerprint);
        }
        bytes.try_into().map(Self).ok().ok_or(NotAFingerprint)
    }
}

/// The program's own certificate and key in `folder`, made now if they are not there.
///
/// Its names are those of this machine at that moment. An address that comes later is not in it; nothing here relies on
/// that, because nobody signed it anyway: what counts is the fingerprint, and that stays.
///
/// # Errors
/// [`CertificateError`].
pub fn own_certificate(
    folder: &Path,
    host: Option<&str>,
    addresses: &[IpAddr],
) -> Result<TlsFiles, CertificateError> {
    let files = TlsFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    if files.certificate.exists() && files.key.exists() {
        return Ok(files);
    }
    let key = KeyPair::generate().map_err(CertificateError::Make)?;
    let certificate = params(host, addresses)
        .and_then(|params| params.self_signed(&key))
        .map_err(CertificateError::Make)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| CertificateError::Write { path: folder.to_owned(), source })?;
    // The key first: a certificate beside no key would be taken for a pair.
    write(&files.key, &key.serialize_pem())?;
    write(&files.certificate, &certificate.pem())?;
    Ok(files)
}

fn params(host: Option<&str>, addresses: &[IpAddr]) -> Result<CertificateParams, rcgen::Error> {
    let mut names = vec!["localhost".to_owned()];
    if let Some(host) = host {
        names.extend([host.to_owned(), format!("{host}.local")]);
    }
    names.extend(addresses.iter().map(IpAddr::to_string));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Robbie");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A robot without a clock battery wakes up in 1970 and could never tell that a certificate ran out.
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2124, 1, 1);
    Ok(params)
}

fn write(path: &Path, pem: &str) -> Result<(), CertificateError> {
    write_private(path, pem.as_bytes())
        .map_err(|source| CertificateError::Write { path: path.to_owned(), source })
}

/// Fingerprint of the first certificate in a PEM file.
///
/// # Errors
/// [`CertificateError::Read`].
pub fn fingerprint_of(certificate: &Path) -> Result<Fingerprint, CertificateError> {
    match CertificateDer::from_pem_file(certificate) {
        Ok(der) => Ok(Fingerprint::of_der(&der)),
        Err(source) => Err(CertificateError::Read { path: certificate.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn certificate_is_made_once_and_its_key_stays_private() {
        // A person compares the fingerprint once; a new certificate at every start would train them to click it away.
        let folder = tempfile::tempdir().unwrap();
        let paths = folder.path().join("tls");
        let addresses = ["192.168.1.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
        let first = own_certificate(&paths, Some("robbie-pi"), &addresses).unwrap();
        let fingerprint = fingerprint_of(&first.certificate).unwrap();
        let again = own_certificate(&paths, Some("renamed"), &[]).unwrap();
        assert_eq!(fingerprint_of(&again.certificate).unwrap(), fingerprint);
        assert_eq!(fs::metadata(&first.key).unwrap().permissions().mode() & 0o777, 0o600);

        fs::remove_file(&first.key).unwrap();
        let new = own_certificate(&paths, None, &[]).unwrap();
        assert_ne!(fingerprint_of(&new.certificate).unwrap(), fingerprint, "a pair without key is made anew");
    }

    #[test]
    fn certificate_and_key_serve_tls_for_every_name() {
        // rustls must take them, and a client that trusts this certificate must accept each name of the machine.
        let folder = tempfile::tempdir().unwrap();
        let addresses = ["192.168.1.7".parse().unwrap()];
        let files = own_certificate(folder.path(), Some("robbie-pi"), &addresses).unwrap();
        let der = CertificateDer::from_pem_file(&files.certificate).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::from_pem_file(&files.key).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], key);
        assert!(server.is_ok());
        let parsed = rustls::server::ParsedCertificate::try_from(&der).unwrap();
        for name in ["localhost", "robbie-pi", "robbie-pi.local", "192.168.1.7"] {
            let name = rustls::pki_types::ServerName::try_from(name).unwrap();
            assert!(rustls::client::verify_server_name(&parsed, &name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn fingerprint_reads_what_it_prints_and_nothing_shorter() {
        let print = Fingerprint::of_der(b"certificate");
        assert_eq!(print.to_string().parse::<Fingerprint>().unwrap(), print);
        assert_eq!(print.to_string().replace(':', "").to_lowercase().parse::<Fingerprint>().unwrap(), print);
        for wrong in ["", "AB", "zz", &print.to_string()[..93], &format!("{print}0"), &format!("{print}00")] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
