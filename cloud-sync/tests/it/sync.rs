//! Robots and apps keep the same rows: frames over HTTP, edits that did not see each other, replicas beside each other.

use cloud_sync::store::Rows;
use cloud_sync_api::supervise::spawn;
use cloud_sync_protocol::event::EventKind;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::NewNote;
use cloud_sync_protocol::store::{EventStore, Feed, NoteStore, Whose};
use cloud_sync_protocol::sync::frame::{Frame, VERSION, Why, join};
use cloud_sync_protocol::sync::op::{Field, Kind, Op, Scope};
use cloud_sync_protocol::sync::table::{Table, facts, notes};
use serde_json::{Value, json};
use sqlx::Executor;

use crate::support::cloud::{Cloud, Start};
use crate::support::database::{TestDatabase, token, town};
use crate::support::robot::{Robot, op};
use crate::support::{now_ms, within};

const NOTES: &str = "/api/sticky-notes/";

async fn start() -> (Cloud, TestDatabase, tempfile::TempDir) {
    let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().expect("a folder"));
    let cloud = Start::new(folder.path(), &test.url()).run();
    (cloud, test, folder)
}

fn note(id: RowId, text: &str) -> Op {
    let fields = vec![Field::text(notes::CONTENT, text), Field::text(notes::CREATED_BY, "owner")];
    op(Kind::Insert, Table::Notes, id, 0, fields)
}

fn edit(id: RowId, base: u64, text: &str) -> Op {
    op(Kind::Set, Table::Notes, id, base, vec![Field::text(notes::CONTENT, text)])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_robot_wrote_an_app_reads_and_the_other_way_round() {
    // A note, changed by the app, deleted by the robot; each sees what the other did.
    let (cloud, _test, _folder) = start().await;
    let mut robot = Robot::pair(&cloud, "kitchen", "owner").await;
    assert_eq!(robot.greet().await.accepted, 0);
    let id = RowId::named("shopping");
    assert_eq!(robot.push(vec![note(id, "Buy oats")]).await.upto, 1);
    let path = format!("{NOTES}{id}");
    let read = cloud.owner().get(&path).await.expect(200);
    assert_eq!(read.text("content"), "Buy oats");
    cloud.owner().ask("PATCH", &path, Some(&json!({"content": "Buy hay"}))).await.expect(200);
    let page = robot.pull(&Scope::Town, 1).await;
    assert_eq!((page.items.len(), page.to, page.head), (1, 2, 2));
    assert_eq!(page.items[0].fields, [Field::text(notes::CONTENT, "Buy hay")]);
    let found = cloud.owner().get("/api/memory/search?q=hay").await.expect(200).json();
    assert_eq!(found["hits"][0]["text"], "Buy hay");
    robot.push(vec![op(Kind::Delete, Table::Notes, id, 2, Vec::new())]).await;
    cloud.owner().get(&path).await.expect(404);
    let found = cloud.owner().get("/api/memory/search?q=hay").await.expect(200).json();
    assert_eq!(found["hits"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_comes_again_counts_once() {
    // Also when nobody heard the acknowledgement, and within one request; what is missing is asked for.
    let (cloud, _test, _folder) = start().await;
    let mut robot = Robot::pair(&cloud, "kitchen", "owner").await;
    robot.greet().await;
    let pushed = robot.pushed(vec![note(RowId::named("a"), "one"), note(RowId::named("b"), "two")]);
    let answers = robot.exchange(&[pushed.clone(), pushed.clone()]).await;
    assert_eq!(answers[0], answers[1]);
    assert_eq!(robot.greet().await.accepted, 2);
    assert_eq!(cloud.owner().get(NOTES).await.expect(200).json().as_array().unwrap().len(), 2);
    let Frame::Push(mut late) = robot.pushed(vec![note(RowId::named("c"), "three")]) else { panic!() };
    late.first_seq += 1;
    late.ops[0].seq += 1;
    let refused = robot.say(Frame::Push(late)).await;
    assert!(
        matches!(&refused, Frame::Refusal(refusal) if refusal.why == Why::Gap { want: 3 }),
        "{refused:?}"
    );
    // The frame of a conversation that has ended.
    let refused = robot.say(pushed).await;
    assert!(matches!(&refused, Frame::Refusal(refusal) if refusal.why == Why::GreetAgain), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_robots_send_frames_and_only_frames_they_may() {
    // Nobody's, a person's, a revoked robot's; broken ones, newer ones, too many; those about others' rows.
    let (cloud, _test, _folder) = start().await;
    cloud.owner().post("/api/users", &json!({"id": "ann"})).await.expect(201);
    let mut robot = Robot::pair(&cloud, "kitchen", "owner").await;
    cloud.nobody().post("/api/sync", &json!({})).await.expect(401);
    cloud.owner().post("/api/sync", &json!({})).await.expect(403);
    cloud.with(&robot.secret).get(NOTES).await.expect(403);
    robot.greet().await;
    let frame = robot.pushed(vec![note(RowId::named("a"), "one")]).encode().unwrap();

    assert_eq!(robot.post(b"\xff\xff\xff\xff".to_vec()).await.0, 400);
    assert_eq!(robot.post(vec![0; 1024 * 1024 + 1]).await.0, 413);
    assert_eq!(robot.post(join(std::iter::repeat_n(&frame[..], 65))).await.0, 413);
    let mut newer = frame.clone();
    newer[0] = VERSION + 1;
    let (status, body) = robot.post(join([&newer[..]])).await;
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &problem["type"]), (426, &json!("/problems/too-new")));
    let mut broken = frame;
    *broken.last_mut().unwrap() ^= 1;
    let (status, body) = robot.post(join([&broken[..]])).await;
    let answers = cloud_sync_protocol::sync::frame::split(&body).unwrap();
    let refused = Frame::decode(answers[0]).unwrap();
    assert_eq!(status, 200);
    assert!(matches!(&refused, Frame::Refusal(refusal) if refusal.why == Why::Malformed), "{refused:?}");

    let foreign = Frame::Pull(cloud_sync_protocol::sync::frame::Pull {
        session: 1,
        incarnation: 1,
        scope: Scope::User("ann".to_owned()),
        cursor: 0,
        floor: 0,
        is_whole: false,
    });
    let refused = robot.say(foreign).await;
    assert!(matches!(&refused, Frame::Refusal(refusal) if refusal.why == Why::NotYours), "{refused:?}");
    cloud.owner().delete("/api/devices/kitchen").await.expect(204);
    assert_eq!(robot.post(Vec::new()).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_lost_is_shown_and_can_be_chosen() {
    // Two robots edit one note without having seen each other; the loser's words are chosen, once, and both hear of it.
    let (cloud, _test, _folder) = start().await;
    let mut kitchen = Robot::pair(&cloud, "kitchen", "owner").await;
    let mut shed = Robot::pair(&cloud, "shed", "owner").await;
    let id = RowId::named("cake");
    kitchen.greet().await;
    shed.greet().await;
    kitchen.push(vec![note(id, "Bake a cake")]).await;
    kitchen.push(vec![edit(id, 1, "Bake it with walnuts")]).await;
    shed.push(vec![edit(id, 1, "Bake it without walnuts")]).await;

    let conflicts = cloud.owner().get("/api/sync/conflicts").await.expect(200).json();
    assert_eq!(conflicts.as_array().unwrap().len(), 1, "{conflicts}");
    let conflict = &conflicts[0];
    assert_eq!((&conflict["table"], &conflict["field"]), (&json!("notes"), &json!("content")));
    assert_eq!(conflict["current"], "Bake it without walnuts");
    assert_eq!(conflict["other"], "Bake it with walnuts");
    assert_eq!(conflict["authors"], json!({"current": "shed", "other": "kitchen"}));
    let status = cloud.owner().get("/api/sync/status").await.expect(200).json();
    assert_eq!((&status["conflicts"], status["pending"].as_u64() > Some(0)), (&json!(1), true), "{status}");

    let path = format!("/api/sync/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
    cloud.owner().post("/api/sync/conflicts/nothing/resolve", &json!({"keep": "other"})).await.expect(404);
    cloud.owner().post(&path, &json!({"keep": "both"})).await.expect(400);
    cloud.owner().post(&path, &json!({"keep": "other"})).await.expect(200);
    cloud.owner().post(&path, &json!({"keep": "other"})).await.expect(404);
    assert_eq!(cloud.owner().get("/api/sync/conflicts").await.expect(200).json(), json!([]));
    let read = cloud.owner().get(&format!("{NOTES}{id}")).await.expect(200);
    assert_eq!(read.text("content"), "Bake it with walnuts");
    let page = shed.pull(&Scope::Town, 0).await;
    assert_eq!(page.items.len(), 2, "the note and the conflict: {page:?}");
    let status = cloud.owner().get("/api/sync/status").await.expect(200).json();
    assert_eq!(status["conflicts"], 0, "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_came_too_late_for_their_row_can_be_kept() {
    // Of a deleted note a new one is made, once; of a fact likewise, and nobody else sees that there was a choice.
    let (cloud, _test, _folder) = start().await;
    let mut robot = Robot::pair(&cloud, "kitchen", "owner").await;
    robot.greet().await;
    let (id, fact) = (RowId::named("late"), RowId::named("no such fact"));
    robot.push(vec![note(id, "Water the fern")]).await;
    cloud.owner().delete(&format!("{NOTES}{id}")).await.expect(204);
    let fields = vec![Field::text(facts::CONTENT, "The fern is called Fred")];
    robot
        .push(vec![edit(id, 1, "Water the fern on Mondays"), op(Kind::Set, Table::Facts, fact, 3, fields)])
        .await;
    let conflicts = cloud.owner().get("/api/sync/conflicts").await.expect(200).json();
    let kinds: Vec<&Value> = conflicts.as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert_eq!(kinds.len(), 2, "{conflicts}");
    assert!(kinds.contains(&&json!("deleted")) && kinds.contains(&&json!("gone")), "{conflicts}");
    for conflict in conflicts.as_array().unwrap() {
        assert_eq!(conflict["current"], Value::Null);
        let path = format!("/api/sync/conflicts/{}/resolve", conflict["id"].as_str().unwrap());
        cloud.owner().post(&path, &json!({"keep": "other"})).await.expect(200);
    }
    let notes = cloud.owner().get(NOTES).await.expect(200).json();
    assert_eq!(notes[0]["content"], "Water the fern on Mondays", "{notes}");
    let found = cloud.owner().get("/api/memory/search?q=Fred&kind=fact").await.expect(200).json();
    assert_eq!(found["hits"][0]["text"], "The fern is called Fred", "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reader_skips_a_change_that_is_committed_late() {
    // Many writers, some of them slow to commit, against a reader that asks again and again: it meets every version.
    const WRITERS: usize = 4;
    const EACH: usize = 40;
    let test = TestDatabase::empty().await;
    let database = test.open().await;
    database.registry().first_start(&town("home"), &token("owner", "first")).await.unwrap();
    // A slow commit: something waits between the write and its end.
    test.connection().await.execute(SLOW).await.unwrap();
    let rows = Rows::new(database.clone());
    let whose = Whose { town: "home".to_owned(), user: "owner".to_owned() };
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (rows, whose) = (rows.clone(), whose.clone());
        writers.push(spawn("writer", async move {
            for number in 0..EACH {
                let new = NewNote {
                    id: RowId::named(&format!("{writer}/{number}")),
                    content: if number % 10 == 0 { "slow".to_owned() } else { "quick".to_owned() },
                    created_by: "owner".to_owned(),
                    tags: Vec::new(),
                    priority: 50,
                };
                rows.add_note(&whose, new).await.unwrap();
            }
        }));
    }
    let mut seen = Vec::new();
    let all = (WRITERS * EACH) as u64;
    within("every version is seen", async {
        let mut look = test.connection().await;
        let mut cursor = 0_i64;
        while seen.len() < WRITERS * EACH {
            let asked = "SELECT server_seq FROM town_home.sync_rows WHERE scope = 'town' AND server_seq > $1 ORDER BY 1";
            let newer: Vec<i64> = sqlx::query_scalar(asked).bind(cursor).fetch_all(&mut look).await.unwrap();
            cursor = newer.last().copied().unwrap_or(cursor);
            seen.extend(newer);
        }
    })
    .await;
    assert_eq!(seen, (1..=all as i64).collect::<Vec<_>>());
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
}

/// Lets a note that says so take its time until it is committed.
const SLOW: &str = "CREATE FUNCTION town_home.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    IF NEW.content = 'slow' THEN PERFORM pg_sleep(0.05); END IF; RETURN NEW; END $$; \
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON town_home.sticky_notes DEFERRABLE INITIALLY DEFERRED \
    FOR EACH ROW EXECUTE FUNCTION town_home.wait()";

#[tokio::test(flavor = "multi_thread")]
async fn replicas_tell_what_the_others_wrote_in_one_order() {
    // Who follows at one replica hears of both, each once, with rising ids.
    let test = TestDatabase::empty().await;
    let database = test.open().await;
    database.registry().first_start(&town("home"), &token("owner", "first")).await.unwrap();
    let (here, there) = (Rows::new(database.clone()), Rows::new(test.open().await));
    let follower = here.clone();
    let others = spawn("others", async move { follower.follow_others().await });
    let whose = Whose { town: "home".to_owned(), user: "owner".to_owned() };
    let mut feed = here.follow();
    let write = async |rows: &Rows, number: usize| {
        let new = NewNote {
            id: RowId::named(&number.to_string()),
            content: number.to_string(),
            created_by: "owner".to_owned(),
            tags: Vec::new(),
            priority: 50,
        };
        rows.add_note(&whose, new).await.unwrap();
    };
    // The first look finds where the town stands.
    write(&here, 0).await;
    for number in 1..20 {
        write(if number % 3 == 0 { &here } else { &there }, number).await;
    }
    let mut ids = Vec::new();
    within("all events", async {
        while ids.len() < 20 {
            let (whose, event) = feed.next().await.unwrap().unwrap();
            assert_eq!((&*whose.town, event.kind), ("home", EventKind::Note));
            ids.push(event.id);
        }
    })
    .await;
    assert_eq!(ids, (1..=20).collect::<Vec<u64>>());
    here.end();
    assert!(within("the end", feed.next()).await.is_none());
    others.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_of_thousands_goes_through() {
    // A robot that was away for long: frames of hundreds of operations, and pages that carry them to the next robot.
    let (cloud, _test, _folder) = start().await;
    let mut robot = Robot::pair(&cloud, "kitchen", "owner").await;
    robot.greet().await;
    let began = now_ms();
    for block in 0..10 {
        let ops = (0..500).map(|number| {
            note(RowId::named(&format!("{block}/{number}")), &format!("note {number} of the block {block}"))
        });
        robot.push(ops.collect()).await;
    }
    let pushed = now_ms() - began;
    let mut other = Robot::pair(&cloud, "shed", "owner").await;
    other.greet().await;
    let (mut cursor, mut count) = (0, 0);
    loop {
        let page = other.pull(&Scope::Town, cursor).await;
        count += page.items.len();
        cursor = page.to;
        if page.to == page.head {
            break;
        }
    }
    assert_eq!((count, cursor), (5_000, 5_000));
    println!("5000 operations in {pushed} ms, back in {} ms", now_ms() - began - pushed);
}
