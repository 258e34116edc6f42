//! What a velocity costs over REST, beside the bare service. Both take turns in blocks, so that a busy moment hits both.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::Scale;
use crate::bare::{self, Bare};
use crate::busy::yield_to_others;
use crate::http::Client;
use crate::programs::{Agent, Body, Place, take};
use crate::report::{Figure, Report};
use crate::stats::Samples;

const BODY: &str = r#"{"linear_mps":0.0,"angular_radps":0.5,"ttl_ms":250}"#;
const PATH: &str = "/api/robot/velocity";

const BLOCKS: usize = 40;
const REQUESTS_PER_BLOCK: usize = 250;

/// Connections at once.
const CONNECTIONS: usize = 8;
/// How long each of the rounds with all of them takes.
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;

/// Where requests go.
#[derive(Clone, Copy)]
struct Target<'a> {
    address: SocketAddr,
    path: &'a str,
    token: &'a str,
}

/// Measures one connection, then eight.
pub(crate) fn measure(report: &mut Report, _: Scale) -> anyhow::Result<()> {
    let place = Place::new()?;
    let body = Body::start(&place)?;
    let agent = Agent::start(&place, Some(&body))?;
    let bare = Bare::start(&agent.token)?;
    let to_agent = Target { address: agent.address, path: PATH, token: &agent.token };
    let to_bare = Target { address: bare.address, path: bare::PATH, token: &agent.token };

    let (mut agent_us, mut bare_us) = (Vec::new(), Vec::new());
    let (mut agent_client, mut bare_client) = (to_agent.connect()?, to_bare.connect()?);
    // The first block warms both up.
    for block in 0..=BLOCKS {
        let took = (to_agent.block(&mut agent_client)?, to_bare.block(&mut bare_client)?);
        if block > 0 {
            agent_us.extend(took.0);
            bare_us.extend(took.1);
        }
    }
    let (agent_us, bare_us) = (Samples::new(agent_us), Samples::new(bare_us));
    let note = format!(
        "{} requests on one kept connection, answers awaited, blocks of {REQUESTS_PER_BLOCK} in turn; baseline: an axum \
         service with SHA-256 token, the same JSON and one round trip to a thread",
        agent_us.count()
    );
    let ratio = agent_us.median() / bare_us.median();
    report.add(
        Figure::new("rest_velocity_us_p50", agent_us.median(), "us").beside(bare_us.median()).note(&note),
    );
    let p99 = Figure::new("rest_velocity_us_p99", agent_us.percentile(99), "us");
    report.add(p99.beside(bare_us.percentile(99)).note(&note));
    let note = "median beside median of the bare service";
    report
        .add(Figure::new("rest_velocity_vs_bare_ratio", ratio, "times").beside(1.0).at_most(2.5).note(note));

    let (mut agent_rps, mut bare_rps) = (Vec::new(), Vec::new());
    let refused = AtomicUsize::new(0);
    for _ in 0..ROUNDS {
        // What the round before may have closed.
        take(&mut agent_client)?;
        agent_rps.push(to_agent.all_at_once(&refused)?);
        bare_rps.push(to_bare.all_at_once(&refused)?);
    }
    let (agent_rps, bare_rps) = (Samples::new(agent_rps), Samples::new(bare_rps));
    let note = format!(
        "{CONNECTIONS} kept connections, median of {ROUNDS} rounds of 2 s; the clients run on the same cores at nice 10; \
         refused because the link was late: {}",
        refused.load(Ordering::Relaxed)
    );
    report.add(Figure::new("rest_rps_c8", agent_rps.median(), "1/s").beside(bare_rps.median()).note(note));
    Ok(())
}

impl Target<'_> {
    fn connect(self) -> anyhow::Result<Client> {
        Client::connect(self.address, self.token)
    }

    /// Times of one block of requests, us.
    fn block(self, client: &mut Client) -> anyhow::Result<Vec<f64>> {
        let mut took = Vec::with_capacity(REQUESTS_PER_BLOCK);
        for _ in 0..REQUESTS_PER_BLOCK {
            let began = Instant::now();
            let answer = client.ask("POST", self.path, BODY)?;
            took.push(began.elapsed().as_secs_f64() * 1e6);
            answer.expect(202)?;
        }
        Ok(took)
    }

    /// Answers a second over all connections.
    fn all_at_once(self, refused: &AtomicUsize) -> anyhow::Result<f64> {
        let start = Barrier::new(CONNECTIONS);
        let counts = std::thread::scope(|scope| {
            let one = || -> anyhow::Result<usize> {
                yield_to_others();
                let mut client = self.connect()?;
                start.wait();
                let end = Instant::now() + ROUND;
                let mut count = 0;
                while Instant::now() < end {
                    let answer = client.ask("POST", self.path, BODY)?;
                    ensure!(matches!(answer.status, 202 | 409 | 503), "answered {}", answer.status);
                    count += usize::from(answer.status == 202);
                    refused.fetch_add(usize::from(answer.status != 202), Ordering::Relaxed);
                }
                Ok(count)
            };
            let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().ok().context("a client panicked")?)
                .collect::<anyhow::Result<Vec<usize>>>()
        })?;
        Ok(counts.iter().sum::<usize>() as f64 / ROUND.as_secs_f64())
    }
}
