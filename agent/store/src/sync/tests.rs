//! Robots and a cloud in one room: real rows on one side, the real decision on the other, frames between them.

use std::sync::Arc;

use cloud_sync_protocol::conflict::{Keep, restored};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::{NewNote, NotePatch};
use cloud_sync_protocol::persona::{Mood, MoodUpdate};
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::sync::frame::Frame;
use cloud_sync_protocol::sync::model::Cloud;
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, Scope, stamp_of};
use cloud_sync_protocol::sync::replica::{Replica, Step};
use cloud_sync_protocol::sync::server::Who;
use cloud_sync_protocol::sync::table::{Table, notes as fields};
use serde_json::json;

use super::*;
use crate::rows::turns::NewTurn;
use crate::rows::{notes, persona, turns};
use crate::writer::{Desk, Write};

const NOW: i64 = 1_764_000_000_000;
const DAY: i64 = 24 * 60 * 60 * 1000;

fn random(seed: u8) -> crate::store::Random {
    let next = std::sync::atomic::AtomicU64::new(0);
    Arc::new(move || {
        let count = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        let mut bytes = [seed; 10];
        bytes[2..].copy_from_slice(&count);
        bytes[9] ^= seed;
        bytes
    })
}

struct Robot {
    desk: Desk,
    replica: Replica,
    sessions: u64,
}

impl Robot {
    fn new(seed: u8) -> Self {
        let desk = Desk::new(stamp_of(u128::from(seed), 1_000, NOW, 0), random(seed));
        Self { desk, replica: Replica::default(), sessions: u64::from(seed) << 32 }
    }

    fn paired(seed: u8) -> Self {
        let mut robot = Self::new(seed);
        robot.pair();
        robot
    }

    fn pair(&mut self) {
        self.desk.write(|write| pair::pair(write, "home", "r", "ann")).unwrap();
    }

    fn passes(&mut self, ms: i64) {
        let now = self.desk.now;
        let wall_ms = now.wall.as_millisecond() + ms;
        self.desk.now = stamp_of(now.boot_id, now.mono_ms + ms.unsigned_abs(), wall_ms, now.clock.as_u8());
    }

    fn write<T>(&mut self, work: impl FnOnce(&mut Write<'_>) -> Result<T, Fail>) -> T {
        self.passes(1);
        self.desk.write(work).unwrap()
    }

    fn note(&mut self, content: &str) -> RowId {
        let whose = self.whose();
        self.note_of(&whose, content)
    }

    fn note_of(&mut self, whose: &Whose, content: &str) -> RowId {
        self.write(|write| {
            let id = write.new_id();
            let new = NewNote {
                id,
                content: content.to_owned(),
                created_by: whose.user.clone(),
                tags: Vec::new(),
                priority: 50,
            };
            notes::add(write, whose, &new).map(|_| id)
        })
    }

    fn edit(&mut self, id: RowId, content: &str) {
        let whose = self.whose();
        let patch = NotePatch { content: Some(content.to_owned()), ..NotePatch::default() };
        self.write(|write| notes::change(write, &whose, id, &patch, None));
    }

    fn delete(&mut self, id: RowId) {
        let whose = self.whose();
        self.write(|write| notes::delete(write, &whose, id, None));
    }

    fn whose(&self) -> Whose {
        let state = state::state(&self.desk.connection).unwrap();
        state.map_or_else(Whose::unpaired, |state| Whose { town: state.town, user: state.durable.user })
    }

    fn contents(&self) -> Vec<String> {
        let mut statement =
            self.desk.connection.prepare("SELECT content FROM notes ORDER BY content").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn durable(&self) -> Durable {
        state::durable(&self.desk.connection).unwrap().unwrap()
    }

    fn conflicts(&self) -> Vec<cloud_sync_protocol::conflict::Conflict> {
        conflicts::list(&self.desk.connection, &self.whose()).unwrap()
    }

    /// One frame and its answer; false when there is nothing to say. `loses_answer`: it never comes.
    fn step(&mut self, cloud: &mut Cloud, now_ms: i64, loses_answer: bool) -> bool {
        let durable = self.durable();
        let frame = match self.replica.step(&durable) {
            Step::Greet => {
                self.sessions += 1;
                self.replica.begin(self.sessions);
                self.replica.hello(&durable, self.desk.now)
            }
            Step::Push { from } => {
                let ops = log::read(&self.desk.connection, from, 4_096).unwrap();
                self.replica.push(&durable, ops, self.desk.now)
            }
            Step::Pull(scope) => self.replica.pull(&durable, &scope),
            Step::Rest => return false,
        };
        let frame = Frame::decode(&frame.encode().unwrap()).unwrap();
        let who = Who { device: &durable.device, user: &durable.user };
        let answer = cloud.handle(who, &frame, now_ms);
        if loses_answer {
            self.replica = Replica::default();
            return true;
        }
        let connection = &self.desk.connection;
        let change = self.replica.receive(&durable, answer, |seq| log::chain_at(connection, seq).unwrap());
        self.desk.write(|write| apply::apply(write, &change)).unwrap();
        true
    }

    fn talk(&mut self, cloud: &mut Cloud) {
        self.talk_at(cloud, NOW + 60_000);
    }

    /// Until both have the same, and then some: a poll finds what the other side wrote.
    fn talk_at(&mut self, cloud: &mut Cloud, now_ms: i64) {
        self.replica = Replica::default();
        for _ in 0..1_000 {
            if !self.step(cloud, now_ms, false) {
                return;
            }
        }
        panic!("they never come to rest");
    }
}

fn note_key(row: RowId) -> RowKey {
    RowKey { table: Table::Notes.id(), row }
}

fn app_writes(cloud: &mut Cloud, kind: Kind, row: RowId, fields: Vec<Field>, now_ms: i64) {
    let op = Op { seq: 0, kind, key: note_key(row), base: 0, stamp: stamp_of(0, 0, 0, 2), fields };
    cloud.write("ann", &op, now_ms);
}

fn app_edits(cloud: &mut Cloud, row: RowId, content: &str, now_ms: i64) {
    app_writes(cloud, Kind::Set, row, vec![Field::text(fields::CONTENT, content)], now_ms);
}

fn in_cloud(cloud: &Cloud) -> Vec<String> {
    let live =
        cloud.rows().iter().filter(|(key, held)| key.table == Table::Notes.id() && !held.state.deleted);
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).unwrap();
    let mut all: Vec<_> =
        live.map(|(_, held)| text(&held.state.get(fields::CONTENT).unwrap().value)).collect();
    all.sort();
    all
}

fn check_same(robot: &Robot, cloud: &Cloud) {
    assert_eq!(robot.contents(), in_cloud(cloud));
    for state in robot.durable().scopes {
        let head = cloud.head(&state.scope);
        assert_eq!((state.cursor, state.checksum, state.is_resetting), (head.version, head.checksum, false));
    }
    let waiting: i64 =
        robot.desk.connection.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0)).unwrap();
    assert_eq!(waiting, 0);
    let mismatches: i64 =
        robot.desk.connection.query_row("SELECT mismatches FROM sync_state", [], |row| row.get(0)).unwrap();
    assert_eq!(mismatches, 0);
}

#[test]
fn what_one_side_writes_the_other_shows() {
    // Notes there and back, an edit, a deletion; another robot of the same owner sees it all.
    let (mut cloud, mut one, mut two) = (Cloud::default(), Robot::paired(1), Robot::paired(2));
    let id = one.note("of the robot");
    let app = RowId::named("app");
    let new = vec![Field::text(fields::CONTENT, "of an app"), Field::text(fields::CREATED_BY, "ann")];
    app_writes(&mut cloud, Kind::Insert, app, new, NOW);
    one.talk(&mut cloud);
    check_same(&one, &cloud);
    assert_eq!(one.contents(), ["of an app", "of the robot"]);
    two.talk(&mut cloud);
    check_same(&two, &cloud);
    two.edit(id, "changed on the other robot");
    two.delete(app);
    two.talk(&mut cloud);
    one.talk(&mut cloud);
    check_same(&one, &cloud);
    assert_eq!(one.contents(), ["changed on the other robot"]);
    assert!(one.conflicts().is_empty());
}

#[test]
fn two_edits_apart_are_both_there_and_one_choice_settles_it_everywhere() {
    let (mut cloud, mut one, mut two) = (Cloud::default(), Robot::paired(1), Robot::paired(2));
    let id = one.note("red");
    one.talk(&mut cloud);
    two.talk(&mut cloud);
    one.passes(5_000);
    one.edit(id, "green");
    app_edits(&mut cloud, id, "black", NOW + 1_000);
    one.talk(&mut cloud);
    two.talk(&mut cloud);
    for robot in [&one, &two] {
        check_same(robot, &cloud);
        assert_eq!(robot.contents(), ["green"], "the later one stands");
        let conflicts = robot.conflicts();
        let [conflict] = &*conflicts else { panic!("{conflicts:?}") };
        assert_eq!((&conflict.current, &conflict.other), (&json!("green"), &json!("black")));
        assert_eq!((&*conflict.table, &*conflict.field), ("notes", "content"));
        assert_eq!((&*conflict.authors.current, &*conflict.authors.other), ("r", "(cloud)"));
    }
    let (conflict, whose) = (one.conflicts()[0].id, one.whose());
    one.write(|write| conflicts::resolve(write, &whose, conflict, Keep::Other));
    assert!(one.conflicts().is_empty(), "at once");
    one.talk(&mut cloud);
    two.talk(&mut cloud);
    for robot in [&one, &two] {
        check_same(robot, &cloud);
        assert_eq!(robot.contents(), ["black"]);
        assert!(robot.conflicts().is_empty());
    }
}

#[test]
fn what_a_deletion_did_not_see_can_be_had_back() {
    let (mut cloud, mut one) = (Cloud::default(), Robot::paired(1));
    let id = one.note("red");
    one.talk(&mut cloud);
    one.edit(id, "green");
    app_writes(&mut cloud, Kind::Delete, id, Vec::new(), NOW);
    one.talk(&mut cloud);
    check_same(&one, &cloud);
    assert!(one.contents().is_empty());
    let conflict = one.conflicts().remove(0);
    assert_eq!((&conflict.current, &conflict.other), (&json!(null), &json!("green")));
    let whose = one.whose();
    one.write(|write| conflicts::resolve(write, &whose, conflict.id, Keep::Other));
    one.talk(&mut cloud);
    check_same(&one, &cloud);
    assert_eq!(in_cloud(&cloud), ["green"]);
    assert!(cloud.rows().contains_key(&note_key(restored(conflict.id))), "as a new row");
}

#[test]
fn an_answer_that_is_lost_at_any_place_costs_nothing() {
    for lost in 0..12 {
        let (mut cloud, mut one) = (Cloud::default(), Robot::paired(1));
        for n in 0..40 {
            one.note(&format!("{n} {}", "x".repeat(300)));
        }
        let id = one.note("the last");
        for step in 0..=lost {
            one.step(&mut cloud, NOW + 1_000, step == lost);
        }
        one.edit(id, "the very last");
        one.talk(&mut cloud);
        check_same(&one, &cloud);
        assert_eq!(one.contents().len(), 41);
        assert!(one.conflicts().is_empty(), "{lost}: {:?}", one.conflicts());
    }
}

#[test]
fn an_own_edit_is_shown_until_what_became_of_it_is_read() {
    // Neither does an acknowledgement make it the server's word, nor does it flicker back before that.
    let (mut cloud, mut one) = (Cloud::default(), Robot::paired(1));
    let id = one.note("red");
    one.talk(&mut cloud);
    one.edit(id, "green");
    one.passes(10);
    app_edits(&mut cloud, id, "black", NOW + 90_000);
    while one.durable().unacked() > 0 {
        one.step(&mut cloud, NOW + 95_000, false);
        assert_eq!(one.contents(), ["green"]);
    }
    one.talk_at(&mut cloud, NOW + 95_000);
    assert_eq!(one.contents(), ["black"]);
    assert_eq!(one.conflicts()[0].other, json!("green"));
    check_same(&one, &cloud);
}

#[test]
fn what_is_written_while_pairing_takes_hold_comes_along_later() {
    let mut one = Robot::new(1);
    one.note("before");
    one.pair();
    let mut cloud = Cloud::default();
    one.talk(&mut cloud);
    let said = |text: &str| NewTurn {
        id: None,
        sender: cloud_sync_protocol::turn::Sender::User,
        speaker: None,
        text: text.to_owned(),
        at: None,
        mood: Mood::Friendly,
    };
    // Whoever was let in before the pairing writes under the names of before: the town's, then only the owner's.
    let old = Whose::unpaired();
    let owner = Whose { town: "home".to_owned(), user: old.user.clone() };
    one.write(|write| turns::add(write, &old, RowId::named("first"), &[said("hello")]));
    one.write(|write| turns::add(write, &owner, RowId::named("second"), &[said("still me")]));
    let update = MoodUpdate { mood: Some(Mood::Playful), source: "t".to_owned(), ..MoodUpdate::default() };
    one.write(|write| persona::change(write, &owner, &update));
    one.talk(&mut cloud);
    assert_eq!(cloud.rows().keys().filter(|key| key.table == Table::Turns.id()).count(), 0, "not yet");
    one.pair();
    one.pair();
    one.talk(&mut cloud);
    check_same(&one, &cloud);
    let count = |table: Table| cloud.rows().keys().filter(|key| key.table == table.id()).count();
    assert_eq!([Table::Notes, Table::Turns, Table::MoodChanges].map(count), [1, 2, 1]);
    // Where the town has another name, its notes as well.
    let mut two = Robot::new(2);
    two.write(|write| pair::pair(write, "office", "two", "ann"));
    two.note_of(&old, "late");
    two.write(|write| pair::pair(write, "office", "two", "ann"));
    let row = |sql: &str| two.desk.connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(row("SELECT town FROM notes"), "office");
    assert_eq!(row("SELECT count(*) || '' FROM outbox"), "1");
}

#[test]
fn pairing_takes_everything_along_that_is_the_owners() {
    let mut one = Robot::new(1);
    let id = one.note("before");
    let (owner, guest) = (Whose::unpaired(), Whose { town: "home".to_owned(), user: "bob".to_owned() });
    let said = |text: &str| NewTurn {
        id: None,
        sender: cloud_sync_protocol::turn::Sender::User,
        speaker: Some("Ann".to_owned()),
        text: text.to_owned(),
        at: None,
        mood: Mood::Friendly,
    };
    let talk = RowId::named("talk");
    one.write(|write| turns::add(write, &owner, talk, &[said("mine"), said("too")]));
    one.write(|write| turns::add(write, &guest, RowId::named("other"), &[said("his")]));
    let update = MoodUpdate { mood: Some(Mood::Playful), source: "t".to_owned(), ..MoodUpdate::default() };
    one.write(|write| persona::change(write, &owner, &update));
    one.pair();
    one.pair();
    let mut cloud = Cloud::default();
    one.talk(&mut cloud);
    check_same(&one, &cloud);
    let count = |table: Table| cloud.rows().keys().filter(|key| key.table == table.id()).count();
    let counts = [Table::Notes, Table::Turns, Table::Personality, Table::MoodChanges].map(count);
    assert_eq!(counts, [1, 2, 1, 1], "the guest's turn stays on the robot");
    // Another robot of hers gets them all, in the same town, in her name.
    let mut two = Robot::paired(2);
    two.talk(&mut cloud);
    let row = |sql: &str| two.desk.connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(row("SELECT town || '/' || user_id FROM conversations"), "home/ann");
    assert_eq!(row("SELECT group_concat(message_text) FROM turns"), "mine,too");
    assert_eq!(row("SELECT mood FROM personality WHERE user_id = 'ann'"), "playful");
    two.edit(id, "seen elsewhere");
    two.talk(&mut cloud);
    one.talk(&mut cloud);
    assert_eq!(one.contents(), ["seen elsewhere"]);
    let other = one.desk.write(|write| pair::pair(write, "office", "r", "ann"));
    assert!(matches!(other, Err(Fail::Store(StoreError::Failed(why))) if why.contains("--forget")));
    one.desk.write(pair::forget).unwrap();
    assert!(one.contents().is_empty());
    let row = |sql: &str| one.desk.connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(row("SELECT group_concat(message_text) FROM turns"), "his");
    assert_eq!(row("SELECT group_concat(user_id) FROM memory"), "bob");
}

#[test]
fn a_mood_goes_both_ways_and_the_latest_stands() {
    let (mut cloud, mut one, mut two) = (Cloud::default(), Robot::paired(1), Robot::paired(2));
    let change = |robot: &mut Robot, mood| {
        let whose = robot.whose();
        let update = MoodUpdate { mood: Some(mood), source: "t".to_owned(), ..MoodUpdate::default() };
        robot.write(|write| persona::change(write, &whose, &update));
    };
    let mood = |robot: &Robot| {
        robot
            .desk
            .connection
            .query_row("SELECT mood FROM personality", [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    change(&mut one, Mood::Playful);
    two.passes(3_000);
    change(&mut two, Mood::Focused);
    two.talk(&mut cloud);
    one.talk(&mut cloud);
    two.talk(&mut cloud);
    assert_eq!((mood(&one), mood(&two)), ("focused".to_owned(), "focused".to_owned()));
    let changes: i64 =
        one.desk.connection.query_row("SELECT count(*) FROM mood_changes", [], |row| row.get(0)).unwrap();
    assert_eq!(changes, 2, "both stand in the history");
    check_same(&one, &cloud);
}

#[test]
fn a_robot_that_was_away_too_long_begins_from_nothing_and_brings_nothing_back() {
    let (mut cloud, mut one) = (Cloud::default(), Robot::paired(1));
    let gone = one.note("will be deleted");
    one.note("stays");
    one.talk(&mut cloud);
    app_writes(&mut cloud, Kind::Delete, gone, Vec::new(), NOW + DAY);
    cloud.purge(NOW + 70 * DAY);
    one.passes(70 * DAY);
    one.edit(gone, "edited meanwhile");
    one.note("written meanwhile");
    one.talk_at(&mut cloud, NOW + 70 * DAY);
    check_same(&one, &cloud);
    assert_eq!(one.contents(), ["stays", "written meanwhile"]);
    assert_eq!(one.conflicts()[0].other, json!("edited meanwhile"));
}

#[test]
fn a_copied_card_becomes_a_robot_of_its_own() {
    let (mut cloud, mut one) = (Cloud::default(), Robot::paired(1));
    one.note("common");
    one.talk(&mut cloud);
    let mut copy = Robot { desk: one.desk.copy(random(9)), replica: Replica::default(), sessions: 1 << 40 };
    one.note("of the original");
    copy.passes(7);
    copy.note("of the copy");
    let incarnation = copy.durable().incarnation;
    one.talk(&mut cloud);
    copy.talk(&mut cloud);
    one.talk(&mut cloud);
    assert_ne!(copy.durable().incarnation, incarnation);
    assert_eq!(one.durable().incarnation, incarnation);
    for robot in [&one, &copy] {
        check_same(robot, &cloud);
        assert_eq!(robot.contents(), ["common", "of the copy", "of the original"]);
    }
}

#[test]
fn a_field_that_nobody_here_knows_is_kept_and_an_unset_clock_leaves_the_moment_to_the_server() {
    let mut cloud = Cloud::default();
    let mut one = Robot::paired(1);
    one.desk.now = stamp_of(1, 5_000, 60_000, 2);
    let id = one.note("written in 1970");
    one.passes(2_000);
    one.talk_at(&mut cloud, NOW);
    let created: i64 =
        one.desk.connection.query_row("SELECT created_ms FROM notes", [], |row| row.get(0)).unwrap();
    assert_eq!(created, NOW - 2_000, "two seconds before it arrived");
    app_writes(&mut cloud, Kind::Set, id, vec![Field::text(900, "of the future")], NOW);
    one.talk_at(&mut cloud, NOW);
    one.edit(id, "edited");
    one.talk_at(&mut cloud, NOW);
    check_same(&one, &cloud);
    let row = &cloud.rows()[&note_key(id)].state;
    assert_eq!(row.get(900).unwrap().value, b"of the future");
    let base: Vec<u8> = one
        .desk
        .connection
        .query_row("SELECT fields FROM sync_base WHERE row_id = ?1", [id.as_bytes()], |row| row.get(0))
        .unwrap();
    assert!(log::unpack(&base).unwrap().iter().any(|field| field.id == 900));
}

#[test]
fn a_row_whose_id_is_another_rows_here_keeps_nothing_else_from_coming() {
    let (mut cloud, mut one) = (Cloud::default(), Robot::paired(1));
    let guest = Whose { town: "home".to_owned(), user: "bob".to_owned() };
    let said = NewTurn {
        id: Some(RowId::named("taken")),
        sender: cloud_sync_protocol::turn::Sender::User,
        speaker: None,
        text: "his".to_owned(),
        at: None,
        mood: Mood::Friendly,
    };
    one.write(|write| turns::add(write, &guest, RowId::named("other"), std::slice::from_ref(&said)));
    for (name, content) in [("taken", "of an app"), ("free", "another of an app")] {
        let new = vec![Field::text(fields::CONTENT, content), Field::text(fields::CREATED_BY, "ann")];
        app_writes(&mut cloud, Kind::Insert, RowId::named(name), new, NOW);
    }
    one.talk(&mut cloud);
    assert_eq!(one.contents(), ["another of an app"]);
}

#[test]
fn a_page_that_does_not_fit_is_refused_whole_and_taken_later() {
    let (mut cloud, mut one, mut two) = (Cloud::default(), Robot::paired(1), Robot::paired(2));
    for n in 0..20 {
        one.note(&format!("{n} {}", "y".repeat(1_000)));
    }
    one.talk(&mut cloud);
    two.desk.limits.notes_bytes = 8_000;
    for _ in 0..3 {
        let durable = two.durable();
        two.sessions += 1;
        two.replica.begin(two.sessions);
        let hello = two.replica.hello(&durable, two.desk.now);
        let who = Who { device: "r", user: "ann" };
        let answer = cloud.handle(who, &hello, NOW);
        let change = two.replica.receive(&durable, answer, |_| None);
        two.desk.write(|write| apply::apply(write, &change)).unwrap();
        let durable = two.durable();
        let pull = two.replica.pull(&durable, &Scope::Town);
        let change = two.replica.receive(&durable, cloud.handle(who, &pull, NOW), |_| None);
        let full = two.desk.write(|write| apply::apply(write, &change));
        assert!(full.unwrap_err().is_full());
        assert!(two.contents().is_empty());
    }
    two.desk.limits.notes_bytes = 1_000_000;
    two.talk(&mut cloud);
    check_same(&two, &cloud);
    assert_eq!(two.contents().len(), 20);
}
