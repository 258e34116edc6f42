//! Rules for Rust text: how a file opens, how long it and its functions are, which words do not occur.
//!
//! Not a parser: comments and strings are blanked, then braces are counted. That is enough for these rules and needs no
//! dependency; formatting is rustfmt's business and meaning is clippy's.

use crate::files::{File, Repository};

const LINES_FUNCTION_MAX: usize = 70;
const LINES_FILE_MAX: usize = 400;

/// `(path, function or "" for the whole file, why it may be longer)`.
const LONGER: &[(&str, &str, &str)] = &[];

/// `(path, why unsafe is needed there)`.
const UNSAFE: &[(&str, &str)] = &[
    (
        "firmware-bridge/host/src/port/kernel.rs",
        "TIOCOUTQ, how much is still in the kernel: wrapped safely nowhere",
    ),
    ("agent/store/src/vec0.rs", "sqlite-vec is a C extension, and SQLite takes its entry point as a pointer"),
];

/// Text with comments, strings and character literals replaced by spaces, line by line as in the file.
pub(crate) struct Code(String);

/// A function as found in the text, lines counted from 1.
struct Function {
    name: String,
    line: usize,
    lines_of_code: usize,
}

impl Code {
    pub(crate) fn of(text: &str) -> Self {
        Self(blank_comments_and_strings(text))
    }

    /// The same without the items marked `#[cfg(test)]`.
    pub(crate) fn without_tests(&self) -> Self {
        let mut code = self.0.clone();
        while let Some(start) = code.find("#[cfg(test)]") {
            let end = end_of_item(&code, start);
            blank(&mut code, start, end);
        }
        Self(code)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Every place where `word` stands as a whole word, as a byte offset.
    pub(crate) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let code = &self.0;
        code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
            let before = code[..at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
    }

    /// The line, counted from 1, that holds this byte offset.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.0[..offset].matches('\n').count() + 1
    }

    fn functions(&self) -> Vec<Function> {
        self.words("fn").filter_map(|at| self.function_at(at)).collect()
    }

    fn function_at(&self, at: usize) -> Option<Function> {
        let after = self.0[at + 2..].trim_start();
        let name: String = after.chars().take_while(|&letter| is_word(letter)).collect();
        if name.is_empty() {
            return None; // a function pointer type
        }
        let end = end_of_item(&self.0, at);
        let open = at + self.0[at..end].find('{')?;
        let lines_of_code = self.0[open + 1..end - 1].lines().filter(|line| !line.trim().is_empty()).count();
        Some(Function { name, line: self.line(at), lines_of_code })
    }
}

pub(crate) fn opening_lines(repository: &Repository) -> Vec<String> {
    // A `tests.rs` beside a module is described by that module.
    let rust = repository
        .files
        .iter()
        .filter(|file| file.path.ends_with(".rs") && !file.path.ends_with("/tests.rs"));
    rust.filter_map(|file| {
        let opening: String =
            file.text.lines().take_while(|line| line.starts_with("//!")).map(|line| &line[3..]).collect();
        (opening.split_whitespace().count() < 3)
            .then(|| format!("{}:1: say in a `//!` sentence what this module is for", file.path))
    })
    .collect()
}

pub(crate) fn lengths(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    let mut used = vec![false; LONGER.len()];
    for (file, code) in repository.rust().filter(|(file, _)| !is_test(&file.path)) {
        let mut too_long = |item: &str, line: usize, lines: usize, max: usize| {
            if lines <= max {
                return;
            }
            match LONGER.iter().position(|(path, name, _)| *path == file.path && *name == item) {
                Some(index) => used[index] = true,
                None => {
                    let what = if item.is_empty() { "this file" } else { item };
                    findings.push(format!("{}:{line}: {what} has {lines} lines, at most {max}", file.path));
                }
            }
        };
        let code = code.without_tests();
        for function in code.functions() {
            too_long(&function.name, function.line, function.lines_of_code, LINES_FUNCTION_MAX);
        }
        too_long("", 1, lines_without_tests(file, &code), LINES_FILE_MAX);
    }
    for ((path, item, _), _) in LONGER.iter().zip(used).filter(|(_, used)| !used) {
        findings.push(format!("{path}: the exception for `{item}` is no longer needed: remove it"));
    }
    findings
}

pub(crate) fn forbidden(repository: &Repository) -> Vec<String> {
    let mut findings = Vec::new();
    for (file, code) in repository.rust() {
        let mut finding =
            |at: usize, what: &str| findings.push(format!("{}:{}: {what}", file.path, code.line(at)));
        let places = |text| code.as_str().match_indices(text).map(|(at, _)| at);
        for at in code.words("unsafe") {
            if !UNSAFE.iter().any(|(path, _)| *path == file.path) {
                finding(at, "`unsafe` in a file that is not named for it");
            } else if !has_safety_comment(&file.text, code.line(at)) {
                finding(at, "`unsafe` needs a `// SAFETY:` comment above it");
            }
        }
        for at in places("[allow(") {
            finding(at, "`#[expect(lint, reason = \"..\")]` instead of `allow`");
        }
        for at in places("[expect(") {
            let attribute = code.as_str()[at..].split(']').next().unwrap_or_default();
            if !attribute.contains("reason") {
                finding(at, "an expected lint needs a reason");
            }
        }
        for at in places("#[ignore") {
            finding(at, "no test is left out: name what it needs and fail, or remove it");
        }
        for at in places("todo!").chain(places("unimplemented!")) {
            finding(at, "no placeholders");
        }
    }
    for (path, _) in UNSAFE {
        let used =
            repository.file(path).is_some_and(|file| Code::of(&file.text).words("unsafe").next().is_some());
        if !used {
            findings.push(format!("{path}:1: no longer needs its exception for `unsafe`: remove it"));
        }
    }
    findings
}

/// Within the three lines above.
fn has_safety_comment(text: &str, line: usize) -> bool {
    text.lines().take(line).skip(line.saturating_sub(4)).any(|line| line.contains("// SAFETY: "))
}

/// Folders whose every file is a test or a measurement.
pub(crate) fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "benches") || path.ends_with("/tests.rs")
}

fn lines_without_tests(file: &File, code: &Code) -> usize {
    // Blanked test items count as empty lines in `code`; everything else stands on the same line in both.
    let mut tests = 0;
    let whole = Code::of(&file.text);
    for (before, after) in whole.as_str().lines().zip(code.as_str().lines()) {
        tests += usize::from(before != after);
    }
    file.text.lines().count() - tests
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The end of the item that starts at `start`: its closing brace, or its semicolon.
fn end_of_item(code: &str, start: usize) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, letter) in code[start..].char_indices() {
        match letter {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => braces += 1,
            '}' if braces <= 1 => return start + at + 1,
            '}' => braces -= 1,
            ';' if braces == 0 && brackets == 0 => return start + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Replaces a range by spaces, line breaks kept; multi-byte letters become as many spaces as they have bytes.
fn blank(code: &mut String, start: usize, end: usize) {
    let blanked: String =
        code[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    code.replace_range(start..end, &blanked);
}

fn blank_comments_and_strings(text: &str) -> String {
    let mut code = text.to_owned();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let length = comment_length(rest).or_else(|| string_length(text, at)).or_else(|| letter_length(rest));
        match length {
            Some(length) => {
                blank(&mut code, at, at + length);
                at += length;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    code
}

fn comment_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] if depth == 1 => return Some(at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    Some(rest.len())
}

/// Plain, byte and raw strings, from the quote or the `r` on.
fn string_length(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let inside_word = text[..at].chars().next_back().is_some_and(|letter| is_word(letter) && letter != 'b');
    if rest.starts_with('r') && !inside_word {
        let hashes = rest[1..].bytes().take_while(|&byte| byte == b'#').count();
        if rest[1 + hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = 2 + hashes;
            return Some(rest[body..].find(&close).map_or(rest.len(), |end| body + end + close.len()));
        }
    }
    if !rest.starts_with('"') {
        return None;
    }
    let mut escaped = false;
    for (offset, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(offset + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// A character literal; a lifetime has no closing quote.
fn letter_length(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    let mut letters = inner.char_indices();
    let (_, first) = letters.next()?;
    if first == '\\' {
        letters.next()?;
        return letters.find(|(_, letter)| *letter == '\'').map(|(at, _)| at + 2);
    }
    let (at, second) = letters.next()?;
    (second == '\'').then_some(at + 2)
}

#[test]
fn blanks_what_is_not_code() {
    let check = |text: &str, code: &str| assert_eq!(Code::of(text).as_str(), code, "{text}");
    check("a // unsafe\nb", "a          \nb");
    check("a/*x/*y*/z*/b", "a           b");
    check(r#"f("}\"{") + g"#, "f(      ) + g");
    check(r##"f(r#"{"}"#)"##, "f(        )");
    check("'{' '\\'' &'a str", "         &'a str");
}

#[test]
fn counts_code_and_not_tests() {
    let text = "fn a() {\n    // why\n\n    b();\n}\n#[cfg(test)]\nmod tests {\n    fn c() {}\n}\n";
    let functions = Code::of(text).without_tests().functions();
    let found: Vec<_> = functions.iter().map(|it| (it.name.as_str(), it.line, it.lines_of_code)).collect();
    assert_eq!(found, [("a", 1, 1)]);
    let file = File { path: "a.rs".into(), text: text.into() };
    assert_eq!(lines_without_tests(&file, &Code::of(text).without_tests()), 5);
}
