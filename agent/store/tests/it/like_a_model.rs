//! Whatever is done in whatever order, the store answers as a plain list in memory would, also after it was closed and opened.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use agent_store::Store;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{Changed, NewNote, NoteFilter, NotePatch, StickyNote};
use cloud_sync_protocol::persona::{Mood, MoodUpdate, PersonalityState};
use cloud_sync_protocol::store::{NoteStore, PersonaStore, StoreError, Whose};
use proptest::prelude::*;

use crate::support::{Home, NOW_MS, abroad, all_notes, ann, bob, id, page, run};

#[derive(Clone, Debug)]
enum Step {
    Add { who: usize, number: u64, word: usize, priority: u8 },
    Change { who: usize, number: u64, word: Option<usize>, priority: Option<u8>, expected: Option<u64> },
    Delete { who: usize, number: u64, expected: Option<u64> },
    Mood { who: usize, mood: usize, energy: Option<u8> },
    Surface { who: usize, number: u64 },
    List { who: usize, word: Option<usize>, limit: u32 },
    Later { ms: i64 },
    Reopen,
}

const WORDS: [&str; 4] = ["milk", "bread and butter", "running home", "🎈"];

fn people() -> [Whose; 3] {
    [ann(), bob(), abroad()]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, number, word) = (0..3_usize, 0..6_u64, 0..WORDS.len());
    let priority = prop_oneof![Just(50_u8), 0..=100_u8];
    let expected = prop::option::weighted(0.3, 1..4_u64);
    let step = prop_oneof![
        6 => (who.clone(), number.clone(), word.clone(), priority.clone())
            .prop_map(|(who, number, word, priority)| Step::Add { who, number, word, priority }),
        4 => (who.clone(), number.clone(), prop::option::of(word.clone()), prop::option::of(priority), expected.clone())
            .prop_map(|(who, number, word, priority, expected)| Step::Change { who, number, word, priority, expected }),
        2 => (who.clone(), number.clone(), expected)
            .prop_map(|(who, number, expected)| Step::Delete { who, number, expected }),
        2 => (who.clone(), 0..6_usize, prop::option::of(0..=100_u8))
            .prop_map(|(who, mood, energy)| Step::Mood { who, mood, energy }),
        1 => (who.clone(), number).prop_map(|(who, number)| Step::Surface { who, number }),
        3 => (who, prop::option::of(word), 1..4_u32).prop_map(|(who, word, limit)| Step::List { who, word, limit }),
        2 => (-5_000..5_000_i64).prop_map(|ms| Step::Later { ms }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Default)]
struct Model {
    notes: BTreeMap<RowId, (String, Changed<StickyNote>)>,
    moods: BTreeMap<String, (PersonalityState, usize)>,
}

type Answer = Result<Changed<StickyNote>, Refused>;

#[derive(Debug, PartialEq)]
enum Refused {
    NotFound,
    Conflict(u64),
}

fn answer<T>(stored: Result<T, StoreError>) -> Result<T, Refused> {
    stored.map_err(|error| match error {
        StoreError::NotFound => Refused::NotFound,
        StoreError::Conflict { version } => Refused::Conflict(version),
        other => panic!("{other}"),
    })
}

impl Model {
    fn add(&mut self, whose: &Whose, new: &NewNote, now_ms: i64) -> Answer {
        if let Some((town, known)) = self.notes.get(&new.id) {
            let row = &known.row;
            let is_same = (&row.content, row.priority) == (&new.content, new.priority);
            return match (*town == whose.town, is_same) {
                (true, true) => Ok(known.clone()),
                (true, false) => Err(Refused::Conflict(known.version)),
                (false, _) => Err(Refused::Conflict(0)),
            };
        }
        let row = StickyNote {
            id: new.id,
            content: new.content.clone(),
            created_by: new.created_by.clone(),
            created_at: jiff::Timestamp::from_millisecond(now_ms).unwrap(),
            tags: new.tags.clone(),
            priority: new.priority,
            surfaced: false,
        };
        let added = Changed { row, version: 1 };
        self.notes.insert(new.id, (whose.town.clone(), added.clone()));
        Ok(added)
    }

    fn theirs(
        &mut self,
        whose: &Whose,
        id: RowId,
        expected: Option<u64>,
    ) -> Result<&mut Changed<StickyNote>, Refused> {
        match self.notes.get_mut(&id) {
            Some((town, note)) if *town == whose.town => match expected {
                Some(expected) if expected != note.version => Err(Refused::Conflict(note.version)),
                _ => Ok(note),
            },
            _ => Err(Refused::NotFound),
        }
    }

    fn change(&mut self, whose: &Whose, id: RowId, patch: &NotePatch, expected: Option<u64>) -> Answer {
        let note = self.theirs(whose, id, expected)?;
        let before = note.row.clone();
        note.row.content = patch.content.clone().unwrap_or(note.row.content.clone());
        note.row.priority = patch.priority.unwrap_or(note.row.priority);
        note.row.surfaced = patch.surfaced.unwrap_or(note.row.surfaced);
        note.version += u64::from(note.row != before || patch.surfaced == Some(true));
        Ok(note.clone())
    }

    fn list(&self, whose: &Whose, word: Option<&str>) -> Vec<StickyNote> {
        let passes = |content: &str| word.is_none_or(|word| word == content);
        let theirs = self.notes.values().filter(|(town, _)| *town == whose.town);
        let mut notes: Vec<StickyNote> = theirs.map(|(_, note)| note.row.clone()).collect();
        notes.retain(|note| passes(&note.content));
        notes.sort_by_key(|note| std::cmp::Reverse((note.priority, note.created_at, note.id)));
        notes
    }
}

async fn step(home: &Home, store: &mut Store, model: &mut Model, step: Step) {
    let people = people();
    match step {
        Step::Add { who, number, word, priority } => {
            let note = NewNote { priority, ..crate::support::note(number, WORDS[word]) };
            let wanted = model.add(&people[who], &note, home.now_ms.load(Ordering::Relaxed));
            assert_eq!(answer(store.add_note(&people[who], note).await), wanted);
        }
        Step::Change { who, number, word, priority, expected } => {
            let content = word.map(|word| WORDS[word].to_owned());
            let patch = NotePatch { content, priority, ..NotePatch::default() };
            let wanted = model.change(&people[who], id(number), &patch, expected);
            assert_eq!(answer(store.change_note(&people[who], id(number), patch, expected).await), wanted);
        }
        Step::Delete { who, number, expected } => {
            let wanted = model.theirs(&people[who], id(number), expected).map(|_| ());
            if wanted.is_ok() {
                model.notes.remove(&id(number));
            }
            assert_eq!(answer(store.delete_note(&people[who], id(number), expected).await), wanted);
        }
        Step::Mood { who, mood, energy } => {
            let whose = &people[who];
            let (state, changes) = model.moods.entry(format!("{whose:?}")).or_default();
            *changes += 1;
            let energy_now = energy.unwrap_or(state.energy);
            *state = PersonalityState::new(
                Mood::ALL[mood],
                state.attraction_level,
                state.gandhi_genghis,
                energy_now,
            );
            let update = MoodUpdate {
                mood: Some(Mood::ALL[mood]),
                energy,
                source: "t".to_owned(),
                ..MoodUpdate::default()
            };
            assert_eq!(store.change_mood(whose, update).await.unwrap(), *state);
            assert_eq!(store.mood_history(whose, &page(500)).await.unwrap().rows.len(), *changes);
        }
        Step::Surface { who, number } => {
            let surfaced = NotePatch { surfaced: Some(true), ..NotePatch::default() };
            let wanted = model.change(&people[who], id(number), &surfaced, None);
            assert_eq!(answer(store.change_note(&people[who], id(number), surfaced, None).await), wanted);
        }
        Step::List { who, word, limit } => {
            let word = word.map(|word| WORDS[word]);
            let filter = NoteFilter { text: word.map(str::to_owned), ..NoteFilter::default() };
            assert_eq!(all_notes(store, &people[who], &filter, limit).await, model.list(&people[who], word));
        }
        Step::Later { ms } => {
            home.now_ms.fetch_add(ms, Ordering::Relaxed);
        }
        Step::Reopen => {
            store.clone().end().await;
            *store = home.open();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_as_a_plain_list_would(steps in steps()) {
        run(async {
            let home = Home::new();
            let mut store = home.open();
            let mut model = Model::default();
            for one in steps {
                step(&home, &mut store, &mut model, one).await;
            }
            for whose in &people() {
                let notes = all_notes(&store, whose, &NoteFilter::default(), 2).await;
                assert_eq!(notes, model.list(whose, None));
                for note in notes {
                    let wanted = &model.notes[&note.id].1;
                    assert_eq!(&store.note(whose, note.id).await.unwrap(), wanted);
                }
                let state = model.moods.get(&format!("{whose:?}")).map(|(state, _)| state.clone());
                assert_eq!(store.personality(whose).await.unwrap(), state.unwrap_or_default());
            }
            assert!(home.now_ms.load(Ordering::Relaxed) > NOW_MS / 2);
        });
    }
}
