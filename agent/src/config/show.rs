//! The configuration in force as TOML, every value with where it came from.

use std::fmt::Write;

use crate::settings::Settings;

/// TOML that would configure the same again. Keys without a value stand as comments with what they may be.
pub fn show(settings: &Settings) -> String {
    let mut text = String::new();
    let mut section = "";
    for (key, entry) in settings.all() {
        let (in_section, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if in_section != section {
            section = in_section;
            write_line(&mut text, format_args!("\n[{section}]"));
        }
        match entry {
            Some(entry) => {
                let value = format!("{name} = {}", entry.value);
                write_line(&mut text, format_args!("{value:<40} # {}; {}", entry.source, key.help));
            }
            None => write_line(&mut text, format_args!("# {name}: not set; {}; {}", key.kind, key.help)),
        }
    }
    text
}

fn write_line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    if writeln!(text, "{line}").is_err() {
        text.push('\n');
    }
}
