//! README and Makefile say the same, and README points at nothing that is gone.

use crate::files::Repository;

pub(crate) fn agrees(repository: &Repository) -> Vec<String> {
    let (Some(readme), Some(makefile)) = (repository.file("README.md"), repository.file("Makefile")) else {
        return vec!["README.md:1: README.md or Makefile is missing".to_owned()];
    };
    let mut findings = Vec::new();
    // `target: needs ## help` is how the Makefile explains a target that people type.
    let explained: Vec<(&str, usize)> = (makefile.text.lines().zip(1..))
        .filter(|(line, _)| line.contains(" ## "))
        .filter_map(|(line, number)| Some((line.split_once(':')?.0, number)))
        .collect();
    let mut used = Vec::new();
    for (line, number) in readme.text.lines().zip(1..) {
        for target in make_targets(line) {
            if !explained.iter().any(|(name, _)| *name == target) {
                findings.push(format!("README.md:{number}: the Makefile has no target `{target}`"));
            }
            used.push(target);
        }
        for link in links(line).filter(|link| !repository.root.join(link).exists()) {
            findings.push(format!("README.md:{number}: `{link}` does not exist"));
        }
    }
    for (name, number) in explained {
        if !used.contains(&name) {
            findings.push(format!("Makefile:{number}: README does not mention `make {name}`"));
        }
    }
    findings
}

/// Targets of the commands in a line, which stand in code: `` `make x` `` or at the start of a line in a block.
fn make_targets(line: &str) -> Vec<&str> {
    let starts = line.match_indices("make ").filter(|(at, _)| {
        let before = line[..*at].trim_end_matches(' ');
        before.is_empty() || before == "$" || line[..*at].ends_with('`') || before.ends_with("&&")
    });
    starts
        .filter_map(|(at, found)| line[at + found.len()..].split([' ', '`', '#']).next())
        .filter(|target| !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_lowercase()))
        .collect()
}

/// Targets of Markdown links that are files of the repository.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#', ' ']).next())
        .filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"))
}

#[test]
fn finds_commands_in_code_only() {
    let check = |line: &str, targets: &[&str]| assert_eq!(make_targets(line), targets, "{line}");
    check("make run   # starts it", &["run"]);
    check("Then `make sim SEEDS=10` or `make bench`.", &["sim", "bench"]);
    check("Rust, a C compiler and make are needed to make sense of it.", &[]);
}
