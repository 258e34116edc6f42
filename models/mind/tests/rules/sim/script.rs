//! What a model would say to a question, word by word, and how it goes on with what another one said.

use super::chance::Chance;

/// What a question is answered with by every tier.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) text: String,
    pub(super) calls: usize,
}

impl Script {
    /// No word of it stands in another user's or another question's.
    pub(super) fn new(seed: u64, scope: u64, question: u64, has_tools: bool) -> Self {
        let mut chance = Chance::new(seed ^ (scope << 40) ^ (question << 50) ^ 0xabc);
        let calls = if has_tools { chance.between(0, 2) as usize } else { 0 };
        let text = match chance.between(0, 19) {
            _ if calls > 0 && chance.percent(50) => String::new(),
            0..=1 => ideographs(&mut chance, scope, question),
            2 => unbroken(&mut chance),
            3 if chance.percent(3) => words(&mut chance, scope, question, 9_000),
            4 => words(&mut chance, scope, question, 2),
            _ => {
                let count = chance.between(1, 60);
                words(&mut chance, scope, question, count)
            }
        };
        Self { text, calls }
    }
}

fn letters(mut number: u64, text: &mut String) {
    loop {
        text.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return;
        }
    }
}

fn words(chance: &mut Chance, scope: u64, question: u64, count: u64) -> String {
    let separators: &[&str] = if chance.percent(20) {
        &[" "]
    } else {
        &[
            " ",
            " ",
            " ",
            " ",
            " ",
            " ",
            " ",
            " ",
            " ",
            ". ",
            ". ",
            "! ",
            "?! ",
            ", ",
            "… ",
            ".\n",
            "\n\n",
            ":\n- ",
            "  ",
            ".\" ",
            " e.g. ",
            " 3. ",
            ".) ",
            " 👍🏽 ",
            "; ",
        ]
    };
    let mut text = String::new();
    for index in 0..count {
        if chance.percent(10) {
            text.push_str("Cafe\u{301}");
        }
        letters(scope * 31 + question, &mut text);
        letters(chance.between(26, 30_000), &mut text);
        text.push('q');
        letters(index, &mut text);
        if index + 1 < count {
            text.push_str(chance.one_of(separators));
        }
    }
    text.push_str(chance.one_of(&["", ".", "!", ".\""]));
    text
}

fn ideographs(chance: &mut Chance, scope: u64, question: u64) -> String {
    let first = 0x4e00 + (scope * 4 + question) as u32 * 700;
    let count = chance.between(5, 400) as u32;
    let mut text = String::new();
    for letter in first..first + count {
        text.extend(char::from_u32(letter));
        if chance.percent(8) {
            text.push_str(chance.one_of(&["。", "！", "，", "。」"]));
        }
    }
    text
}

fn unbroken(chance: &mut Chance) -> String {
    let mut text = String::new();
    for _ in 0..chance.between(20, 300) {
        letters(chance.next() % 500_000, &mut text);
    }
    text
}

/// How a model goes on: it does so at once, repeats the end, or starts all over.
pub(super) fn continuation(chance: &mut Chance, script: &str, said: &str) -> String {
    let Some(rest) = script.strip_prefix(said) else { return String::new() };
    if said.is_empty() {
        return rest.to_owned();
    }
    let other = |text: &str| text.replace(' ', "\n");
    match chance.between(0, 6) {
        0..=1 => rest.to_owned(),
        2 => rest.trim_start().to_owned(),
        3 if rest.starts_with(char::is_whitespace) => format!(" {}", rest.trim_start()),
        4 => {
            let from = tail(chance, said);
            format!("{}{rest}", &said[from..])
        }
        5 => {
            let from = tail(chance, said);
            format!("{}{rest}", other(&said[from..]))
        }
        _ if chance.percent(50) => format!("{}{rest}", other(said)),
        _ => script.to_owned(),
    }
}

/// Where a repetition of the end begins: with a word, and not by chance.
fn tail(chance: &mut Chance, said: &str) -> usize {
    let starts: Vec<usize> = said
        .match_indices(' ')
        .map(|(at, _)| at + 1)
        .filter(|at| !said[*at..].starts_with(char::is_whitespace) && said.len() - at >= 12)
        .collect();
    let last = starts.len().saturating_sub(30);
    if starts.is_empty() { said.len() } else { chance.one_of(&starts[last..]) }
}

/// Pieces as they come from a network.
pub(super) fn pieces(chance: &mut Chance, text: &str) -> Vec<String> {
    let most = chance.one_of(&[1, 4, 12, 40, 4_000]).max(text.len() as u64 / 300);
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.ceil_char_boundary(chance.between(1, most) as usize);
        // White space comes whole: of half of it nobody could know the rest.
        let is_space = |at: usize| rest[at..].starts_with(char::is_whitespace);
        while end < rest.len() && is_space(end) {
            end += 1;
        }
        pieces.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    pieces
}
