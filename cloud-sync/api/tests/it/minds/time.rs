//! How long anybody waits, in virtual time.

use tokio::io::AsyncReadExt;

use std::time::Duration;

use cloud_sync_api::chain::{Piece, Question};
use models_mind::answer::TOO_LONG;
use models_mind::router::End;
use models_mind::tier::{Asked, Finish, Message, Tier};
use serde_json::json;
use tokio::time::Instant;

use super::body::LONG_M;
use super::rig::{QUESTION, Rig, chain};
use super::script::{Script, Step, answer, calls, say};

fn question() -> Question {
    let asked = Asked { messages: vec![Message::User(QUESTION.to_owned())], ..Asked::default() };
    Question { scope: "home/owner".to_owned(), asked, is_keepable: false }
}

/// The words, the end, and after how long that came.
async fn ask(chain: &cloud_sync_api::chain::Chain) -> (String, End, Duration) {
    let began = Instant::now();
    let (mut answering, mut text) = (chain.ask(question()), String::new());
    loop {
        match answering.next().await.expect("an end") {
            Piece::Text(words) => text.push_str(&words),
            Piece::End(end) => {
                assert_eq!(answering.next().await, None);
                return (text, end, began.elapsed());
            }
            _ => {}
        }
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[tokio::test(start_paused = true)]
async fn a_silent_tier_is_left_for_the_next_in_time() {
    let (silent, second) = (Script::always(vec![Step::Hang]), Script::always(answer("Yes.")));
    let (text, end, took) = ask(&chain(&[&silent, &second])).await;
    assert!(matches!(end, End::Answered { tier: Tier::OpenAi, .. }), "{end:?}");
    assert!(text == "Yes." && took <= seconds(5), "{took:?}");
    assert_eq!(silent.dropped(), 1, "and its work has ended");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_first_word_may_take() {
    // 8 s where somebody is thought to be well; 2 s once nobody was.
    let (one, two) = (Script::always(vec![Step::Hang]), Script::always(vec![Step::Hang]));
    let chain = chain(&[&one, &two]);
    let (text, end, took) = ask(&chain).await;
    assert!(text.is_empty() && matches!(end, End::Nobody { .. }), "{end:?}");
    assert!(took <= seconds(8) + Duration::from_millis(5), "{took:?}");
    tokio::time::sleep(seconds(61)).await;
    let (_, _, took) = ask(&chain).await;
    assert!(took <= seconds(2) + Duration::from_millis(5), "{took:?}");
    assert_eq!(one.dropped() + two.dropped(), one.times() + two.times());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_drips_for_ever_ends() {
    // A word every 7 s keeps it alive, but not past the end; what was said is told.
    let mut drips = Vec::new();
    for _ in 0..100 {
        drips.extend([say("Drop. "), Step::Wait(seconds(7))]);
    }
    let script = Script::always(drips);
    let (text, end, took) = ask(&chain(&[&script])).await;
    assert!(text.starts_with("Drop. Drop."), "{text}");
    assert!(matches!(end, End::Broken { tier: Tier::Ollama, .. }), "{end:?}");
    assert!(took <= seconds(50) + Duration::from_millis(5), "{took:?}");
    assert_eq!(script.dropped(), script.times());
}

#[tokio::test(start_paused = true)]
async fn a_tier_that_panics_is_left_at_once() {
    // Before its first word and in the middle; nobody waits for a deadline.
    for mut steps in [Vec::new(), vec![say("Heat flows. Dis")]] {
        let wanted = if steps.is_empty() { "Disorder grows." } else { "Heat flows. Disorder grows." };
        steps.push(Step::Panic);
        let (first, second) = (Script::always(steps), Script::always(answer("Disorder grows.")));
        let (text, _, took) = ask(&chain(&[&first, &second])).await;
        assert_eq!((text.as_str(), took), (wanted, seconds(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_is_ended_and_told_as_such() {
    let script = Script::always(calls(&[("a", "drive", json!({ "distance_m": LONG_M }))]));
    let rig = Rig::start(&[&script]);
    let began = Instant::now();
    // Without the client's own deadline: virtual time runs.
    let mut answer = Vec::new();
    rig.message(QUESTION).leave_open().await.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let reply: serde_json::Value = serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let call = json!({ "skill": "drive", "distance_m": LONG_M, "status": "failed", "detail": TOO_LONG, "problem": "too-late" });
    assert_eq!((&reply["tool_calls"], &reply["reply"]), (&json!([call]), &json!(TOO_LONG)), "{text}");
    assert!((seconds(50)..seconds(60)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stall_in_the_middle_is_left_after_its_time() {
    let first = Script::always(vec![say("Heat flows. Dis"), Step::Hang]);
    let second = Script::always(answer("Disorder grows."));
    let (text, end, took) = ask(&chain(&[&first, &second])).await;
    assert_eq!(text, "Heat flows. Disorder grows.");
    assert!(
        matches!(end, End::Answered { finish: Finish::Stop, .. }) && took <= seconds(9),
        "{took:?} {end:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn thousands_of_askers_who_leave_leave_nothing_behind() {
    // Each one's work ends, and the next is answered as if nobody had been there.
    let script = Script::new(|number, _| if number < 2000 { vec![Step::Hang] } else { answer("Yes.") });
    let chain = chain(&[&script]);
    for number in 0..2000 {
        let mut asked = question();
        asked.scope = format!("home/{number}");
        let answering = chain.ask(asked);
        tokio::task::yield_now().await;
        drop(answering);
    }
    let (text, ..) = ask(&chain).await;
    assert_eq!(text, "Yes.");
    assert_eq!(script.dropped(), 2000);
}
