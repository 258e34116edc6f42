//! What an attempt at a tier brings, piece by piece, as events of the router.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::task::Poll;

use futures_util::{FutureExt, StreamExt};
use models_mind::router::{AttemptId, Event};
use models_mind::tier::{Answer, Delta, Failure, FailureKind};

/// Pieces that are taken at once.
const READY_MAX: usize = 64;

/// What comes next of an answer, and what is there behind it already, up to its end. The pieces of one packet pass through a
/// connection's task one by one, so that is let run before it is believed that nothing more is there.
pub(super) async fn next_of(answer: &mut Answer) -> Vec<Result<Delta, Failure>> {
    let mut came = vec![piece_of(answer).await];
    let mut has_yielded = false;
    while came.len() < READY_MAX && came.last().is_some_and(may_go_on) {
        match piece_of(answer).now_or_never() {
            Some(piece) => {
                came.push(piece);
                has_yielded = false;
            }
            None if has_yielded => break,
            None => {
                let_others_run().await;
                has_yielded = true;
            }
        }
    }
    came
}

/// Lets the other tasks of this thread run that are ready. The runtime's own way to yield also looks for news of the network,
/// which costs more than all of them.
async fn let_others_run() {
    let mut has_run = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_run, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn may_go_on(piece: &Result<Delta, Failure>) -> bool {
    !matches!(piece, Ok(Delta::Finished { .. }) | Err(_))
}

async fn piece_of(answer: &mut Answer) -> Result<Delta, Failure> {
    // A mistake in a tier's own code is a failure of that tier, and costs nobody a deadline.
    let next = AssertUnwindSafe(answer.next()).catch_unwind().await;
    next.ok().flatten().unwrap_or_else(|| Err(broke_off()))
}

/// What came of an attempt, as events; words that follow each other are one.
pub(super) fn events(attempt: AttemptId, came: Vec<Result<Delta, Failure>>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::with_capacity(came.len().min(4));
    for delta in came {
        let event = match (events.last_mut(), delta) {
            (Some(Event::Text { text, .. }), Ok(Delta::Text(more))) => {
                text.push_str(&more);
                continue;
            }
            (_, Ok(Delta::Connected)) => Event::Connected { attempt },
            (_, Ok(Delta::Text(text))) => Event::Text { attempt, text },
            (_, Ok(Delta::Call(call))) => Event::Call { attempt, call },
            (_, Ok(Delta::Finished { finish, usage })) => Event::Finished { attempt, finish, usage },
            (_, Err(failure)) => Event::Failed { attempt, failure },
        };
        events.push(event);
    }
    events
}

fn broke_off() -> Failure {
    Failure {
        kind: FailureKind::Cut,
        detail: "The answer broke off before its end.".to_owned(),
        retry_after: None,
    }
}
