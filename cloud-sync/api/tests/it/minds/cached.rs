//! Answers that are given again when nobody answers: the very same question of the very same person only.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloud_sync_api::scope::Scope;
use models_mind::tier::FailureKind;
use serde_json::{Value, json};

use super::client::{Ask, Reply};
use super::rig::{QUESTION, Rig, chain, content};
use super::script::{Script, Step, answer, calls};
use crate::assistant::store::Memory;

/// A model that a test can switch off.
fn switch() -> (Arc<AtomicBool>, Arc<Script>) {
    let is_on = Arc::new(AtomicBool::new(true));
    let seen = is_on.clone();
    let script = Script::new(move |_, _| match seen.load(Ordering::SeqCst) {
        true => answer("Heat flows."),
        false => vec![Step::Fail(FailureKind::Refused)],
    });
    (is_on, script)
}

async fn complete(rig: &Rig, token: &str, others: Value) -> Reply {
    let mut body = json!({ "model": "robbie", "messages": [{ "role": "user", "content": QUESTION }] });
    for (name, value) in others.as_object().unwrap() {
        body[name] = value.clone();
    }
    Ask::new(rig.town.address, "POST", "/v1/chat/completions", token).json(&body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_given_again_only_when_nobody_answers_and_only_to_its_asker() {
    let (is_on, script) = switch();
    let chain = chain(&[&script]);
    let store = Memory::default();
    let home = Rig::over("home", store.clone(), chain.clone());
    let away = Rig::over("away", store, chain);
    let ann = home.as_user("ann", &[Scope::Speak]);
    let sly = home.as_user("ann/b", &[Scope::Speak]);
    for _ in 0..2 {
        let fresh = complete(&home, &home.owner, json!({})).await.expect(200);
        assert_eq!(fresh.json()["tier"], "ollama", "somebody answers: nothing is taken from before");
    }
    complete(&home, &sly, json!({})).await.expect(200);
    is_on.store(false, Ordering::SeqCst);
    let again = complete(&home, &home.owner, json!({})).await.expect(200);
    assert_eq!((again.json()["tier"].as_str(), content(&again)), (Some("cached"), "Heat flows.".to_owned()));
    let stream = complete(&home, &home.owner, json!({ "stream": true })).await.expect(200);
    assert!(
        stream.text().contains("\"tier\":\"cached\"") && stream.text().contains("[DONE]"),
        "{}",
        stream.text()
    );
    // Another user, another town, another user of the same app, another wish, and names made to look like another's.
    assert_eq!(complete(&home, &ann, json!({})).await.status, 503);
    assert_eq!(complete(&away, &away.owner, json!({})).await.status, 503);
    assert_eq!(complete(&home, &home.owner, json!({ "user": "bob" })).await.status, 503);
    assert_eq!(complete(&home, &home.owner, json!({ "temperature": 0.5 })).await.status, 503);
    assert_eq!(complete(&home, &ann, json!({ "user": "b/" })).await.status, 503);
    assert_eq!(complete(&home, &ann, json!({ "user": "/b" })).await.status, 503);
    // Nor is a chat answered with it.
    assert_eq!(home.say(QUESTION).await["tier"], "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_recalled_on_the_way_is_not_kept_for_later() {
    // The last round has nothing to call, and so could be kept; what it was told by the memory may be gone by then.
    let is_on = Arc::new(AtomicBool::new(true));
    let seen = is_on.clone();
    let script = Script::new(move |_, asked| match (asked.tools.is_empty(), seen.load(Ordering::SeqCst)) {
        (true, true) => answer("It is in the shed."),
        (true, false) => vec![Step::Fail(FailureKind::Refused)],
        _ => calls(&[("a", "recall", json!({ "query": "where is the ladder?" }))]),
    });
    let rig = Rig::start(&[&script]);
    rig.add_note("the ladder is in the shed").await;
    assert_eq!(rig.say(QUESTION).await["reply"], "It is in the shed.");
    is_on.store(false, Ordering::SeqCst);
    let later = rig.say(QUESTION).await;
    assert_ne!(later["tier"], "cached", "{later}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_users_with_the_same_question_never_share() {
    // Nor do two users of one app; the same one twice does.
    let (open, step) = super::script::gate();
    let script = Script::new(move |number, _| {
        let mut steps = vec![step.clone()];
        steps.extend(answer(&format!("Answer {number}.")));
        steps
    });
    let rig = Rig::start(&[&script]);
    let ann = rig.as_user("ann", &[Scope::Speak]);
    let asks =
        [(&rig.owner, json!({})), (&ann, json!({})), (&ann, json!({ "user": "x" })), (&ann, json!({}))];
    let mut waiting = tokio::task::JoinSet::new();
    for (token, others) in asks {
        let body = json!({ "model": "robbie", "messages": [{ "role": "user", "content": QUESTION }], "user": others["user"] });
        let ask = Ask::new(rig.town.address, "POST", "/v1/chat/completions", token).json(&body);
        waiting.spawn(async move { content(&ask.send().await.expect(200)) });
    }
    script.until_asked(3).await;
    // One more for the fourth, should it come too late to share.
    open.add_permits(4);
    let mut said = waiting.join_all().await;
    said.sort();
    said.dedup();
    assert!((3..=4).contains(&said.len()), "{said:?}");
}
