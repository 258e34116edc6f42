//! A robot as the service meets it: paired by a code, and talking in frames over HTTP.

use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::frame::{Frame, Hello, HelloAck, Page, Pull, Push, PushAck, join, split};
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, Scope, stamp_of};
use cloud_sync_protocol::sync::table::{SCHEMA, Table};
use serde_json::json;

use super::DEADLINE;
use super::cloud::Cloud;
use super::http::Client;
use super::now_ms;

/// A robot that is paired.
pub(crate) struct Robot {
    http: reqwest::Client,
    url: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    session: u64,
    /// Operations that are in.
    accepted: u64,
}

impl Robot {
    /// Pairs a robot that shall belong to `user` of the first town.
    pub(crate) async fn pair(cloud: &Cloud, name: &str, user: &str) -> Self {
        Self::pair_by(&cloud.owner(), cloud, name, user).await
    }

    /// Pairs a robot by a code of this admin's town.
    pub(crate) async fn pair_by(admin: &Client, cloud: &Cloud, name: &str, user: &str) -> Self {
        let wish = json!({"robot": name, "user_id": user});
        let code = admin.post("/api/devices", &wish).await.expect(201).text("code");
        let body = json!({"code": code, "version": "test"});
        let paired = cloud.nobody().post("/api/devices/pair", &body).await.expect(200);
        assert_eq!(paired.text("robot"), name);
        Self {
            http: reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().expect("a client"),
            url: format!("{}/api/sync", cloud.url()),
            secret: paired.text("secret"),
            name: name.to_owned(),
            session: 0,
            accepted: 0,
        }
    }

    /// Sends bytes; gives status and what came back.
    pub(crate) async fn post(&self, body: Vec<u8>) -> (u16, Vec<u8>) {
        let request = self.http.post(&self.url).bearer_auth(&self.secret).body(body);
        let response = request.send().await.expect("the service answers");
        (response.status().as_u16(), response.bytes().await.expect("the whole answer").to_vec())
    }

    /// Sends frames; gives their answers.
    pub(crate) async fn exchange(&self, frames: &[Frame]) -> Vec<Frame> {
        let packed: Vec<Vec<u8>> = frames.iter().map(|frame| frame.encode().unwrap()).collect();
        let (status, body) = self.post(join(packed.iter().map(Vec::as_slice))).await;
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        let answers = split(&body).unwrap();
        answers.into_iter().map(|bytes| Frame::decode(bytes).unwrap()).collect()
    }

    pub(crate) async fn say(&self, frame: Frame) -> Frame {
        let mut answers = self.exchange(&[frame]).await;
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    /// Begins to talk.
    pub(crate) async fn greet(&mut self) -> HelloAck {
        self.session += 1;
        let hello = Frame::Hello(Hello {
            device: self.name.clone(),
            incarnation: 1,
            session: self.session,
            next_seq: self.accepted + 1,
            schema: SCHEMA,
            sent: stamp_of(1, 1, now_ms(), 0),
            scopes: Vec::new(),
        });
        match self.say(hello).await {
            Frame::HelloAck(ack) => {
                self.accepted = ack.accepted;
                ack
            }
            other => panic!("{other:?}"),
        }
    }

    /// The operations as a frame.
    pub(crate) fn pushed(&self, writes: Vec<Op>) -> Frame {
        let first_seq = self.accepted + 1;
        let ops = (first_seq..).zip(writes).map(|(seq, op)| Op { seq, ..op }).collect();
        Frame::Push(Push {
            session: self.session,
            incarnation: 1,
            parent: None,
            again_to: 0,
            first_seq,
            sent: stamp_of(1, 1, now_ms(), 0),
            ops,
        })
    }

    /// Sends operations.
    pub(crate) async fn push(&mut self, writes: Vec<Op>) -> PushAck {
        match self.say(self.pushed(writes)).await {
            Frame::PushAck(ack) => {
                self.accepted = ack.upto;
                ack
            }
            other => panic!("{other:?}"),
        }
    }

    /// What changed in a scope after `cursor`.
    pub(crate) async fn pull(&self, scope: &Scope, cursor: u64) -> Page {
        let pull = Pull {
            session: self.session,
            incarnation: 1,
            scope: scope.clone(),
            cursor,
            floor: 0,
            is_whole: false,
        };
        match self.say(Frame::Pull(pull)).await {
            Frame::Page(page) => page,
            other => panic!("{other:?}"),
        }
    }
}

/// A write of a robot, just now.
pub(crate) fn op(kind: Kind, table: Table, row: RowId, base: u64, mut fields: Vec<Field>) -> Op {
    fields.sort_by_key(|field| field.id);
    let key = RowKey { table: table.id(), row };
    Op { seq: 0, kind, key, base, stamp: stamp_of(1, 1, now_ms(), 0), fields }
}
