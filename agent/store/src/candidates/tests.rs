//! Candidates from a real file in memory: rows of several people, with and without an index.

use proptest::prelude::*;

use super::*;
use crate::index::{DIMENSIONS, ROWS_MAX, Row};
use crate::vec0;

const SCHEMA: &str = include_str!("../../../../migrations/edge/0001_memory.sql");
const MODEL: &str = "test";

struct Memory {
    conn: Connection,
    index: Index,
}

impl Memory {
    fn new() -> Self {
        vec0::register().unwrap();
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(SCHEMA).unwrap();
        Self { conn, index: Index::new(ROWS_MAX) }
    }

    fn note(&self, town: &str, text: &str) -> i64 {
        let id = self.id();
        self.conn
            .execute(
                "INSERT INTO notes VALUES (?1, ?2, ?3, 'anna', 0, '[]', 50, 0, NULL, 1, ?1, 0, 0, 0)",
                params![id, town, text],
            )
            .unwrap();
        self.remember(MemoryKind::Note, id, town, "", None, text)
    }

    fn fact(&self, user: &str, text: &str) -> i64 {
        let id = self.id();
        self.conn
            .execute(
                "INSERT INTO facts VALUES (?1, 'home', ?2, ?3, NULL, NULL, 0, NULL, 1, ?1, 0, 0, 0)",
                params![id, user, text],
            )
            .unwrap();
        self.remember(MemoryKind::Fact, id, "home", user, None, text)
    }

    /// A conversation of these turns; keys of their rows.
    fn conversation(&self, user: &str, texts: &[&str]) -> Vec<i64> {
        let conversation = self.id();
        self.conn
            .execute(
                "INSERT INTO conversations VALUES (?1, 'home', ?2, 0, 0, 0)",
                params![conversation, user],
            )
            .unwrap();
        let turn = |(ordinal, text): (i64, &&str)| {
            let id = self.id();
            self.conn
                .execute(
                    "INSERT INTO turns VALUES (?1, ?2, ?3, 'user', 'Anna', ?4, 0, 'friendly', ?1, 0, 0, 0)",
                    params![id, conversation, ordinal, text],
                )
                .unwrap();
            self.remember(MemoryKind::Turn, id, "home", user, Some((conversation, ordinal)), text)
        };
        (1..).zip(texts).map(turn).collect()
    }

    fn id(&self) -> [u8; 16] {
        self.conn.query_row("SELECT randomblob(16)", [], |row| row.get(0)).unwrap()
    }

    fn remember(
        &self,
        kind: MemoryKind,
        id: [u8; 16],
        town: &str,
        user: &str,
        at: Option<([u8; 16], i64)>,
        text: &str,
    ) -> i64 {
        self.remember_by(kind, id, town, user, at, at.map(|_| "Anna"), 0, text)
    }

    /// A note by somebody at a time.
    fn said(&self, speaker: &str, at_ms: i64, text: &str) -> i64 {
        let id = self.id();
        self.conn
            .execute(
                "INSERT INTO notes VALUES (?1, 'home', ?2, ?3, ?4, '[]', 50, 0, NULL, 1, ?1, 0, 0, 0)",
                params![id, text, speaker, at_ms],
            )
            .unwrap();
        self.remember_by(MemoryKind::Note, id, "home", "", None, Some(speaker), at_ms, text)
    }

    #[expect(clippy::too_many_arguments, reason = "one for each column")]
    fn remember_by(
        &self,
        kind: MemoryKind,
        id: [u8; 16],
        town: &str,
        user: &str,
        at: Option<([u8; 16], i64)>,
        speaker: Option<&str>,
        at_ms: i64,
        text: &str,
    ) -> i64 {
        let hash = ContentHash::of(text);
        self.conn
            .execute(
                "INSERT INTO memory (kind, id, town, user_id, conversation_id, ordinal, speaker, at_ms, content_hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    Kinds::number(kind),
                    id,
                    town,
                    user,
                    at.map(|at| at.0),
                    at.map(|at| at.1),
                    speaker,
                    at_ms,
                    hash.as_bytes()
                ],
            )
            .unwrap();
        let n = self.conn.last_insert_rowid();
        words::write(&self.conn, n, text).unwrap();
        let row = Row {
            n,
            kind,
            town: town.to_owned(),
            user: user.to_owned(),
            speaker: speaker.map(str::to_owned),
            at_ms,
        };
        self.index.apply(vectors::added(&self.conn, &row, hash).unwrap());
        n
    }

    fn delete(&self, n: i64) {
        let hash: [u8; 16] = self
            .conn
            .query_row("DELETE FROM memory WHERE n = ?1 RETURNING content_hash", [n], |row| row.get(0))
            .unwrap();
        words::delete(&self.conn, n).unwrap();
        self.index.apply(vectors::removed(&self.conn, n, ContentHash::from_bytes(hash)).unwrap());
    }

    fn embed(&self, model: &str) {
        let missing = vectors::missing(&self.conn, &self.index, model, usize::MAX).unwrap();
        let vectors: Vec<_> = missing.into_iter().map(|(hash, text)| (hash, meaning_of(&text))).collect();
        self.index.apply(vectors::put(&self.conn, model, &vectors).unwrap());
    }

    fn vectors(&self) -> i64 {
        self.conn.query_row("SELECT count(*) FROM vectors", [], |row| row.get(0)).unwrap()
    }

    fn ask(
        &self,
        user: &str,
        kinds: &[MemoryKind],
        text: Option<&str>,
        terms: &[&str],
        n: usize,
    ) -> Vec<Candidate> {
        let asked = Asked {
            whose: Whose { town: "home".to_owned(), user: user.to_owned() },
            model: MODEL.to_owned(),
            vector: text.map(|text| Box::new(meaning_of(text))),
            terms: terms.iter().map(|term| (*term).to_owned()).collect(),
            kinds: Kinds::of(kinds),
            span: None,
            speakers: Vec::new(),
            n,
        };
        find(&self.conn, &self.index, &asked).unwrap()
    }

    /// What is found of a time and by some people, of the town's notes.
    fn ask_meant(
        &self,
        text: Option<&str>,
        span: Option<(i64, i64)>,
        speakers: &[&str],
        n: usize,
    ) -> Vec<i64> {
        let asked = Asked {
            whose: Whose { town: "home".to_owned(), user: "owner".to_owned() },
            model: MODEL.to_owned(),
            vector: text.map(|text| Box::new(meaning_of(text))),
            terms: Vec::new(),
            kinds: Kinds::of(&[]),
            span: span.map(|(from_ms, to_ms)| Span { from_ms, to_ms }),
            speakers: speakers.iter().map(|name| (*name).to_owned()).collect(),
            n,
        };
        keys(&find(&self.conn, &self.index, &asked).unwrap())
    }
}

/// A stand-in for a model: texts that share letters lie close together.
fn meaning_of(text: &str) -> Vector {
    let mut vector = [0.01; DIMENSIONS];
    for pair in text.as_bytes().windows(2) {
        vector[(usize::from(pair[0]) * 31 + usize::from(pair[1])) % DIMENSIONS] += 1.0;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.map(|number| number / length)
}

fn keys(candidates: &[Candidate]) -> Vec<i64> {
    candidates.iter().map(|candidate| candidate.n).collect()
}

#[test]
fn the_best_by_meaning_come_first_then_those_by_word_then_neighbours() {
    let memory = Memory::new();
    let turns =
        memory.conversation("owner", &["how are you", "the garden needs water", "I will", "good night"]);
    let note = memory.note("home", "buy seeds for the garden");
    memory.embed(MODEL);
    let found = memory.ask("owner", &[], Some("the garden needs watering"), &["seeds"], 1);
    assert_eq!(keys(&found), [turns[1], note, turns[0], turns[2]]);
    assert!(found.iter().all(|candidate| candidate.cosine.is_some()), "everybody has a cosine");
    let by_word: Vec<bool> = found.iter().map(|candidate| candidate.bm25.is_some()).collect();
    assert_eq!(by_word, [false, true, false, false]);
    assert_eq!(found[0].text, "the garden needs water");
    assert_eq!(found[0].speaker.as_deref(), Some("Anna"));
    assert_eq!(found[0].ordinal, Some(2));
    assert_eq!(found[0].conversation, found[2].conversation);
    assert_eq!(found[1].kind, MemoryKind::Note);
}

#[test]
fn a_row_found_by_meaning_and_by_word_comes_once_with_both() {
    let memory = Memory::new();
    let note = memory.note("home", "the key is under the mat");
    memory.embed(MODEL);
    let found = memory.ask("owner", &[], Some("the key is under the mat"), &["key"], 5);
    assert_eq!(keys(&found), [note]);
    assert!(found[0].cosine.unwrap() > 0.999 && found[0].bm25.is_some());
}

#[test]
fn foreign_rows_are_never_found_also_not_as_neighbours() {
    let memory = Memory::new();
    memory.note("elsewhere", "a secret of another town");
    memory.conversation("guest", &["a secret of the guest", "yes", "another secret"]);
    memory.fact("guest", "the guest likes secrets");
    let own = memory.fact("owner", "the owner has a secret");
    memory.embed(MODEL);
    let found = memory.ask("owner", &[], Some("a secret"), &["secret", "secrets", "yes"], 100);
    assert_eq!(keys(&found), [own]);
    memory.index.replace(0, Vec::new());
    let found = memory.ask("owner", &[], Some("a secret"), &["secret", "secrets", "yes"], 100);
    assert_eq!(keys(&found), [own], "nor without an index");
}

#[test]
fn only_the_kinds_that_are_asked_for() {
    let memory = Memory::new();
    let turns = memory.conversation("owner", &["the cat sleeps", "the cat eats", "the cat plays"]);
    let fact = memory.fact("owner", "the cat is called Tom");
    memory.note("home", "feed the cat");
    memory.embed(MODEL);
    let found = memory.ask("owner", &[MemoryKind::Fact], Some("the cat"), &["cat"], 10);
    assert_eq!(keys(&found), [fact]);
    let found = memory.ask("owner", &[MemoryKind::Turn], Some("the cat sleeps"), &[], 1);
    assert_eq!(keys(&found), [turns[0], turns[1]]);
}

/// Two that are nearest to the question, and beside them four of two people and two times.
fn of_two_people() -> (Memory, [i64; 2], [i64; 4]) {
    let memory = Memory::new();
    let nearest = [memory.said("Cleo", 0, "the garden"), memory.said("Cleo", 0, "the gardens")];
    let others = [
        memory.said("Anna", 10, "a letter came"),
        memory.said("Anna", 20, "the robot fell over"),
        memory.said("Bert", 10, "good night"),
        memory.said("Bert", 20, "no more tea"),
    ];
    memory.embed(MODEL);
    (memory, nearest, others)
}

#[test]
fn rows_of_the_time_and_by_the_people_named_are_found_whatever_is_nearer() {
    let check = |span: Option<(i64, i64)>, speakers: &[&str], wanted: &[usize]| {
        let (memory, nearest, others) = of_two_people();
        let wanted: Vec<i64> = wanted.iter().map(|place| others[*place]).collect();
        for without_index in [false, true] {
            if without_index {
                memory.index.replace(6, Vec::new());
            }
            let mut found = memory.ask_meant(Some("the garden"), span, speakers, 2);
            assert_eq!(found[..2], nearest, "nothing is lost");
            found.drain(..2);
            found.sort_unstable();
            assert_eq!(found, wanted, "{span:?} {speakers:?}");
        }
        let mut found = memory.ask_meant(None, span, speakers, 2);
        found.sort_unstable();
        assert_eq!(found, wanted, "nor is a vector needed: {span:?} {speakers:?}");
    };
    check(Some((10, 20)), &["Anna"], &[0]);
    check(Some((20, 21)), &["Anna"], &[1]);
    check(Some((10, 21)), &["Bert"], &[2, 3]);
    check(Some((10, 20)), &[], &[0, 2]);
    check(Some((20, 30)), &["Anna", "Bert"], &[1, 3]);
    check(None, &["Anna"], &[0, 1]);
    // A name is the whole name, and the end of a time is not in it.
    check(None, &["Ann"], &[]);
    check(Some((11, 20)), &["Anna"], &[]);
}

#[test]
fn of_those_named_the_nearest_come_first_and_no_more_than_asked_for() {
    let (memory, nearest, others) = of_two_people();
    let found = memory.ask_meant(Some("the robot fell"), None, &["Anna", "Cleo"], 1);
    assert_eq!(found, [others[1]]);
    let found = memory.ask_meant(Some("the gardens"), None, &["Bert"], 1);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], nearest[1]);
    let found = memory.ask_meant(None, Some((0, 100)), &[], 3);
    assert_eq!(found, [others[3], others[1], others[2]], "without a vector the newest");
}

#[test]
fn what_others_said_at_the_time_stays_theirs_and_what_is_deleted_is_gone() {
    let memory = Memory::new();
    let mine = memory.conversation("owner", &["one"]);
    let theirs = memory.conversation("guest", &["two"]);
    memory.note("home", "three");
    memory.embed(MODEL);
    assert!(!memory.ask_meant(Some("x"), Some((0, 1)), &["Anna"], 100).contains(&theirs[0]));
    assert_eq!(memory.ask_meant(None, Some((0, 1)), &["Anna"], 100), mine);
    memory.delete(mine[0]);
    assert!(memory.ask_meant(None, Some((0, 1)), &["Anna"], 100).is_empty());
    vectors::load(&memory.conn, &memory.index).unwrap();
    assert_eq!(memory.ask_meant(Some("x"), None, &["Anna"], 1).len(), 1, "by meaning, and nothing by name");
}

#[test]
fn a_deleted_row_is_gone_at_once_with_its_vector_and_its_key_is_nobodys() {
    let memory = Memory::new();
    memory.note("home", "water the plants");
    let gone = memory.note("home", "the code is 4711");
    memory.embed(MODEL);
    memory.delete(gone);
    assert_eq!(memory.vectors(), 1, "what it meant is deleted too");
    let found = memory.ask("owner", &[], Some("the code is 4711"), &["code", "4711"], 10);
    assert_eq!(found.len(), 1);
    // SQLite gives the same key to the next row.
    let next = memory.note("home", "nothing to do with it");
    assert_eq!(next, gone);
    let found = memory.ask("owner", &[], Some("the code is 4711"), &["code"], 10);
    assert_eq!(found.len(), 1, "the next row has no vector yet and is not taken for the other");
}

#[test]
fn rows_of_the_same_text_share_one_vector_until_the_last_is_gone() {
    let memory = Memory::new();
    let first = memory.note("home", "good morning");
    memory.embed(MODEL);
    let second = memory.note("home", "good morning");
    assert_eq!(memory.vectors(), 1);
    let found = memory.ask("owner", &[], Some("good morning"), &[], 10);
    assert_eq!(keys(&found), [second, first], "the second is found without being embedded again");
    memory.delete(first);
    assert_eq!(keys(&memory.ask("owner", &[], Some("good morning"), &[], 10)), [second]);
    memory.delete(second);
    assert_eq!(memory.vectors(), 0);
}

#[test]
fn rows_without_a_vector_are_found_by_word_and_counted_as_missing() {
    let memory = Memory::new();
    memory.note("home", "old");
    memory.embed(MODEL);
    let new = memory.note("home", "new");
    let found = memory.ask("owner", &[], Some("old"), &["new"], 10);
    let new = found.iter().find(|candidate| candidate.n == new).unwrap();
    assert_eq!(new.cosine, None);
    let missing = vectors::missing(&memory.conn, &memory.index, MODEL, 10).unwrap();
    assert_eq!(missing, [(ContentHash::of("new"), "new".to_owned())]);
    let coverage = |model| vectors::coverage(&memory.conn, &memory.index, model).unwrap();
    assert!((coverage(MODEL) - 0.5).abs() < 1e-6);
    assert!(coverage("another").abs() < 1e-6);
    memory.embed(MODEL);
    assert!((coverage(MODEL) - 1.0).abs() < 1e-6);
    assert_eq!(vectors::missing(&memory.conn, &memory.index, MODEL, 10).unwrap(), []);
}

#[test]
fn missing_texts_come_newest_first_each_once_and_no_more_than_asked_for() {
    let memory = Memory::new();
    for text in ["one", "two", "two", "three"] {
        memory.note("home", text);
    }
    let missing = vectors::missing(&memory.conn, &memory.index, MODEL, 2).unwrap();
    let texts: Vec<&str> = missing.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["three", "two"]);
}

#[test]
fn vectors_that_nobody_needs_or_that_are_none_do_no_harm() {
    let memory = Memory::new();
    let note = memory.note("home", "a note");
    let nan = [f32::NAN; DIMENSIONS];
    let put = [(ContentHash::of("nobody says this"), meaning_of("x")), (ContentHash::of("a note"), nan)];
    memory.index.apply(vectors::put(&memory.conn, MODEL, &put).unwrap());
    assert_eq!(memory.vectors(), 1);
    let found = memory.ask("owner", &[], Some("a note"), &[], 10);
    assert_eq!((found[0].n, found[0].cosine), (note, Some(0.0)));
    // Once more, with another answer: the first one stays.
    let again = [(ContentHash::of("a note"), meaning_of("a note"))];
    memory.index.apply(vectors::put(&memory.conn, MODEL, &again).unwrap());
    assert_eq!(memory.ask("owner", &[], Some("a note"), &[], 10)[0].cosine, Some(0.0));
}

#[test]
fn a_model_can_be_replaced_beside_questions() {
    let memory = Memory::new();
    let note = memory.note("home", "a note");
    memory.embed("before");
    memory.embed(MODEL);
    assert_eq!(memory.vectors(), 2);
    memory.index.apply(vectors::retire(&memory.conn, "before").unwrap());
    assert_eq!(memory.vectors(), 1);
    assert_eq!(keys(&memory.ask("owner", &[], Some("a note"), &[], 10)), [note]);
    assert!(vectors::coverage(&memory.conn, &memory.index, "before").unwrap().abs() < 1e-6);
}

#[test]
fn an_unknown_model_and_an_empty_memory_find_nothing() {
    let memory = Memory::new();
    assert_eq!(memory.ask("owner", &[], Some("anything"), &["anything"], 10), []);
    memory.note("home", "a note");
    assert_eq!(memory.ask("owner", &[], Some("a note"), &[], 10), []);
}

#[test]
fn speakers_are_told_once_and_only_to_those_who_may_know() {
    let memory = Memory::new();
    memory.conversation("owner", &["one", "two"]);
    memory.conversation("guest", &["one"]);
    memory.conn.execute("UPDATE memory SET speaker = 'Bert' WHERE user_id = 'guest'", []).unwrap();
    let told = |user: &str| {
        speakers(&memory.conn, &Whose { town: "home".to_owned(), user: user.to_owned() }).unwrap()
    };
    assert_eq!(told("owner"), ["Anna"]);
    assert_eq!(told("guest"), ["Bert"]);
    assert_eq!(told("nobody"), [] as [&str; 0]);
}

#[derive(Clone, Debug)]
enum Step {
    Note(u8),
    Fact(bool, u8),
    Turns(Vec<u8>),
    Delete(prop::sample::Index),
    Embed,
    /// The index is read from the database, as after a start.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let text = || 0_u8..40;
    prop_oneof![
        3 => text().prop_map(Step::Note),
        2 => (any::<bool>(), text()).prop_map(|(guest, text)| Step::Fact(guest, text)),
        2 => prop::collection::vec(text(), 1..6).prop_map(Step::Turns),
        3 => any::<prop::sample::Index>().prop_map(Step::Delete),
        2 => Just(Step::Embed),
        1 => Just(Step::Restart),
    ]
}

fn text(number: u8) -> String {
    const WORDS: [&str; 7] = ["garden", "water", "seeds", "night", "kitchen", "robot", "letter"];
    let number = usize::from(number);
    format!("the {} and the {} {number}", WORDS[number % 7], WORDS[number / 6])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever was written, deleted, embedded and restarted: the index finds what SQL finds by comparing everything.
    #[test]
    fn the_index_finds_what_the_database_finds(
        steps in prop::collection::vec(step(), 1..40),
        question in 0_u8..40,
        kinds in prop::sample::subsequence(Kinds::ALL.to_vec(), 0..=3),
    ) {
        let memory = Memory::new();
        let mut rows = Vec::new();
        for step in steps {
            match step {
                Step::Note(number) => rows.push(memory.note("home", &text(number))),
                Step::Fact(guest, number) => {
                    rows.push(memory.fact(if guest { "guest" } else { "owner" }, &text(number)));
                }
                Step::Turns(numbers) => {
                    let texts: Vec<String> = numbers.into_iter().map(text).collect();
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    rows.extend(memory.conversation("owner", &texts));
                }
                Step::Delete(which) if !rows.is_empty() => memory.delete(rows.swap_remove(which.index(rows.len()))),
                Step::Delete(_) => {}
                Step::Embed => memory.embed(MODEL),
                Step::Restart => vectors::load(&memory.conn, &memory.index).unwrap(),
            }
        }
        let (question, n) = (text(question), 8);
        let found = memory.ask("owner", &kinds, Some(&question), &[], n);
        prop_assert!(found.iter().all(|candidate| rows.contains(&candidate.n)), "deleted rows are gone");
        let mut unique = keys(&found);
        unique.sort_unstable();
        unique.dedup();
        prop_assert_eq!(unique.len(), found.len(), "each once");
        let whose = Whose { town: "home".to_owned(), user: "owner".to_owned() };
        let filter = Filter { whose: &whose, kinds: Kinds::of(&kinds) };
        let exact = match vectors::model_id(&memory.conn, MODEL).unwrap() {
            Some(model) => vec0::nearest(&memory.conn, model, &meaning_of(&question), &filter, n).unwrap(),
            None => Vec::new(),
        };
        for (candidate, exact) in found.iter().zip(&exact) {
            prop_assert!((candidate.cosine.unwrap() - exact.cosine).abs() < 1e-5);
        }
        prop_assert!(found.len() >= exact.len());
    }
}
