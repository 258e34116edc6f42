//! The part of reading that puts motions and colours together: slots that follow, corrections, answers, repetitions, the way back.

use super::{Reader, STEPS_MAX, Step};
use crate::reflex::clause::{Clause, Link};
use crate::reflex::frame::{Frame, Much, Verb};
use crate::reflex::meaning::Missing;
use crate::reflex::number::Amount;
use crate::reflex::opener::plain;
use crate::reflex::phrase::has;
use crate::reflex::statement;
use crate::reflex::token::Token;
use crate::skills::Call;

impl Reader<'_> {
    pub(super) fn color(&mut self, color: String) {
        if !self.is_correcting
            && let Some(Step::Calls(calls)) = self.steps.last_mut()
            && let Some(Call::Lights { on: Some(true), color: slot @ None }) = calls.last_mut()
        {
            *slot = Some(color);
            return;
        }
        let call = Step::Calls(vec![Call::Lights { on: None, color: Some(color) }]);
        if self.was_lights() {
            if self.steps.is_empty() {
                self.is_correcting = false;
            }
            self.push(call);
        } else if matches!(self.before.steps.last(), Some(Step::Ask(Missing::Light))) && self.steps.is_empty()
        {
            self.push(call);
        } else {
            self.is_sentence_blocked = true;
        }
    }

    pub(super) fn motion(&mut self, mut frame: Frame, clause: Clause) {
        let is_lone = frame.verb.is_none();
        if let (true, Some(Much::Bare(value)), Some(unit)) = (is_lone, frame.much, self.before.asked_unit) {
            frame.much = Some(Much::Measured(Amount { value: value * unit.scale, ..unit }));
        }
        if std::mem::take(&mut self.is_correcting) {
            let old = self.steps.pop().or_else(|| {
                self.before.steps.iter().rev().find(|step| matches!(step, Step::Motion(_))).cloned()
            });
            if let Some(Step::Motion(mut old)) = old
                && (is_lone || (frame.verb == old.verb && frame.calls().is_err()))
            {
                old.take(&frame);
                frame = old;
            }
            return self.push(Step::Motion(frame));
        }
        let is_fresh = self.steps.is_empty();
        let adds = has(self.slice(clause), "more another further");
        if let Some(Step::Motion(last)) = self.steps.last_mut() {
            if frame.is_verb_only() && last.verb.is_none() && clause.link == Link::Comma {
                last.verb = frame.verb;
                return;
            }
            // "Eyes front, to the front".
            if is_lone && frame.much.is_none() && frame.way == last.way && clause.link == Link::Comma {
                return;
            }
            let joins = matches!(clause.link, Link::Comma | Link::Sentence);
            let is_way = clause.link == Link::Comma && is_lone && frame.much.is_none() && last.way.is_none();
            let is_open = last.calls().is_err() || is_way;
            if joins && (is_lone || last.verb.is_none()) && is_open && last.fill(&frame) {
                return;
            }
            let looks = last.verb == Some(Verb::Look) && frame.much.is_none();
            if is_lone && (looks || frame.calls().is_err()) {
                frame.verb = last.verb;
            }
            // "Back up 10 cm, then 10 cm more".
            if is_lone && frame.way.is_none() && adds {
                frame.way = last.way;
            }
        } else if is_fresh
            && (is_lone || self.answers_amount(&frame))
            && let Some(Step::Motion(open)) = self.before.steps.last()
        {
            if open.verb == Some(Verb::Look) && open.calls().is_ok() && frame.much.is_none() {
                frame.verb = open.verb;
                return self.push(Step::Motion(frame));
            }
            // A place was asked about: the answer says how far it is.
            let mut whole = Frame { asks: None, ..open.clone() };
            if open.calls().is_err() && (whole.fill(&frame) || frame.much.is_some()) {
                if whole.much.is_none() || whole.way.is_none() && frame.way.is_some() {
                    whole.take(&frame);
                }
                return self.push(Step::Motion(whole));
            }
        }
        let is_number = is_lone && frame.way.is_none() && matches!(frame.much, Some(Much::Bare(_)));
        if is_number && is_fresh {
            self.is_sentence_blocked = true;
            return;
        }
        self.push(Step::Motion(frame));
    }

    /// "All the way round", after Robbie asked how far to turn to the right.
    fn answers_amount(&self, frame: &Frame) -> bool {
        let Some(Step::Motion(open)) = self.before.steps.last() else { return false };
        open.verb == frame.verb && open.calls().is_err() && frame.way.is_none() && frame.much.is_some()
    }

    /// "Again", "the other way", "and back".
    pub(super) fn again(&mut self, tokens: &[Token]) -> Option<()> {
        let plain = plain(tokens);
        let steps = if self.steps.is_empty() { &self.before.steps } else { &self.steps };
        if let Some(times) = statement::repeats(plain) {
            let calls: Vec<Step> = steps.iter().filter(|step| !matches!(step, Step::Stop)).cloned().collect();
            let is_open = calls.is_empty() || calls.iter().any(|step| matches!(step, Step::Ask(_)));
            if is_open || (calls.len() * times).saturating_add(self.steps.len()) > STEPS_MAX {
                self.push(Step::Ask(Missing::Motion));
            } else {
                (0..times).for_each(|_| self.steps.extend(calls.iter().cloned()));
            }
            return Some(());
        }
        let joined = self.at > 1
            && matches!(
                self.clauses[self.at - 1].link,
                Link::And | Link::Then | Link::Sentence | Link::Comma
            )
            || has(tokens, "now and")
            || self.clauses[self.at - 1].from > 0;
        let is_back = statement::is_back(plain);
        let is_other = statement::is_other_way(plain);
        if !is_other && !is_back {
            return None;
        }
        let last = steps.iter().rev().find_map(|step| match step {
            Step::Motion(frame) => frame.calls().ok(),
            _ => None,
        });
        match last {
            Some(calls) => {
                self.push(Step::Calls(calls.iter().rev().map(opposite).collect()));
                Some(())
            }
            None if is_other => {
                self.push(Step::Ask(Missing::Motion));
                Some(())
            }
            None => {
                let _ = joined;
                None
            }
        }
    }
}

fn opposite(call: &Call) -> Call {
    match call {
        Call::Drive { distance_m } => Call::Drive { distance_m: -distance_m },
        Call::Turn { angle_deg } => Call::Turn { angle_deg: -angle_deg },
        Call::Look { direction, pan_deg, tilt_deg } => Call::Look {
            direction: direction.map(|direction| {
                use crate::skills::Direction::{Center, Down, Left, Right, Up};
                match direction {
                    Left => Right,
                    Right => Left,
                    Up => Down,
                    Down => Up,
                    Center => Center,
                }
            }),
            pan_deg: pan_deg.map(|pan| -pan),
            tilt_deg: tilt_deg.map(|tilt| -tilt),
        },
        other => other.clone(),
    }
}
