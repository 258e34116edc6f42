//! A device without a robot: it speaks sync over HTTP as fast as it is answered.

use anyhow::{Context, bail, ensure};
use cloud_sync_protocol::id::RowId;
use cloud_sync_protocol::sync::frame::{self, Frame, Hello, Push, ScopeTold};
use cloud_sync_protocol::sync::op::{Field, Kind, Op, RowKey, Scope, stamp_of};
use cloud_sync_protocol::sync::table::{SCHEMA, Table, notes};
use serde_json::json;

use crate::http::Client;
use crate::system::cloud::Cloud;

/// Of a fleet that agrees on the time; ms since 1970.
const WALL_MS: i64 = 1_790_000_000_000;

/// A paired device in the middle of a conversation.
#[derive(Debug)]
pub(crate) struct Device {
    client: Client,
    incarnation: u64,
    session: u64,
    next_seq: u64,
}

impl Device {
    /// Pairs one and greets the cloud.
    pub(crate) fn paired(cloud: &Cloud, name: &str) -> anyhow::Result<Self> {
        let code = cloud.code(Some(name))?;
        let body = json!({"code": code, "robot": name, "version": "bench"});
        let paired = cloud.post("/api/devices/pair", &body)?.expect(200)?;
        let text = |field: &str| paired[field].as_str().map(str::to_owned).context("not paired");
        let (robot, user, secret) = (text("robot")?, text("user_id")?, text("secret")?);
        let client = Client::connect(cloud.address, &secret)?;
        let mut device = Self { client, incarnation: 7, session: 8, next_seq: 1 };
        let told = |scope| ScopeTold { scope, cursor: 0, floor: 0 };
        let hello = Frame::Hello(Hello {
            device: robot,
            incarnation: device.incarnation,
            session: device.session,
            next_seq: 1,
            schema: SCHEMA,
            sent: stamp_of(1, 0, WALL_MS, 0),
            scopes: vec![told(Scope::Town), told(Scope::User(user))],
        });
        match device.exchange(&hello)? {
            Frame::HelloAck(_) => Ok(device),
            other => bail!("the greeting was answered by {other:?}"),
        }
    }

    /// The next operations: notes that are new.
    pub(crate) fn notes(&mut self, count: usize) -> Vec<Op> {
        (0..count)
            .map(|_| {
                let op = note(self.incarnation, self.next_seq);
                self.next_seq += 1;
                op
            })
            .collect()
    }

    /// Pushes operations in one frame, and waits until they are in.
    pub(crate) fn push(&mut self, ops: Vec<Op>) -> anyhow::Result<()> {
        let last = ops.last().context("nothing to push")?.seq;
        let push = Frame::Push(push_of(self.session, self.incarnation, ops));
        match self.exchange(&push)? {
            Frame::PushAck(ack) => {
                ensure!(ack.upto == last, "acknowledged up to {} instead of {last}", ack.upto);
                Ok(())
            }
            other => bail!("the operations were answered by {other:?}"),
        }
    }

    fn exchange(&mut self, frame: &Frame) -> anyhow::Result<Frame> {
        let bytes = frame::join([&*frame.encode()?]);
        let headers = [("content-type", "application/octet-stream")];
        let answer = self.client.ask_with("POST", "/api/sync", &headers, &bytes)?;
        ensure!(answer.status == 200, "answered {}: {}", answer.status, answer.json());
        let frames = frame::split(&answer.body)?;
        Ok(Frame::decode(frames.first().context("no frame came back")?)?)
    }
}

/// Operations in a frame.
pub(crate) fn push_of(session: u64, incarnation: u64, ops: Vec<Op>) -> Push {
    Push {
        session,
        incarnation,
        parent: None,
        again_to: 0,
        first_seq: ops.first().map_or(1, |op| op.seq),
        sent: stamp_of(1, 60_000, WALL_MS + 60_000, 0),
        ops,
    }
}

/// A note as people write them.
pub(crate) fn content(number: u64) -> String {
    const WHAT: [&str; 7] =
        ["the ficus", "a parcel", "the boiler", "our neighbour", "the bike", "a meeting", "the cellar"];
    const DOES: [&str; 5] = ["wants water", "comes at noon", "needs a part", "is away", "was paid"];
    let pick = |list: &[&'static str], step: u64| {
        list[usize::try_from(number / step).unwrap_or_default() % list.len()]
    };
    format!(
        "{} {} before week {}; ask about it again (note {number})",
        pick(&WHAT, 1),
        pick(&DOES, 7),
        number % 52
    )
}

/// The operation that writes it.
pub(crate) fn note(incarnation: u64, seq: u64) -> Op {
    let fields = vec![
        Field::text(notes::CONTENT, &content(seq)),
        Field::text(notes::CREATED_BY, "owner"),
        Field::int(notes::CREATED_MS, WALL_MS + i64::try_from(seq).unwrap_or_default()),
    ];
    Op {
        seq,
        kind: Kind::Insert,
        key: RowKey { table: Table::Notes.id(), row: id_of(incarnation, seq) },
        base: 0,
        stamp: stamp_of(1, 40 * seq, WALL_MS + 40 * i64::try_from(seq).unwrap_or_default(), 0),
        fields,
    }
}

/// An id as the programs draw them: sorted by time.
fn id_of(incarnation: u64, seq: u64) -> RowId {
    let mut random = [0; 10];
    let mixed = (incarnation << 40 ^ seq).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    random[2..].copy_from_slice(&mixed.to_be_bytes());
    RowId::new((WALL_MS as u64 + 40 * seq) * 1000, random)
}
