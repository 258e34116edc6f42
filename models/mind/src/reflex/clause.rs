//! Cuts a message into clauses and says what joins each to the one before. It does not say what a clause means.

use super::number::Unit;
use super::phrase::{longest, match_at};
use super::token::{Kind, Token};

/// What stands before a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Sentence,
    Comma,
    Colon,
    And,
    Then,
    But,
    Before,
    After,
    /// A condition, or a time that has to come first.
    If,
    /// Why something is asked.
    Reason,
}

/// Some tokens of a message, `from` included and `to` not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clause {
    pub link: Link,
    pub from: usize,
    pub to: usize,
}

/// Words between clauses, and how they join; the first that fits counts.
const JOINTS: &[(&str, Link)] = &[
    ("and then", Link::Then),
    ("and after that", Link::Then),
    ("after that|this|which", Link::Then),
    ("followed by", Link::Then),
    ("and afterwards", Link::Then),
    ("before that", Link::Before),
    ("but before that", Link::Before),
    ("but first", Link::Before),
    ("and before that", Link::Before),
    ("then", Link::Then),
    ("afterwards", Link::Then),
    ("once you've|you|having", Link::After),
    ("after you've|having", Link::After),
    ("after you have", Link::After),
    ("prior to", Link::Before),
    ("ahead of", Link::Before),
    ("preceded by", Link::After),
    ("i.e", Link::Comma),
    ("that is to say", Link::Comma),
    ("in other words", Link::Comma),
    ("and", Link::And),
    ("plus", Link::And),
    ("but", Link::But),
    ("before", Link::Before),
    ("after", Link::After),
    ("as soon as", Link::If),
    ("as long as", Link::If),
    ("in case", Link::If),
    ("the moment", Link::If),
    ("each|every time", Link::If),
    ("if|unless|until|once|whenever|when|while|every|provided|otherwise|except", Link::If),
    ("because|cause|cuz|since|coz", Link::Reason),
    ("so that|i|we|you|the|it|they|he|she|my|everyone|people|nobody", Link::Reason),
    ("as it's|i|we|it", Link::Reason),
    (
        "so please|set|turn|go|drive|make|take|lights|switch|look|say|be|stop|can|could|robbie|move|put|come|back|forward|let's|left|right",
        Link::But,
    ),
];

/// Words that take back or correct what was said.
pub(super) const CORRECTIONS: &str = "\
    no wait|sorry|no|no?; wait; sorry; or rather; oops; whoops; i mean; i meant; correction; make that; \
    rather; er; hmm no; hold on; on second thought|thoughts; scratch that; never mind; nevermind; forget \
    it|that; cancel that|it; actually; better";

/// The clauses of a message, in order.
pub(super) fn clauses(tokens: &[Token]) -> Vec<Clause> {
    let mut cutter = Cutter { clauses: Vec::new(), link: Link::Sentence, from: 0 };
    let mut at = 0;
    while at < tokens.len() {
        at += cutter.step(tokens, at);
    }
    cutter.cut(tokens.len());
    cutter.clauses
}

struct Cutter {
    clauses: Vec<Clause>,
    link: Link,
    from: usize,
}

impl Cutter {
    fn cut(&mut self, at: usize) {
        if at > self.from {
            self.clauses.push(Clause { link: self.link, from: self.from, to: at });
            self.link = Link::Comma;
        }
        self.from = at;
    }

    /// Ends the clause and joins the next by `link`; of two joints in a row the one with more meaning stays.
    fn join(&mut self, at: usize, length: usize, link: Link) {
        let had_words = at > self.from;
        self.cut(at);
        let keeps = !had_words
            && matches!(self.link, Link::Sentence | Link::Colon)
            && matches!(link, Link::Comma | Link::And | Link::Then | Link::But);
        if !keeps {
            self.link = link;
        }
        self.from = at + length;
    }

    /// Looks at one place; how many tokens that took.
    fn step(&mut self, tokens: &[Token], at: usize) -> usize {
        let token = &tokens[at];
        let rest = &tokens[at..];
        let is_verb_part = token.is("after")
            && at > self.from
            && tokens[at - 1].is_any("repeat look looking run named called take");
        if is_verb_part {
            return 1;
        }
        if token.kind == Kind::Mark {
            let link = match token.text.as_str() {
                "." | "?" | "!" => Link::Sentence,
                // "Mood: playful", "lights: off".
                ":" if is_named_slot(&tokens[self.from..at]) => return 1,
                ":" => Link::Colon,
                "," => Link::Comma,
                _ => return 1,
            };
            self.join(at, 1, link);
            return 1;
        }
        const ASIDES: &str = "\
            nice and slow|slowly|easy|gently|gentle|steady|careful|smooth|quiet; slow and steady|easy; please \
            and thank you; slowly and carefully|gently; instead of|to \
            left|right|forward|backward|up|down|back|clockwise|counterclockwise; rather than \
            left|right|forward|backward|up|down|back; and not left|right|forward|backward|up|down|back";
        if let Some(length) = super::opener::polite_condition(rest).or_else(|| longest(rest, ASIDES)) {
            self.join(at, length, Link::Comma);
            return length;
        }
        if token.is("step") && rest.get(1).is_some_and(|next| matches!(next.kind, Kind::Number(_))) {
            self.join(at, 2, Link::Then);
            return 2;
        }
        if let Some(length) = time_ahead(rest) {
            self.join(at, 0, Link::If);
            self.link = Link::If;
            self.cut(at + length);
            return length;
        }
        let is_kept = at > 0 && tokens[at - 1].is_any("don't not never to you me us");
        if at > self.from && !is_kept && is_correction(rest) {
            self.join(at, 0, Link::Comma);
            return 1;
        }
        // "I'd be glad if you": the whole is how it is asked.
        if token.is_any("if whether and") && at > self.from {
            let start = &tokens[self.from..tokens.len().min(self.from + 16)];
            if super::opener::lead(start) > at - self.from {
                return 1;
            }
        }
        let joint = JOINTS.iter().find_map(|(phrase, link)| Some((match_at(rest, phrase)?, *link)));
        match joint {
            Some((_, link @ (Link::If | Link::Reason))) if !self.asks(tokens, at) => {
                self.join(at, 0, link);
                1
            }
            Some((_, Link::If | Link::Reason)) => 1,
            Some((_, Link::But)) if token.is("so") => {
                self.join(at, 1, Link::But);
                1
            }
            Some((length, link)) => {
                self.join(at, length, link);
                length
            }
            None => 1,
        }
    }

    /// "When is it", "since when", "once more" and "every" as the object of a word are no conditions.
    fn asks(&self, tokens: &[Token], at: usize) -> bool {
        let next = tokens.get(at + 1);
        let is_question = at == self.from
            && tokens[at].is("when")
            && next
                .is_some_and(|next| next.is_any("is are was were does do did will should can has have am"));
        let is_else = next.is_some_and(|next| next.is_any("more again upon")) && tokens[at].is("once");
        let before = if at > self.from { tokens.get(at - 1) } else { None };
        let is_object = before.is_some_and(|before| before.is_any("remember know what me see ask about of"));
        is_question || is_else || is_object
    }
}

/// Words that a colon only sets apart from what belongs to them.
fn is_named_slot(tokens: &[Token]) -> bool {
    longest(tokens, "your? mood|mode|lights|light|colour|turn|drive|look|move|head") == Some(tokens.len())
}

/// "In ten minutes", "at eight o'clock", "after 5 seconds", "every hour".
fn time_ahead(tokens: &[Token]) -> Option<usize> {
    let is_time = |token: Option<&Token>| match token.map(|token| token.kind) {
        Some(Kind::Amount(amount)) => matches!(amount.unit, Unit::Second | Unit::Other),
        _ => false,
    };
    let is_clock = |token: Option<&Token>| {
        token.is_some_and(|token| {
            token.text.contains(':') || token.is_any("noon midnight midday sunrise sunset dawn")
        })
    };
    let first = tokens.first()?;
    if first.is_any("in after at every") && is_time(tokens.get(1)) {
        return Some(2);
    }
    if first.is_any("at by") && is_clock(tokens.get(1)) {
        return Some(2);
    }
    longest(
        tokens,
        "\
            in a|an minute|moment|second|hour|while|bit|day|week; in the morning|evening|afternoon; \
            tomorrow|this|next morning|afternoon|evening|night|week; tomorrow|tonight|later|someday; next \
            week|month|year|time|monday|tuesday",
    )
}

fn is_correction(tokens: &[Token]) -> bool {
    if tokens[0].is("no") {
        let next = tokens.get(1);
        return next.is_none_or(|next| {
            next.kind == Kind::Mark
                || matches!(next.kind, Kind::Amount(_))
                || next.is_any("wait left right forward back backward sorry no stop up down i make don't")
        });
    }
    !tokens[0].is_any("better rather er wait sorry no") && longest(tokens, CORRECTIONS).is_some()
        || (tokens[0].is("wait") && tokens.len() > 1 && tokens[1].is_any("no stop sorry i"))
}

#[cfg(test)]
mod tests {
    use super::super::number::fold;
    use super::super::spell::spell;
    use super::super::token::tokens;
    use super::*;

    fn check(text: &str, expected: &[(Link, &str)]) {
        let tokens = fold(spell(tokens(text)));
        let found: Vec<(Link, &str)> = clauses(&tokens)
            .iter()
            .map(|clause| (clause.link, text[tokens[clause.from].from..tokens[clause.to - 1].to].trim()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn clauses_end_at_marks_and_joints() {
        check(
            "turn left, then go. Stop",
            &[(Link::Sentence, "turn left"), (Link::Then, "go"), (Link::Sentence, "Stop")],
        );
        check(
            "go one and a half metres and stop",
            &[(Link::Sentence, "go one and a half metres"), (Link::And, "stop")],
        );
        check("photo after you turn", &[(Link::Sentence, "photo"), (Link::After, "you turn")]);
        check("go until the wall", &[(Link::Sentence, "go"), (Link::If, "until the wall")]);
        check("in ten minutes turn", &[(Link::If, "in ten minutes"), (Link::Comma, "turn")]);
        check("if you can, go", &[(Link::Sentence, "go")]);
        check(
            "left 60 oops i meant 90",
            &[(Link::Sentence, "left 60"), (Link::Comma, "oops"), (Link::Comma, "i meant 90")],
        );
        check("when is it", &[(Link::Sentence, "when is it")]);
    }
}
