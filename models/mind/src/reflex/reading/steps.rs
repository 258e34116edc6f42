//! The part of reading that puts what a command asks for in its place among the steps.

use super::{Reader, Step};
use crate::reflex::clause::{Clause, Link};
use crate::reflex::command::Command;
use crate::reflex::meaning::Missing;
use crate::reflex::phrase::has;
use crate::skills::Call;

impl Reader<'_> {
    pub(super) fn push(&mut self, step: Step) {
        // "Lights on, switch them on" is said twice and meant once.
        if let Step::Calls(calls) = &step
            && matches!(
                calls[..],
                [Call::Lights { .. } | Call::Battery | Call::Status | Call::SetMood { .. }]
            )
            && self.steps.last() == Some(&step)
        {
            return;
        }
        // "Have a look up, just look up" too.
        if let (Step::Motion(frame), Some(Step::Motion(last))) = (&step, self.steps.last())
            && matches!(last.calls().as_deref(), Ok([Call::Look { .. }]))
            && frame.calls() == last.calls()
            && self.clauses[self.at - 1].link == Link::Comma
        {
            return;
        }
        self.is_taken_back = false;
        if std::mem::take(&mut self.is_correcting) {
            self.steps.pop();
        }
        let at = if std::mem::take(&mut self.is_before_last) {
            self.steps.len().saturating_sub(1)
        } else {
            self.steps.len()
        };
        self.steps.insert(at, step);
    }

    pub(super) fn command(&mut self, command: Command, clause: Clause) {
        // "X after you Y": Y comes first. "Before you X, Y": Y comes first too, but is still to come.
        let is_opening = self.steps.len() == self.sentence_start;
        let swaps = match clause.link {
            Link::After => !is_opening,
            Link::Before => {
                is_opening
                    || matches!(self.slice(clause).first(), Some(token) if !token.is("you"))
                        && self.tokens[..clause.from].last().is_some_and(|token| token.is_any("that first"))
            }
            _ => false,
        };
        if clause.link == Link::Before && is_opening {
            self.apply(command, clause);
            self.is_before_last = true;
            return;
        }
        self.is_before_last |= swaps;
        self.apply(command, clause);
        self.is_before_last = false;
    }

    pub(super) fn apply(&mut self, command: Command, clause: Clause) {
        match command {
            Command::Motion(frame) => self.motion(frame, clause),
            Command::Calls(calls) if calls.is_empty() => {
                if self.steps.is_empty() {
                    self.push(Step::Ask(Missing::Light));
                }
            }
            Command::Calls(calls) => self.push(Step::Calls(calls)),
            Command::Color(color) => self.color(color),
            Command::Ask(missing) => self.push(Step::Ask(missing)),
            Command::Refuse(outside) => self.push(Step::Refuse(outside)),
            Command::Stop => {
                if std::mem::take(&mut self.is_correcting) {
                    self.steps.clear();
                    self.sentence_start = 0;
                }
                self.is_taken_back = false;
                if self.steps.last() != Some(&Step::Stop) {
                    self.push(Step::Stop);
                }
            }
            Command::NotBody => {
                let whole = Clause { to: self.sentence(clause.from).0, ..clause };
                let goes_on = self.clauses.get(self.at).is_some_and(|next| {
                    matches!(next.link, Link::Comma | Link::And | Link::But | Link::Then)
                        && self.is_clear(*next)
                });
                if !goes_on && !has(self.slice(whole), "left right forward") {
                    self.at = self.sentence(clause.from).1;
                }
            }
        }
    }
}
