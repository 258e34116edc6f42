use super::super::clock::Effective;
use super::super::op::{Field, Kind, as_int, stamp_of};
use super::super::row::Author;
use super::super::table::{conflicts, notes, personality};
use super::*;

const NOTE: RowKey = RowKey { table: TableId(1), row: RowId::from_bytes([7; 16]) };

fn op(kind: Kind, base: u64, text: &str) -> Op {
    let mut fields = vec![Field::text(notes::CONTENT, text)];
    match kind {
        Kind::Insert => fields.push(Field::text(notes::CREATED_BY, "ann")),
        Kind::Set => {}
        Kind::Delete => fields.clear(),
    }
    Op { seq: 0, kind, key: NOTE, base, stamp: stamp_of(1, 0, 0, 2), fields }
}

fn by(device: &str, seq: u64, at_ms: i64) -> Writer {
    Writer {
        author: Author { device: device.to_owned(), incarnation: 1, seq },
        user: "ann".to_owned(),
        at: Effective { ms: at_ms, is_approx: false },
        parent: None,
        is_again: false,
        traces_from_ms: 0,
    }
}

/// The next transaction, with what the ones before it left.
fn next(before: Work) -> Work {
    let Work { heads, rows, changed, .. } = before;
    Work { changed, ..Work::new(heads, rows) }
}

/// What the note says after these writes, each a transaction of its own, and what lost.
fn after(writes: &[(Writer, Op)]) -> (Option<String>, Vec<String>) {
    let mut work = Work::default();
    for (writer, op) in writes {
        work = next(work);
        apply(&mut work, writer, op);
    }
    let text = |held: &Held, field| String::from_utf8(held.state.get(field).unwrap().value.clone()).unwrap();
    let shown = work.row(NOTE).filter(|held| !held.state.deleted).map(|held| text(held, notes::CONTENT));
    let lost = work.changed().filter(|(key, _)| is_conflicts(key.table));
    let open = lost.filter(|(_, held)| as_int(&held.state.get(conflicts::STATE).unwrap().value) == Some(0));
    (shown, open.map(|(_, held)| text(held, conflicts::OTHER)).collect())
}

fn check(writes: &[(Writer, Op)], shown: Option<&str>, lost: &[&str]) {
    let (text, others) = after(writes);
    assert_eq!(text.as_deref(), shown, "{writes:?}");
    assert_eq!(others, lost, "{writes:?}");
}

#[test]
fn an_edit_that_saw_what_it_replaces_is_taken_whatever_the_clocks_say() {
    let new = (by("a", 1, 900), op(Kind::Insert, 0, "one"));
    check(&[new.clone(), (by("b", 1, 5), op(Kind::Set, 1, "two"))], Some("two"), &[]);
    // Its own, of which it has not heard yet.
    check(&[new, (by("a", 2, 5), op(Kind::Set, 0, "two"))], Some("two"), &[]);
}

#[test]
fn of_two_edits_that_did_not_see_each_other_the_later_stands_and_the_other_is_kept() {
    let new = (by("a", 1, 1), op(Kind::Insert, 0, "one"));
    let two = (by("b", 1, 50), op(Kind::Set, 1, "two"));
    check(&[new.clone(), two.clone(), (by("a", 2, 60), op(Kind::Set, 1, "three"))], Some("three"), &["two"]);
    check(&[new.clone(), two.clone(), (by("a", 2, 40), op(Kind::Set, 1, "three"))], Some("two"), &["three"]);
    // The same moment: the device's name decides, in whichever order they come.
    let three = (by("c", 1, 50), op(Kind::Set, 1, "three"));
    check(&[new.clone(), two.clone(), three.clone()], Some("three"), &["two"]);
    check(&[new.clone(), three, two.clone()], Some("three"), &["two"]);
    // Both say the same: nothing is lost.
    check(&[new, two, (by("c", 1, 60), op(Kind::Set, 1, "two"))], Some("two"), &[]);
}

#[test]
fn a_device_that_loses_again_has_one_conflict_with_its_newest_words() {
    let writes = [
        (by("a", 1, 1), op(Kind::Insert, 0, "one")),
        (by("b", 1, 50), op(Kind::Set, 1, "two")),
        (by("a", 2, 30), op(Kind::Set, 1, "three")),
        (by("a", 3, 40), op(Kind::Set, 1, "four")),
    ];
    check(&writes, Some("two"), &["four"]);
}

#[test]
fn what_lost_is_kept_beside_what_the_same_device_wrote_after_it_saw_the_winner() {
    let writes = [
        (by("a", 1, 1), op(Kind::Insert, 0, "one")),
        (by("b", 1, 50), op(Kind::Set, 1, "two")),
        (by("a", 2, 30), op(Kind::Set, 1, "three")),
        (by("b", 2, 90), op(Kind::Set, 2, "four")),
        // It saw "two", and wrote over that.
        (by("a", 3, 60), op(Kind::Set, 2, "five")),
    ];
    check(&writes, Some("four"), &["three", "five"]);
}

#[test]
fn a_deletion_stands_and_what_it_did_not_see_is_kept() {
    let new = (by("a", 1, 1), op(Kind::Insert, 0, "one"));
    let two = (by("b", 1, 50), op(Kind::Set, 1, "two"));
    check(&[new.clone(), (by("a", 2, 60), op(Kind::Delete, 0, ""))], None, &[]);
    check(&[new.clone(), two.clone(), (by("a", 2, 40), op(Kind::Delete, 1, ""))], None, &["two"]);
    check(&[new.clone(), (by("a", 2, 40), op(Kind::Delete, 1, "")), two.clone()], None, &["two"]);
    // Nothing brings it back.
    check(&[new.clone(), (by("a", 2, 2), op(Kind::Delete, 1, "")), new], None, &["one"]);
    // No such row any more.
    check(&[two], None, &["two"]);
}

#[test]
fn whoever_saw_versions_that_never_were_saw_nothing() {
    // The server was set back to an older copy: what a robot saw then is of another history, also where it wrote more than once.
    let new = (by("a", 1, 1), op(Kind::Insert, 0, "one"));
    let two = (by("b", 1, 50), op(Kind::Set, 1, "two"));
    check(&[new.clone(), two.clone(), (by("a", 2, 60), op(Kind::Set, 9, "three"))], Some("three"), &["two"]);
    check(&[new.clone(), two.clone(), (by("a", 2, 40), op(Kind::Set, 9, "three"))], Some("two"), &["three"]);
    check(&[new.clone(), two.clone(), (by("a", 2, 60), op(Kind::Delete, 9, ""))], None, &["two"]);

    let other = RowKey { row: RowId::from_bytes([8; 16]), ..NOTE };
    let mut work = Work::default();
    for key in [NOTE, other] {
        apply(&mut work, &by("b", 1, 50), &Op { key, ..op(Kind::Insert, 0, "one") });
    }
    let mut work = next(work);
    apply(&mut work, &by("a", 1, 60), &op(Kind::Set, 3, "two"));
    assert!(work.heads[&Scope::Town].version >= 3, "the version has come into being meanwhile");
    apply(&mut work, &by("a", 2, 60), &Op { key: other, ..op(Kind::Set, 3, "two") });
    assert_eq!(work.changed().filter(|(key, _)| is_conflicts(key.table)).count(), 2);
}

#[test]
fn a_copy_that_inserts_again_what_may_have_been_deleted_is_asked_first() {
    let again = |at_ms, traces_from_ms| Writer { is_again: true, traces_from_ms, ..by("a", 1, at_ms) };
    check(&[(again(100, 50), op(Kind::Insert, 0, "one"))], Some("one"), &[]);
    check(&[(again(40, 50), op(Kind::Insert, 0, "one"))], None, &["one"]);
}

#[test]
fn a_row_stays_small_enough_for_a_frame() {
    // Also where it grows by fields that nobody here knows, one after the other; what was too long is kept, as far as it goes.
    let mut work = Work::default();
    apply(&mut work, &by("a", 1, 1), &op(Kind::Insert, 0, "one"));
    for (seq, field) in (2..).zip(900..904) {
        let fields = vec![Field { id: field, value: vec![7; 20_000] }];
        apply(&mut work, &by("a", seq, 1), &Op { fields, ..op(Kind::Set, 9, "") });
    }
    let bytes: usize = work.row(NOTE).unwrap().state.fields.iter().map(|one| one.value.len()).sum();
    assert_eq!((bytes > 40_000, bytes < 48 * 1024, work.invalid), (true, true, 2));
    apply(&mut work, &by("a", 9, 1), &op(Kind::Set, 9, &"x".repeat(100_000)));
    let lost = work.changed().find(|(key, _)| is_conflicts(key.table)).unwrap().1;
    assert_eq!(lost.state.get(conflicts::OTHER).unwrap().value.len(), 32 * 1024);
}

#[test]
fn a_foreign_row_is_told_of_to_nobody() {
    // A fact of Bob's: what Ann's device writes under its id goes to her own conflicts.
    let fact = RowKey { table: Table::Facts.id(), row: NOTE.row };
    let held =
        Held { scope: Scope::User("bob".to_owned()), state: RowState { version: 3, ..RowState::default() } };
    let mut work = Work::new(BTreeMap::new(), [(fact, held.clone())]);
    for kind in [Kind::Insert, Kind::Set] {
        let fields = vec![Field::text(1, "mine")];
        apply(&mut work, &by("a", 1, 1), &Op { kind, key: fact, fields, ..op(Kind::Set, 9, "") });
    }
    assert_eq!(work.row(fact), Some(&held));
    assert!(work.changed().all(|(_, held)| held.scope == Scope::User("ann".to_owned())));
}

#[test]
fn a_personality_has_the_id_of_its_user() {
    // Or whoever writes it first would have the one that another will write.
    let fields = || {
        vec![
            Field::text(personality::MOOD, "bossy"),
            Field::int(personality::ATTRACTION, 2),
            Field::int(personality::GANDHI_GENGHIS, 9),
            Field::int(personality::ENERGY, 3),
        ]
    };
    for (user, is_taken) in [("ann", true), ("bob", false)] {
        let key = RowKey { table: Table::Personality.id(), row: RowId::of_user(user, "personality") };
        let mut work = Work::default();
        apply(&mut work, &by("a", 1, 1), &Op { key, fields: fields(), ..op(Kind::Insert, 0, "") });
        assert_eq!((work.row(key).is_some(), work.invalid), (is_taken, u32::from(!is_taken)), "{user}");
    }
}

#[test]
fn the_checksum_of_a_scope_is_the_sum_of_its_rows() {
    let mut work = Work::default();
    let writes = [
        (by("a", 1, 1), op(Kind::Insert, 0, "one")),
        (by("b", 1, 50), op(Kind::Set, 1, "two")),
        (by("a", 2, 30), op(Kind::Set, 1, "three")),
        (by("a", 3, 40), op(Kind::Set, 1, "four")),
    ];
    for (writer, op) in &writes {
        work = next(work);
        apply(&mut work, writer, op);
        let rows = work.changed().map(|(key, held)| checksum(key.row, held.state.version));
        let sum = rows.fold(0_u64, u64::wrapping_add);
        assert_eq!(work.heads[&Scope::Town].checksum, sum);
    }
}
