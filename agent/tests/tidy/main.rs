//! Checks what the compiler and clippy do not: who may import whom, how long things are, what a text may contain.
//!
//! Reads the repository's files and nothing else; never changes one. A finding is printed as `path:line: what is wrong`.
//! An exception to a limit stands in a list here with its reason, and one that is no longer needed is a finding too.

mod crates;
mod files;
mod modules;
mod readme;
mod source;
mod texts;

use files::Repository;

/// Runs one check over the real repository and shows every finding at once.
#[track_caller]
fn check(rule: &str, check: impl Fn(&Repository) -> Vec<String>) {
    let mut findings = check(&Repository::read());
    findings.sort();
    assert!(findings.is_empty(), "{rule}:\n  {}\n", findings.join("\n  "));
}

#[test]
fn every_module_says_what_it_is_for() {
    check("a Rust file opens with `//!`: what it is for, what it never does", source::opening_lines);
}

#[test]
fn functions_and_files_are_short() {
    check("at most 70 lines of code a function and 400 lines a file, tests not counted", source::lengths);
}

#[test]
fn lints_are_expected_with_a_reason_and_nothing_is_left_undone() {
    check("no `allow`, no ignored test, no placeholder, `unsafe` in named files only", source::forbidden);
}

#[test]
fn crates_import_lower_levels_only() {
    check("who may import whom", crates::imports);
}

#[test]
fn crates_share_lints_and_versions() {
    check(
        "every crate takes its lints and the versions of its dependencies from the root",
        crates::shared_settings,
    );
}

#[test]
fn pure_crates_touch_nothing_outside() {
    check("level 1 has no I/O, no clock, no threads and no randomness of its own", crates::purity);
}

#[test]
fn modules_use_only_modules_declared_above_them() {
    check("the order of the modules in lib.rs is the import rule", modules::order);
}

#[test]
fn texts_are_clean() {
    check("no trailing space, no path of one person's machine, a newline at the end", texts::clean);
}

#[test]
fn readme_and_makefile_agree() {
    check("commands and links in README exist, and every command is explained there", readme::agrees);
}
