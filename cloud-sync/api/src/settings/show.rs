//! The configuration in force as TOML, every value with where it came from.

use std::fmt::Write;

use super::{Entry, Key, Settings};

/// TOML that would configure the same again. Each section stands once, whoever declared its keys; keys without a value stand as
/// comments with what they may be.
pub fn show(settings: &Settings) -> String {
    let mut text = String::new();
    // What has no section must stand before the first one.
    let mut sections = vec![""];
    for (key, _) in settings.all() {
        let (section, _) = split(key);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    for section in sections {
        if !section.is_empty() {
            write_line(&mut text, format_args!("\n[{section}]"));
        }
        for (key, entry) in settings.all().filter(|(key, _)| split(key).0 == section) {
            show_one(&mut text, key, entry);
        }
    }
    text
}

fn show_one(text: &mut String, key: &Key, entry: Option<&Entry>) {
    let (_, name) = split(key);
    match entry {
        Some(entry) => {
            let value = format!("{name} = {}", entry.value);
            write_line(text, format_args!("{value:<40} # {}; {}", entry.source, key.help));
        }
        None => write_line(text, format_args!("# {name}: not set; {}; {}", key.kind, key.help)),
    }
}

fn split(key: &Key) -> (&'static str, &'static str) {
    key.name.split_once('.').unwrap_or(("", key.name))
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    if writeln!(text, "{line}").is_err() {
        text.push('\n');
    }
}
