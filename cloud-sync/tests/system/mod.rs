//! The whole system as real processes, for tests and benches: a Postgres of its own, a broker, the cloud, robots, and bad
//! networks between them.
//!
//! ```ignore
//! let place = Place::new()?;                                  // a folder: data and logs of everything below
//! let cloud = Cloud::start(&place, "cloud", &database_url, None)?;
//! let robot = Robot::start(&place, "robot", &[])?;
//! robot.pair(&cloud.code(None)?, &cloud.url())?;              // it runs already: within 2 s it is paired
//! robot.client()?.post("/api/sticky-notes/", &json!({"content": "keys"}))?.expect(201)?;
//! wait_for("the note in the cloud", || cloud.client()?...)?;
//! ```
//!
//! Everything waits for conditions, with a deadline, and never for a guessed time. Dropping a process kills it. Whatever they
//! print is in `NAME.log` in the place's folder; a place that was kept stays behind.

pub(crate) mod broker;
pub(crate) mod cloud;
pub(crate) mod http;
pub(crate) mod minds;
pub(crate) mod place;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod proxy;
pub(crate) mod robot;

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

/// Nothing that is waited for takes so long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `look` finds something. An error ends the wait.
pub(crate) fn wait_for<T>(what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
    wait_at_most(DEADLINE, what, look)
}

/// The same with another deadline.
pub(crate) fn wait_at_most<T>(
    deadline: Duration,
    what: &str,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look().with_context(|| format!("while waiting for {what}"))? {
            return Ok(found);
        }
        ensure!(Instant::now() < end, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Waits until it is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    wait_for(what, || Ok(is_so()?.then_some(())))
}

/// An address of this machine that is free now. What listens there keeps it over restarts.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
