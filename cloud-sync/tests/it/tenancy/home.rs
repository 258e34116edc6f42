//! A town with a row of every kind, in each a word that stands nowhere else; and beside it towns whose owners have the
//! same name.

use std::collections::{BTreeMap, BTreeSet};

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::op::{Field, Kind};
use cloud_sync_protocol::sync::table::{Table, facts, notes};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::keeps_contract::UNLIMITED;
use crate::support::cloud::{Cloud, Start};
use crate::support::database::TestDatabase;
use crate::support::http::Client;
use crate::support::robot::{Robot, op};

/// Owner of every town.
pub(super) const OWNER: &str = "owner";
/// Another user of the town.
pub(super) const ANN: &str = "quokka-ann";
/// A robot of the town.
pub(super) const ROBOT: &str = "quokka-kitchen";

/// The owner's mood, as answers tell it: nobody else is in it.
const FOCUSED: &str = "\"mood\":\"focused\"";

/// What stands in rows of the town.
pub(super) const OF_TOWN: [&str; 6] = ["quokka-note", "quokka-tag", "quokka-lost", "quokka-app", ANN, ROBOT];
/// What stands in rows of its owner, which nobody else reads.
pub(super) const OF_OWNER: [&str; 5] = ["numbat-said", "numbat-mood", "numbat-fact", "numbat-lost", FOCUSED];

/// What a request may name.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) town: String,
    pub(super) user: String,
    pub(super) token: String,
    pub(super) robot: String,
    pub(super) note: String,
    /// A conversation of the owner's.
    pub(super) talk: String,
    /// A conflict of the owner's.
    pub(super) conflict: String,
}

impl Names {
    /// Of things that never were, each as long as those that are.
    pub(super) fn never() -> Self {
        Self {
            town: "nova".to_owned(),
            user: "wombat-ann".to_owned(),
            token: "00000000".to_owned(),
            robot: "wombat-kitchen".to_owned(),
            note: RowId::named("no note").to_string(),
            talk: RowId::named("no talk").to_string(),
            conflict: RowId::named("no conflict").to_string(),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> [&str; 7] {
        let Self { town, user, token, robot, note, talk, conflict } = self;
        [town, user, token, robot, note, talk, conflict]
    }
}

/// Whose rows are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Everybody's in the town.
    Town,
    /// Those of its owner.
    Owner,
}

/// A service with the town and two others.
pub(super) struct Home {
    pub(super) cloud: Cloud,
    /// What is there.
    pub(super) names: Names,
    /// Tokens of two other towns' owners.
    others: [String; 2],
    test: TestDatabase,
    _folder: tempfile::TempDir,
}

impl Home {
    /// Makes it.
    pub(super) async fn make() -> Self {
        let (test, folder) = (TestDatabase::empty().await, tempfile::tempdir().unwrap());
        let cloud = Start::new(folder.path(), &test.url()).arguments(&UNLIMITED).run();
        let owner = cloud.owner();
        owner.post("/api/users", &json!({"id": ANN})).await.expect(201);
        let town = async |id: &str| {
            let made = owner.post("/api/towns", &json!({"id": id, "owner": OWNER})).await;
            made.expect(201).text("token")
        };
        let others = [town("side").await, town("calm").await];
        let note = json!({"content": "the safe is a quokka-note", "tags": ["quokka-tag"]});
        let note = owner.post("/api/sticky-notes", &note).await.expect(201).text("id");
        let said = owner.post("/api/chat", &json!({"message": "my word is numbat-said"})).await.expect(200);
        let mood = json!({"mood": "focused", "context": "numbat-mood"});
        owner.post("/api/mood/update", &mood).await.expect(200);
        let app = json!({"scopes": ["read"], "name": "quokka-app"});
        let token = owner.post("/api/tokens", &app).await.expect(201).text("id");
        write_by_robot(&cloud).await;
        let conflicts = owner.get("/api/sync/conflicts").await.expect(200).json();
        let own = conflicts.as_array().unwrap().iter().find(|one| one["other"] == "numbat-lost").unwrap();
        let names = Names {
            town: "home".to_owned(),
            user: ANN.to_owned(),
            token,
            robot: ROBOT.to_owned(),
            note,
            talk: said.text("conversation_id"),
            conflict: own["id"].as_str().unwrap().to_owned(),
        };
        Self { cloud, names, others, test, _folder: folder }
    }

    /// The token of another town's owner, with every scope.
    pub(super) fn side_token(&self) -> &str {
        &self.others[0]
    }

    /// That owner.
    pub(super) fn side(&self) -> Client {
        self.cloud.with(&self.others[0])
    }

    /// The owner of a third town, to whom the same happens, and who never names what is home's.
    pub(super) fn calm(&self) -> Client {
        self.cloud.with(&self.others[1])
    }

    /// A user of the town with a new token.
    pub(super) async fn person(&self, user: &str, scopes: &[&str]) -> Client {
        self.cloud.with(&self.token(user, scopes).await.1)
    }

    /// Id and secret of a new token.
    pub(super) async fn token(&self, user: &str, scopes: &[&str]) -> (String, String) {
        let wish = json!({"user_id": user, "scopes": scopes, "class": "remote"});
        let made = self.cloud.owner().post("/api/tokens", &wish).await.expect(201);
        (made.text("id"), made.text("token"))
    }

    /// Secrets that were good once: a person's with every scope, and a robot's.
    pub(super) async fn revoked(&self) -> [String; 2] {
        let owner = self.cloud.owner();
        let (id, secret) = self.token(OWNER, &ALL_SCOPES).await;
        owner.delete(&format!("/api/tokens/{id}")).await.expect(204);
        let robot = Robot::pair(&self.cloud, "old-shed", OWNER).await;
        owner.delete(&format!("/api/devices/{}", robot.name)).await.expect(204);
        [secret, robot.secret]
    }

    /// What nobody outside may read, or nobody but the owner: words, and the ids of rows.
    pub(super) async fn secrets(&self, of: Of) -> BTreeSet<String> {
        let talk = format!("/api/conversations/{}", self.names.talk);
        let found = "/api/memory/search?kind=fact,turn&limit=100&q=numbat";
        let mut paths = vec!["/api/conversations", &talk, "/api/mood/history", found];
        let mut secrets: BTreeSet<String> = OF_OWNER.map(str::to_owned).into();
        secrets.insert(self.names.conflict.clone());
        if of == Of::Town {
            paths.extend(["/api/sticky-notes", "/api/sync/conflicts"]);
            secrets.extend(OF_TOWN.map(str::to_owned));
            secrets.insert(self.names.token.clone());
        }
        for path in paths {
            ids(&self.cloud.owner().get(path).await.expect(200).json(), &mut secrets);
        }
        secrets
    }

    /// Every row, by its table. Vectors are left out: they come later, by themselves.
    pub(super) async fn rows(&self, of: Of) -> BTreeMap<String, Vec<String>> {
        let mut look = self.test.connection().await;
        let asked = "SELECT table_schema || '.' || table_name FROM information_schema.tables \
            WHERE table_schema IN ('town_home', 'registry') AND table_name <> 'embeddings'";
        let tables: Vec<String> = sqlx::query_scalar(asked).fetch_all(&mut look).await.unwrap();
        let mut rows = BTreeMap::new();
        for table in tables {
            let found = rows_in(&mut look, &table, of).await;
            rows.insert(table, found);
        }
        let is_there = rows.values().flatten().any(|row: &String| row.contains("numbat-said"));
        assert!(is_there, "these are not home's rows: {rows:?}");
        rows
    }
}

/// Every scope there is.
pub(super) const ALL_SCOPES: [&str; 5] = ["read", "view", "speak", "drive", "admin"];

/// What only robots write: facts, and conflicts of the town and of its owner.
async fn write_by_robot(cloud: &Cloud) {
    let mut robot = Robot::pair(cloud, ROBOT, OWNER).await;
    robot.greet().await;
    let (note, fact) = (RowId::named("doomed"), RowId::named("fact"));
    let fields = vec![Field::text(notes::CONTENT, "soon gone"), Field::text(notes::CREATED_BY, OWNER)];
    let known = vec![Field::text(facts::CONTENT, "the door is numbat-fact")];
    let written =
        vec![op(Kind::Insert, Table::Notes, note, 0, fields), op(Kind::Insert, Table::Facts, fact, 0, known)];
    robot.push(written).await;
    cloud.owner().delete(&format!("/api/sticky-notes/{note}")).await.expect(204);
    let late = vec![Field::text(notes::CONTENT, "quokka-lost")];
    let nowhere = vec![Field::text(facts::CONTENT, "numbat-lost")];
    let lost = vec![
        op(Kind::Set, Table::Notes, note, 1, late),
        op(Kind::Set, Table::Facts, RowId::named("no fact"), 3, nowhere),
    ];
    robot.push(lost).await;
}

/// Every id of a row in there.
fn ids(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.parse::<RowId>().is_ok() => _ = into.insert(text.clone()),
        Value::Array(list) => list.iter().for_each(|one| ids(one, into)),
        Value::Object(members) => members.values().for_each(|one| ids(one, into)),
        _ => {}
    }
}

async fn rows_in(look: &mut PgConnection, table: &str, of: Of) -> Vec<String> {
    let asked = format!("SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1");
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(asked)).fetch_all(look).await.unwrap();
    let is_meant = |row: &String| {
        let row: Value = serde_json::from_str(row).unwrap();
        let is_home = !table.starts_with("registry.")
            || row["town"] == "home"
            || (table == "registry.towns" && row["id"] == "home");
        let is_owners = row["user_id"] == OWNER || row["scope"] == format!("user:{OWNER}");
        is_home && (of == Of::Town || is_owners)
    };
    rows.into_iter().filter(is_meant).collect()
}
