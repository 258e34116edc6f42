//! Whether the body still stops and obeys in time while its robot takes in what others write, by the thousand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, ensure};

use crate::busy::Load;
use crate::commands::commands;
use crate::device::Device;
use crate::floor;
use crate::programs::{Body, take};
use crate::report::{Figure, Report};
use crate::silence::silences;
use crate::stats::{Chance, Samples};
use crate::system::broker::Broker;
use crate::system::cloud::Cloud;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::wait_until;

/// Clients that fall silent, and commands that are timed.
const TRIALS: usize = 150;
const COMMANDS: usize = 1000;
/// Operations of a frame.
const OPS: usize = 200;
/// At least so many must have arrived on the robot meanwhile.
const OPS_MIN: u64 = 10_000;

/// Measures both.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let broker = Broker::start(&place)?;
    let mqtt_url = format!("mqtt://{}", broker.address);
    let cloud = Cloud::start(&place, "cloud", &postgres.database("beside")?, Some(&mqtt_url))?;
    let body = Body::start(&place)?;
    let robot = body.robot(&place)?;
    robot.pair(&cloud.code(Some("driven"))?, &cloud.url())?;
    wait_until("the robot in step", || Ok(!robot.get("/api/sync/status")?["last_converged_at"].is_null()))?;

    let before = place_in_town(&robot)?;
    let other = Writing::begin(Device::paired(&cloud, "other")?);
    wait_until("the first rows on the robot", || Ok(place_in_town(&robot)? > before))?;
    let floor = floor::measure(COMMANDS)?;
    let silences = silences(&body, &robot, Load::Idle, &mut Chance::new(17), TRIALS)?;
    let mut client = robot.client()?;
    take(&mut client)?;
    let to_wire = Samples::new(commands(&body, &mut client, COMMANDS)?);
    let taken_in = place_in_town(&robot)? - before;
    let written = other.end()?;
    ensure!(taken_in >= OPS_MIN, "only {taken_in} operations arrived on the robot meanwhile");

    let meanwhile = format!(
        "while the robot took in {taken_in} notes, of {written} that another device pushed without a pause, {OPS} a frame"
    );
    let (after_ttl, at_least) =
        (Samples::new(silences.since_sent_ms), Samples::new(silences.since_answered_ms));
    let note = format!(
        "{} clients, ttl 20 to 100 ms, {meanwhile}; upper bound: counted from before the last command was sent (from its answer: \
         max {:.2}), median {:.2}; {} more were refused because the link was late, {} commands were over before they reached the \
         wheels; baseline: how late a plain timer of this process fired",
        after_ttl.count(),
        at_least.max(),
        after_ttl.median(),
        silences.void,
        silences.unseen
    );
    let stop = Figure::new("stop_after_ttl_ms_max", after_ttl.max(), "ms").beside(silences.timer_late.max());
    report.add(stop.at_most(25.0).note(note));
    let note = format!(
        "{} of {COMMANDS} commands at 50/s, {meanwhile}; upper bound: from before the client sends to the change in the body's \
         trace; median {:.2}, max {:.2}; baseline: the same way through TCP, one thread and a pty without an agent",
        to_wire.count(),
        to_wire.median(),
        to_wire.max()
    );
    let to_wire = Figure::new("rest_to_wire_ms_p99", to_wire.percentile(99), "ms");
    report.add(to_wire.beside(floor.percentile(99)).at_most(5.0).note(note));
    Ok(())
}

/// How far the robot has read what the town's people write.
fn place_in_town(robot: &crate::programs::Agent) -> anyhow::Result<u64> {
    Ok(crate::sums::of_robot(robot.data())?.get("town").map_or(0, |(cursor, _)| *cursor))
}

/// Another device that pushes notes without a pause.
struct Writing {
    ending: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<u64>>,
}

impl Writing {
    fn begin(mut device: Device) -> Self {
        let ending = Arc::<AtomicBool>::default();
        let seen = Arc::clone(&ending);
        let thread = std::thread::spawn(move || {
            // It stands for another machine.
            crate::busy::yield_to_others();
            let mut written = 0;
            while !seen.load(Ordering::Relaxed) {
                let ops = device.notes(OPS);
                device.push(ops)?;
                written += OPS as u64;
            }
            Ok(written)
        });
        Self { ending, thread }
    }

    fn end(self) -> anyhow::Result<u64> {
        self.ending.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the other device panicked")?
    }
}
