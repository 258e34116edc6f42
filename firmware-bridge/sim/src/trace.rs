//! The body's own record of what its wheels did: JSON lines at 200 Hz and on every change.
//!
//! `left_mps` and `right_mps` are the true speeds of the rims, `*_target_mps` the goals before the ramp, `*_ramp_mps`
//! the orders to the motors after it. `t_us` is CLOCK_MONOTONIC, so that another process can line it up.
//!
//! Lines are formatted and written by a thread of their own, at most 25 ms after they happened: a slow or full disk
//! costs lines, never the body's time.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use firmware_bridge_link::message::{Reason, State};
use serde::Serialize;

use crate::body::BodyView;

/// Time between two lines when nothing changes, us.
const LINE_US: u64 = 5_000;
/// Lines wait at most this long before they go to the writer, us.
const BATCH_US: u64 = 20_000;
/// Batches that may wait for the writer: more than a second of them.
const BATCHES_MAX: usize = 64;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TraceLine {
    /// CLOCK_MONOTONIC, us.
    t_us: u64,
    /// True speed of the left rim, m/s.
    left_mps: f32,
    /// True speed of the right rim, m/s.
    right_mps: f32,
    /// Goal of the left wheel before the ramp, m/s.
    left_target_mps: f32,
    /// Goal of the right wheel before the ramp, m/s.
    right_target_mps: f32,
    /// Order to the left motor after the ramp, m/s.
    left_ramp_mps: f32,
    /// Order to the right motor after the ramp, m/s.
    right_ramp_mps: f32,
    /// Whether setpoints move the body.
    armed: bool,
    /// State of the controller.
    state: &'static str,
    /// Why.
    reason: &'static str,
}

impl TraceLine {
    fn new(t_us: u64, view: &BodyView) -> Self {
        Self {
            t_us,
            left_mps: view.left_mps,
            right_mps: view.right_mps,
            left_target_mps: view.left_target_mps,
            right_target_mps: view.right_target_mps,
            left_ramp_mps: view.left_ramp_mps,
            right_ramp_mps: view.right_ramp_mps,
            armed: view.armed,
            state: state_name(view.state),
            reason: reason_name(view.reason),
        }
    }
}

/// The state as it stands in a trace.
fn state_name(state: State) -> &'static str {
    match state {
        State::Boot => "boot",
        State::Disarmed => "disarmed",
        State::Armed => "armed",
        State::Stopped => "stopped",
        State::EStop => "estop",
        State::Fault => "fault",
    }
}

/// The reason as it stands in a trace.
fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::None => "none",
        Reason::Started => "started",
        Reason::Disarmed => "disarmed",
        Reason::HoldOver => "hold_over",
        Reason::HostStop => "host_stop",
        Reason::HostEStop => "host_estop",
        Reason::ButtonEStop => "button_estop",
        Reason::EncoderStuck => "encoder_stuck",
        Reason::BatteryLow => "battery_low",
    }
}

/// Collects lines; dropping it writes the rest.
#[derive(Debug)]
pub(crate) struct Trace {
    path: PathBuf,
    batch: Vec<TraceLine>,
    batch_ends_us: u64,
    next_line_us: u64,
    last: Option<BodyView>,
    lines_lost: u64,
    writer: Option<(SyncSender<Vec<TraceLine>>, JoinHandle<()>)>,
}

impl Trace {
    /// Starts a new file at `path`, in place of an older one.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let (sender, batches) = sync_channel(BATCHES_MAX);
        let name = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("body-trace".to_owned())
            .spawn(move || write_all(Output { file, path: name, failed: false, torn: false }, &batches))?;
        Ok(Self {
            path: path.to_owned(),
            batch: Vec::new(),
            batch_ends_us: 0,
            next_line_us: 0,
            last: None,
            lines_lost: 0,
            writer: Some((sender, thread)),
        })
    }

    /// When the next line is due even if nothing changes, us.
    pub(crate) fn next_line_us(&self) -> u64 {
        self.next_line_us
    }

    /// Writes down how things stand, if that is due or something has changed.
    pub(crate) fn note(&mut self, now_us: u64, view: &BodyView) {
        let due = now_us >= self.next_line_us;
        if due || self.last.is_none_or(|last| differs(&last, view)) {
            if self.batch.is_empty() {
                self.batch_ends_us = now_us + BATCH_US;
            }
            self.batch.push(TraceLine::new(now_us, view));
            self.last = Some(*view);
        }
        if due {
            // On a grid, so that the rate is kept although each line is a little late.
            let on_grid_us = self.next_line_us + LINE_US;
            self.next_line_us = if on_grid_us > now_us { on_grid_us } else { now_us + LINE_US };
        }
        if now_us >= self.batch_ends_us {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        let Some((sender, _)) = &self.writer else { return };
        let batch = std::mem::take(&mut self.batch);
        match sender.try_send(batch) {
            Ok(()) => {}
            Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => {
                self.lines_lost += batch.len() as u64;
            }
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.hand_over();
        if let Some((sender, thread)) = self.writer.take() {
            drop(sender);
            if thread.join().is_err() {
                eprintln!("trace {}: its writer died", self.path.display());
            }
        }
        if self.lines_lost > 0 {
            eprintln!("trace {}: {} lines lost, the disk was too slow", self.path.display(), self.lines_lost);
        }
    }
}

/// Whether anything but the measured speeds has changed; those change all the time and are sampled.
fn differs(last: &BodyView, view: &BodyView) -> bool {
    let BodyView { left_mps, right_mps, .. } = *view;
    BodyView { left_mps, right_mps, ..*last } != *view
}

struct Output {
    file: File,
    path: PathBuf,
    failed: bool,
    /// The file may end in the middle of a line.
    torn: bool,
}

fn write_all(mut output: Output, batches: &Receiver<Vec<TraceLine>>) {
    for batch in batches {
        let mut text = if output.torn { b"\n".to_vec() } else { Vec::new() };
        for line in batch {
            // Formatting plain numbers into memory cannot fail.
            if serde_json::to_writer(&mut text, &line).is_ok() {
                text.push(b'\n');
            }
        }
        let result = output.file.write_all(&text);
        output.torn = result.is_err();
        if let (Err(error), false) = (result, output.failed) {
            output.failed = true;
            eprintln!("trace {}: {error}; the body goes on, lines are missing", output.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: BodyView = BodyView {
        left_mps: 0.0,
        right_mps: 0.0,
        left_target_mps: 0.0,
        right_target_mps: 0.0,
        left_ramp_mps: 0.0,
        right_ramp_mps: 0.0,
        armed: false,
        state: State::Disarmed,
        reason: Reason::Started,
    };

    #[test]
    fn a_second_has_200_lines_and_one_more_for_a_change_between_them() {
        // The rate holds although the caller is a little late each time, and no change is missed.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trace");
        let mut trace = Trace::create(&path).unwrap();
        let mut now_us = 1_000_000;
        while now_us < 2_000_000 {
            trace.note(now_us, &STILL);
            now_us = trace.next_line_us() + 60;
            if (1_500_000..1_505_000).contains(&now_us) {
                trace.note(now_us - 2_000, &BodyView { left_target_mps: 0.25, ..STILL });
                trace.note(now_us - 1_000, &BodyView { left_mps: 0.1, left_target_mps: 0.25, ..STILL });
            }
        }
        drop(trace);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!((200..=204).contains(&lines.len()), "{}", lines.len());
        let changed: Vec<_> = lines.iter().filter(|line| line["left_target_mps"] == 0.25).collect();
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0]["state"], "disarmed");
        assert_eq!(changed[0]["reason"], "started");
        assert_eq!(changed[0]["armed"], false);
    }

    #[test]
    fn a_full_disk_does_not_stop_the_body() {
        // Writing to a device that is always full costs the lines and nothing else.
        let mut trace = Trace::create(Path::new("/dev/full")).unwrap();
        for millis in 0..500_u64 {
            trace.note(millis * 1000, &STILL);
        }
    }
}
