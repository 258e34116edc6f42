//! Who is asked, who is asked next, and how long it is waited.

use super::*;

#[test]
fn one_tier_answers() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.on(Event::Connected { attempt });
    assert_eq!(driven.text(attempt, "Hello Anna. How"), "Hello Anna.");
    assert!(matches!(driven.actions[0], Action::From { tier: Tier::Ollama, .. }));
    assert_eq!(driven.text(attempt, " are you?"), "");
    assert_eq!(driven.finish(attempt), " How are you?");
    assert!(answered_by(Tier::Ollama)(&driven.end()));
    assert_eq!(driven.router.wake_at(), None);
}

#[test]
fn the_next_tier_is_asked_at_once() {
    let mut driven = Driven::of(2);
    driven.ask(wanted(1));
    driven.fail(driven.attempt(), FailureKind::Refused);
    let asks = driven.asks();
    assert_eq!((asks[0].1, asks[0].2.as_str()), (1, ""));
    driven.text(asks[0].0, "Hi.");
    driven.finish(asks[0].0);
    assert!(answered_by(Tier::OpenAi)(&driven.end()));
}

#[test]
fn who_gets_no_answer_is_told_why_of_each_and_never_a_key() {
    let mut driven = Driven::of(2);
    driven.ask(wanted(1));
    driven.fail(driven.attempt(), FailureKind::Refused);
    driven.fail(driven.attempt(), FailureKind::Unauthorized);
    let End::Nobody { why, retry_after } = driven.end() else { panic!("{:?}", driven.end()) };
    assert_eq!(why[0], (Tier::Ollama, "Ollama: nobody listens there.".to_owned()));
    assert_eq!(why[1], (Tier::OpenAi, "OpenAI: it does not take the key.".to_owned()));
    assert_eq!(retry_after, Some(ms(5_000)));
}

#[test]
fn a_silent_tier_leaves_time_for_the_next() {
    let mut config = config(2);
    config.tiers[0].deadlines =
        Deadlines { connect: ms(20_000), first_token: ms(20_000), ..config.tiers[0].deadlines };
    let mut driven = Driven::new(config);
    driven.ask(wanted(1));
    let first = driven.attempt();
    assert_eq!(driven.pass(3_999).len(), 0);
    driven.pass(1);
    assert_eq!(driven.drops(), [first]);
    assert_eq!(driven.asks()[0].1, 1);
}

#[test]
fn each_deadline_of_a_tier_ends_its_attempt() {
    let check = |before: fn(&mut Driven, AttemptId), wait_ms: u64| {
        let mut driven = Driven::of(2);
        driven.ask(wanted(1));
        let attempt = driven.attempt();
        before(&mut driven, attempt);
        assert_eq!(driven.pass(wait_ms - 1), [], "{wait_ms}");
        driven.pass(1);
        assert_eq!(driven.drops(), [attempt], "{wait_ms}");
        assert_eq!(driven.asks()[0].1, 1);
    };
    check(|_, _| {}, 1_000);
    check(
        |driven, attempt| {
            driven.on(Event::Connected { attempt });
        },
        4_000,
    );
    check(
        |driven, attempt| {
            driven.text(attempt, "Well. I");
        },
        3_000,
    );
    let slow = |driven: &mut Driven, attempt| {
        for _ in 0..29 {
            driven.text(attempt, "word. ");
            driven.pass(2_000);
        }
        driven.text(attempt, "word. ");
    };
    check(slow, 2_000);
}

#[test]
fn the_first_word_comes_within_its_budget_or_the_request_ends() {
    let mut driven = Driven::of(4);
    driven.ask(wanted(1));
    let asked = driven.now;
    for _ in 0..4 {
        let attempt = driven.attempt();
        driven.on(Event::Connected { attempt });
        driven.now = driven.router.wake_at().expect("it waits");
        driven.on(Event::Tick);
        if driven.asks().is_empty() {
            break;
        }
    }
    assert!(matches!(driven.end(), End::Nobody { .. }));
    assert!(driven.now - asked <= ms(8_000));
}

#[test]
fn nobody_healthy_means_an_honest_answer_within_two_seconds() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    driven.fail(driven.attempt(), FailureKind::Server);
    driven.now += ms(61_000);
    driven.ask(wanted(2));
    let attempt = driven.attempt();
    driven.on(Event::Connected { attempt });
    assert_eq!(driven.pass(1_999), []);
    driven.pass(1);
    assert!(matches!(driven.end(), End::Nobody { .. }));
}

#[test]
fn words_that_came_in_time_are_said_in_time() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.text(attempt, "This sentence has no");
    for _ in 0..3 {
        driven.pass(2_500);
        driven.text(attempt, " end");
    }
    assert_eq!(driven.pass(499), []);
    driven.pass(1);
    assert_eq!(driven.said(), "This sentence has no end end");
}

#[test]
fn a_clock_that_jumps_reaches_every_deadline_with_one_tick() {
    let mut driven = Driven::of(4);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.pass(500_000);
    assert_eq!(driven.drops(), [attempt]);
    assert!(matches!(driven.end(), End::Nobody { .. }));
    assert_eq!(driven.router.wake_at(), None);
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.now -= ms(900_000);
    assert_eq!(driven.text(attempt, "Still here. "), "Still here.");
    driven.now += ms(900_000);
    driven.finish(attempt);
    assert!(answered_by(Tier::Ollama)(&driven.end()));
}

#[test]
fn what_comes_of_a_dropped_attempt_is_nobodys() {
    let mut driven = Driven::of(2);
    driven.ask(wanted(1));
    let first = driven.attempt();
    driven.pass(1_000);
    let second = driven.attempt();
    assert_eq!(driven.text(first, "Too late. "), "");
    driven.text(second, "In time. ");
    driven.finish(second);
    driven.finish(first);
    assert_eq!(driven.actions, []);
}

#[test]
fn who_leaves_takes_the_work_along() {
    let mut driven = Driven::of(2);
    let request = driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.on(Event::Left { request });
    assert_eq!(driven.actions, [Action::Drop { attempt }]);
    assert_eq!(driven.text(attempt, "Hello? "), "");
    assert_eq!(driven.router.wake_at(), None);
}

#[test]
fn a_slow_tier_gets_a_rival_once_and_the_first_word_wins() {
    let mut driven = Driven::new(RouterConfig { hedge: true, ..config(3) });
    for question in 0..8 {
        driven.answered(question, 300);
    }
    driven.ask(wanted(9));
    let slow = driven.attempt();
    assert_eq!(driven.pass(299), []);
    driven.pass(1);
    let (fast, tier, _) = driven.asks()[0].clone();
    assert_eq!(tier, 1);
    driven.text(fast, "Here");
    assert_eq!(driven.drops(), [slow]);
    assert_eq!(driven.finish(fast), "Here");
    assert!(answered_by(Tier::OpenAi)(&driven.end()));
    assert_eq!(driven.router.view(driven.now)[0].failures, 0);
}

#[test]
fn calls_come_once_at_the_end() {
    let mut driven = Driven::of(2);
    driven.ask(with_tools(1));
    let first = driven.attempt();
    driven.text(first, "I turn it on. ");
    driven.call(first, "a");
    assert_eq!(driven.actions, []);
    driven.fail(first, FailureKind::Cut);
    let (second, _, said) = driven.asks()[0].clone();
    assert_eq!(said, "I turn it on.");
    driven.call(second, "b");
    driven.on(Event::Finished { attempt: second, finish: Finish::Calls, usage: Some(usage(10, 5)) });
    let [Action::From { .. }, Action::Call { calls, .. }, Action::End { end, .. }] =
        driven.actions.as_slice()
    else {
        panic!("{:?}", driven.actions)
    };
    assert_eq!((calls.len(), calls[0].id.as_str()), (1, "b"));
    assert!(matches!(end, End::Answered { finish: Finish::Calls, .. }));
}

#[test]
fn too_many_calls_are_a_failure_of_the_tier() {
    let mut driven = Driven::of(2);
    driven.ask(with_tools(1));
    let first = driven.attempt();
    for id in 0..16 {
        driven.call(first, &id.to_string());
        assert_eq!(driven.actions, []);
    }
    driven.call(first, "one more");
    assert_eq!(driven.drops(), [first]);
    assert_eq!(driven.asks()[0].1, 1);
}
