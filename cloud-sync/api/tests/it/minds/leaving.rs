//! Askers who leave in the middle, and askers who come back.

use cloud_sync_api::scope::Scope;
use models_mind::answer;
use models_mind::skills::Call;
use models_mind::tier::Finish;
use serde_json::{Value, json};

use super::body::LONG_M;
use super::client::Ask;
use super::rig::{QUESTION, Rig};
use super::script::{Script, Step, answer, calls, gate, say};

/// The turns of the only conversation, once there are so many.
async fn kept(rig: &Rig, count: u64) -> Vec<String> {
    loop {
        let talks = rig.ask("GET", "/api/conversations").send().await.expect(200).json();
        if let Some(talk) = talks.as_array().unwrap().iter().find(|talk| talk["turns"] == count) {
            return rig.turns(&json!({ "conversation_id": talk["id"] })).await;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_ends_the_work_and_what_was_said_is_kept() {
    let script = Script::always(vec![say("Heat flows. And "), Step::Hang]);
    let rig = Rig::start(&[&script]);
    let mut heard = rig.message(QUESTION).header("accept", "text/event-stream").listen().await;
    assert_eq!(heard.next().await.unwrap().0, "tier");
    assert_eq!(heard.next().await.unwrap().0, "token");
    drop(heard);
    script.until_dropped(1).await;
    assert_eq!(kept(&rig, 2).await, [QUESTION, &format!("Heat flows. {}", answer::LEFT)]);
    assert_eq!(script.times(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_before_the_first_word_ends_the_work_too() {
    let script = Script::always(vec![Step::Hang]);
    let rig = Rig::start(&[&script]);
    let open = rig.message(QUESTION).leave_open().await;
    script.until_asked(1).await;
    drop(open);
    script.until_dropped(1).await;
    assert_eq!(kept(&rig, 2).await, [QUESTION, answer::LEFT]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_under_a_key_is_finished_for_whoever_comes_back() {
    let (open, step) = gate();
    let script = Script::always(vec![say("Heat flows. And "), step, say("grows."), Step::End(Finish::Stop)]);
    let rig = Rig::start(&[&script]);
    let ask = rig.message(QUESTION).header("idempotency-key", "k1");
    let mut heard = ask.clone().header("accept", "text/event-stream").listen().await;
    assert_eq!(heard.next().await.unwrap().0, "tier");
    drop(heard);
    // While it is under way, others who send it wait for the same answer.
    let (one, two) = (ask.clone(), ask.clone());
    let waiting =
        [tokio::spawn(async move { one.send().await }), tokio::spawn(async move { two.send().await })];
    open.add_permits(1);
    let mut replies = Vec::new();
    for waits in waiting {
        replies.push(waits.await.unwrap().expect(200).json());
    }
    replies.push(ask.send().await.expect(200).json());
    assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
    assert_eq!(replies[0]["reply"], "Heat flows. And grows.");
    assert_eq!((script.times(), script.dropped()), (1, 0));
    let other = rig.message("explain entropy to me in two sentences").header("idempotency-key", "k1");
    assert_eq!(other.send().await.status, 422);
    assert_eq!(script.times(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_under_one_key_are_one_question() {
    let (open, step) = gate();
    let mut first = vec![step];
    first.extend(calls(&[("a", "drive", json!({ "distance_m": 0.5 }))]));
    let script = Script::lines(vec![first, answer("Done once.")]);
    let rig = Rig::start(&[&script]);
    let ask = rig.message(QUESTION).header("idempotency-key", "k2");
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let ask = ask.clone();
        waiting.spawn(async move { ask.send().await.expect(200).json() });
    }
    script.until_asked(1).await;
    open.add_permits(1);
    let replies: Vec<Value> = waiting.join_all().await;
    assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
    assert_eq!((script.times(), rig.legs.done()), (2, vec![Call::Drive { distance_m: 0.5 }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_given_is_given_again_without_asking() {
    // Calls are not made again either; and another user's key is another message.
    let script =
        Script::lines(vec![calls(&[("a", "remember", json!({ "text": "heat flows" }))]), answer("Kept.")]);
    let rig = Rig::start(&[&script]);
    let ask = rig.message(QUESTION).header("idempotency-key", "k3");
    let first = ask.send().await.expect(200).json();
    let again = ask.send().await.expect(200).json();
    assert_eq!((&first, script.times(), rig.notes().await.len()), (&again, 2, 1));
    let events = ask.header("accept", "text/event-stream").send().await.expect(200).events();
    let done: Value = serde_json::from_str(&events.last().unwrap().1).unwrap();
    assert_eq!((done, script.times()), (first, 2));
    let ann = rig.as_user("ann", &[Scope::Speak]);
    let other = Ask::new(rig.town.address, "POST", "/api/chat", &ann).header("idempotency-key", "k3");
    other.json(&json!({ "message": QUESTION })).send().await.expect(200);
    assert_eq!(script.times(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_ends_when_its_asker_leaves_even_under_a_key() {
    // The answer is finished all the same, and says so.
    let script = Script::lines(vec![
        calls(&[
            ("a", "drive", json!({ "distance_m": LONG_M })),
            ("b", "drive", json!({ "distance_m": 0.5 })),
        ]),
        answer("You left."),
    ]);
    let rig = Rig::start(&[&script]);
    let ask = rig.message(QUESTION).header("idempotency-key", "k4");
    let mut heard = ask.clone().header("accept", "text/event-stream").listen().await;
    while heard.next().await.unwrap().0 != "tool_call" {}
    drop(heard);
    let reply = ask.send().await.expect(200).json();
    assert_eq!(reply["reply"], "You left.", "{reply}");
    let statuses: Vec<_> =
        reply["tool_calls"].as_array().unwrap().iter().map(|call| &call["status"]).collect();
    assert_eq!(statuses, ["failed", "skipped"]);
    assert_eq!(rig.legs.done().len(), 1);
}
