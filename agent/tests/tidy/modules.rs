//! The order of modules inside a program: a module may use only those declared above it in `lib.rs`.
//!
//! So a reader can read a program from top to bottom, and no two features can come to depend on each other.

use crate::files::Repository;
use crate::source::{Code, is_test};

/// Folders of the programs whose `lib.rs` declares its modules in order.
const PROGRAMS: &[&str] = &["agent/src", "cloud-sync/src"];

pub(crate) fn order(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    for program in PROGRAMS {
        let Some(lib) = repository.file(&format!("{program}/lib.rs")) else {
            findings.push(format!("{program}/lib.rs:1: missing"));
            continue;
        };
        let declared = declared(&Code::of(&lib.text));
        for (file, code) in repository.rust().filter(|(file, _)| !is_test(&file.path)) {
            let Some((index, depth)) = place(&file.path, program, &declared) else { continue };
            let code = code.without_tests();
            for (name, line) in used(&code, depth) {
                if declared.iter().position(|module| *module == name).is_some_and(|other| other > index) {
                    let module = &declared[index];
                    findings
                        .push(format!("{}:{line}: `{module}` uses `{name}`, declared below it", file.path));
                }
            }
        }
    }
    findings
}

/// Modules in the order of `lib.rs`, those only for tests left out.
fn declared(lib: &Code) -> Vec<String> {
    let lib = lib.without_tests();
    lib.words("mod").map(|at| first_word(&lib.as_str()[at + 3..])).collect()
}

/// Which module a file belongs to, and how many `super::` lead from it to the crate's root.
fn place(path: &str, program: &str, declared: &[String]) -> Option<(usize, usize)> {
    let inner = path.strip_prefix(program)?.strip_prefix('/')?.strip_suffix(".rs")?;
    let inner = inner.strip_suffix("/mod").unwrap_or(inner);
    let module = inner.split('/').next()?;
    let index = declared.iter().position(|known| known == module)?;
    Some((index, inner.split('/').count()))
}

/// Every name used directly below the crate's root, with its line.
fn used(code: &Code, depth: usize) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    for prefix in ["crate::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.as_str().match_indices(&prefix) {
            if code.as_str()[..at].ends_with("super::") || code.as_str()[..at].ends_with('$') {
                continue;
            }
            let rest = &code.as_str()[at + prefix.len()..];
            let line = code.line(at);
            match rest.strip_prefix('{') {
                Some(group) => names.extend(group_heads(group).into_iter().map(|name| (name, line))),
                None => names.push((first_word(rest), line)),
            }
        }
    }
    names
}

/// First names of `{a, b::c, d::{e, f}}`, from behind its opening brace.
fn group_heads(group: &str) -> Vec<String> {
    let mut heads = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(first_word(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(first_word(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn finds_every_way_to_name_a_module() {
    let check = |text: &str, depth: usize, names: &[&str]| {
        let found: Vec<String> = used(&Code::of(text), depth).into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, names, "{text}");
    };
    check("use crate::drive::Handle;", 1, &["drive"]);
    check("use crate::{os, drive::{a, b}, page};", 1, &["os", "drive", "page"]);
    check("fn a() { super::super::page::b() }", 2, &["page"]);
    check("use super::pilot; // crate::page", 2, &[]);
}
