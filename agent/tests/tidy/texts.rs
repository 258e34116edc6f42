//! Rules for every text file, whatever its language.

use crate::files::Repository;

/// Written by programs, or byte for byte what a test expects.
const LEFT_OUT: &[&str] = &["Cargo.lock", "package-lock.json", ".snap"];

/// Names that stand for anybody in an example.
const ANYBODY: [&str; 3] = ["a", "pi", "robbie"];

/// Paths that exist on one person's machine only. Split, so that this file does not find itself.
const HOMES: [&str; 4] =
    [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

pub(crate) fn clean(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    let texts = repository.files.iter().filter(|file| !LEFT_OUT.iter().any(|end| file.path.ends_with(end)));
    for file in texts {
        for (index, line) in file.text.lines().enumerate() {
            let mut finding = |what: &str| findings.push(format!("{}:{}: {what}", file.path, index + 1));
            if line.ends_with([' ', '\t', '\r']) {
                finding("space at the end of the line");
            }
            if HOMES.iter().any(|home| starts_a_path(line, home)) {
                finding("a path of one person's machine");
            }
            if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
                finding("left over from a merge");
            }
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            findings.push(format!("{}:{}: no newline at the end", file.path, file.text.lines().count()));
        }
    }
    findings
}

/// `home` stands in the line, not in the middle of a longer path or an address, and not as an example.
fn starts_a_path(line: &str, home: &str) -> bool {
    line.match_indices(home).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let name: String =
            line[at + home.len()..].chars().take_while(|letter| letter.is_alphanumeric()).collect();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "._-*~}".contains(letter))
            && !ANYBODY.contains(&name.as_str())
    })
}
