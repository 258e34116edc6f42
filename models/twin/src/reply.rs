//! An answer as it goes out: which pieces, with which waits, and where it goes wrong.

use std::collections::VecDeque;
use std::time::Duration;

use hyper::body::Bytes;

use crate::fault::Faulty;
use crate::kind::Kind;
use crate::settings::Settings;
use crate::steps::Step;
use crate::wire;

/// The frames of an answer.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// What comes before the first word.
    pub(crate) opening: Bytes,
    /// The pieces of text, and then the calls.
    pub(crate) pieces: Vec<Bytes>,
    /// How an answer ends.
    pub(crate) closing: Bytes,
}

const HUGE_BYTES: usize = 2 * 1024 * 1024;
const ENDLESS_BETWEEN: Duration = Duration::from_millis(1);

/// What is sent, in order. `key` is what the request came with.
pub(crate) fn steps(
    kind: Kind,
    settings: &Settings,
    prepared: &Prepared,
    fault: Option<&Faulty>,
    key: &str,
) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    if !settings.think.is_zero() {
        steps.push_back(Step::Wait(settings.think));
    }
    let first = || Some(prepared.opening.clone()).filter(|bytes| !bytes.is_empty());
    let after = |after: usize| first().into_iter().chain(prepared.pieces.iter().take(after).cloned());
    let send = |bytes: Bytes| Step::Send(bytes);
    let all = prepared.pieces.len();
    match fault {
        Some(Faulty::StallFirst) => steps.push_back(Step::Stall),
        Some(Faulty::StallBetween { after: n }) => {
            steps.extend(after(*n).map(send));
            steps.push_back(Step::Stall);
        }
        Some(Faulty::Cut { after: n }) => {
            steps.extend(after(*n).map(send));
            steps.push_back(Step::Cut);
        }
        Some(Faulty::Malformed { after: n }) => {
            steps.extend(after(*n).map(send));
            steps.push_back(send(wire::malformed(kind)));
        }
        Some(Faulty::BrokenUtf8 { after: n }) => {
            steps.extend(after(*n).map(send));
            let [first, second] = wire::broken(kind);
            steps.extend([send(first), Step::Flush, send(second)]);
        }
        Some(Faulty::InBand { after: n }) => {
            steps.extend(after(*n).map(send));
            steps.push_back(send(wire::error(kind, key)));
        }
        Some(Faulty::WrongFinish { after: n, reason }) => {
            steps.extend(after(*n).map(send));
            steps.push_back(send(wire::wrong_finish(kind, reason.as_deref())));
        }
        Some(Faulty::Empty) => steps.extend([prepared.opening.clone(), prepared.closing.clone()].map(send)),
        Some(Faulty::NoFinish) => steps.extend(after(all).map(send)),
        Some(Faulty::Endless) => {
            steps.extend(first().map(send));
            steps.push_back(Step::ForEver(wire::word(kind), settings.between.max(ENDLESS_BETWEEN)));
        }
        Some(Faulty::HugeLine { bytes }) => {
            steps.extend(first().map(send));
            steps.push_back(send(wire::text(kind, &"x".repeat(bytes.unwrap_or(HUGE_BYTES)))));
        }
        _ => steps.extend(after(all).chain([prepared.closing.clone()]).map(send)),
    }
    if let Some(bytes) = settings.piece_bytes {
        return in_pieces(steps, bytes);
    }
    if settings.between.is_zero() { steps } else { slowly(steps, settings.between) }
}

/// The same with a wait before every piece but the first.
fn slowly(steps: VecDeque<Step>, between: Duration) -> VecDeque<Step> {
    let mut slow = VecDeque::new();
    let mut first = true;
    for step in steps {
        if matches!(step, Step::Send(_)) && !std::mem::take(&mut first) {
            slow.push_back(Step::Wait(between));
        }
        slow.push_back(step);
    }
    slow
}

/// The same bytes in pieces of another length, each on its own on the wire.
fn in_pieces(steps: VecDeque<Step>, length: usize) -> VecDeque<Step> {
    let mut cut = VecDeque::new();
    for step in steps {
        let Step::Send(mut bytes) = step else {
            cut.push_back(step);
            continue;
        };
        while !bytes.is_empty() {
            let piece = bytes.split_to(length.min(bytes.len()));
            cut.extend([Step::Send(piece), Step::Flush]);
        }
    }
    cut
}
