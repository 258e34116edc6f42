//! What happened: written with what caused it, told after the commit in the order of its ids, also what other replicas wrote.
//!
//! Ids rise by one within a town, and their counter is the last lock that a write takes: events are committed in the order of
//! their ids. Within this program each town has one place up to which it has told; who comes there out of turn reads what is
//! missing from the table.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloud_sync_protocol::event::{Event, EventKind};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::note::StickyNote;
use cloud_sync_protocol::store::Whose;
use cloud_sync_protocol::sync::op::{RowKey, Scope};
use cloud_sync_protocol::sync::server::Held;
use cloud_sync_protocol::sync::table::Table;
use cloud_sync_protocol::town::TownId;
use cloud_sync_protocol::turn::Turn;
use serde::Serialize;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::sync::broadcast;

use super::cache::Caches;
use super::state;
use crate::store::database::{Database, DatabaseError};
use crate::store::town::schema;

/// Events kept in a town: the oldest go.
pub(super) const EVENTS_MAX: i64 = 10_000;
/// Each time that so many were told, the oldest make room.
const ROOM_EVERY: i64 = 64;
/// How long an event is kept.
const EVENT_AGE_MS: i64 = 24 * 60 * 60 * 1000;
/// Events that wait for one who follows; behind that he is told that he lost some.
const FOLLOW_MAX: usize = 256;
/// Events that are read at once.
const READ_MAX: i64 = 128;
/// How often is looked for what other replicas wrote.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Every so many looks, for towns that are new.
const TOWNS_EVERY: u32 = 20;

/// Something that happened, before it has an id.
#[derive(Clone, Debug)]
pub(super) struct News {
    /// Empty for the town.
    user: String,
    kind: EventKind,
    data: String,
}

/// What goes to those who follow.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// An event, and whose it is.
    Event(Arc<(Whose, Event)>),
    /// Events of some town are missing here.
    Lost,
    /// The program ends.
    Over,
}

/// What an event says about a note.
#[derive(Serialize)]
struct NoteEvent<'a> {
    id: RowId,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a StickyNote>,
}

/// What an event says about a turn.
#[derive(Serialize)]
struct TurnEvent<'a> {
    conversation_id: RowId,
    #[serde(flatten)]
    turn: &'a Turn,
}

/// What those who look on hear of changed rows, in their order.
pub(super) fn news(changed: &[(RowKey, &Held)]) -> Vec<News> {
    let of_row = |(key, held): &(RowKey, &Held)| {
        let id = key.row;
        let (kind, data) = match Table::of(key.table)? {
            Table::Notes if held.state.deleted => {
                (EventKind::Note, serde_json::to_string(&NoteEvent { id, deleted: true, note: None }))
            }
            Table::Notes => {
                let (note, _) = state::note(id, &held.state);
                (EventKind::Note, serde_json::to_string(&NoteEvent { id, deleted: false, note: Some(&note) }))
            }
            Table::Turns => {
                let (conversation_id, turn) = state::turn(id, &held.state);
                (EventKind::Chat, serde_json::to_string(&TurnEvent { conversation_id, turn: &turn }))
            }
            Table::Personality => {
                (EventKind::Personality, serde_json::to_string(&state::persona(&held.state)))
            }
            Table::Facts | Table::MoodChanges | Table::Conflicts => return None,
        };
        let user = match &held.scope {
            Scope::Town => String::new(),
            Scope::User(user) => user.clone(),
        };
        Some(News { user, kind, data: data.ok()? })
    };
    changed.iter().filter_map(of_row).collect()
}

/// Tells. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Teller(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    told: broadcast::Sender<Told>,
    /// Up to which event each town's were told here; as many as there are towns.
    places: Mutex<HashMap<TownId, Place>>,
    caches: Caches,
}

/// `None`: nobody has told anything of this town yet.
type Place = Arc<tokio::sync::Mutex<Option<i64>>>;

type EventColumns = (i64, String, String, String);

impl Teller {
    pub(super) fn new(database: Database) -> Self {
        let (told, _) = broadcast::channel(FOLLOW_MAX);
        Self(Arc::new(Inner { database, told, places: Mutex::default(), caches: Caches::default() }))
    }

    /// What is kept for a moment.
    pub(super) fn caches(&self) -> &Caches {
        &self.0.caches
    }

    pub(super) fn follow(&self) -> broadcast::Receiver<Told> {
        self.0.told.subscribe()
    }

    pub(super) fn end(&self) {
        self.send(Told::Over);
    }

    /// Gives the news their ids and keeps them, the last thing before a commit. The oldest events make room.
    pub(super) async fn keep(
        &self,
        connection: &mut PgConnection,
        news: Vec<News>,
        now_ms: i64,
    ) -> Result<Vec<(i64, News)>, sqlx::Error> {
        if news.is_empty() {
            return Ok(Vec::new());
        }
        let count = i64::try_from(news.len()).unwrap_or(i64::MAX);
        let keep = "WITH head AS (UPDATE event_head SET id = id + $1 RETURNING id), kept AS ( \
            INSERT INTO events (id, user_id, kind, data, at_ms) \
            SELECT head.id - $1 + e.place, e.user_id, e.kind, e.data, $5 \
            FROM head, unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS e(user_id, kind, data, place)) \
            SELECT id FROM head";
        let newest: i64 = sqlx::query_scalar(keep)
            .bind(count)
            .bind(news.iter().map(|news| news.user.clone()).collect::<Vec<_>>())
            .bind(news.iter().map(|news| news.kind.as_str().to_owned()).collect::<Vec<_>>())
            .bind(news.iter().map(|news| news.data.clone()).collect::<Vec<_>>())
            .bind(now_ms)
            .fetch_one(&mut *connection)
            .await?;
        let numbered: Vec<(i64, News)> = (newest - count + 1..).zip(news).collect();
        if newest / ROOM_EVERY > (newest - count) / ROOM_EVERY {
            sqlx::query("DELETE FROM events WHERE id <= $1 OR at_ms < $2")
                .bind(newest - EVENTS_MAX)
                .bind(now_ms - EVENT_AGE_MS)
                .execute(connection)
                .await?;
        }
        Ok(numbered)
    }

    /// Tells what was committed just now.
    pub(super) async fn tell(&self, town: &TownId, events: Vec<(i64, News)>) {
        let Some((first, newest)) = events.first().map(|(id, _)| *id).zip(events.last().map(|(id, _)| *id))
        else {
            return;
        };
        self.0.caches.changed(town);
        let place = self.place(town);
        let mut told_to = place.lock().await;
        let told = told_to.get_or_insert(first - 1);
        if *told + 1 == first {
            for (id, News { user, kind, data }) in events {
                self.send_event(town, user, Event { id: id.unsigned_abs(), kind, data });
            }
            *told = newest;
        } else if *told < newest {
            // Others committed before us and have not told it yet.
            self.catch_up(town, told, newest).await;
        }
    }

    /// Looks again and again for what other replicas wrote.
    pub(super) async fn follow_others(&self) {
        let mut looks = 0;
        let mut towns = Vec::new();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if looks % TOWNS_EVERY == 0 || towns.is_empty() {
                towns = self.towns().await;
            }
            looks = looks.wrapping_add(1);
            match self.newest(&towns).await {
                Ok(heads) => {
                    for (town, newest) in heads {
                        self.look(&town, newest).await;
                        self.0.caches.heard(&town);
                    }
                }
                // Away, or a town was taken away; the next look begins with the list of towns.
                Err(error) => {
                    tracing::debug!(%error, "cannot look for others' events");
                    towns.clear();
                }
            }
        }
    }

    async fn look(&self, town: &TownId, newest: i64) {
        let place = self.place(town);
        let mut told = place.lock().await;
        let told = told.get_or_insert(newest);
        if *told < newest {
            self.0.caches.changed(town);
            self.catch_up(town, told, newest).await;
        }
    }

    async fn towns(&self) -> Vec<TownId> {
        let towns = self.0.database.registry().towns(None).await.unwrap_or_default();
        towns.into_iter().map(|town| town.id).collect()
    }

    /// The newest event of each town: one small question for all.
    async fn newest(&self, towns: &[TownId]) -> Result<Vec<(TownId, i64)>, DatabaseError> {
        if towns.is_empty() {
            return Ok(Vec::new());
        }
        let of_town = |town: &TownId| format!("SELECT '{town}', id FROM {}.event_head", schema(town));
        let asked = towns.iter().map(of_town).collect::<Vec<_>>().join(" UNION ALL ");
        let mut read = self.0.database.begin_read().await?;
        let heads: Vec<(String, i64)> =
            sqlx::query_as(AssertSqlSafe(asked)).persistent(false).fetch_all(&mut *read).await?;
        Ok(heads.into_iter().filter_map(|(town, id)| Some((town.parse().ok()?, id))).collect())
    }

    /// Tells from the table what lies between.
    async fn catch_up(&self, town: &TownId, told: &mut i64, newest: i64) {
        while *told < newest {
            let events = match self.read(town, *told, newest).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::debug!(%error, "cannot read events; who follows is told to look again");
                    Vec::new()
                }
            };
            let Some(last) = events.last().map(|(id, ..)| *id) else {
                // They are gone already, or cannot be read.
                self.send(Told::Lost);
                *told = newest;
                return;
            };
            if events.first().is_some_and(|(id, ..)| *id > *told + 1) {
                self.send(Told::Lost);
            }
            for (id, user, kind, data) in events {
                if let Some(kind) = kind_named(&kind) {
                    self.send_event(town, user, Event { id: id.unsigned_abs(), kind, data });
                }
            }
            *told = last;
        }
    }

    async fn read(&self, town: &TownId, after: i64, to: i64) -> Result<Vec<EventColumns>, DatabaseError> {
        let mut read = self.0.database.town(town).begin().await?;
        let asked =
            "SELECT id, user_id, kind, data FROM events WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3";
        let events = sqlx::query_as(asked).bind(after).bind(to).bind(READ_MAX);
        Ok(events.fetch_all(read.connection()).await?)
    }

    fn place(&self, town: &TownId) -> Place {
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(town.clone()).or_default())
    }

    fn send_event(&self, town: &TownId, user: String, event: Event) {
        let whose = Whose { town: town.to_string(), user };
        self.send(Told::Event(Arc::new((whose, event))));
    }

    fn send(&self, told: Told) {
        // Nobody may be following.
        drop(self.0.told.send(told));
    }
}

/// The kind of that name, where this version knows it.
pub(super) fn kind_named(name: &str) -> Option<EventKind> {
    EventKind::ALL.into_iter().find(|kind| kind.as_str() == name)
}
