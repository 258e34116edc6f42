//! A cloud for the robot's end of sync: the real decisions on the model of a database, behind the real routes. It can be
//! switched off and on.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::frame::{Frame, join, split};
use cloud_sync_protocol::sync::model;
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, stamp_of};
use cloud_sync_protocol::sync::server::Who;
use cloud_sync_protocol::sync::table::{Table, notes};
use serde_json::{Value, json};

/// The user whom robots are paired with.
pub(crate) const ANN: &str = "ann";

#[derive(Default)]
struct Inner {
    rows: model::Cloud,
    is_away: bool,
    is_revoked: bool,
    town: String,
    broker: Option<String>,
}

/// The server; it ends with the process.
#[derive(Clone)]
pub(crate) struct Cloud {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Cloud {
    /// On a port of the system's choice.
    pub(crate) fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner { town: "home".to_owned(), ..Inner::default() }));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/api/devices/pair", post(pair))
            .route("/api/devices/me", get(me))
            .route("/api/sync", post(sync))
            .with_state(inner.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, routes).await.unwrap();
            });
        });
        Self { address, inner }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// From now on it answers nothing that helps, or again.
    pub(crate) fn be_away(&self, is_away: bool) {
        self.inner().is_away = is_away;
    }

    /// It knows no device any more.
    pub(crate) fn revoke(&self) {
        self.inner().is_revoked = true;
    }

    /// It has a broker there.
    pub(crate) fn name_broker(&self, url: &str) {
        self.inner().broker = Some(url.to_owned());
    }

    /// Codes are for this town from now on.
    pub(crate) fn serve_town(&self, town: &str) {
        self.inner().town = town.to_owned();
    }

    /// The contents of its notes.
    pub(crate) fn notes(&self) -> Vec<String> {
        let inner = self.inner();
        let notes = inner
            .rows
            .rows()
            .iter()
            .filter(|(key, held)| key.table == Table::Notes.id() && !held.state.deleted);
        let text = notes.map(|(_, held)| held.state.get(notes::CONTENT).unwrap().value.clone());
        text.map(|text| String::from_utf8(text).unwrap()).collect()
    }

    /// An app writes through it.
    pub(crate) fn write(&self, kind: Kind, key: RowKey, fields: Vec<Field>) {
        let op = Op { seq: 0, kind, key, base: 0, stamp: stamp_of(0, 0, 0, 2), fields };
        self.inner().rows.write(ANN, &op, now_ms());
    }

    /// An app changes the content of a note.
    pub(crate) fn set_note(&self, id: &str, content: &str) {
        let row: RowId = id.parse().unwrap();
        let key = RowKey { table: Table::Notes.id(), row };
        self.write(Kind::Set, key, vec![Field::text(notes::CONTENT, content)]);
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

type Shared = State<Arc<Mutex<Inner>>>;

fn problem(status: StatusCode, detail: &str) -> Response {
    (status, Json(json!({ "detail": detail }))).into_response()
}

async fn pair(State(inner): Shared, Json(body): Json<Value>) -> Response {
    let inner = inner.lock().unwrap();
    if body["code"] != "GOODCODE" {
        return problem(StatusCode::NOT_FOUND, "There is no such code.");
    }
    if body["town"].as_str().is_some_and(|town| town != inner.town) {
        return problem(StatusCode::CONFLICT, "The robot belongs to another town; forget that one first.");
    }
    let paired = json!({ "town": inner.town, "robot": body["robot"], "user_id": ANN, "secret": "s3cret" });
    Json(paired).into_response()
}

async fn me(State(inner): Shared) -> Response {
    let inner = inner.lock().unwrap();
    if inner.is_away {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "Away.");
    }
    Json(json!({ "town": inner.town, "robot": "robbie", "user_id": ANN, "mqtt": inner.broker.as_ref().map(|url| json!({ "url": url })) })).into_response()
}

async fn sync(State(inner): Shared, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = inner.lock().unwrap();
    if inner.is_away {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "Away.");
    }
    if inner.is_revoked || headers["authorization"] != "Bearer s3cret" {
        return problem(StatusCode::UNAUTHORIZED, "This device is not known here; it may have been revoked.");
    }
    let who = Who { device: "robbie", user: ANN };
    let frames = split(&body).unwrap().into_iter().map(|bytes| Frame::decode(bytes).unwrap());
    let answers: Vec<Vec<u8>> =
        frames.map(|frame| inner.rows.handle(who, &frame, now_ms()).encode().unwrap()).collect();
    join(answers.iter().map(Vec::as_slice)).into_response()
}
