//! What the cloud needs while one robot is there and nobody asks for anything.

use std::time::Duration;

use crate::process::rss_mb;
use crate::report::{Figure, Report};
use crate::system::broker::Broker;
use crate::system::cloud::Cloud;
use crate::system::place::Place;
use crate::system::postgres::Postgres;
use crate::system::robot::Robot;

/// How long nothing happens.
const REST: Duration = Duration::from_secs(30);

/// Measures it.
pub(crate) fn measure(report: &mut Report) -> anyhow::Result<()> {
    let place = Place::new()?;
    let postgres = Postgres::start(&place)?;
    let broker = Broker::start(&place)?;
    let mqtt_url = format!("mqtt://{}", broker.address);
    let cloud = Cloud::start(&place, "cloud", &postgres.database("rest")?, Some(&mqtt_url))?;
    let robot = Robot::start(&place, "robot", &[])?;
    robot.pair(&cloud.code(None)?, &cloud.url())?;
    std::thread::sleep(REST);
    let (cloud_mb, robot_mb) = (rss_mb(cloud.process()?.id())?, rss_mb(robot.process()?.id())?);
    let note = "30 s after its start, one robot connected through the broker, no client; baseline: that robot's agent";
    report.add(Figure::new("cloud_idle_rss_mb", cloud_mb, "MB").beside(robot_mb).at_most(60.0).note(note));
    Ok(())
}
