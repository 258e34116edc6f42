//! Turns, facts and events: whatever is said and learnt in whatever order, the store answers as plain lists in memory would,
//! also after it was closed and opened. Ids are few, so that rows of all kinds get into each other's way.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use agent_store::{CandidateQuery, NewFact, NewTurn, Store};
use cloud_sync_protocol::event::{EventKind, Replay};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::memory::MemoryKind;
use cloud_sync_protocol::persona::Mood;
use cloud_sync_protocol::store::{ConversationStore, EventStore, NoteStore, PageAt, StoreError, Whose};
use cloud_sync_protocol::turn::{Conversation, Sender, Turn};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::support::{Home, abroad, ann, bob, id, note, run};

#[derive(Clone, Debug)]
enum Step {
    Say { who: usize, talk: u64, said: Vec<(u64, usize)>, ago_ms: Option<i64> },
    Learn { who: usize, learnt: Vec<(u64, usize)> },
    Note { who: usize, number: u64, word: usize },
    Turns { who: usize, talk: u64, limit: u32 },
    Find { who: usize, word: usize },
    Events { who: usize, kinds: usize, after: u64 },
    Later { ms: i64 },
    Reopen,
}

/// No two have a stem in common.
const WORDS: [&str; 3] = ["milk", "balloon", "garden"];
const KINDS: [&[EventKind]; 3] = [&[], &[EventKind::Chat], &[EventKind::Note, EventKind::Personality]];
/// Events that the store keeps here.
const EVENTS: usize = 12;

fn people() -> [Whose; 3] {
    [ann(), bob(), abroad()]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, talk, word) = (0..3_usize, 0..3_u64, 0..WORDS.len());
    let rows = || prop::collection::vec((0..24_u64, 0..WORDS.len()), 0..5);
    let ago_ms = prop::option::of(-3_000..3_000_i64);
    let step = prop_oneof![
        8 => (who.clone(), talk.clone(), rows(), ago_ms)
            .prop_map(|(who, talk, said, ago_ms)| Step::Say { who, talk, said, ago_ms }),
        4 => (who.clone(), rows()).prop_map(|(who, learnt)| Step::Learn { who, learnt }),
        2 => (who.clone(), 0..24_u64, word.clone())
            .prop_map(|(who, number, word)| Step::Note { who, number, word }),
        3 => (who.clone(), talk, 1..4_u32).prop_map(|(who, talk, limit)| Step::Turns { who, talk, limit }),
        3 => (who.clone(), word).prop_map(|(who, word)| Step::Find { who, word }),
        3 => (who, 0..KINDS.len(), 0..40_u64).prop_map(|(who, kinds, after)| Step::Events { who, kinds, after }),
        2 => (-5_000..5_000_i64).prop_map(|ms| Step::Later { ms }),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Clone, Debug, PartialEq)]
struct Row {
    whose: Whose,
    kind: MemoryKind,
    talk: Option<RowId>,
    text: String,
}

#[derive(Clone, Debug)]
struct Talk {
    whose: Whose,
    started_ms: i64,
    last_ms: i64,
    turns: Vec<Turn>,
}

/// Whom it is for, what it is about, and the row that it names.
type Told = (Whose, EventKind, RowId);

#[derive(Clone, Debug, Default)]
struct Model {
    rows: BTreeMap<RowId, Row>,
    talks: BTreeMap<RowId, Talk>,
    /// All there ever were, in order.
    events: Vec<Told>,
}

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

fn text(word: usize) -> String {
    format!("the {}", WORDS[word])
}

fn turn(number: u64, word: usize, at: Option<Timestamp>) -> NewTurn {
    NewTurn {
        id: Some(id(number)),
        sender: Sender::Robbie,
        speaker: None,
        text: text(word),
        at,
        mood: Mood::Playful,
    }
}

impl Model {
    /// `Ok(true)`: the row is new.
    fn keep(&mut self, id: RowId, row: Row, is_same: impl Fn(&Row) -> bool) -> Result<bool, Refused> {
        match self.rows.get(&id) {
            Some(known) if is_same(known) && known.text == row.text => Ok(false),
            Some(known) if is_same(known) => Err(Refused::Conflict(1)),
            Some(_) => Err(Refused::Conflict(0)),
            None => {
                self.rows.insert(id, row);
                Ok(true)
            }
        }
    }

    fn say(
        &mut self,
        whose: &Whose,
        talk: RowId,
        said: &[NewTurn],
        now_ms: i64,
    ) -> Result<Vec<RowId>, Refused> {
        let Some(first) = said.first() else { return Ok(Vec::new()) };
        let now = Timestamp::from_millisecond(now_ms).unwrap();
        let first_ms = first.at.unwrap_or(now).as_millisecond();
        let begun = Talk { whose: whose.clone(), started_ms: first_ms, last_ms: first_ms, turns: Vec::new() };
        if self.talks.entry(talk).or_insert(begun).whose != *whose {
            return Err(Refused::NotFound);
        }
        for new in said {
            let id = new.id.unwrap();
            let row = Row {
                whose: whose.clone(),
                kind: MemoryKind::Turn,
                talk: Some(talk),
                text: new.text.clone(),
            };
            if !self.keep(id, row, |known| known.talk == Some(talk))? {
                continue;
            }
            let timestamp = new.at.unwrap_or(now);
            let held = self.talks.get_mut(&talk).unwrap();
            held.started_ms = held.started_ms.min(timestamp.as_millisecond());
            held.last_ms = held.last_ms.max(timestamp.as_millisecond());
            held.turns.push(Turn {
                id,
                sender: new.sender,
                speaker: new.speaker.clone(),
                message_text: new.text.clone(),
                timestamp,
                mood_at_time: new.mood,
            });
            self.events.push((whose.clone(), EventKind::Chat, id));
        }
        Ok(said.iter().filter_map(|new| new.id).collect())
    }

    fn learn(&mut self, whose: &Whose, facts: &[NewFact]) -> Result<Vec<RowId>, Refused> {
        for fact in facts {
            let row =
                Row { whose: whose.clone(), kind: MemoryKind::Fact, talk: None, text: fact.content.clone() };
            let is_same = |known: &Row| known.kind == MemoryKind::Fact && known.whose == *whose;
            self.keep(fact.id.unwrap(), row, is_same)?;
        }
        Ok(facts.iter().filter_map(|fact| fact.id).collect())
    }

    fn note(&mut self, whose: &Whose, id: RowId, text: String) -> Result<(), Refused> {
        // A note is the town's.
        let whose = Whose { user: String::new(), ..whose.clone() };
        let row = Row { whose: whose.clone(), kind: MemoryKind::Note, talk: None, text };
        let is_same = |known: &Row| known.kind == MemoryKind::Note && known.whose == whose;
        if self.keep(id, row, is_same)? {
            self.events.push((whose, EventKind::Note, id));
        }
        Ok(())
    }

    fn conversations(&self, whose: &Whose) -> Vec<Conversation> {
        let ms = |ms| Timestamp::from_millisecond(ms).unwrap();
        let mut list: Vec<Conversation> = self
            .talks
            .iter()
            .filter(|(_, talk)| talk.whose == *whose)
            .map(|(id, talk)| Conversation {
                id: *id,
                started_at: ms(talk.started_ms),
                last_at: ms(talk.last_ms),
                turns: talk.turns.len() as u64,
                preview: talk.turns.last().unwrap().message_text.clone(),
            })
            .collect();
        list.sort_by_key(|one| std::cmp::Reverse((one.last_at, one.id)));
        list
    }

    fn turns(&self, whose: &Whose, talk: RowId) -> Result<Vec<Turn>, Refused> {
        let theirs = self.talks.get(&talk).filter(|held| held.whose == *whose);
        theirs.map(|held| held.turns.clone()).ok_or(Refused::NotFound)
    }

    /// Rows that have the word, by what they are.
    fn with_word(&self, whose: &Whose, word: usize) -> Vec<(RowId, MemoryKind)> {
        let may_see =
            |row: &Row| row.whose.town == whose.town && ["", &*whose.user].contains(&&*row.whose.user);
        let found = self.rows.iter().filter(|(_, row)| may_see(row) && row.text == text(word));
        found.map(|(id, row)| (*id, row.kind)).collect()
    }

    /// What happened after the first `after` events; none where that is no longer kept, or has not happened.
    fn events_after(
        &self,
        whose: &Whose,
        kinds: &[EventKind],
        after: usize,
    ) -> Option<Vec<(usize, EventKind, RowId)>> {
        let kept_from = self.events.len().saturating_sub(EVENTS);
        if after > self.events.len() || after < kept_from {
            return None;
        }
        let is_theirs = |of: &Whose| of.town == whose.town && (of.user.is_empty() || of.user == whose.user);
        let told = self
            .events
            .iter()
            .enumerate()
            .skip(after)
            .filter(|(_, (of, kind, _))| is_theirs(of) && (kinds.is_empty() || kinds.contains(kind)));
        Some(told.map(|(place, (_, kind, row))| (place + 1, *kind, *row)).collect())
    }
}

/// Changes the model where it does not refuse: a refused write leaves nothing.
fn attempt<T>(
    model: &mut Model,
    change: impl FnOnce(&mut Model) -> Result<T, Refused>,
) -> Result<T, Refused> {
    let mut changed = model.clone();
    let outcome = change(&mut changed);
    if outcome.is_ok() {
        *model = changed;
    }
    outcome
}

async fn all_turns(store: &Store, whose: &Whose, talk: RowId, limit: u32) -> Result<Vec<Turn>, StoreError> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.turns(whose, talk, &PageAt { limit, cursor }).await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}

async fn all_conversations(store: &Store, whose: &Whose, limit: u32) -> Vec<Conversation> {
    let (mut rows, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.conversations(whose, &PageAt { limit, cursor }).await.unwrap();
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            return rows;
        }
    }
}

async fn by_word(store: &Store, whose: &Whose, word: usize) -> Vec<(RowId, MemoryKind)> {
    let terms = [WORDS[word].to_owned()];
    let query = CandidateQuery {
        model: "none",
        vector: None,
        terms: &terms,
        kinds: &[],
        span: None,
        speakers: &[],
        n: 1000,
    };
    let found = store.candidates(whose, query).await.unwrap();
    // The others stand beside one that has it.
    let mut found: Vec<(RowId, MemoryKind)> =
        found.iter().filter(|row| row.bm25.is_some()).map(|row| (row.id, row.kind)).collect();
    found.sort_by_key(|(id, _)| *id);
    found
}

/// The same as the model says it, where the first event of this store has number `first + 1`.
async fn told(
    store: &Store,
    whose: &Whose,
    kinds: &[EventKind],
    first: u64,
    after: u64,
) -> Option<Vec<(usize, EventKind, String)>> {
    match store.events_after(whose, kinds, first + after).await.unwrap() {
        Replay::Events(events) => Some(
            events
                .into_iter()
                .map(|event| (usize::try_from(event.id - first).unwrap(), event.kind, event.data))
                .collect(),
        ),
        Replay::Reset { .. } => None,
    }
}

async fn check_events(
    store: &Store,
    model: &Model,
    whose: &Whose,
    kinds: &[EventKind],
    first: u64,
    after: u64,
) {
    let wanted = model.events_after(whose, kinds, usize::try_from(after).unwrap());
    let told = told(store, whose, kinds, first, after).await;
    let short = told.as_ref().map(|told| told.iter().map(|(id, kind, _)| (*id, *kind)).collect::<Vec<_>>());
    assert_eq!(
        short,
        wanted.as_ref().map(|wanted| wanted.iter().map(|(id, kind, _)| (*id, *kind)).collect())
    );
    for ((_, _, data), (_, _, row)) in told.iter().flatten().zip(wanted.iter().flatten()) {
        assert!(data.contains(&row.to_string()), "{data} is not about {row}");
    }
}

async fn step(home: &Home, store: &mut Store, model: &mut Model, first: u64, step: Step) {
    let people = people();
    let now_ms = home.now_ms.load(Ordering::Relaxed);
    match step {
        Step::Say { who, talk, said, ago_ms } => {
            let at = ago_ms.map(|ago_ms| Timestamp::from_millisecond(now_ms - ago_ms).unwrap());
            let said: Vec<NewTurn> = said.iter().map(|(number, word)| turn(*number, *word, at)).collect();
            let whose = &people[who];
            let wanted = attempt(model, |model| model.say(whose, id(100 + talk), &said, now_ms));
            assert_eq!(answer(store.add_turns(whose, id(100 + talk), said).await), wanted);
        }
        Step::Learn { who, learnt } => {
            let fact = |(number, word): &(u64, usize)| NewFact {
                id: Some(id(*number)),
                content: text(*word),
                source: None,
                event: None,
            };
            let facts: Vec<NewFact> = learnt.iter().map(fact).collect();
            let wanted = attempt(model, |model| model.learn(&people[who], &facts));
            assert_eq!(answer(store.add_facts(&people[who], facts).await), wanted);
        }
        Step::Note { who, number, word } => {
            let wanted = attempt(model, |model| model.note(&people[who], id(number), text(word)));
            let added = store.add_note(&people[who], note(number, &text(word))).await;
            assert_eq!(answer(added.map(|_| ())), wanted);
        }
        Step::Turns { who, talk, limit } => {
            let turns = all_turns(store, &people[who], id(100 + talk), limit).await;
            assert_eq!(answer(turns), model.turns(&people[who], id(100 + talk)));
            let conversations = all_conversations(store, &people[who], limit).await;
            assert_eq!(conversations, model.conversations(&people[who]));
        }
        Step::Find { who, word } => {
            assert_eq!(by_word(store, &people[who], word).await, model.with_word(&people[who], word));
        }
        Step::Events { who, kinds, after } => {
            check_events(store, model, &people[who], KINDS[kinds], first, after).await;
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
    fn what_is_said_and_learnt_is_answered_as_plain_lists_would(steps in steps()) {
        run(async {
            let mut home = Home::new();
            home.limits.events = EVENTS as u32;
            let mut store = home.open();
            let future = store.events_after(&ann(), &[], u64::MAX).await.unwrap();
            let Replay::Reset { newest: first } = future else { panic!("events of the future: {future:?}") };
            let mut model = Model::default();
            for one in steps {
                step(&home, &mut store, &mut model, first, one).await;
            }
            for whose in &people() {
                assert_eq!(all_conversations(&store, whose, 2).await, model.conversations(whose));
                for talk in model.talks.keys() {
                    assert_eq!(answer(all_turns(&store, whose, *talk, 2).await), model.turns(whose, *talk));
                }
                for word in 0..WORDS.len() {
                    assert_eq!(by_word(&store, whose, word).await, model.with_word(whose, word));
                }
                let newest = model.events.len() as u64;
                for after in [0, newest.saturating_sub(EVENTS as u64 + 1), newest.saturating_sub(EVENTS as u64), newest, newest + 1] {
                    check_events(&store, &model, whose, &[], first, after).await;
                }
            }
        });
    }
}
