//! Driving over a bad network: how often the wheels stop although the stick is held.
//!
//! The client drives as the page does: 20 frames a second with the newest stamp, none while that stamp is older than 300 ms,
//! a zero first and again after a pause. Its time to live is read from the page's own source.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::Scale;
use crate::programs::{Agent, Body, Place, take};
use crate::proxy;
use crate::report::{Figure, Report};
use crate::stats::monotonic_us;
use crate::trace::Line;

/// Robots that are driven at once, each with an agent, a body and a network of its own.
const ROBOTS: usize = 4;
/// As many more are driven without the bad network: what stops those is this machine.
const DIRECT: usize = 2;

const PERIOD: Duration = Duration::from_millis(50);
/// An older stamp sends nothing.
const STALE_MS: f64 = 300.0;
/// After such a pause the page wants the stick to be let go; here it is, and held again at once.
const PAUSE: Duration = Duration::from_millis(500);
const CLOSED: &str = "/problems/closed";
/// Refusals that pass by themselves.
const PASSING: [&str; 3] = ["/problems/stale", "/problems/not-rising", "/problems/rate-limited"];

/// What one robot went through.
#[derive(Debug, Default)]
struct Ride {
    stops: usize,
    frames: u64,
    refused: usize,
    closed: usize,
}

/// Drives several robots at once, so that ten minutes of driving take two and a half.
pub(crate) fn measure(report: &mut Report, scale: Scale) -> anyhow::Result<()> {
    let ttl_ms = ttl_of_the_page()?;
    let time = Duration::from_secs(scale.minutes as u64 * 60 / ROBOTS as u64);
    let mut rides = std::thread::scope(|scope| {
        let one = |seed: usize| scope.spawn(move || ride(seed, ttl_ms, time));
        let threads: Vec<_> = (0..ROBOTS + DIRECT).map(one).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().ok().context("a driver panicked")?)
            .collect::<anyhow::Result<Vec<Ride>>>()
    })?;
    let direct: usize = rides.split_off(ROBOTS).iter().map(|ride| ride.stops).sum();
    let minutes = time.as_secs_f64() * ROBOTS as f64 / 60.0;
    let stops: usize = rides.iter().map(|ride| ride.stops).sum();
    let frames: u64 = rides.iter().map(|ride| ride.frames).sum();
    let refused: usize = rides.iter().map(|ride| ride.refused).sum();
    let closed: usize = rides.iter().map(|ride| ride.closed).sum();
    let note = format!(
        "{stops} stops in {minutes:.1} min with {ROBOTS} robots at once ({frames} frames, {refused} refused); 0 to 100 ms \
         each way, 2 % of the pieces 200 ms more, order kept; 20 Hz, ttl {ttl_ms} ms as in the page; a stop: the body's \
         target is zero while the stick is held; {closed} closings because the link to the body was late on this machine; baseline: two more robots without the bad network"
    );
    let figure = Figure::new("teleop_involuntary_stops_per_min", stops as f64 / minutes, "1/min");
    let direct_minutes = time.as_secs_f64() * DIRECT as f64 / 60.0;
    report.add(figure.beside(direct as f64 / direct_minutes).at_most(0.1).note(note));
    Ok(())
}

fn ttl_of_the_page() -> anyhow::Result<u64> {
    let source = include_str!("../../src/page/teleop.js");
    let value = source.lines().find_map(|line| line.strip_prefix("const TTL_MS = ")?.strip_suffix(';'));
    value.and_then(|value| value.parse().ok()).context("agent/src/page/teleop.js has no TTL_MS")
}

fn ride(seed: usize, ttl_ms: u64, time: Duration) -> anyhow::Result<Ride> {
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    let through =
        if seed < ROBOTS { proxy::start(agent.address, 100 + seed as u64 * 10)? } else { agent.address };
    let mut driver = Driver::open(through, &agent, ttl_ms)?;
    let start = Instant::now();
    driver.hold(start + PAUSE * 4)?;
    let held_us = monotonic_us();
    driver.hold(start + time)?;
    let trace = body.trace_since(held_us)?;
    let released_us = driver.released_us;
    let held: Vec<&Line> = trace.iter().filter(|line| line.t_us < released_us).collect();
    let stops = held.windows(2).filter(|pair| pair[0].is_driven() && !pair[1].is_driven()).count();
    Ok(Ride { stops, frames: driver.seq, refused: driver.refused, closed: driver.closed })
}

/// Somebody who holds the stick to the left.
struct Driver<'a> {
    socket: WebSocket<TcpStream>,
    /// Asked beside the bad network, to take what the machine has closed.
    agent: &'a Agent,
    ttl_ms: u64,
    seq: u64,
    refused: usize,
    closed: usize,
    seen: Option<(Value, f64)>,
    /// Smallest (arrival - stamp), ms: both clocks and the fastest way.
    fastest_ms: f64,
    seen_at_ms: f64,
    neutral: bool,
    sent_at: Instant,
    released_us: u64,
}

fn now_ms() -> f64 {
    monotonic_us() as f64 / 1000.0
}

impl<'a> Driver<'a> {
    fn open(through: SocketAddr, agent: &'a Agent, ttl_ms: u64) -> anyhow::Result<Self> {
        let mut request = format!("ws://{through}/api/robot/teleop").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", agent.token).parse()?);
        let stream = TcpStream::connect(through)?;
        stream.set_nodelay(true)?;
        let (socket, _) = tungstenite::client(request, stream).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self {
            socket,
            agent,
            ttl_ms,
            seq: 0,
            refused: 0,
            closed: 0,
            seen: None,
            fastest_ms: f64::INFINITY,
            seen_at_ms: f64::NEG_INFINITY,
            neutral: true,
            sent_at: Instant::now(),
            released_us: 0,
        })
    }

    /// Holds the stick until `end`.
    fn hold(&mut self, end: Instant) -> anyhow::Result<()> {
        let mut next = Instant::now();
        while Instant::now() < end {
            self.tick()?;
            next += PERIOD;
            self.listen_until(next)?;
        }
        self.released_us = monotonic_us();
        Ok(())
    }

    /// Age of the newest stamp as the page reckons it, ms.
    fn seen_age_ms(&self) -> f64 {
        let Some((_, mono_ms)) = self.seen else { return f64::INFINITY };
        (now_ms() - self.seen_at_ms).max(now_ms() - self.fastest_ms - mono_ms)
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        if self.seen_age_ms() > STALE_MS {
            self.neutral |= self.sent_at.elapsed() > PAUSE;
            return Ok(());
        }
        if self.neutral {
            self.send(0.0)?;
        }
        self.neutral = false;
        self.send(0.8)?;
        self.sent_at = Instant::now();
        Ok(())
    }

    fn send(&mut self, angular_radps: f64) -> anyhow::Result<()> {
        self.seq += 1;
        let seen = self.seen.as_ref().map(|(seen, _)| seen);
        let frame = json!({"seq": self.seq, "linear_mps": 0.0, "angular_radps": angular_radps, "ttl_ms": self.ttl_ms, "seen": seen});
        Ok(self.socket.send(Message::text(frame.to_string()))?)
    }

    fn listen_until(&mut self, end: Instant) -> anyhow::Result<()> {
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return Ok(());
            }
            self.socket.get_ref().set_read_timeout(Some(rest.max(Duration::from_millis(1))))?;
            match self.socket.read() {
                Ok(Message::Text(text)) => self.hear(&serde_json::from_str(&text)?)?,
                Ok(Message::Close(close)) => bail!("the agent closed the socket: {close:?}"),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn open_again(&mut self) -> anyhow::Result<()> {
        // Not kept: the agent closes a connection that rests for a minute.
        let mut client = self.agent.client()?;
        if !client.get("/api/robot/state")?["base"]["closed"].is_null() {
            self.closed += 1;
            take(&mut client)?;
        }
        Ok(())
    }

    fn hear(&mut self, message: &Value) -> anyhow::Result<()> {
        if let Some(refused) = message.get("refused") {
            self.refused += 1;
            let problem = refused["type"].as_str().unwrap_or_default();
            self.neutral |= !PASSING.contains(&problem);
            // Several frames may have been refused for the same closing.
            if problem == CLOSED {
                self.open_again()?;
            }
        }
        let seen = message.get("seen").or_else(|| message.get("state")?.get("seen"));
        let Some((seen, mono_ms)) = seen.and_then(|seen| Some((seen, seen["mono_ms"].as_f64()?))) else {
            return Ok(());
        };
        if self.seen.as_ref().is_some_and(|(_, known)| mono_ms <= *known) {
            return Ok(());
        }
        self.seen_at_ms = now_ms();
        self.fastest_ms = self.fastest_ms.min(self.seen_at_ms - mono_ms);
        self.seen = Some((seen.clone(), mono_ms));
        Ok(())
    }
}
