//! The frames of robots: whatever ids they name, they read and write the rows of their own town and their own user.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::frame::{Frame, Hello, Page, Pull, Why};
use cloud_sync_protocol::sync::op::{Field, Kind, Op, Scope, stamp_of};
use cloud_sync_protocol::sync::table::{SCHEMA, Table, conflicts, facts, notes, personality, turns};
use serde_json::json;

use super::home::{ANN, Home, OF_OWNER, OF_TOWN, OWNER, Of, ROBOT};
use crate::support::now_ms;
use crate::support::robot::{Robot, op};

/// Secrets of a robot of the town, and of one of the other town.
pub(super) async fn robots(home: &Home) -> (String, String) {
    let own = Robot::pair(&home.cloud, "wombat-shed", OWNER).await;
    let other = Robot::pair_by(&home.side(), &home.cloud, ROBOT, OWNER).await;
    (own.secret, other.secret)
}

fn owners() -> Scope {
    Scope::User(OWNER.to_owned())
}

/// What a robot writes that means harm: rows of the owner's, by their own ids.
async fn writes_to_owners(home: &Home) -> Vec<Op> {
    let talk =
        home.cloud.owner().get(&format!("/api/conversations/{}", home.names.talk)).await.expect(200).json();
    let turn: RowId = talk[0]["id"].as_str().unwrap().parse().unwrap();
    let (talk, conflict) = (home.names.talk.parse().unwrap(), home.names.conflict.parse().unwrap());
    let words = || vec![Field::text(facts::CONTENT, "a guest was here")];
    let said = vec![
        Field::row(turns::CONVERSATION, talk),
        Field::int(turns::SENDER, 0),
        Field::text(turns::TEXT, "a guest was here"),
    ];
    let newest = 1 << 40;
    vec![
        op(Kind::Set, Table::Facts, RowId::named("fact"), newest, words()),
        op(Kind::Insert, Table::Facts, RowId::named("fact"), newest, words()),
        op(Kind::Delete, Table::Facts, RowId::named("fact"), newest, Vec::new()),
        op(Kind::Insert, Table::Turns, turn, newest, said),
        op(Kind::Set, Table::Conflicts, conflict, newest, vec![Field::int(conflicts::STATE, 1)]),
        personality_of(OWNER),
    ]
}

fn personality_of(user: &str) -> Op {
    let fields = vec![
        Field::text(personality::MOOD, "bossy"),
        Field::int(personality::ATTRACTION, 2),
        Field::int(personality::GANDHI_GENGHIS, 9),
        Field::int(personality::ENERGY, 3),
    ];
    op(Kind::Insert, Table::Personality, RowId::of_user(user, "personality"), 1 << 40, fields)
}

/// Every text of a page.
fn texts(page: &Page) -> String {
    let fields = page.items.iter().flat_map(|item| &item.fields);
    fields.map(|field| String::from_utf8_lossy(&field.value).into_owned()).collect::<Vec<_>>().join("\n")
}

fn tells_none_of(page: &Page, words: impl IntoIterator<Item = &'static str>) {
    let told = texts(page);
    for word in words.into_iter().chain(["focused"]) {
        assert!(!told.contains(word), "{word}: {told}");
    }
}

/// The refusal of a frame.
async fn refused(robot: &Robot, frame: Frame) -> Why {
    match robot.say(frame).await {
        Frame::Refusal(refusal) => refusal.why,
        other => panic!("{other:?}"),
    }
}

fn pull(user: &str) -> Frame {
    let scope = Scope::User(user.to_owned());
    Frame::Pull(Pull { session: 1, incarnation: 1, scope, cursor: 0, floor: 0, is_whole: true })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_of_another_town_keeps_in_step_with_that_town_alone() {
    // Though robot and owner have the names of home's, and its frames those of home's rows.
    let home = Home::make().await;
    let before = home.rows(Of::Town).await;
    let mut robot = Robot::pair_by(&home.side(), &home.cloud, ROBOT, OWNER).await;
    let me = home.cloud.with(&robot.secret).get("/api/devices/me").await.expect(200);
    assert_eq!((me.text("town"), me.text("robot")), ("side".to_owned(), ROBOT.to_owned()));
    assert_eq!(robot.greet().await.accepted, 0, "home's robot of that name has sent some");
    for scope in [Scope::Town, owners()] {
        assert_eq!(robot.pull(&scope, 0).await.items, []);
    }
    assert_eq!(refused(&robot, pull(ANN)).await, Why::NotYours);
    let note = home.names.note.parse().unwrap();
    let words = vec![Field::text(notes::CONTENT, "a guest was here")];
    let mut writes = writes_to_owners(&home).await;
    writes.push(op(Kind::Set, Table::Notes, note, 1 << 40, words));
    writes.push(op(Kind::Delete, Table::Notes, note, 1 << 40, Vec::new()));
    robot.push(writes).await;
    for scope in [Scope::Town, owners()] {
        let page = robot.pull(&scope, 0).await;
        // Its own name it hears again.
        tells_none_of(&page, OF_TOWN.into_iter().chain(OF_OWNER).filter(|word| *word != ROBOT));
        assert!(!page.items.is_empty(), "what it wrote is in its own town");
    }
    assert_eq!(home.rows(Of::Town).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_robot_of_another_user_neither_reads_nor_writes_the_owners_rows() {
    // Nor does it speak for the owner's robot.
    let home = Home::make().await;
    let before = home.rows(Of::Owner).await;
    let mut robot = Robot::pair(&home.cloud, "wombat-shed", ANN).await;
    let hello = Hello {
        device: ROBOT.to_owned(),
        incarnation: 1,
        session: 1,
        next_seq: 1,
        schema: SCHEMA,
        sent: stamp_of(1, 1, now_ms(), 0),
        scopes: Vec::new(),
    };
    assert_eq!(refused(&robot, Frame::Hello(hello)).await, Why::NotYours);
    robot.greet().await;
    assert_eq!(refused(&robot, pull(OWNER)).await, Why::NotYours);
    robot.push(writes_to_owners(&home).await).await;
    for scope in [Scope::Town, Scope::User(ANN.to_owned())] {
        tells_none_of(&robot.pull(&scope, 0).await, OF_OWNER);
    }
    assert_eq!(home.rows(Of::Owner).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_a_row_before_the_user_whose_it_will_be() {
    // The id of a user's personality can be told beforehand.
    let home = Home::make().await;
    home.cloud.owner().post("/api/users", &json!({"id": "ben"})).await.expect(201);
    let mut robot = Robot::pair(&home.cloud, "wombat-shed", ANN).await;
    robot.greet().await;
    robot.push(vec![personality_of("ben")]).await;
    let ann = home.person(ANN, &["read"]).await;
    let ben = home.person("ben", &["read", "speak"]).await;
    for person in [&ann, &ben] {
        assert_eq!(person.get("/api/personality").await.expect(200).text("mood"), "friendly");
    }
    ben.post("/api/mood/update", &json!({"mood": "playful"})).await.expect(200);
    assert_eq!(ben.get("/api/personality").await.expect(200).text("mood"), "playful");
    assert_eq!(ann.get("/api/personality").await.expect(200).text("mood"), "friendly");
}
