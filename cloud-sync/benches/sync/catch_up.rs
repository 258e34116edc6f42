//! How long a robot takes that was alone for a while, over a narrow and long line.

use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;

use crate::report::{Figure, Report};
use crate::stats::Samples;
use crate::system::cloud::Cloud;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::proxy::{Line, Proxy, State};
use crate::system::robot::Robot;
use crate::system::wait_until;

const NOTES: usize = 1000;
/// Connections that write them.
const WRITERS: usize = 8;
const ROUNDS: usize = 3;

/// Of 5 Mbit/s, and 150 ms there and back.
const LONG: Line = Line { delay: Duration::from_millis(75), bits_per_s: 5_000_000, state: State::Open };

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let cloud = Cloud::start(&place, "cloud", &postgres.database("catch_up")?, None)?;
    let way = Proxy::to(cloud.address)?;
    let mut robot = Robot::start(&place, "robot", &[])?;
    robot.pair(&cloud.code(None)?, &format!("http://{}", way.address))?;
    let mut took_s = Vec::new();
    for _ in 0..ROUNDS {
        in_step(&robot)?;
        way.set(Line::in_state(State::Cut));
        write(&robot)?;
        // It does not wait for its next try: that would measure how long it was alone.
        robot.kill()?;
        way.set(LONG);
        robot.restart()?;
        let began = Instant::now();
        in_step(&robot)?;
        took_s.push(began.elapsed().as_secs_f64());
        way.set(Line::GOOD);
    }
    let took = Samples::new(took_s);
    let bytes = (NOTES * 90) as f64;
    let note = format!(
        "{NOTES} notes of 60 bytes written alone; 5 Mbit/s, 150 ms there and back, over HTTP; from an agent that serves again to \
         nothing that waits; median of {ROUNDS}, max {:.2}; baseline: the time such a line takes for their text and one way \
         there and back",
        took.max()
    );
    let floor = bytes * 8.0 / 5e6 + 0.15;
    report.add(Figure::new("catch_up_1000_notes_s", took.median(), "s").beside(floor).note(note));
    Ok(())
}

fn in_step(robot: &Robot) -> anyhow::Result<()> {
    let mut client = robot.client()?;
    let asked = jiff::Timestamp::now();
    wait_until("the robot in step", || {
        let status = client.get("/api/sync/status")?;
        let converged =
            status["last_converged_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        Ok(status["pending"] == 0 && converged.is_some_and(|at| at >= asked))
    })
}

fn write(robot: &Robot) -> anyhow::Result<()> {
    let one = |writer: usize| -> anyhow::Result<()> {
        let mut client = robot.client()?;
        for number in (writer..NOTES).step_by(WRITERS) {
            let body =
                json!({"content": format!("note {number}: the ficus by the window wants water on Fridays")});
            client.post("/api/sticky-notes/", &body)?.expect(201)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || one(writer))).collect();
        writers.into_iter().try_for_each(|writer| writer.join().ok().context("a writer panicked")?)
    })
}
