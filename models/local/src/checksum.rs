//! SHA-256 of files, as the catalogue writes it.

use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes a file from where it stands to its end; gives the state and the bytes read.
///
/// # Errors
/// What the file system says.
pub(crate) fn digest(file: &mut File) -> io::Result<(Sha256, u64)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((hash, total));
        }
        hash.update(&buffer[..count]);
        total += count as u64;
    }
}
