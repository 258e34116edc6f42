//! Reads the clauses of one message in order and keeps what they ask for as steps. Reports, conditions, negations and
//! questions end here; what remains are commands, each of which had a place for every word.

use cloud_sync_protocol::persona::Mood;

use super::clause::{CORRECTIONS, Clause, Link, clauses};
use super::command::command;
use super::content::taker;
use super::frame::Frame;
use super::meaning::{Missing, Outside, Pass};
use super::opener::{Asked, is_polite, plain, strip};
use super::outside::{harms, refused};
use super::phrase::{anywhere, has, is_whole, longest};
use super::statement::{self, Mode};
use super::talk::{self, Topic};
use super::token::Token;
use crate::skills::{Call, Skill};

mod doubt;
mod kept;
mod moving;
mod steps;

use kept::starts_tell;

/// One thing that a message asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Motion(Frame),
    Calls(Vec<Call>),
    Ask(Missing),
    Refuse(Outside),
    Stop,
}

/// Steps that a message can repeat; a chain of "again" would have no end.
const STEPS_MAX: usize = 60;
/// Clauses that are read; more of them are no message to a robot.
const CLAUSES_MAX: usize = 80;
/// Tokens of a sentence in which rules are looked for.
const SENTENCE_MAX: usize = 80;

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reading {
    pub steps: Vec<Step>,
    pub pass: Option<Pass>,
    /// Whether the message had more clauses than are read.
    pub is_cut: bool,
}

/// What the turns before left.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    pub steps: Vec<Step>,
    /// The unit that Robbie asked for, worth this much.
    pub asked_unit: Option<super::number::Amount>,
    /// Whether Robbie's turn was a question.
    pub was_asked: bool,
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    clauses: Vec<Clause>,
    before: &'a Before,
    at: usize,
    steps: Vec<Step>,
    /// Steps of the sentences before this one.
    sentence_start: usize,
    is_sentence_blocked: bool,
    is_correcting: bool,
    /// "No" or "wait" was said, and nothing since.
    is_taken_back: bool,
    has_condition: bool,
    /// Where the next step is put in: before the last one.
    is_before_last: bool,
    pass: Option<Pass>,
}

/// Reads a message.
pub(super) fn read(text: &str, tokens: &[Token], before: &Before) -> Reading {
    let all = clauses(tokens);
    let read = &all[..all.len().min(CLAUSES_MAX)];
    let mut reader = Reader {
        text,
        tokens,
        clauses: read.to_vec(),
        before,
        at: 0,
        steps: Vec::new(),
        sentence_start: 0,
        is_sentence_blocked: false,
        is_correcting: false,
        is_taken_back: false,
        has_condition: false,
        is_before_last: false,
        pass: None,
    };
    while reader.at < reader.clauses.len() {
        let clause = reader.clauses[reader.at];
        if clause.link == Link::Sentence {
            reader.end_sentence();
        }
        reader.at += 1;
        reader.clause(clause);
    }
    reader.end_sentence();
    if reader.is_taken_back {
        // What follows a "no" and is not understood leaves nothing to do.
        reader.steps.retain(|step| *step == Step::Stop);
        reader.pass = reader.pass.or(Some(Pass::Withdrawn)).filter(|_| !tokens.is_empty());
    }
    if reader.has_condition && !reader.steps.is_empty() && !reader.steps.contains(&Step::Stop) {
        reader.steps = vec![Step::Ask(Missing::Moment)];
    }
    if reader.has_condition && reader.steps.contains(&Step::Stop) {
        reader.steps = vec![Step::Stop];
    }
    Reading { steps: reader.steps, pass: reader.pass, is_cut: read.len() < all.len() }
}

impl<'a> Reader<'a> {
    fn end_sentence(&mut self) {
        if self.is_sentence_blocked {
            let kept: Vec<Step> = self
                .steps
                .drain(self.sentence_start..)
                .filter(|step| matches!(step, Step::Stop | Step::Refuse(_)))
                .collect();
            self.steps.extend(kept);
            self.is_sentence_blocked = false;
        }
        self.sentence_start = self.steps.len();
    }

    fn slice(&self, clause: Clause) -> &'a [Token] {
        &self.tokens[clause.from..clause.to]
    }

    /// The tokens from the beginning of a clause to the end of its sentence, and the clause after it.
    fn sentence(&self, from: usize) -> (usize, usize) {
        let mut next = self.at;
        while next < self.clauses.len() && self.clauses[next].link != Link::Sentence {
            next += 1;
        }
        let to = self.clauses[next - 1].to;
        (to.max(from), next)
    }

    fn clause(&mut self, clause: Clause) {
        let tokens = &self.tokens[clause.from..clause.to];
        match clause.link {
            Link::If => return self.condition(tokens, clause),
            Link::Reason => return,
            _ => {}
        }
        if self.fills_words(tokens, clause) {
            return;
        }
        // What comes behind "the note says:" is all of it words of others.
        if self.clauses.get(self.at).is_some_and(|next| next.link == Link::Colon) && !leads_to_words(tokens) {
            // Rules are not asked away in others' words either.
            if let Some(outside) = refused(self.tokens).filter(|outside| *outside == Outside::Rules) {
                self.steps.push(Step::Refuse(outside));
            }
            self.at = self.clauses.len();
            return;
        }
        if let Some(pass) = talk::small_talk(tokens) {
            self.pass = self.pass.or(Some(pass));
            return;
        }
        if statement::supposes(plain(tokens)) {
            self.at = self.sentence(clause.from).1;
            return;
        }
        if tokens.len() <= 3 && anywhere(tokens, "you ok|alright|fine|good") && !has(tokens, "are") {
            return self.answer(Topic::Status, clause.from);
        }
        if self.answers(tokens) {
            return;
        }
        let is_right = tokens.len() == 1
            && tokens[0].is_any("right look see")
            && clause.link == Link::Sentence
            && !self.before.was_asked;
        if is_right && self.at < self.clauses.len() && self.clauses[self.at].link != Link::Sentence {
            return;
        }
        // "No more sulking", "enough gaping": something else is to end.
        let ended = longest(plain(tokens), "enough of? the|that|this|your?; no more of? the|that|this|your?");
        if ended
            .is_some_and(|length| plain(tokens).get(length).is_some_and(|next| next.text.ends_with("ing")))
        {
            self.pass = Some(Pass::Negated);
            return;
        }
        let (body, asked) = strip(tokens);
        if let Some(done) = self.again(tokens) {
            return done;
        }
        if body.is_empty() {
            if self.pass.is_none() {
                self.pass = talk::small_talk(plain(tokens));
            }
            return;
        }
        let body_from = clause.from + offset(tokens, body);
        if self.corrects(body, clause) {
            return;
        }
        self.plain_clause(body, body_from, asked, clause);
    }

    /// "Off" and "playful" after Robbie asked what to do with its lights, or which mood.
    fn answers(&mut self, tokens: &[Token]) -> bool {
        let [word] = plain(tokens) else { return false };
        let call = match self.before.steps.last() {
            Some(Step::Ask(Missing::Light)) if word.is_any("on off") => {
                Call::Lights { on: Some(word.is("on")), color: None }
            }
            Some(Step::Ask(Missing::Mood)) => match Mood::named(&word.text) {
                Some(mood) => Call::SetMood { mood },
                None => return false,
            },
            _ => return false,
        };
        self.push(Step::Calls(vec![call]));
        true
    }

    /// Words that take back what was said. True where the clause ends with them.
    fn corrects(&mut self, body: &[Token], clause: Clause) -> bool {
        let mut rest = body;
        loop {
            if statement::cancels(rest) {
                self.steps.clear();
                self.sentence_start = 0;
                if rest[0].is_any("don't not never") {
                    self.negated(rest);
                }
                self.pass = Some(Pass::Withdrawn);
                return true;
            }
            if self.denies(rest) {
                self.negated(rest);
                return true;
            }
            let length = longest(rest, CORRECTIONS).filter(|_| !statement::is_no_noun(rest));
            let Some(length) = length else { break };
            self.is_correcting = true;
            self.is_taken_back |= has(&rest[..length], "no wait hold") && !self.steps.is_empty();
            rest = strip(&rest[length..]).0;
            if rest.is_empty() {
                return true;
            }
        }
        if rest.len() == body.len() {
            return false;
        }
        let from = clause.from + offset(&self.tokens[clause.from..clause.to], rest);
        self.clause(Clause { link: Link::Comma, from, ..clause });
        true
    }

    /// "No turn left 90": with nothing before that it could correct, and in one breath, it more likely forbids.
    fn denies(&self, body: &[Token]) -> bool {
        let is_fresh = self.steps.is_empty() && self.before.steps.is_empty();
        let [no, next, ..] = body else { return false };
        is_fresh
            && no.is("no")
            && !next.is_any("light lights stop halt wait no sorry freeze more problem worries")
    }

    fn plain_clause(&mut self, body: &[Token], from: usize, mut asked: Asked, clause: Clause) {
        asked.by_gerund |= matches!(clause.link, Link::After | Link::Before);
        let mode = statement::mode(body, asked);
        let sentence = &self.tokens[from..self.sentence(from).0.min(from + SENTENCE_MAX)];
        let tricks = has(body, "pretend owner admin administrator developer creator")
            || !body[0].is_any("i he she they the we");
        if matches!(mode, Mode::Reported | Mode::Hypothetical | Mode::Statement)
            && tricks
            && taker(body).is_none()
            && let Some(outside) = refused(sentence)
        {
            self.at = self.sentence(from).1;
            return self.steps.push(Step::Refuse(outside));
        }
        if mode == Mode::Negated {
            return self.negated(body);
        }
        if let Some((taker, length)) =
            taker(body).filter(|_| !matches!(mode, Mode::Reported | Mode::Statement))
        {
            return self.take_words(taker, from, length, asked);
        }
        if let Some(command) = command(body, asked, self.was_lights()) {
            return self.command(command, clause);
        }
        let is_cry = longest(body, "what a|an|0; how nice|lovely|sweet|funny|cute|sad|great|awful").is_some();
        if longest(body, talk::QUESTIONS).is_some() && !is_cry
            || talk::named(body).is_some()
            || starts_tell(body)
        {
            return self.question(from, asked);
        }
        if let Some(outside) = refused(body).filter(|_| !matches!(mode, Mode::Reported | Mode::Hypothetical))
        {
            return self.steps.push(Step::Refuse(outside));
        }
        if harms(body) && matches!(mode, Mode::Request) {
            return self.steps.push(Step::Refuse(Outside::Harm));
        }
        if let Some(pass) = talk::small_talk(body) {
            self.pass = Some(pass);
            return;
        }
        match mode {
            Mode::Reported if clause.link == Link::Comma && statement::quotes_before(body) => {
                self.is_sentence_blocked = true
            }
            Mode::Reported | Mode::Hypothetical => self.at = self.sentence(clause.from).1,
            Mode::Statement => self.statement(body),
            Mode::Aside => {}
            Mode::Text => self.at = self.clauses.len(),
            Mode::Request | Mode::Negated => self.unknown(body, clause),
        }
    }

    fn was_lights(&self) -> bool {
        let last = self.steps.last().or_else(|| self.before.steps.last());
        matches!(last, Some(Step::Calls(calls)) if calls.iter().any(|call| call.skill() == Skill::Lights))
    }
}

/// Clauses before a colon that leave what follows to the speaker.
fn leads_to_words(tokens: &[Token]) -> bool {
    let (body, _) = strip(tokens);
    body.is_empty()
        || is_polite(tokens)
        || taker(body).is_some()
        || is_whole(
            body,
            "\
                please; listen; new? command|order|task|instruction; question; correction; here's what i \
                want; do this|the following; one more thing",
        )
        || command(body, Asked::default(), false).is_some()
}

fn offset(outer: &[Token], inner: &[Token]) -> usize {
    inner
        .first()
        .map_or(outer.len(), |first| outer.iter().position(|token| token.from == first.from).unwrap_or(0))
}
