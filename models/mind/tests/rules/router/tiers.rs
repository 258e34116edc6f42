//! What is remembered of tiers: when they rest, how fast they are, what they cost.

use super::*;
use models_mind::router::Breaker;

/// Asks, and lets the first tier fail, if it is asked.
fn fails(driven: &mut Driven, kind: FailureKind) -> bool {
    driven.ask(wanted(1));
    let (attempt, tier, _) = driven.asks()[0].clone();
    if tier == 0 {
        driven.fail(attempt, kind);
    }
    let (attempt, ..) = driven.asks().first().cloned().unwrap_or((attempt, 0, String::new()));
    driven.text(attempt, "Yes.");
    driven.finish(attempt);
    tier == 0
}

#[test]
fn a_tier_that_fails_rests_for_longer_and_longer() {
    let mut driven = Driven::of(2);
    for _ in 0..3 {
        assert!(fails(&mut driven, FailureKind::Server));
    }
    for rest_ms in [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000] {
        assert_eq!(driven.router.view(driven.now)[0].breaker, Breaker::Open);
        assert_eq!(driven.router.view(driven.now)[0].rests_ms, Some(rest_ms));
        driven.now += ms(rest_ms - 1);
        assert!(!fails(&mut driven, FailureKind::Server));
        driven.now += ms(1);
        assert_eq!(driven.router.view(driven.now)[0].breaker, Breaker::HalfOpen);
        assert!(fails(&mut driven, FailureKind::Cut));
    }
    driven.now += ms(300_000);
    driven.answered(2, 10);
    assert_eq!(driven.router.view(driven.now)[0].breaker, Breaker::Closed);
}

#[test]
fn one_request_tries_a_tier_that_rested_and_others_pass_by() {
    let mut driven = Driven::of(2);
    assert!(fails(&mut driven, FailureKind::Refused));
    driven.now += ms(5_000);
    let probing = driven.ask(wanted(2));
    assert_eq!(driven.asks()[0].1, 0);
    driven.ask(wanted(3));
    assert_eq!(driven.asks()[0].1, 1);
    // It left: that says nothing of the tier.
    driven.on(Event::Left { request: probing });
    driven.ask(wanted(4));
    assert_eq!(driven.asks()[0].1, 0);
}

#[test]
fn how_long_a_tier_rests_depends_on_the_failure() {
    let check = |kind: FailureKind, retry_after: Option<Duration>, rests_ms: Option<u64>| {
        let mut driven = Driven::of(2);
        driven.ask(wanted(1));
        let failure = Failure { retry_after, ..failure(kind) };
        driven.on(Event::Failed { attempt: driven.attempt(), failure });
        assert_eq!(driven.router.view(driven.now)[0].rests_ms, rests_ms, "{kind:?}");
    };
    check(FailureKind::Refused, None, Some(5_000));
    check(FailureKind::Unauthorized, None, Some(600_000));
    check(FailureKind::RateLimited, Some(ms(17_000)), Some(17_000));
    check(FailureKind::RateLimited, Some(ms(17_000_000)), Some(600_000));
    check(FailureKind::RateLimited, None, Some(5_000));
    for kind in
        [FailureKind::Rejected, FailureKind::WrongFinish, FailureKind::NotConfigured, FailureKind::Empty]
    {
        check(kind, None, None);
    }
}

#[test]
fn a_tier_that_is_not_set_up_is_shown_as_such() {
    let mut driven = Driven::of(2);
    for _ in 0..5 {
        assert!(fails(&mut driven, FailureKind::NotConfigured));
    }
    let view = driven.router.view(driven.now)[0].clone();
    assert_eq!(view.resting_because.as_deref(), Some("Ollama: it is not set up."));
    assert_eq!((view.breaker, view.failures, view.is_healthy), (Breaker::Closed, 0, false));
}

#[test]
fn the_first_word_of_a_fast_tier_is_waited_for_shortly() {
    let mut driven = Driven::of(2);
    assert_eq!(driven.router.view(driven.now)[0].first_token_deadline_ms, 4_000);
    for question in 0..8 {
        driven.answered(question, 300);
    }
    assert_eq!(driven.router.view(driven.now)[0].first_token_deadline_ms, 600);
    assert_eq!(driven.router.view(driven.now)[0].first_token_ms_p95, Some(300));
    driven.ask(wanted(9));
    let attempt = driven.attempt();
    driven.pass(600);
    assert_eq!(driven.drops(), [attempt]);
}

#[test]
fn a_tier_that_has_become_slower_is_waited_for_again() {
    let mut driven = Driven::of(1);
    for question in 0..64 {
        driven.answered(question, 300);
    }
    let mut answers = 0;
    for question in 64..160 {
        driven.now += ms(400_000);
        driven.ask(wanted(question));
        let attempt = driven.attempt();
        driven.on(Event::Connected { attempt });
        driven.pass(1_500);
        driven.text(attempt, "Here I am.");
        driven.finish(attempt);
        answers += usize::from(!driven.ends().is_empty());
    }
    assert!(answers > 80, "{answers}");
}

fn priced(budget_usd: f64) -> RouterConfig {
    let mut config = config(2);
    config.tiers[0].price = Price { usd_per_million_input: 1.0, usd_per_million_output: 10.0 };
    config.tiers[0].budget_usd = Some(budget_usd);
    config
}

#[test]
fn a_budget_is_reserved_then_settled() {
    let mut driven = Driven::new(priced(1.0));
    driven.ask(wanted(1));
    let attempt = driven.attempt();
    let view = driven.router.view(driven.now)[0].clone();
    assert_eq!((view.spent_usd, view.reserved_usd), (0.0, 0.002_1));
    driven.text(attempt, "Yes.");
    driven.on(Event::Finished { attempt, finish: Finish::Stop, usage: Some(usage(120, 10)) });
    let view = driven.router.view(driven.now)[0].clone();
    assert_eq!((view.spent_usd, view.reserved_usd), (0.000_22, 0.0));
    assert_eq!((view.input_tokens, view.output_tokens), (120, 10));
}

#[test]
fn a_tier_whose_budget_is_spent_is_passed_by_until_tomorrow() {
    let mut driven = Driven::new(priced(0.005));
    let mut asked = 0;
    for question in 0..10 {
        driven.ask(wanted(question));
        asked += usize::from(driven.asks()[0].1 == 0);
    }
    assert_eq!(asked, 2);
    // Dropped attempts cost, too: their questions.
    for request in 1..=10 {
        driven.on(Event::Left { request });
    }
    let view = driven.router.view(driven.now)[0].clone();
    assert_eq!((view.spent_usd, view.reserved_usd), (0.000_2, 0.0));
    driven.now += ms(23 * 3_600_000);
    assert_eq!(driven.router.view(driven.now)[0].spent_usd, 0.000_2);
    driven.now += ms(2 * 3_600_000);
    assert_eq!(driven.router.view(driven.now)[0].spent_usd, 0.0);
}

#[test]
fn who_is_told_that_a_budget_is_spent_hears_whose() {
    let mut config = priced(0.0);
    config.tiers.truncate(1);
    let mut driven = Driven::new(config);
    driven.ask(wanted(1));
    let End::Nobody { why, .. } = driven.end() else { panic!("{:?}", driven.end()) };
    assert_eq!(why[0].1, "Ollama: its budget for today is spent.");
}

#[test]
fn a_refusal_costs_nothing_and_a_broken_answer_what_came() {
    let check = |kind, text: Option<&str>, spent_usd: f64| {
        let mut driven = Driven::new(priced(1.0));
        driven.ask(wanted(1));
        let attempt = driven.attempt();
        if let Some(text) = text {
            driven.text(attempt, text);
        }
        driven.fail(attempt, kind);
        assert_eq!(driven.router.view(driven.now)[0].spent_usd, spent_usd, "{kind:?}");
    };
    check(FailureKind::Refused, None, 0.0);
    check(FailureKind::RateLimited, None, 0.0);
    check(FailureKind::Cut, Some("Some words."), 0.000_13);
}
