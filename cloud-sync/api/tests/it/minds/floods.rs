//! Many at once, and much at once.

use models_mind::tier::Finish;
use serde_json::{Value, json};

use super::rig::{QUESTION, Rig};
use super::script::{Script, Step, answer, gate, say};

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_think_at_once_the_next_comes_back_and_stop_is_heard() {
    let (open, step) = gate();
    let script = Script::always(vec![step, say("Yes."), Step::End(Finish::Stop)]);
    let rig = Rig::start(&[&script]);
    let mut waiting = tokio::task::JoinSet::new();
    for last in 1..=64 {
        let ask = rig.message(QUESTION).from(last);
        waiting.spawn(async move { ask.send().await.expect(200).json() });
    }
    script.until_asked(64).await;
    let refused = rig.message(QUESTION).send().await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.head.contains("retry-after"), "{}", refused.head);
    rig.message("stop").send().await;
    assert_eq!(rig.legs.done().len(), 1, "whoever says stop is heard");
    open.add_permits(64);
    let replies: Vec<Value> = waiting.join_all().await;
    assert!(replies.iter().all(|reply| reply["reply"] == "Yes."));
    // There is room again, and nothing is left over.
    assert_eq!(script.times(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_answer_has_an_end() {
    // Words, white space and nothing but one word: each ends within its limit, and the next message is answered.
    let many = |piece: &'static str| {
        let mut steps = vec![say(piece); 200_000 / piece.len()];
        steps.push(Step::End(Finish::Stop));
        steps
    };
    for piece in ["Heat flows. ", "heat flows and ", "heatheatheat", "\n\n\n\n\n\n\n\n", "🙂🙂🙂🙂"] {
        let script = Script::lines(vec![many(piece), answer("Well."), answer("Well.")]);
        let rig = Rig::start(&[&script]);
        let reply = rig.say(QUESTION).await;
        let text = reply["reply"].as_str().unwrap();
        assert!((1..=32 * 1024).contains(&text.len()), "{piece:?} {}", text.len());
        assert_eq!(rig.turns(&reply).await[1], text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_conversation_is_asked_whole() {
    let script = Script::always(answer("Yes."));
    let rig = Rig::start(&[&script]);
    let messages: Vec<Value> = (0..256).map(|number| {
        json!({ "role": if number % 2 == 0 { "user" } else { "assistant" }, "content": "x".repeat(900) })
    }).collect();
    rig.complete("", json!({ "messages": messages })).send().await.expect(200);
    assert_eq!(script.asked()[0].messages.len(), 256);
}
