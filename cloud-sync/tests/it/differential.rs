//! The server on Postgres against the server in memory: the same frames and the same writes of apps must give the same answers
//! and the same rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cloud_sync::store::{Id, Rows};
use cloud_sync_api::supervise::spawn;
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::sync::frame::{Frame, Hello, Pull, Push, ScopeTold};
use cloud_sync_protocol::sync::model::Cloud;
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, Scope, stamp_of};
use cloud_sync_protocol::sync::server::{Who, scopes_of};
use cloud_sync_protocol::sync::table::{
    SCHEMA, Table, TableId, conflicts, facts, mood_changes, notes, personality, turns,
};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use crate::support::database::{TestDatabase, named, token, town};

/// Traces that are compared.
const SEEDS: u64 = 520;
/// Traces that run at once.
const AT_ONCE: usize = 4;
/// Steps of a trace.
const STEPS: u64 = 30;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.throw() % end
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }
}

/// A device as far as a trace plays it: more faithfully than not.
#[derive(Clone)]
struct Device {
    name: &'static str,
    user: &'static str,
    incarnation: u64,
    session: u64,
    accepted: u64,
    cursors: BTreeMap<Scope, u64>,
}

struct Trace {
    dice: Dice,
    now_ms: i64,
    model: Cloud,
    devices: Vec<Device>,
}

const WORDS: [&str; 6] =
    ["walnuts", "the blue door", "spare key", "'; DROP TABLE memory; --", "💚 Café", "walnuts again"];
const MOODS: [&str; 3] = ["friendly", "playful", "nonsense"];

impl Trace {
    fn new(seed: u64) -> Self {
        let device = |name, user| Device {
            name,
            user,
            incarnation: 1,
            session: 0,
            accepted: 0,
            cursors: BTreeMap::new(),
        };
        let devices = vec![device("kitchen", "ann"), device("hall", "ann"), device("shed", "ben")];
        Self { dice: Dice(seed), now_ms: 1_764_000_000_000, model: Cloud::default(), devices }
    }

    fn row(&mut self, table: Table, user: &str) -> RowId {
        let number = self.dice.below(4);
        match table {
            // Now and then another user's row, or one of its own making.
            Table::Personality if !self.dice.one_in(8) => RowId::of_user(user, "personality"),
            Table::Conflicts => {
                let known = self.model.rows().keys().filter(|key| key.table == Table::Conflicts.id());
                let known: Vec<RowId> = known.map(|key| key.row).collect();
                if known.is_empty() { RowId::named("nothing") } else { self.dice.pick(&known) }
            }
            Table::Turns | Table::MoodChanges => RowId::named(&format!("{user}{}", self.dice.below(40))),
            _ => RowId::named(&number.to_string()),
        }
    }

    fn text(&mut self) -> String {
        let mut text = format!("{} {}", self.dice.pick(&WORDS), self.dice.below(4));
        if self.dice.one_in(40) {
            text = text.repeat(2_000);
        }
        text
    }

    fn note(&mut self, whole: bool) -> Vec<Field> {
        let mut fields = Vec::new();
        if whole || self.dice.one_in(2) {
            fields.push(Field::text(notes::CONTENT, &self.text()));
        }
        if whole {
            fields.push(Field::text(notes::CREATED_BY, "ann"));
        }
        if self.dice.one_in(3) {
            fields.push(Field::text(notes::TAGS, r#"["home","ä\"b","\u0007"]"#));
        }
        if self.dice.one_in(2) {
            fields.push(Field::int(notes::PRIORITY, self.dice.below(104) as i64));
        }
        if self.dice.one_in(6) {
            fields.push(Field::int(notes::LAST_SURFACED_MS, i64::MAX / 40_000));
        }
        if self.dice.one_in(10) {
            fields.push(Field::text(900, "from a newer version"));
        }
        fields
    }

    fn fields(&mut self, table: Table, kind: Kind) -> Vec<Field> {
        let mut fields = Vec::new();
        let whole = kind == Kind::Insert;
        let some = |dice: &mut Dice| whole || dice.one_in(2);
        let ms = self.now_ms - self.dice.below(100_000) as i64;
        match table {
            Table::Notes | Table::Facts if kind == Kind::Delete => {}
            Table::Notes => fields = self.note(whole),
            Table::Facts => {
                if some(&mut self.dice) {
                    fields.push(Field::text(facts::CONTENT, &self.text()));
                }
                if self.dice.one_in(3) {
                    fields.push(Field::int(facts::EVENT_MS, ms));
                }
                if self.dice.one_in(3) {
                    fields.push(Field::int(facts::VALID_TO_MS, -377_705_000_000_000));
                }
            }
            Table::Turns => {
                fields.push(Field::row(turns::CONVERSATION, RowId::named(&self.dice.below(3).to_string())));
                fields.push(Field::int(turns::SENDER, self.dice.below(2) as i64));
                if self.dice.one_in(2) {
                    fields.push(Field::text(turns::SPEAKER, "ann"));
                }
                fields.push(Field::text(turns::TEXT, &self.text()));
                fields.push(Field::int(turns::AT_MS, ms));
            }
            Table::Personality => {
                let numbers = [
                    (personality::ATTRACTION, 12),
                    (personality::GANDHI_GENGHIS, 11),
                    (personality::ENERGY, 104),
                ];
                if some(&mut self.dice) {
                    fields.push(Field::text(personality::MOOD, self.dice.pick(&MOODS)));
                }
                for (field, end) in numbers {
                    if some(&mut self.dice) {
                        fields.push(Field::int(field, self.dice.below(end) as i64));
                    }
                }
            }
            Table::MoodChanges => {
                fields.push(Field::text(mood_changes::FROM, "friendly"));
                fields.push(Field::text(mood_changes::MOOD, self.dice.pick(&MOODS)));
                fields.push(Field::text(mood_changes::REASON, "somebody asked"));
                let contexts = ["a deal", r#"{"deal":1}"#, r#""\u0000""#, r#"{"n":1e400}"#];
                fields.push(Field::text(mood_changes::CONTEXT, self.dice.pick(&contexts)));
            }
            Table::Conflicts => fields.push(Field::int(conflicts::STATE, self.dice.below(3) as i64)),
        }
        if self.dice.one_in(60) {
            fields.push(Field { id: 1, value: vec![0xff, 0, 1] });
        }
        fields
    }

    fn op(&mut self, seq: u64, user: &str) -> Op {
        const TABLES: [Table; 10] = [
            Table::Notes,
            Table::Notes,
            Table::Notes,
            Table::Notes,
            Table::Facts,
            Table::Facts,
            Table::Turns,
            Table::Personality,
            Table::MoodChanges,
            Table::Conflicts,
        ];
        let table = self.dice.pick(&TABLES);
        let kind = match self.dice.below(10) {
            0..=3 => Kind::Insert,
            4..=8 => Kind::Set,
            _ => Kind::Delete,
        };
        let kind = if table.is_append_only() && !self.dice.one_in(8) { Kind::Insert } else { kind };
        let kind = if table == Table::Conflicts { Kind::Set } else { kind };
        let row = self.row(table, user);
        let key = RowKey { table: table.id(), row };
        let key = if self.dice.one_in(80) { RowKey { table: TableId(77), row } } else { key };
        let scope = self.model.rows().get(&key).map_or(Scope::Town, |held| held.scope.clone());
        let head = self.model.head(&scope).version;
        let base = if self.dice.one_in(2) { head } else { self.dice.below(head + 1) };
        let wall_ms = self.now_ms - self.dice.below(200_000) as i64 + 20_000;
        let stamp =
            stamp_of(self.dice.below(2).into(), self.dice.below(100_000), wall_ms, self.dice.below(3) as u8);
        Op { seq, kind, key, base, stamp, fields: self.fields(table, kind) }
    }

    fn hello(&mut self, index: usize) -> Frame {
        let session = self.dice.throw();
        if self.dice.one_in(12) {
            let incarnation = 1 + self.dice.below(4);
            let device = &mut self.devices[index];
            *device = Device { incarnation, accepted: 0, cursors: BTreeMap::new(), ..device.clone() };
        }
        let is_odd = self.dice.one_in(30);
        let device = &mut self.devices[index];
        device.session = session;
        let told = scopes_of(device.user).map(|scope| ScopeTold {
            cursor: device.cursors.get(&scope).copied().unwrap_or(0),
            scope,
            floor: 0,
        });
        Frame::Hello(Hello {
            device: if is_odd { "stranger".to_owned() } else { device.name.to_owned() },
            incarnation: device.incarnation,
            session,
            next_seq: 1,
            schema: SCHEMA,
            sent: stamp_of(1, 5, self.now_ms, 0),
            scopes: told.to_vec(),
        })
    }

    fn push(&mut self, index: usize) -> Frame {
        let device = self.devices[index].clone();
        // Mostly what follows; now and then some again, or with a gap.
        let first = match self.dice.below(12) {
            0 => device.accepted.saturating_sub(2).max(1),
            1 => device.accepted + 2,
            _ => device.accepted + 1,
        };
        let count = 1 + self.dice.below(5);
        let ops = (first..first + count).map(|seq| self.op(seq, device.user)).collect();
        let parent = self.dice.one_in(4).then(|| (1 + self.dice.below(4), self.dice.below(10)));
        Frame::Push(Push {
            session: if self.dice.one_in(20) { 7 } else { device.session },
            incarnation: device.incarnation,
            parent,
            again_to: if self.dice.one_in(6) { first } else { 0 },
            first_seq: first,
            sent: stamp_of(1, 100_000, self.now_ms, self.dice.below(3) as u8),
            ops,
        })
    }

    fn pull(&mut self, index: usize) -> Frame {
        let device = self.devices[index].clone();
        let scopes = [Scope::Town, Scope::User(device.user.to_owned()), Scope::User("ben".to_owned())];
        let scope = self.dice.pick(&scopes);
        let mut cursor = device.cursors.get(&scope).copied().unwrap_or(0);
        if self.dice.one_in(6) {
            cursor = self.dice.below(self.model.head(&scope).version + 2);
        }
        let floor = if self.dice.one_in(2) { self.model.head(&scope).floor } else { 0 };
        Frame::Pull(Pull {
            session: device.session,
            incarnation: device.incarnation,
            scope,
            cursor,
            floor,
            is_whole: self.dice.one_in(4),
        })
    }

    /// What the device remembers of an answer.
    fn hear(&mut self, index: usize, answer: &Frame) {
        let device = &mut self.devices[index];
        match answer {
            Frame::HelloAck(ack) => device.accepted = ack.accepted,
            Frame::PushAck(ack) => device.accepted = ack.upto,
            Frame::Page(page) => {
                device.cursors.insert(page.scope.clone(), page.to);
            }
            _ => {}
        }
    }

    async fn step(&mut self, rows: &Rows, whose: &Whose) {
        self.now_ms += self.dice.below(60_000) as i64;
        if self.dice.one_in(25) {
            self.now_ms += 31 * 24 * 60 * 60 * 1000;
        }
        let index = self.dice.below(3) as usize;
        let frame = match self.dice.below(20) {
            0..=3 => self.hello(index),
            4..=10 => self.push(index),
            11..=14 => self.pull(index),
            15..=18 => {
                let user = self.dice.pick(&["ann", "ben"]);
                let op = self.op(0, user);
                self.model.write(user, &op, self.now_ms);
                let whose = Whose { user: user.to_owned(), ..whose.clone() };
                rows.write(&whose, &op, self.now_ms).await.unwrap();
                return;
            }
            _ => {
                self.model.purge(self.now_ms);
                rows.purge(&named(&whose.town), self.now_ms).await.unwrap();
                return;
            }
        };
        let device = self.devices[index].clone();
        let who = Who { device: device.name, user: device.user };
        let wanted = self.model.handle(who, &frame, self.now_ms);
        let answer = rows.handle(&named(&whose.town), who, &frame, self.now_ms).await.unwrap();
        assert_eq!(answer, wanted, "{frame:?}");
        self.hear(index, &answer);
    }
}

type SyncRow = (i16, Id, String, i64, bool, i64, Vec<u8>);

/// The rows and heads of both.
async fn compare(look: &mut PgConnection, town: &str, model: &Cloud) {
    let asked = format!(
        "SELECT table_id, row_id, scope, server_seq, deleted, changed_ms, state FROM \"town_{town}\".sync_rows \
         ORDER BY table_id, row_id"
    );
    let found: Vec<SyncRow> = sqlx::query_as(AssertSqlSafe(asked)).fetch_all(&mut *look).await.unwrap();
    let wanted = model.rows().iter().map(|(key, held)| {
        let state = &held.state;
        let table = i16::try_from(key.table.0).unwrap();
        let scope = held.scope.name();
        (table, Id(key.row), scope, state.version as i64, state.deleted, state.at_ms, state.to_bytes())
    });
    assert_eq!(found, wanted.collect::<Vec<_>>());
    let asked = format!("SELECT scope, head, floor, checksum FROM \"town_{town}\".sync_scopes");
    let heads: Vec<(String, i64, i64, i64)> =
        sqlx::query_as(AssertSqlSafe(asked)).fetch_all(&mut *look).await.unwrap();
    for name in ["town", "user:ann", "user:ben"] {
        let wanted = model.head(&Scope::named(name).unwrap());
        let found = heads.iter().find(|head| head.0 == name);
        let found = found.map_or((0, 0, 0), |head| (head.1, head.2, head.3));
        let wanted = (wanted.version as i64, wanted.floor as i64, wanted.checksum as i64);
        assert_eq!(found, wanted, "{name}");
    }
}

/// What follows from the rows is what they say.
async fn check_columns(look: &mut PgConnection, town: &str, model: &Cloud) {
    let count = |table: Table| {
        let alive = model.rows().iter().filter(|(key, held)| key.table == table.id() && !held.state.deleted);
        alive.count() as i64
    };
    let told = [
        ("sticky_notes", count(Table::Notes)),
        ("facts", count(Table::Facts)),
        ("conversations", count(Table::Turns)),
        ("robbie_personality_state", count(Table::Personality)),
        ("mood_changes", count(Table::MoodChanges)),
        ("conflicts", count(Table::Conflicts)),
        ("memory", count(Table::Notes) + count(Table::Facts) + count(Table::Turns)),
    ];
    for (table, wanted) in told {
        let asked = format!("SELECT count(*) FROM \"town_{town}\".{table}");
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(asked)).fetch_one(&mut *look).await.unwrap();
        assert_eq!(found, wanted, "{table}");
    }
    let asked = format!(
        "SELECT (SELECT count(*) FROM \"town_{town}\".conversations) = (SELECT coalesce(sum(turns), 0) FROM \
         \"town_{town}\".talks) AND (SELECT coalesce(sum(rows), 0) FROM \"town_{town}\".memory_sizes) = (SELECT count(*) \
         FROM \"town_{town}\".memory) AND (SELECT coalesce(sum(words), 0) FROM \"town_{town}\".memory_sizes) = \
         (SELECT coalesce(sum(words), 0) FROM \"town_{town}\".memory)"
    );
    let agrees: bool = sqlx::query_scalar(AssertSqlSafe(asked)).fetch_one(&mut *look).await.unwrap();
    assert!(agrees, "sums");
    let asked = format!("SELECT id, content, version FROM \"town_{town}\".sticky_notes");
    let notes: Vec<(Id, String, i64)> =
        sqlx::query_as(AssertSqlSafe(asked)).fetch_all(&mut *look).await.unwrap();
    for (Id(row), content, version) in notes {
        let state = &model.rows()[&RowKey { table: Table::Notes.id(), row }].state;
        assert_eq!(state.get(notes::CONTENT).unwrap().value, content.as_bytes());
        assert_eq!(state.version as i64, version);
    }
}

async fn check(rows: &Rows, look: &mut PgConnection, name: &str, seed: u64) {
    empty(look, name).await;
    let mut trace = Trace::new(seed);
    let whose = Whose { town: name.to_owned(), user: "ann".to_owned() };
    for _ in 0..STEPS {
        trace.step(rows, &whose).await;
    }
    compare(look, name, &trace.model).await;
    check_columns(look, name, &trace.model).await;
}

/// As if the town were new.
async fn empty(look: &mut PgConnection, town: &str) {
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = $1 AND tablename NOT IN ('migrations', 'event_head')";
    let tables: Vec<String> =
        sqlx::query_scalar(tables).bind(format!("town_{town}")).fetch_all(&mut *look).await.unwrap();
    let all: String = tables.iter().map(|table| format!("DELETE FROM \"town_{town}\".{table};")).collect();
    look.execute(AssertSqlSafe(all)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_on_postgres_decides_as_the_one_in_memory() {
    // Answers, rows with every register, numbers and sums; a seed that fails names itself.
    let test = Arc::new(TestDatabase::empty().await);
    // Nobody cuts the power here.
    test.set("synchronous_commit", "off").await;
    let database = test.open().await;
    database.registry().first_start(&town("home"), &token("owner", "first")).await.unwrap();
    let rows = Rows::new(database.clone());
    let next = Arc::new(AtomicU64::new(1));
    let mut workers = Vec::new();
    for worker in 0..AT_ONCE {
        let name = format!("w{worker}");
        database.registry().add_town(&town(&name), &token("owner", &name)).await.unwrap();
        let (test, rows, next) = (test.clone(), rows.clone(), next.clone());
        workers.push(spawn("traces", async move {
            let mut look = test.connection().await;
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed > SEEDS {
                    return;
                }
                eprintln!("seed {seed}");
                check(&rows, &mut look, &name, seed).await;
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap().expect("a trace that does not agree; its seed stands above");
    }
}
