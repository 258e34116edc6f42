//! The part of reading that deals with what is no command: negations, statements, conditions, and clauses that nothing knows.

use super::{Reader, Step};
use crate::reflex::clause::{Clause, Link};
use crate::reflex::command::{Command, command};
use crate::reflex::content::{Taker, taker};
use crate::reflex::meaning::{Missing, Pass};
use crate::reflex::moods;
use crate::reflex::opener::strip;
use crate::reflex::phrase::anywhere;
use crate::reflex::statement::{self, Mode};
use crate::reflex::talk;
use crate::reflex::token::{Kind, Token};
use crate::skills::Call;

impl Reader<'_> {
    pub(super) fn negated(&mut self, body: &[Token]) {
        let stays =
            anywhere(body, "don't|never|not move|go|drive|run anywhere|away|off?; stay") && body.len() <= 4;
        self.pass = Some(if stays { Pass::StayPut } else { Pass::Negated });
        self.is_correcting = false;
        while self.clauses.get(self.at).is_some_and(|next| {
            matches!(next.link, Link::And | Link::Then | Link::If | Link::Before | Link::After)
        }) {
            self.at += 1;
        }
    }

    /// A statement ends at the next clause that is a command beyond doubt.
    pub(super) fn statement(&mut self, body: &[Token]) {
        let is_plain = !statement::reports(body);
        while let Some(next) = self.clauses.get(self.at).filter(|next| next.link != Link::Sentence) {
            let is_end = is_plain && matches!(next.link, Link::Comma | Link::But) && self.is_clear(*next);
            if is_end {
                if let Some(clause) = self.clauses.get_mut(self.at) {
                    clause.link = Link::Comma;
                }
                return;
            }
            self.at += 1;
        }
    }

    /// A clause that nothing here knows: next to a command in its sentence it makes the command doubtful.
    pub(super) fn unknown(&mut self, body: &[Token], clause: Clause) {
        let is_last = self.clauses.get(self.at).is_none_or(|next| next.link == Link::Sentence);
        let is_call = body.len() == 1 && body[0].kind == Kind::Word && is_last && clause.link == Link::Comma;
        let after_picture = clause.link == Link::And
            && matches!(self.steps.last(), Some(Step::Calls(calls)) if calls == &[Call::TakePicture]);
        // "Current pose and velocity".
        let after_status = clause.link == Link::And
            && matches!(self.steps.last(), Some(Step::Calls(calls)) if calls == &[Call::Status])
            && body
                .iter()
                .all(|token| token.is_any("velocity orientation speed temperature health location head"));
        // "Be sweet and kind to our visitors".
        let after_mood = clause.link == Link::And
            && moods::is_mood(&body[0])
            && matches!(self.steps.last(), Some(Step::Calls(calls)) if matches!(calls[..], [Call::SetMood { .. }]));
        if is_call || after_picture || after_status || after_mood || statement::is_other_task(body) {
            return;
        }
        self.is_sentence_blocked = true;
        if body[0].kind == Kind::Name && clause.link == Link::Sentence {
            self.at = self.sentence(clause.from).1;
        }
    }

    pub(super) fn condition(&mut self, tokens: &[Token], clause: Clause) {
        if statement::is_unreal(tokens) {
            self.at = self.sentence(clause.from).1;
            if self.steps.len() > self.sentence_start && !self.steps.contains(&Step::Stop) {
                self.has_condition = true;
            }
            return;
        }
        self.has_condition = true;
        // The command may follow without a comma: "if the door is open go forward 1 m".
        let last = tokens.len().min(24);
        for start in 1..last {
            let (body, asked) = strip(&tokens[start..]);
            let is_command = taker(body).is_some_and(|(taker, _)| taker == Taker::Say)
                || command(body, asked, false).is_some_and(|command| says_enough(&command));
            if is_command && !tokens[start - 1].is_any("you i to we they the he she your") {
                self.steps.push(Step::Ask(Missing::Moment));
                return;
            }
        }
    }

    /// Whether a clause is a command with its own verb and all of its slots.
    pub(super) fn is_clear(&self, clause: Clause) -> bool {
        let (body, mut asked) = strip(self.slice(clause));
        asked.by_gerund |= matches!(clause.link, Link::After | Link::Before);
        if body.is_empty() || statement::mode(body, asked) == Mode::Negated {
            return false;
        }
        match command(body, asked, false) {
            Some(Command::Motion(frame)) => {
                (frame.verb.is_some() || frame.is_noun || frame.way.is_some()) && frame.calls().is_ok()
            }
            Some(Command::Calls(calls)) => calls != [Call::Status],
            Some(Command::Stop) => true,
            Some(Command::Refuse(_)) => true,
            Some(Command::Ask(_) | Command::NotBody | Command::Color(_)) => false,
            None => {
                talk::named(body).is_some() && body.len() > 1
                    || taker(body).is_some_and(|(_, length)| body.len() > length)
            }
        }
    }
}

/// Whether a command inside a condition is more than a lone word.
fn says_enough(command: &Command) -> bool {
    !matches!(command, Command::Motion(frame) if frame.verb.is_none() || frame.much.is_none() && frame.way.is_none())
}
