//! One request at a time: who may ask it at all, which part of the gate decides it, and where its answer goes.

use super::admit::{Command, Kind};
use super::command::with_legal_ttl;
use super::holding::Take;
use super::turns::check_class;
use super::{Gate, Output};
use crate::caller::Caller;
use crate::request::{Answer, Asked, Request, Ticket};
use crate::snapshot::RefusalRecord;
use crate::time::BootTime;

impl Gate {
    /// Dispatches one request. `None`: the answer comes with a later step.
    pub(super) fn decide(&mut self, asked: &Asked, now: BootTime, out: &mut Output) -> Option<Answer> {
        if let Err(refusal) = self.revoked.check(asked).and_then(|()| check_class(asked)) {
            return Some(Err(refusal));
        }
        let answer = match &asked.request {
            Request::Stop => self.stop_all(asked.caller.name, now, out),
            Request::EStop { reason } => self.press_estop(*reason, asked.caller.name, now, out),
            Request::Velocity { twist, lease, seq, freshness } => {
                let kind = Kind::Velocity { twist: with_legal_ttl(twist), seq: *seq };
                self.command(&Command { asked, lease: *lease, freshness, kind }, now, out)
            }
            Request::TeleopFrame { socket, twist, seq, freshness } => {
                let kind = Kind::Teleop { twist: with_legal_ttl(twist), socket: *socket, seq: *seq };
                self.command(&Command { asked, lease: None, freshness, kind }, now, out)
            }
            Request::Move { travel, lease, freshness } => self.command(
                &Command { asked, lease: *lease, freshness, kind: Kind::Travel(*travel) },
                now,
                out,
            ),
            Request::Head { pan_rad, tilt_rad, lease, freshness } => {
                let kind = Kind::Head { pan_rad: *pan_rad, tilt_rad: *tilt_rad };
                self.command(&Command { asked, lease: *lease, freshness, kind }, now, out)
            }
            Request::Lights { on, rgb, brightness } => {
                self.light(&asked.caller, (*on, *rgb, *brightness), now, out)
            }
            Request::CancelTask(task) => self.cancel(*task, &asked.caller),
            Request::TeleopOpen(socket) => self.teleop_open(*socket, &asked.caller, now),
            Request::TeleopClose(socket) => self.teleop_close(*socket, &asked.caller),
            Request::Take { resource, ttl, take_over, seen } => {
                let take = Take { asked, resource: *resource, ttl: *ttl, take_over: *take_over, seen: *seen };
                return self.take(&take, now, out);
            }
            Request::Renew { lease, ttl } => self.renew(*lease, *ttl, &asked.caller, now),
            Request::Release(lease) => self.release(*lease, &asked.caller),
            Request::Present => self.note_presence(asked, now),
            Request::Begin(turn) => self.begin_turn(*turn, asked),
            Request::End => self.end_turn(&asked.caller),
            Request::Revoke(token) => self.revoke(*token, now, out),
            Request::Reset { epoch } => return self.begin_reset(*epoch, asked, now, out),
        };
        Some(answer)
    }

    /// Puts an answer out; a refusal is also kept for `control/why`, and holds its token back. A
    /// model's turn takes nothing implicitly, so what it was refused must not hold back its person.
    pub(super) fn answer(
        &mut self,
        ticket: Ticket,
        caller: &Caller,
        answer: Answer,
        now: BootTime,
        out: &mut Output,
    ) {
        if let Err(refusal) = &answer {
            if caller.turn.is_none() {
                self.backoff.note(caller.token, refusal, now);
            }
            self.why.push(RefusalRecord {
                at: now,
                refusal: *refusal,
                source: caller.name,
                class: caller.class,
            });
        }
        // A step answers its own request, two openings and the waiters of a reset at most: there is room.
        out.answers.push((ticket, answer));
    }
}
