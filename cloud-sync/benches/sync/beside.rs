//! Whether the body still stops and obeys in time while its robot takes in what others write, by the thousand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, ensure};

use crate::device::Device;
use crate::programs::Body;
use crate::report::Report;
use crate::stops;
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
    let stops = stops::measure(&body, &robot, 17, TRIALS, COMMANDS)?;
    let taken_in = place_in_town(&robot)? - before;
    let written = other.end()?;
    ensure!(taken_in >= OPS_MIN, "only {taken_in} operations arrived on the robot meanwhile");

    let meanwhile = format!(
        "while the robot took in {taken_in} notes, of {written} that another device pushed without a pause, {OPS} a frame"
    );
    stops.report(report, &meanwhile);
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
