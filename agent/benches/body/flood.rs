//! An e-stop while 10,000 slow connections come in: from the address of the flood, and from another one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use crate::Scale;
use crate::busy::yield_to_others;
use crate::http::Client;
use crate::programs::{Agent, Body, Place, reset};
use crate::report::{Figure, Report};
use crate::stats::{Chance, Samples, monotonic_us, ms_between};
use crate::trace::between;

/// Connections that the flood keeps open.
const CONNECTIONS: usize = 10_000;
/// Threads that open them.
const THREADS: usize = 2;
/// Presses from each address.
const PRESSES: usize = 30;
/// The flood is given up when it takes longer to begin.
const BEGIN_MAX: Duration = Duration::from_secs(60);
/// Descriptors for everything else.
const DESCRIPTORS: u64 = 500;

const FLOOD: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Resets come from an address of their own, so that they are not part of what is measured.
const ADMIN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

/// Presses the e-stop while the flood comes in and while it is kept up.
pub(crate) fn measure(report: &mut Report, _: Scale) -> anyhow::Result<()> {
    raise_descriptors()?;
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    let began_us = monotonic_us();
    let flood = Flood::default();
    let presses = std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (flood, address) = (&flood, agent.address);
            scope.spawn(move || flood.keep_up(address, CONNECTIONS / THREADS, thread as u64));
        }
        let presses = press_all(&agent, &flood);
        flood.ending.store(true, Ordering::Relaxed);
        presses
    })?;

    let trace = body.trace_since(began_us)?;
    let (mut to_body, mut to_answer) = (Vec::new(), Vec::new());
    for &(_, began_us, answered_us) in &presses {
        let lines = between(&trace, began_us, answered_us + 1_000_000);
        let stopped =
            lines.iter().find(|line| line.state == "estop").context("an e-stop did not reach the body")?;
        to_body.push(ms_between(began_us, stopped.t_us));
        to_answer.push(ms_between(began_us, answered_us));
    }
    let (to_body, to_answer) = (Samples::new(to_body), Samples::new(to_answer));
    let note = format!(
        "{} e-stops, half from the flood's address, half from 127.0.0.2, half of them while the first {CONNECTIONS} silent \
         connections came in; {} were opened in all, {:.0} a second; from before connecting to the body's trace, median \
         {:.1}",
        presses.len(),
        flood.opened.load(Ordering::Relaxed),
        flood.rate(began_us),
        to_body.median()
    );
    report.add(Figure::new("estop_under_flood_ms_max", to_body.max(), "ms").at_most(100.0).note(note));
    let note =
        format!("the same until its answer, which waits for the disk; median {:.1}", to_answer.median());
    report.add(Figure::new("estop_under_flood_answer_ms_max", to_answer.max(), "ms").note(note));
    Ok(())
}

/// This process needs both ends' worth: its own, and what agent and kernel have not closed yet.
fn raise_descriptors() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let wanted = CONNECTIONS as u64 + DESCRIPTORS;
    if limit.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum.map(|maximum| maximum.max(wanted)) };
    setrlimit(Resource::Nofile, raised).with_context(|| format!("{wanted} descriptors are not allowed"))
}

/// From where, when it began to connect, when it was answered.
type Press = (IpAddr, u64, u64);

fn press_all(agent: &Agent, flood: &Flood) -> anyhow::Result<Vec<Press>> {
    let mut chance = Chance::new(6);
    let mut presses = Vec::new();
    let start = Instant::now();
    while presses.len() < 2 * PRESSES {
        // Half of them when all connections have been there once.
        if presses.len() == PRESSES {
            wait_until_flooded(flood, start)?;
        }
        std::thread::sleep(chance.up_to_ms(40));
        let source = if presses.len() % 2 == 0 { FLOOD } else { ELSEWHERE };
        let began_us = monotonic_us();
        let mut client = Client::connect_from(source, agent.address, &agent.token)?;
        client.ask("POST", "/api/robot/estop", "")?.expect(200)?;
        presses.push((source, began_us, monotonic_us()));
        reset(&mut Client::connect_from(ADMIN, agent.address, &agent.token)?)?;
    }
    Ok(presses)
}

fn wait_until_flooded(flood: &Flood, start: Instant) -> anyhow::Result<()> {
    while flood.opened.load(Ordering::Relaxed) < CONNECTIONS {
        ensure!(start.elapsed() < BEGIN_MAX, "the flood did not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Connections that send nothing, or one byte.
#[derive(Debug, Default)]
struct Flood {
    ending: AtomicBool,
    opened: AtomicUsize,
}

impl Flood {
    fn rate(&self, began_us: u64) -> f64 {
        self.opened.load(Ordering::Relaxed) as f64 * 1000.0 / ms_between(began_us, monotonic_us())
    }

    /// Opens `count` as fast as it can, then puts new ones in the place of the oldest, until told to end.
    fn keep_up(&self, address: SocketAddr, count: usize, seed: u64) {
        yield_to_others();
        let mut open: Vec<Option<Socket>> = (0..count).map(|_| None).collect();
        let mut chance = Chance::new(7 + seed);
        for slot in (0..count).cycle() {
            if self.ending.load(Ordering::Relaxed) {
                return;
            }
            open[slot] = None;
            match slow_connection(address, &mut chance) {
                Ok(socket) => {
                    open[slot] = Some(socket);
                    self.opened.fetch_add(1, Ordering::Relaxed);
                }
                // Out of ports, or the agent's queue is full: as fast as allowed.
                Err(_) => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

fn slow_connection(address: SocketAddr, chance: &mut Chance) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    // Closed with a reset, so that ports do not run out.
    socket.set_linger(Some(Duration::ZERO))?;
    socket.bind(&SocketAddr::new(FLOOD, 0).into())?;
    socket.connect_timeout(&address.into(), Duration::from_secs(1))?;
    if chance.within(0, 1) == 1 {
        socket.send(b"P")?;
    }
    Ok(socket)
}
