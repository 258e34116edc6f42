//! What a part prints: into a bounded file, its last lines kept for a message, and on the terminal when that is wanted.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A file that has grown to this is set aside as `NAME.log.1`, and the one before it is gone.
const FILE_MAX: u64 = 4 * 1024 * 1024;
/// Lines kept for the message about a part that ended.
const LAST_LINES: usize = 12;
/// A longer line is cut in pieces.
const LINE_MAX: usize = 4096;

/// Where what a part prints goes.
#[derive(Debug)]
pub(super) struct Log {
    name: &'static str,
    path: PathBuf,
    /// None once it could not be written: a full disk is no reason to end.
    file: Option<File>,
    length: u64,
    last: VecDeque<String>,
    on_terminal: Terminal,
}

/// Whether the terminal shows it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminal {
    Shows,
    Silent,
}

impl Log {
    /// Begins a new file in `folder`; that of the run before is set aside.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn begin(folder: &Path, name: &'static str, on_terminal: Terminal) -> io::Result<Self> {
        let path = folder.join(format!("{name}.log"));
        let file = Some(begin_file(&path)?);
        Ok(Self { name, path, file, length: 0, last: VecDeque::new(), on_terminal })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The last lines, oldest first.
    pub(super) fn last_lines(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(String::as_str)
    }

    fn line(&mut self, line: String) {
        if self.on_terminal == Terminal::Shows {
            // Nobody may be reading.
            drop(writeln!(io::stderr(), "{:>8} | {line}", self.name));
        }
        if let Err(error) = self.write(&line) {
            self.file = None;
            tracing::warn!(
                "what the {} prints is no longer kept in {}: {error}",
                self.name,
                self.path.display()
            );
        }
        if self.last.len() == LAST_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        writeln!(file, "{line}")?;
        self.length += line.len() as u64 + 1;
        if self.length >= FILE_MAX {
            self.file = Some(begin_file(&self.path)?);
            self.length = 0;
        }
        Ok(())
    }
}

fn begin_file(path: &Path) -> io::Result<File> {
    match fs::rename(path, path.with_extension("log.1")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Reads `output` to its end, line by line, and hands each to the log and to `seen`.
pub(super) async fn keep(
    mut output: impl AsyncRead + Unpin,
    log: &std::sync::Mutex<Log>,
    mut seen: impl FnMut(&str),
) {
    let mut chunk = [0; LINE_MAX];
    let mut line = Vec::new();
    let mut end = |line: &mut Vec<u8>| {
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        line.clear();
        seen(&text);
        lock(log).line(text);
    };
    while let Ok(length @ 1..) = output.read(&mut chunk).await {
        for &byte in &chunk[..length] {
            if byte == b'\n' || line.len() == LINE_MAX {
                end(&mut line);
            }
            if byte != b'\n' {
                line.push(byte);
            }
        }
    }
    if !line.is_empty() {
        end(&mut line);
    }
}

/// A panic while a line was written leaves at worst half a line.
pub(super) fn lock(log: &std::sync::Mutex<Log>) -> std::sync::MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn kept(output: &[u8]) -> (tempfile::TempDir, Log, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let log = Mutex::new(Log::begin(folder.path(), "part", Terminal::Silent).unwrap());
        let mut seen = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(keep(output, &log, |line| seen.push(line.to_owned())));
        (folder, log.into_inner().unwrap(), seen)
    }

    #[test]
    fn keeps_lines_whatever_is_in_them() {
        let check = |output: &[u8], lines: &[&str]| assert_eq!(kept(output).2, lines);
        check(b"", &[]);
        check(b"one\ntwo\r\n\nthree", &["one", "two", "", "three"]);
        check(b"\xff\n", &["\u{fffd}"]);
        let long = "x".repeat(LINE_MAX + 1);
        check(long.as_bytes(), &[&long[1..], "x"]);
    }

    #[test]
    fn remembers_the_last_lines() {
        let output: String = (0..40).map(|number| format!("{number}\n")).collect();
        let (_folder, log, _) = kept(output.as_bytes());
        let last: Vec<&str> = log.last_lines().collect();
        assert_eq!((last.len(), last[0], last[LAST_LINES - 1]), (LAST_LINES, "28", "39"));
    }

    #[test]
    fn a_file_has_an_end_and_the_run_before_is_kept() {
        let lines = usize::try_from(FILE_MAX).unwrap() / 1000 + 3;
        let output = format!("{}\n", "y".repeat(999)).repeat(lines);
        let (folder, log, _) = kept(output.as_bytes());
        let length = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(length("part.log.1") >= FILE_MAX && length("part.log.1") < FILE_MAX + 1000);
        assert!(length("part.log") < 10_000);
        drop(log);
        let _next = Log::begin(folder.path(), "part", Terminal::Silent).unwrap();
        assert_eq!(length("part.log"), 0);
        assert!(length("part.log.1") < 10_000);
    }
}
