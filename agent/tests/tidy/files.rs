//! The repository's files, read once a check: path from the root, text, and for Rust the text without comments and strings.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Code;

/// Folders that hold what was built, fetched or found by a fuzzer; nothing a person wrote.
const NOT_WRITTEN: [&str; 7] =
    [".git", "target", "node_modules", "artifacts", "corpus", "coverage", "proptest-regressions"];

pub(crate) struct Repository {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<File>,
}

/// One text file. Binary files are left out.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repository {
    /// Cargo runs a test in the folder of its package, so the root is one up.
    pub(crate) fn read() -> Self {
        let root = fs::canonicalize("..").expect("the folder above the package can be read");
        assert!(
            root.join("agent/Cargo.toml").exists(),
            "run through cargo: {} is not the root",
            root.display()
        );
        let mut files = Vec::new();
        collect(&root, &root, &mut files);
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Self { root, files }
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every Rust file with its code.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, Code)> {
        self.files.iter().filter(|file| file.path.ends_with(".rs")).map(|file| (file, Code::of(&file.text)))
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder of the repository can be read") {
        let path = entry.expect("an entry of the repository can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if NOT_WRITTEN.contains(&name.as_str()) || path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, files);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let path = path.strip_prefix(root).expect("a file below the root").to_string_lossy().into_owned();
            files.push(File { path, text });
        }
    }
}
