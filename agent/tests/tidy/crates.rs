//! Rules for manifests: levels, shared versions and lints, and what the pure crates may contain.

use toml::{Table, Value};

use crate::files::Repository;
use crate::source::is_test;

/// Level 1 is pure, 2 touches the world, 3 are programs. A crate's name is its path joined with dashes.
const LEVELS: &[(&str, u8)] = &[
    ("firmware-bridge-link", 1),
    ("firmware-bridge-controller", 1),
    ("agent-core", 1),
    ("cloud-sync-protocol", 1),
    ("models-mind", 1),
    ("firmware-bridge-host", 2),
    ("firmware-bridge-sim", 2),
    ("agent-store", 2),
    ("models-local", 2),
    ("models-providers", 2),
    ("models-twin", 2),
    ("cloud-sync-api", 2),
    ("agent", 3),
    ("cloud-sync", 3),
    ("cloud-sync-tryout", 3),
];

/// Imports within one level: `(who, whom, why)`.
const WITHIN_A_LEVEL: &[(&str, &str, &str)] = &[
    ("firmware-bridge-controller", "firmware-bridge-link", "the contract both ends compile"),
    ("agent-core", "firmware-bridge-link", "limits and their arithmetic are the link's"),
    ("models-mind", "cloud-sync-protocol", "what a hit says about itself is part of the contract"),
];

/// The same, in tests only.
const WITHIN_A_LEVEL_IN_TESTS: &[(&str, &str, &str)] = &[
    ("firmware-bridge-sim", "firmware-bridge-host", "a body is tested by the real Linux end"),
    ("models-providers", "models-twin", "providers are tested over sockets, by who stands in for them"),
];

/// What level 1 may use from outside: arithmetic, calendars, containers, words and schemas for types, ids and errors.
const PURE_DEPENDENCIES: &[&str] = &[
    "arrayvec",
    "cobs",
    "crc",
    "futures-core",
    "heapless",
    "jiff",
    "libm",
    "postcard",
    "schemars",
    "serde",
    "serde_json",
    "thiserror",
    "utoipa",
    "uuid",
    "zstd",
];

/// Crates for microcontrollers: no standard library, no allocation.
const BARE: &[&str] = &["firmware-bridge-link", "firmware-bridge-controller"];

const OUTSIDE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
];

struct Crate {
    name: String,
    /// Of its folder, from the root.
    path: String,
    manifest: Table,
}

pub(crate) fn imports(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    for each in crates(repository, &mut findings) {
        let expected = each.path.replace('/', "-");
        if each.name != expected {
            findings.push(each.finding(
                repository,
                "name",
                &format!("by its path this crate is called `{expected}`"),
            ));
        }
        let Some(level) = level(&each.name) else {
            findings.push(each.finding(repository, "name", "give this crate a level in the tidy test"));
            continue;
        };
        for (import, in_tests) in each.dependencies() {
            let said = |who: &str, whom: &str| who == each.name && whom == import;
            let within = WITHIN_A_LEVEL.iter().any(|(who, whom, _)| said(who, whom))
                || in_tests && WITHIN_A_LEVEL_IN_TESTS.iter().any(|(who, whom, _)| said(who, whom));
            let fine = match self::level(import) {
                Some(other) => other < level || within,
                None => level > 1 || in_tests || PURE_DEPENDENCIES.contains(&import),
            };
            if !fine {
                let what = format!("{} (level {level}) may not import {import}", each.name);
                findings.push(each.finding(repository, import, &what));
            }
        }
    }
    findings
}

pub(crate) fn shared_settings(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    for each in crates(repository, &mut findings) {
        if !each.manifest.get("lints").is_some_and(is_shared) {
            findings.push(each.finding(repository, "[lints]", "`[lints] workspace = true` is missing"));
        }
        for (section, table) in dependency_tables(&each.manifest) {
            for (name, _) in table.iter().filter(|(_, value)| !is_shared(value)) {
                let what = format!("{section}: `{name}.workspace = true`, the version stands in the root");
                findings.push(each.finding(repository, name, &what));
            }
        }
    }
    findings
}

pub(crate) fn purity(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    for each in crates(repository, &mut findings).iter().filter(|each| level(&each.name) == Some(1)) {
        let source = format!("{}/src/", each.path);
        for (file, code) in
            repository.rust().filter(|(file, _)| file.path.starts_with(&source) && !is_test(&file.path))
        {
            let code = code.without_tests();
            let mut words = OUTSIDE.to_vec();
            if BARE.contains(&each.name.as_str()) {
                words.extend(["std", "alloc"]);
                if file.path.ends_with("/src/lib.rs") && !code.as_str().contains("no_std") {
                    findings.push(format!("{}:1: `#![no_std]` is missing", file.path));
                }
            }
            for word in words {
                let found = code.words(word).map(|at| code.line(at));
                findings.extend(found.map(|line| format!("{}:{line}: `{word}` in a pure crate", file.path)));
            }
        }
    }
    findings
}

impl Crate {
    /// Names of all dependencies, and whether only tests use them.
    fn dependencies(&self) -> Vec<(&str, bool)> {
        let tables = dependency_tables(&self.manifest).into_iter();
        tables
            .flat_map(|(section, table)| {
                table.keys().map(move |name| (name.as_str(), section == "dev-dependencies"))
            })
            .collect()
    }

    /// A finding at the first line of the manifest that starts with `word`.
    fn finding(&self, repository: &Repository, word: &str, what: &str) -> String {
        let path = format!("{}/Cargo.toml", self.path);
        let text = repository.file(&path).map_or("", |file| &file.text);
        let line = text.lines().position(|line| line.starts_with(word)).map_or(1, |index| index + 1);
        format!("{path}:{line}: {what}")
    }
}

/// Every member of the workspace. What cannot be read is a finding.
fn crates(repository: &Repository, findings: &mut Vec<String>) -> Vec<Crate> {
    let read = |path: &str| repository.file(path).and_then(|file| file.text.parse::<Table>().ok());
    let root = read("Cargo.toml").expect("the root manifest is TOML");
    let members = root["workspace"]["members"].as_array().expect("the workspace has members");
    let mut crates = Vec::new();
    for path in members.iter().filter_map(Value::as_str) {
        let manifest = read(&format!("{path}/Cargo.toml"));
        let name = manifest.as_ref().and_then(|manifest| manifest.get("package")?.get("name")?.as_str());
        match (name.map(str::to_owned), manifest) {
            (Some(name), Some(manifest)) => crates.push(Crate { name, path: path.to_owned(), manifest }),
            _ => findings.push(format!("{path}/Cargo.toml:1: not a manifest")),
        }
    }
    crates
}

fn dependency_tables(manifest: &Table) -> Vec<(&'static str, &Table)> {
    const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table).chain([manifest]);
    tables
        .flat_map(|table| SECTIONS.map(|section| (section, table.get(section).and_then(Value::as_table))))
        .filter_map(|(section, table)| Some((section, table?)))
        .collect()
}

fn level(name: &str) -> Option<u8> {
    LEVELS.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
}

fn is_shared(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}
