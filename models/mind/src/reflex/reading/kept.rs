//! The part of reading that takes words: those to speak, to keep, to look up, and questions. What is taken is never a command.

use super::{Reader, Step};
use crate::reflex::clause::{CORRECTIONS, Clause, Link};
use crate::reflex::command::{Command, command};
use crate::reflex::content::{Taker, cut_out, is_pointer, taker};
use crate::reflex::meaning::{Missing, Outside, Pass};
use crate::reflex::number::{Amount, Unit};
use crate::reflex::opener::{Asked, plain, strip};
use crate::reflex::outside::{is_secret, refused};
use crate::reflex::phrase::{is_whole, longest};
use crate::reflex::statement;
use crate::reflex::talk::{self, Topic};
use crate::reflex::token::{Kind, Token};
use crate::skills::Call;

impl Reader<'_> {
    /// Words to speak or to keep: to the end, or to a clear command behind them.
    pub(super) fn take_words(&mut self, taker: Taker, from: usize, length: usize, asked: Asked) {
        let start = from + length;
        let first_end = self.clauses[self.at - 1].to;
        // "Say: hello" has its words in the next clause.
        let follows = start >= first_end
            && self
                .clauses
                .get(self.at)
                .is_some_and(|next| matches!(next.link, Link::Colon | Link::Comma | Link::If | Link::And));
        if follows {
            self.at += 1;
        }
        let words_end = self.clauses[self.at - 1].to;
        let begin = if follows { self.clauses[self.at - 1].from } else { start };
        let words = &self.tokens[begin.min(words_end)..words_end];
        let bare = plain(words);
        let is_asked = self.tokens.get(self.sentence(from).0).is_some_and(|token| token.is("?"));
        let recalls = taker == Taker::Remember
            && self.tokens[from].is_any("remember remind")
            && (longest(words, "when|what|where|who|how|which|why|whose|whether|if").is_some()
                || (is_asked && self.tokens[from].is("remember") && asked == Asked::default()));
        if recalls {
            return self.recall(from);
        }
        if self.is_quotation(taker, words) {
            return;
        }
        let is_colon = self.clauses.get(self.at).is_some_and(|next| next.link == Link::Colon);
        if is_pointer(bare) && is_colon {
            let next = self.clauses[self.at];
            self.at += 1;
            return self.take_words(taker, next.from, 0, asked);
        }
        if is_pointer(bare) || (bare.is_empty() && !follows && words.len() < 2 && taker != Taker::Say) {
            let missing = if taker == Taker::Say { Missing::Speech } else { Missing::Note };
            return self.push(Step::Ask(missing));
        }
        if is_whole(words, "nothing; no more; what") {
            return;
        }
        self.go_to_end(taker, begin, words_end);
        let end = self.clauses[self.at - 1].to;
        let text = self.words(begin, end).to_owned();
        let words = self.tokens[begin..end].to_vec();
        self.keep(taker, &text, &words);
    }

    /// Words in quotation marks, with how often to say them.
    fn is_quotation(&mut self, taker: Taker, words: &[Token]) -> bool {
        let Some((quote, rest)) = words.split_first().filter(|(quote, _)| quote.kind == Kind::Quote) else {
            return false;
        };
        let often = match rest {
            [Token { kind: Kind::Amount(Amount { unit: Unit::Times, value, .. }), .. }] => *value,
            _ if strip(rest).0.is_empty() => 1.0,
            _ => return false,
        };
        let text = self.text[quote.from..quote.to].to_owned();
        for _ in (1..=10).take_while(|count| f64::from(*count) <= often) {
            self.keep(taker, &text, &words[..1]);
        }
        true
    }

    /// Takes the clauses that belong to the words.
    fn go_to_end(&mut self, taker: Taker, begin: usize, words_end: usize) {
        let is_command = self.is_clear(Clause { link: Link::Sentence, from: begin, to: words_end });
        while let Some(next) = self.clauses.get(self.at).copied() {
            let ends = match taker {
                Taker::RememberTo => next.link == Link::Sentence,
                _ => {
                    let comes_first = next.link == Link::After
                        && taker == Taker::Say
                        && self.tokens[next.from].is("you")
                        && self.is_clear(next);
                    !is_command
                        && (comes_first
                            || !matches!(next.link, Link::If | Link::Reason | Link::Before | Link::After))
                        && (self.is_clear(next) || self.takes_back(next))
                        || (next.link == Link::Sentence
                            && (self.takes_back(next) || taker == Taker::Remember))
                }
            };
            if ends {
                break;
            }
            self.at += 1;
        }
    }

    /// The text between two tokens, with the marks of a quotation.
    fn words(&self, begin: usize, end: usize) -> &'_ str {
        let (first, last) = (self.tokens[begin].from, self.tokens[end - 1].to);
        // The mark that ends a quotation belongs to the text.
        let last = if self.tokens[end - 1].kind == Kind::Quote {
            (last + 1..=self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or(last)
        } else {
            last
        };
        let first = if self.tokens[begin].kind == Kind::Quote { first.saturating_sub(1) } else { first };
        self.text.get(first..last).map(cut_out).unwrap_or_default()
    }

    /// What follows "What should I say?" are the words, unless it is plainly something else.
    pub(super) fn fills_words(&mut self, tokens: &[Token], clause: Clause) -> bool {
        let taker_asked = match self.before.steps.last() {
            Some(Step::Ask(Missing::Speech)) => Taker::Say,
            Some(Step::Ask(Missing::Note)) => Taker::Remember,
            _ => return false,
        };
        let (body, asked) = strip(tokens);
        let is_question =
            longest(body, talk::QUESTIONS).is_some() && self.tokens.last().is_some_and(|token| token.is("?"));
        let is_other = taker(body).is_some()
            || is_question
            || body.is_empty()
            || is_whole(body, "nothing; no; nope; nah; something; anything; you choose|decide")
            || longest(body, CORRECTIONS).is_some()
            || statement::cancels(body)
            || statement::mode(body, asked) == statement::Mode::Negated
            || matches!(command(body, asked, false), Some(Command::Stop | Command::Refuse(_)));
        if !self.before.was_asked || self.at != 1 || !self.steps.is_empty() || is_other {
            return false;
        }
        let begin = clause.from + usize::from(taker_asked == Taker::Remember && tokens[0].is("that"));
        let words = self.tokens[begin.min(self.tokens.len() - 1)..].to_vec();
        let text = self.text.get(words[0].from..).map(cut_out).unwrap_or_default().to_owned();
        self.keep(taker_asked, &text, &words);
        self.at = self.clauses.len();
        true
    }

    pub(super) fn takes_back(&self, clause: Clause) -> bool {
        let (body, _) = strip(self.slice(clause));
        let rest = longest(body, CORRECTIONS).map_or(body, |length| strip(&body[length..]).0);
        statement::cancels(body) || (rest.len() < body.len() && (taker(rest).is_some() || rest.is_empty()))
    }

    pub(super) fn keep(&mut self, taker: Taker, text: &str, words: &[Token]) {
        if text.is_empty() {
            return self.push(Step::Ask(if taker == Taker::Say { Missing::Speech } else { Missing::Note }));
        }
        let text = text.to_owned();
        let step = match taker {
            Taker::Say => Step::Calls(vec![Call::Say { text }]),
            _ if is_secret(words) => Step::Refuse(Outside::Secret),
            _ => Step::Calls(vec![Call::Remember { text }]),
        };
        self.push(step);
    }

    pub(super) fn recall(&mut self, from: usize) {
        let (to, next) = self.sentence(from);
        let end = self.tokens[to - 1].to;
        let marked = self.text[end..].starts_with('?');
        let query = cut_out(&self.text[self.tokens[from].from..end + usize::from(marked)]).to_owned();
        self.at = next;
        self.push(Step::Calls(vec![Call::Recall { query }]));
    }

    /// A question goes to the end of its sentence, or to a clear command behind a part that is known.
    pub(super) fn question(&mut self, from: usize, asked: Asked) {
        let first_to = self.clauses[self.at - 1].to;
        let (to, next) = self.sentence(from);
        let mut lead = 0;
        if asked.by_ability || asked.by_request {
            lead =
                longest(&self.tokens[from..first_to], "tell|let|show me us? know?; remind me").unwrap_or(0);
        }
        let skip = lead.max(longest(&self.tokens[from..first_to], "tell|telling|remind me|us").unwrap_or(0));
        let first = talk::question(&self.tokens[from + skip..first_to]);
        let follows = self.clauses.get(self.at).copied().filter(|_| self.at < next);
        let is_known = !matches!(first, Topic::Pass(Pass::Unknown) | Topic::Recall);
        if follows.is_some_and(|follows| {
            follows.link != Link::If && is_known && (self.is_clear(follows) || first == Topic::Battery)
        }) {
            return self.answer(first, from + lead);
        }
        let whole = if to > from + skip { talk::question(&self.tokens[from + skip..to]) } else { first };
        // "Please reset the e-stop?" and "is the token ..." are requests and questions; only the first is refused.
        if let Some(outside) = refused(&self.tokens[from..to])
            .filter(|outside| asked != Asked::default() || *outside == Outside::Secret)
        {
            self.at = next;
            return self.push(Step::Refuse(outside));
        }
        self.answer(whole, from + lead);
        self.at = self.at.max(next);
    }

    pub(super) fn answer(&mut self, topic: Topic, from: usize) {
        match topic {
            Topic::Battery if self.steps.last() == Some(&Step::Calls(vec![Call::Battery])) => {}
            Topic::Battery => self.push(Step::Calls(vec![Call::Battery])),
            Topic::Status if self.steps.last() == Some(&Step::Calls(vec![Call::Status])) => {}
            Topic::Status => self.push(Step::Calls(vec![Call::Status])),
            Topic::Recall => self.recall(from),
            Topic::Pass(pass) => self.pass = Some(pass),
        }
    }
}

/// Whether a clause asks to be told something.
pub(super) fn starts_tell(body: &[Token]) -> bool {
    longest(
        body,
        "\
            tell|telling|remind|show|showing|ask me|us what|where|when|who|how|which|if|about|whether|whose; let \
            me know what|where|when|who|how|if; recall|find what|when|where|who; search|check your? memory|notes \
            for|about; look up what|when|where i|we; tell me about my|our; tell me everything you know about; \
            find my|our",
    )
    .is_some()
}
