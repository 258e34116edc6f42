//! Writing files so that they are whole or not there at all, whatever happens to the power.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, chown};
use std::path::Path;

/// Writes a file that only its owner reads, whole or not at all, durably.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let draft = folder.join(name);
    let written = write_draft(&draft, bytes).and_then(|()| fs::rename(&draft, path));
    if let Err(error) = written {
        drop(fs::remove_file(&draft));
        return Err(error);
    }
    File::open(folder)?.sync_all()
}

/// Removes a file durably; one that is not there is fine.
///
/// # Errors
/// What the file system says.
pub fn remove_durably(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a file to the owner of its folder: where root wrote it for a service, the service must still be able to read it.
///
/// # Errors
/// The file would not be readable by whom it is for.
pub fn give_to_folders_owner(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let owner = fs::metadata(folder)?;
    if owner.uid() == fs::metadata(path)?.uid() {
        return Ok(());
    }
    chown(path, Some(owner.uid()), Some(owner.gid()))
}

fn write_draft(draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}
