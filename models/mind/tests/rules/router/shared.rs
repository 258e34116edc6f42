//! Requests that ask the same, and answers that are kept.

use super::*;

#[test]
fn who_asks_the_same_joins() {
    let mut driven = Driven::of(1);
    let anna = driven.ask(wanted(1));
    let attempt = driven.attempt();
    driven.text(attempt, "One. Two");
    let again = driven.ask(wanted(1));
    assert_eq!(driven.asks(), []);
    assert_eq!(driven.said(), "One.");
    driven.text(attempt, ". ");
    let says = |request| Action::Say { request, text: " Two.".to_owned() };
    assert_eq!(driven.actions, [says(anna), says(again)]);
    driven.on(Event::Left { request: anna });
    assert_eq!(driven.actions, []);
    driven.finish(attempt);
    assert_eq!(driven.ends().len(), 1);
    assert_eq!(driven.ends()[0].0, again);
}

#[test]
fn nobody_joins_somebody_else_or_a_request_with_tools() {
    let mut driven = Driven::of(1);
    driven.ask(wanted(1));
    driven.ask(Wanted { scope: "home/ben".to_owned(), ..wanted(1) });
    driven.attempt();
    driven.ask(with_tools(1));
    driven.attempt();
    driven.ask(with_tools(1));
    driven.attempt();
}

#[test]
fn the_work_goes_on_for_whoever_stayed() {
    let mut driven = Driven::of(2);
    let anna = driven.ask(wanted(1));
    let attempt = driven.attempt();
    let again = driven.ask(wanted(1));
    driven.on(Event::Left { request: anna });
    driven.fail(attempt, FailureKind::Cut);
    assert!(matches!(driven.actions[0], Action::Ask { request, .. } if request == again));
    driven.on(Event::Left { request: again });
    assert_eq!(driven.drops().len(), 1);
}

#[test]
fn a_kept_answer_comes_when_nobody_answers_and_only_to_whom_it_belongs() {
    let check = |wanted: Wanted, is_kept: bool| {
        let mut driven = Driven::of(1);
        driven.answered(1, 10);
        driven.ask(wanted);
        driven.fail(driven.attempt(), FailureKind::Refused);
        assert_eq!(answered_by(Tier::Cached)(&driven.end()), is_kept, "{:?}", driven.actions);
        assert_eq!(driven.said(), if is_kept { "Yes." } else { "" });
    };
    check(wanted(1), true);
    check(wanted(2), false);
    check(Wanted { scope: "home/ben".to_owned(), ..wanted(1) }, false);
    // What may be called is part of the digest; what was called is never kept.
    check(with_tools(1), true);
    check(Wanted { is_keepable: false, ..wanted(1) }, false);
}

#[test]
fn an_old_answer_is_forgotten_and_the_least_used_makes_room() {
    let kept = |driven: &mut Driven, question| {
        driven.ask(wanted(question));
        if let [(attempt, ..)] = driven.asks()[..] {
            driven.fail(attempt, FailureKind::Refused);
        }
        answered_by(Tier::Cached)(&driven.end())
    };
    let mut driven = Driven::of(1);
    for question in 0..9 {
        driven.answered(question, 10);
    }
    assert!(!kept(&mut driven, 0));
    assert!(kept(&mut driven, 1));
    driven.now += ms(24 * 3_600_000 + 1);
    assert!(!kept(&mut driven, 1));
}

#[test]
fn too_many_at_once_are_told_to_come_back() {
    let mut driven = Driven::of(1);
    for question in 0..=255 {
        driven.ask(wanted(question));
        driven.attempt();
    }
    driven.ask(with_tools(1));
    assert_eq!(driven.end(), End::Nobody { why: Vec::new(), retry_after: Some(ms(1_000)) });
}
