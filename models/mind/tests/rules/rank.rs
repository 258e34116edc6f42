//! What comes first, and why.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use models_mind::recall::{Evidence, Question, Weights, question, rank};
use proptest::prelude::*;

fn ask(query: &str, context: &str) -> Question {
    let speakers = ["Anna".to_owned(), "Ben".to_owned()];
    question(query, context, &speakers, "2023-06-14T08:00:00Z".parse().expect("a time"), &TimeZone::UTC)
}

fn talk() -> RowId {
    RowId::of_user("somebody", "conversation")
}

fn turn<'a>(ordinal: u32, speaker: &'a str, text: &'a str, cosine: f32, bm25: Option<f32>) -> Evidence<'a> {
    Evidence {
        cosine: Some(cosine),
        bm25,
        text,
        speaker: Some(speaker),
        at_ms: at_ms("2023-01-01T00:00:00Z"),
        conversation: Some(talk()),
        ordinal: Some(ordinal),
        kind: MemoryKind::Turn,
    }
}

fn at_ms(time: &str) -> i64 {
    time.parse::<Timestamp>().expect("a time").as_millisecond()
}

/// The order of the rows, and why the first one was found.
fn found(query: &str, rows: &[Evidence<'_>]) -> (Vec<usize>, String) {
    let ranked = rank(&ask(query, ""), rows, 10);
    (ranked.iter().map(|hit| hit.index).collect(), ranked[0].why.clone())
}

#[test]
fn meaning_and_words_decide_where_nothing_else_speaks() {
    let rows = [
        turn(1, "Ben", "Nice weather.", 0.1, None),
        turn(5, "Ben", "The bicycle is red.", 0.6, Some(4.0)),
        turn(9, "Ben", "A red car.", 0.5, Some(1.0)),
    ];
    let (order, why) = found("Which colour has the bicycle?", &rows);
    assert_eq!(order, [1, 2, 0]);
    assert_eq!(why, "Means nearly what was asked and says “bicycle”.");
}

#[test]
fn who_is_named_comes_first() {
    let rows = [
        turn(1, "Ben", "I have a bicycle.", 0.6, Some(4.0)),
        turn(5, "Anna", "My bicycle is red.", 0.55, Some(4.0)),
    ];
    let (order, why) = found("Which bicycle has Anna?", &rows);
    assert_eq!(order, [1, 0]);
    assert!(why.contains("was said by Anna"), "{why}");
}

#[test]
fn the_time_asked_for_comes_first() {
    let row = |text, time| Evidence { at_ms: at_ms(time), ..turn(1, "Anna", text, 0.5, None) };
    let rows = [
        row("We were at the lake.", "2023-03-03T10:00:00Z"),
        row("We were at the sea.", "2023-06-07T10:00:00Z"),
        row("We will be at home.", "2023-06-13T10:00:00Z"),
    ];
    let (order, why) = found("Where were you last week?", &rows);
    assert_eq!(order, [1, 2, 0]);
    assert!(why.contains("belongs to “last week”"), "{why}");
}

#[test]
fn what_is_told_later_belongs_to_its_day() {
    // "Yesterday", said on the 8th, is the 7th.
    let row = |text, time| Evidence { at_ms: at_ms(time), ..turn(1, "Anna", text, 0.5, None) };
    let rows = [
        row("We went to the lake then.", "2023-05-08T10:00:00Z"),
        row("Yesterday we went to the lake.", "2023-05-08T10:00:00Z"),
    ];
    assert_eq!(found("Where did you go on 7 May 2023?", &rows).0, [1, 0]);
}

#[test]
fn when_finds_what_says_a_time() {
    let rows = [
        turn(1, "Anna", "I painted the fence, it was fun.", 0.5, Some(2.0)),
        turn(5, "Anna", "I painted the fence last week.", 0.5, Some(2.0)),
    ];
    let (order, why) = found("When did Anna paint the fence?", &rows);
    assert_eq!(order, [1, 0]);
    assert!(why.contains("says when"), "{why}");
}

#[test]
fn answers_come_before_the_questions_they_answer() {
    let rows = [
        turn(3, "Anna", "What did you see at the zoo?", 0.6, Some(4.0)),
        turn(4, "Ben", "Two lions and a bear.", 0.35, None),
        turn(9, "Ben", "I like lions, too.", 0.35, None),
    ];
    let (order, why) = found("What did Ben see at the zoo?", &rows);
    assert_eq!(order[0], 1);
    assert!(why.contains("follows “What did you see at the zoo?”"), "{why}");
}

#[test]
fn what_only_asks_gives_way_to_what_tells() {
    let rows = [
        turn(1, "Ben", "Was the bicycle red?", 0.6, Some(4.0)),
        turn(5, "Ben", "The bicycle was red.", 0.55, Some(3.8)),
        turn(9, "Ben", "The bicycle was red. Did you see it?", 0.55, Some(3.8)),
    ];
    assert_eq!(found("Which colour had the bicycle?", &rows).0, [1, 2, 0]);
}

#[test]
fn neighbours_are_of_the_same_conversation() {
    let other = RowId::of_user("somebody else", "conversation");
    let rows = [
        turn(3, "Anna", "The zoo.", 0.6, Some(4.0)),
        Evidence { conversation: Some(other), ..turn(4, "Anna", "Two lions.", 0.3, None) },
    ];
    let ranked = rank(&ask("zoo animals", ""), &rows, 10);
    assert!(ranked[1].signals.iter().all(|signal| signal.name != "neighbour"));
}

#[test]
fn the_turn_before_tells_what_it_means() {
    let rows = [
        turn(1, "Ben", "The colour of the wall is green.", 0.5, Some(3.0)),
        turn(5, "Ben", "That bicycle has a red colour.", 0.5, Some(3.5)),
    ];
    let ranked = rank(&ask("Which colour is it?", "Ben bought a bicycle."), &rows, 10);
    assert_eq!(ranked[0].index, 1);
    assert!(ranked[0].signals.iter().any(|signal| signal.name == "context"));
    assert!(ranked[0].why.contains("goes with what was said just before (“bicycle”)"), "{}", ranked[0].why);
}

#[test]
fn without_vectors_the_words_decide() {
    let row = |text, bm25| Evidence { cosine: None, bm25, ..turn(1, "Ben", text, 0.0, None) };
    let rows = [row("a", None), row("red bicycle", Some(3.0)), row("bicycle", Some(1.0))];
    assert_eq!(found("red bicycle", &rows).0, [1, 2, 0]);
}

#[test]
fn nothing_is_found_among_nothing() {
    assert!(rank(&ask("red bicycle", ""), &[], 10).is_empty());
    assert!(rank(&ask("", ""), &[turn(1, "Ben", "a", 0.5, None)], 0).is_empty());
}

#[test]
fn equal_rows_stay_in_their_order() {
    // The same rows give the same order, today and tomorrow.
    let rows: Vec<_> = (0..50).map(|at| turn(at * 2, "Ben", "All the same.", 0.5, Some(1.0))).collect();
    let order: Vec<usize> = rank(&ask("something else", ""), &rows, 50).iter().map(|hit| hit.index).collect();
    assert_eq!(order, (0..50).collect::<Vec<_>>());
}

#[derive(Clone, Debug)]
struct Row {
    cosine: Option<f32>,
    bm25: Option<f32>,
    text: String,
    speaker: Option<&'static str>,
    at_ms: i64,
    ordinal: Option<u32>,
}

impl Row {
    fn evidence(&self) -> Evidence<'_> {
        Evidence {
            cosine: self.cosine,
            bm25: self.bm25,
            text: &self.text,
            speaker: self.speaker,
            at_ms: self.at_ms,
            conversation: self.ordinal.map(|_| talk()),
            ordinal: self.ordinal,
            kind: MemoryKind::Turn,
        }
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let text = "((bicycle|red|yesterday|lake|sea|may|7|last|week|and|\\PC)[ .?!]?){0,12}";
    let speaker = prop::sample::select(vec![None, Some("Anna"), Some("Ben"), Some("")]);
    let row = (
        prop::option::of(any::<f32>()),
        prop::option::of(any::<f32>()),
        text,
        speaker,
        any::<i64>(),
        prop::option::of(0_u32..9),
    );
    let row = row.prop_map(|(cosine, bm25, text, speaker, at_ms, ordinal)| Row {
        cosine,
        bm25,
        text,
        speaker,
        at_ms,
        ordinal,
    });
    prop::collection::vec(row, 0..30)
}

fn query() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "Anna",
        "When did Anna buy the red bicycle?",
        "What did Ben say last week?",
        "it",
        "on 7 May 2023",
        "🤖",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn scores_are_numbers_and_the_sum_of_what_is_shown(rows in rows(), query in query(), context in query(), limit in 0_usize..40) {
        let evidence: Vec<_> = rows.iter().map(Row::evidence).collect();
        let ranked = rank(&ask(&query, &context), &evidence, limit);
        prop_assert_eq!(ranked.len(), limit.min(rows.len()));
        for hit in &ranked {
            prop_assert!(hit.score.is_finite() && hit.score >= 0.0);
            let sum: f32 = hit.signals.iter().map(|signal| signal.share).sum();
            prop_assert!((sum - hit.score).abs() < 1e-4, "{} {}", sum, hit.score);
            prop_assert!(hit.signals.is_sorted_by(|a, b| a.share >= b.share));
            prop_assert!(hit.why.ends_with('.') && hit.why.len() > 3, "{}", hit.why);
        }
        prop_assert!(ranked.is_sorted_by(|a, b| a.score >= b.score));
        let mut rows_found: Vec<usize> = ranked.iter().map(|hit| hit.index).collect();
        rows_found.sort_unstable();
        rows_found.dedup();
        prop_assert_eq!(rows_found.len(), ranked.len());
    }

    #[test]
    fn a_smaller_limit_gives_the_beginning(rows in rows(), query in query(), limit in 0_usize..20) {
        let evidence: Vec<_> = rows.iter().map(Row::evidence).collect();
        let all = rank(&ask(&query, ""), &evidence, usize::MAX);
        let few = rank(&ask(&query, ""), &evidence, limit);
        prop_assert_eq!(&all[..few.len()], &few[..]);
    }

    #[test]
    fn a_row_that_has_nothing_to_do_with_it_leaves_the_order(rows in rows(), query in query()) {
        let mut evidence: Vec<_> = rows.iter().map(Row::evidence).collect();
        let before = rank(&ask(&query, ""), &evidence, usize::MAX);
        let text = "Something else.";
        evidence.push(Evidence { cosine: Some(0.0), bm25: None, text, speaker: None, at_ms: 0, conversation: None, ordinal: None, kind: MemoryKind::Note });
        let after = rank(&ask(&query, ""), &evidence, usize::MAX);
        let after: Vec<_> = after.into_iter().filter(|hit| hit.index < rows.len()).collect();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn the_better_of_two_alike_comes_first(cosine in 0.01_f32..0.9, more in 0.01_f32..0.1) {
        // All else equal, a nearer meaning and a better fit by word never hurt, with either set of weights.
        let rows = [turn(1, "Ben", "One thing.", cosine, Some(1.0)), turn(5, "Ben", "One thing.", cosine + more, Some(1.0 + more))];
        for weights in [Weights::SENTENCES, Weights::LEXICAL] {
            let mut asked = ask("thing", "");
            asked.weights = weights;
            prop_assert_eq!(rank(&asked, &rows, 1)[0].index, 1);
        }
    }
}
