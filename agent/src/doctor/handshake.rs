//! Asks the microcontroller who it is, and nothing else: no limits, no arming, no motion.

use std::path::Path;
use std::time::{Duration, Instant};

use firmware_bridge_host::{Port, WireError};
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{Hello, HelloRequest, PROTOCOL};
use firmware_bridge_link::schema::SCHEMA_HASH;
use rustix::event::{PollFd, PollFlags, poll};

use super::report::Check;
use crate::os::timespec;

/// How long a body may take to answer; one that just started boots first.
const ANSWER_MAX: Duration = Duration::from_millis(1500);
/// The question is asked again after this.
const ASK_EVERY: Duration = Duration::from_millis(100);

pub(super) fn ask(port: &str, baud: u32) -> Check {
    let id = "body.mcu";
    match hello(Path::new(port), baud) {
        Err(error) => Check::fail(id, error, "look at cable and power; end other programs that use the port"),
        Ok(None) => Check::fail(
            id,
            format!("nothing that speaks the link answers on {port} at {baud} baud"),
            "check body.port and body.baud, and that the firmware is on the board",
        ),
        Ok(Some(hello)) => judge(&hello),
    }
}

fn judge(hello: &Hello) -> Check {
    let id = "body.mcu";
    let board = String::from_utf8_lossy(&hello.board);
    let [major, minor, patch] = hello.firmware;
    let what = format!(
        "{}, firmware {major}.{minor}.{patch}, protocol {}.{}, {:?} ({:?})",
        board.trim_matches('\0'),
        hello.protocol.major,
        hello.protocol.minor,
        hello.state,
        hello.reason
    );
    if hello.protocol.major != PROTOCOL.major {
        let fix =
            format!("this agent speaks {}.{}: update the older of the two", PROTOCOL.major, PROTOCOL.minor);
        return Check::fail(id, what, fix);
    }
    if hello.protocol == PROTOCOL && hello.schema_hash != SCHEMA_HASH {
        let fix = "firmware and agent were built from different message definitions: build both from the same source";
        return Check::fail(id, what, fix);
    }
    Check::ok(id, what)
}

/// `None`: no answer in time.
fn hello(path: &Path, baud: u32) -> Result<Option<Hello>, String> {
    let mut port = Port::open(path, baud).map_err(|error| error.to_string())?;
    let mut question = FrameBuf::new();
    encode(Class::Hello, 0, &HelloRequest { protocol: PROTOCOL }, &mut question)
        .map_err(|error| error.to_string())?;
    let named = |error: WireError| format!("{}: {error}", path.display());
    let mut decoder = Decoder::new();
    let until = Instant::now() + ANSWER_MAX;
    while Instant::now() < until {
        port.write(&question).map_err(named)?;
        if let Some(hello) = listen(&mut port, &mut decoder, Instant::now() + ASK_EVERY).map_err(named)? {
            return Ok(Some(hello));
        }
    }
    Ok(None)
}

fn listen(port: &mut Port, decoder: &mut Decoder, until: Instant) -> Result<Option<Hello>, WireError> {
    let mut bytes = [0; 512];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        poll(&mut [PollFd::new(&*port, PollFlags::IN)], Some(&timespec(left)))?;
        let read = port.read(&mut bytes)?;
        for byte in bytes.iter().take(read) {
            if let Some(Ok(frame)) = decoder.push(*byte)
                && let Ok(ToHost::Hello(hello)) = ToHost::parse(&frame)
            {
                return Ok(Some(hello));
            }
        }
    }
}
