//! Cuts a message into words, digits, quotations and marks, each with its place in the text. It knows no command and loses no
//! place, so that what has to be kept word for word can be cut out of the message.

use super::number::Amount;

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// Small letters, spelled as the grammar spells it.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A word.
    Word,
    /// A word with a capital first letter.
    Name,
    /// One of `, . ? ! : ( {` and the like; `{` stands for all signs of code.
    Mark,
    /// All that stands between two quotation marks.
    Quote,
    /// A number without a unit.
    Number(f64),
    /// A number with a unit.
    Amount(Amount),
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        self.text == word
    }

    /// Whether it is one of these words, with blanks between them.
    pub(super) fn is_any(&self, words: &str) -> bool {
        super::phrase::is_one_of(&self.text, words)
    }

    pub(super) const fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Name)
    }

    /// Whether a sentence ends here.
    pub(super) fn ends_sentence(&self) -> bool {
        self.kind == Kind::Mark && self.is_any(". ? !")
    }
}

/// The pieces of a message, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter { text, at: 0, tokens: Vec::new(), is_single_quote_open: true };
    while let Some(letter) = cutter.peek(0) {
        cutter.take(letter);
    }
    cutter.tokens
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    /// Whether a later single quote may still close one: false once none was found, which keeps the work linear.
    is_single_quote_open: bool,
}

impl Cutter<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text[self.at..].chars().nth(ahead)
    }

    fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    fn push(&mut self, kind: Kind, text: &str, bytes: usize) {
        let (from, to) = (self.at, self.at + bytes);
        self.tokens.push(Token { text: text.to_owned(), kind, from, to });
        self.at = to;
    }

    fn take(&mut self, letter: char) {
        let is_digit_next = self.peek(1).is_some_and(|next| next.is_ascii_digit());
        let starts = !self.before().is_some_and(char::is_alphanumeric);
        match letter {
            '0'..='9' => self.number(),
            '.' | '-' | '−' | '+' if is_digit_next && starts && self.before() != Some('.') => self.number(),
            '#' if self.is_colour() => {
                self.push(Kind::Word, &self.text[self.at..self.at + 7].to_lowercase(), 7)
            }
            _ if letter.is_alphabetic() => self.word(),
            '"' | '“' | '”' | '„' | '«' | '»' => self.double_quote(letter),
            '\'' | '’' | '‘' => self.single_quote(letter),
            _ => self.mark(letter),
        }
    }

    fn is_colour(&self) -> bool {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 7);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    /// Digits with a sign, a point or a comma, or a fraction; what letters make no number is a word.
    fn number(&mut self) {
        let rest = &self.text[self.at..];
        let sign = rest.chars().next().filter(|first| matches!(first, '-' | '−' | '+'));
        let skip = sign.map_or(0, char::len_utf8);
        let digits = &rest[skip..];
        let is_part = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | ',' | ':' | '/');
        let run = digits.find(|letter: char| !is_part(letter)).unwrap_or(digits.len());
        let run = digits[..run].trim_end_matches(['.', ',', ':', '/']);
        let value = value_of(run).map(|value| if matches!(sign, Some('-' | '−')) { -value } else { value });
        let text = run.to_owned();
        // "1) lights on 2) photo" counts commands.
        let is_item = sign.is_none()
            && text.len() <= 2
            && rest[text.len()..].starts_with(')')
            && self.before().is_none_or(char::is_whitespace);
        if is_item {
            return self.push(Kind::Mark, ".", text.len() + 1);
        }
        match value {
            Some(value) => self.push(Kind::Number(value), &text, skip + text.len()),
            None => self.push(Kind::Word, &text, skip + text.len()),
        }
        if let Some(sign) = self.peek(0).filter(|sign| matches!(sign, '\'' | '"' | '’' | '”')) {
            self.inches(sign);
        }
    }

    /// `5'` is feet and `6"` inches, where the mark does not close a quotation.
    fn inches(&mut self, sign: char) {
        let is_open = self.tokens.iter().rev().take(40).any(|token| token.is("\""));
        let followed = self.peek(1).is_some_and(char::is_alphabetic);
        if followed || is_open {
            return;
        }
        let unit = if matches!(sign, '\'' | '’') { "foot" } else { "inch" };
        self.push(Kind::Word, unit, sign.len_utf8());
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let mut end = rest.len();
        let mut letters = rest.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            let next_is_letter = letters.peek().is_some_and(|(_, next)| next.is_alphabetic());
            let is_inside = letter.is_alphanumeric()
                || matches!(letter, '\u{300}'..='\u{36f}')
                || (matches!(letter, '\'' | '’') && next_is_letter);
            if !is_inside {
                end = at;
                break;
            }
        }
        let mut word = &rest[..end];
        // Units of speed are the only words with a stroke.
        let per = rest.get(end..end + 2).filter(|per| matches!(*per, "/s" | "/h"));
        if per.is_some() && matches!(word, "m" | "cm" | "km" | "mm") {
            word = &rest[..end + 2];
        }
        let kind = if word.chars().next().is_some_and(char::is_uppercase) { Kind::Name } else { Kind::Word };
        let small = word.to_lowercase().replace('’', "'");
        let bytes = word.len();
        self.push(kind, &small, bytes);
        if self.peek(0) == Some('(') {
            self.push(Kind::Mark, "{", 1);
        }
    }

    fn double_quote(&mut self, open: char) {
        let inside = self.at + open.len_utf8();
        let is_close = |letter: char| matches!(letter, '"' | '”' | '“' | '»' | '«');
        // What is never closed is a quotation to the end: the safe reading.
        let length = self.text[inside..].find(is_close).unwrap_or(self.text.len() - inside);
        self.quote(inside, inside + length);
    }

    fn single_quote(&mut self, open: char) {
        let inside = self.at + open.len_utf8();
        let opens = !self.before().is_some_and(char::is_alphanumeric)
            && self.text[inside..].chars().next().is_some_and(char::is_alphanumeric);
        if !opens || !self.is_single_quote_open {
            self.at = inside;
            return;
        }
        let rest = &self.text[inside..];
        let closes = |(at, mark): &(usize, &str)| {
            !rest[at + mark.len()..].chars().next().is_some_and(char::is_alphanumeric)
        };
        match rest.match_indices(['\'', '’']).find(closes) {
            Some((length, _)) => self.quote(inside, inside + length),
            None => {
                self.is_single_quote_open = false;
                self.at = inside;
            }
        }
    }

    fn quote(&mut self, from: usize, to: usize) {
        self.tokens.push(Token { text: "\"".to_owned(), kind: Kind::Quote, from, to });
        let close = self.text[to..].chars().next().map_or(0, char::len_utf8);
        self.at = to + close;
    }

    fn mark(&mut self, letter: char) {
        let next = self.peek(1);
        let bytes = letter.len_utf8();
        let spaced = self.before().is_none_or(char::is_whitespace) || next.is_none_or(char::is_whitespace);
        match (letter, next) {
            (':' | ';', Some(')' | '(' | 'D' | 'P' | '-' | '*')) | ('<', Some('3')) => self.at += bytes + 1,
            ('.' | '?' | '!' | ',' | ':', _) => self.push(Kind::Mark, letter.encode_utf8(&mut [0; 4]), bytes),
            ('\n' | ';' | '…' | '。' | '！' | '？', _) => self.push(Kind::Mark, ".", bytes),
            ('-' | '–' | '—', Some('-')) => self.push(Kind::Mark, ",", bytes + 1),
            ('—' | '(' | ')', _) => self.push(Kind::Mark, ",", bytes),
            ('-' | '–', _) if spaced => self.push(Kind::Mark, ",", bytes),
            ('-' | '–', Some('0'..='9')) => self.push(Kind::Mark, "/", bytes),
            ('°' | 'º', _) => self.push(Kind::Word, "degree", bytes),
            ('½', _) => self.push(Kind::Number(0.5), "half", bytes),
            ('¼', _) => self.push(Kind::Number(0.25), "quarter", bytes),
            ('¾', _) => self.push(Kind::Number(0.75), "quarters", bytes),
            ('&', _) => self.push(Kind::Word, "and", bytes),
            ('%', _) => self.push(Kind::Word, "percent", bytes),
            ('🚫' | '❌' | '⛔' | '🙅', _) => self.push(Kind::Word, "never", bytes),
            ('+', _) if spaced => self.push(Kind::Word, "and", bytes),
            ('/' | '+' | '@' | '=', _) => self.push(Kind::Mark, "/", bytes),
            ('{' | '}' | '[' | ']' | '<' | '>' | '_' | '`' | '\\' | '|', _) => {
                self.push(Kind::Mark, "{", bytes)
            }
            _ => self.at += bytes,
        }
    }
}

/// `1`, `1.5`, `1,5`, `1,000`, `1/2`; not `10:30` or `1.2.3`.
fn value_of(run: &str) -> Option<f64> {
    if let Some((over, under)) = run.split_once('/') {
        let under: f64 = under.parse().ok().filter(|under| *under > 0.0)?;
        return Some(over.parse::<f64>().ok()? / under);
    }
    let plain = match run.split_once(',') {
        // Three digits behind a comma: thousands. Read the other way, the body would move when it should not.
        Some((whole, rest)) if rest.len() == 3 && !matches!(whole, "" | "0") => format!("{whole}{rest}"),
        Some((whole, rest)) => format!("{whole}.{rest}"),
        None => run.to_owned(),
    };
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found = tokens(text);
        let found: Vec<&str> = found.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn glued_forms_come_apart() {
        check("go fwd 50cm, 90°!", &["go", "fwd", "50", "cm", ",", "90", "degree", "!"]);
        check("don’t turn 1,5 m at 0.2m/s", &["don't", "turn", "1,5", "m", "at", "0.2", "m/s"]);
        check("drive 5' then 6\"", &["drive", "5", "foot", "then", "6", "inch"]);
        check("u-turn at 10:30", &["u", "turn", "at", "10:30"]);
        check("lights #00FF7f :)", &["lights", "#00ff7f"]);
    }

    #[test]
    fn a_quotation_is_one_piece() {
        check("say \"go, now\" ok", &["say", "\"", "ok"]);
        check("say 'it's fine' ok", &["say", "\"", "ok"]);
        check("the kids' toys, it's 'x", &["the", "kids", "toys", ",", "it's", "x"]);
        check("say \"go forward 1 m", &["say", "\""]);
        check("say “drive 6”", &["say", "\""]);
    }

    #[test]
    fn digits_are_read_as_people_write_them() {
        assert_eq!(value_of("1,5"), Some(1.5));
        assert_eq!(value_of("1,000"), Some(1000.0));
        assert_eq!(value_of("0,125"), Some(0.125));
        assert_eq!(value_of("3/4"), Some(0.75));
        assert_eq!(value_of(".5"), Some(0.5));
        assert_eq!(value_of("1.2.3"), None);
        assert_eq!(value_of("10:30"), None);
        assert_eq!(value_of("1/0"), None);
    }
}
