//! Takes one file out of a fetched package (a zip), no longer than it may be, and checked before it gets its name.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::PullError;
use super::fetch::settle;
use crate::catalog::WeightFile;
use crate::checksum::hex;
use crate::weights::PART;

/// Unpacks `inside/NAME` of the archive to `folder/NAME`.
pub(super) fn unpack(
    archive: &Path,
    inside: &str,
    wanted: &WeightFile,
    folder: &Path,
) -> Result<(), PullError> {
    let broken = |what: String| PullError::Archive { file: wanted.name.clone(), what };
    let opened = File::open(archive).map_err(|source| PullError::file(archive, source))?;
    let mut zip = ZipArchive::new(opened).map_err(|error| broken(error.to_string()))?;
    let member =
        zip.by_name(&format!("{inside}/{}", wanted.name)).map_err(|error| broken(error.to_string()))?;

    let draft = folder.join(format!("{}{PART}", wanted.name));
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .open(&draft)
        .map_err(|source| PullError::file(&draft, source))?;
    // One byte more than it may have tells a longer one, and no more than that is ever written.
    let sha256 = copy(member.take(wanted.size + 1), &mut file).map_err(|source| match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            broken(source.to_string())
        }
        _ => PullError::file(&draft, source),
    })?;
    if sha256 != wanted.sha256 {
        std::fs::remove_file(&draft).map_err(|source| PullError::file(&draft, source))?;
        return Err(broken("its checksum is another one".to_owned()));
    }
    let path = folder.join(&wanted.name);
    settle(&file, &draft, &path).map_err(|source| PullError::file(&path, source))
}

/// Copies everything and gives its SHA-256.
fn copy(mut from: impl Read, into: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..count]);
        into.write_all(&buffer[..count])?;
    }
}
