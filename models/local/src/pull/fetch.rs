//! One file over HTTP into its `.part`, going on where an earlier try ended, hashed while it comes, renamed when it is right.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Client, Response, StatusCode, Url};
use sha2::{Digest, Sha256};

use super::error::in_words;
use super::{Progress, PullError, Watch};
use crate::checksum::{digest, hex};
use crate::weights::PART;

/// How often a connection that broke is made anew by itself, as long as each one brings something.
const RESUMES_MAX: u32 = 5;

/// What is to be fetched.
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) size: u64,
    pub(super) sha256: &'a str,
    pub(super) url: Url,
}

impl Wanted<'_> {
    fn unreachable(&self, why: impl Into<String>) -> PullError {
        PullError::Unreachable { host: host(&self.url), why: why.into() }
    }

    fn wrong(&self, what: impl Into<String>) -> PullError {
        PullError::Wrong { host: host(&self.url), file: self.name.to_owned(), what: what.into() }
    }
}

/// An address as a value.
pub(super) fn address(text: &str) -> Result<Url, PullError> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| PullError::Address(text.to_owned()))
}

/// Whom a URL leads to; nothing else of it may be shown.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("nowhere").to_owned()
}

/// Fetches a file into `folder`. It appears there under its name only once it is whole and right.
pub(super) async fn fetch(
    client: &Client,
    folder: &Path,
    wanted: &Wanted<'_>,
    watch: &mut Watch<'_>,
) -> Result<(), PullError> {
    let mut part = Part::open(folder, wanted)?;
    let mut resumes = 0;
    while part.have < wanted.size {
        let before = part.have;
        match receive(client, &mut part, wanted, watch).await {
            Err(PullError::Interrupted { .. }) if part.have > before && resumes < RESUMES_MAX => resumes += 1,
            Err(error @ PullError::Wrong { .. }) => {
                part.remove()?;
                return Err(error);
            }
            done => done?,
        }
    }
    if hex(&part.hash.clone().finalize()) != wanted.sha256 {
        part.remove()?;
        return Err(wanted.wrong("its checksum is another one"));
    }
    part.finish(&folder.join(wanted.name))
}

/// Asks for the rest of the file and takes it in.
async fn receive(
    client: &Client,
    part: &mut Part,
    wanted: &Wanted<'_>,
    watch: &mut Watch<'_>,
) -> Result<(), PullError> {
    let mut answer = ask(client, part.have, wanted).await?;
    if answer.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        // The file there is shorter than what is here, so that is of another file.
        part.restart()?;
        answer = ask(client, 0, wanted).await?;
    }
    match answer.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&answer, part.have) => {}
        // It sends the whole file whatever was asked for.
        StatusCode::OK => part.restart()?,
        StatusCode::PARTIAL_CONTENT => return Err(wanted.wrong("another part than the one asked for")),
        status => return Err(wanted.unreachable(format!("it answered {status}"))),
    }
    let too_long = || wanted.wrong(format!("longer than {} bytes", wanted.size));
    if answer.content_length().is_some_and(|rest| rest > wanted.size - part.have) {
        return Err(too_long());
    }
    watch(Progress::Fetching { file: wanted.name, done: part.have, total: wanted.size });
    loop {
        let chunk = answer.chunk().await.map_err(|error| PullError::Interrupted {
            file: wanted.name.to_owned(),
            done: part.have,
            total: wanted.size,
            why: in_words(error),
        })?;
        let Some(chunk) = chunk else { break };
        if chunk.len() as u64 > wanted.size - part.have {
            return Err(too_long());
        }
        part.add(&chunk)?;
        watch(Progress::Fetching { file: wanted.name, done: part.have, total: wanted.size });
    }
    if part.have < wanted.size {
        return Err(wanted.wrong(format!("only {} of {} bytes long", part.have, wanted.size)));
    }
    Ok(())
}

async fn ask(client: &Client, have: u64, wanted: &Wanted<'_>) -> Result<Response, PullError> {
    let mut request = client.get(wanted.url.clone());
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    request.send().await.map_err(|error| wanted.unreachable(in_words(error)))
}

fn starts_at(answer: &Response, have: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}

/// The file while it is not whole.
struct Part {
    file: File,
    path: PathBuf,
    hash: Sha256,
    have: u64,
}

impl Part {
    /// Opens or makes it, and hashes what an earlier pull left.
    fn open(folder: &Path, wanted: &Wanted<'_>) -> Result<Self, PullError> {
        let path = folder.join(format!("{}{PART}", wanted.name));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o644);
        let opened = options.open(&path).and_then(|mut file| {
            let (hash, have) = digest(&mut file)?;
            Ok((file, hash, have))
        });
        let (file, hash, have) = opened.map_err(|source| PullError::file(&path, source))?;
        let mut part = Self { file, path, hash, have };
        if part.have > wanted.size {
            part.restart()?;
        }
        Ok(part)
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), PullError> {
        self.file.write_all(bytes).map_err(|source| PullError::file(&self.path, source))?;
        self.hash.update(bytes);
        self.have += bytes.len() as u64;
        Ok(())
    }

    fn restart(&mut self) -> Result<(), PullError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|source| PullError::file(&self.path, source))?;
        (self.hash, self.have) = (Sha256::new(), 0);
        Ok(())
    }

    fn remove(self) -> Result<(), PullError> {
        std::fs::remove_file(&self.path).map_err(|source| PullError::file(&self.path, source))
    }

    fn finish(self, path: &Path) -> Result<(), PullError> {
        settle(&self.file, &self.path, path).map_err(|source| PullError::file(path, source))
    }
}

/// Makes a whole file durable and gives it its name, readable by everybody.
pub(super) fn settle(file: &File, draft: &Path, path: &Path) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o644))?;
    file.sync_all()?;
    std::fs::rename(draft, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
