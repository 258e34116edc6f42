//! `robbie-body` as a child process, and its trace.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use super::programs::robbie_body;
use super::{Place, wait_until};

/// One line of the trace, as far as tests look at it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    /// CLOCK_MONOTONIC, us.
    pub(crate) t_us: u64,
    /// True speed, m/s.
    pub(crate) left_mps: f32,
    /// True speed, m/s.
    pub(crate) right_mps: f32,
    /// Goal before the ramp, m/s.
    pub(crate) left_target_mps: f32,
    /// Goal before the ramp, m/s.
    pub(crate) right_target_mps: f32,
    /// Whether setpoints move the body.
    pub(crate) armed: bool,
    /// State of the controller.
    pub(crate) state: String,
}

impl Line {
    /// A wheel has somewhere to go.
    pub(crate) fn is_driven(&self) -> bool {
        self.left_target_mps != 0.0 || self.right_target_mps != 0.0
    }

    /// A wheel turns.
    pub(crate) fn is_moving(&self) -> bool {
        self.left_mps.abs() >= 0.01 || self.right_mps.abs() >= 0.01
    }
}

/// A running body. Dropping it kills it.
pub(crate) struct Body {
    child: Child,
    /// Link to its pty.
    pub(crate) link: PathBuf,
    trace: PathBuf,
}

impl Body {
    /// Starts one at the place's link; an earlier one must have ended.
    pub(crate) fn start(place: &Place) -> Self {
        let link = place.link();
        // A killed body leaves its link and its trace behind.
        drop(std::fs::remove_file(&link));
        let trace = place.root().join("trace.jsonl");
        let mut command = Command::new(robbie_body());
        command.arg("--link").arg(&link).arg("--trace").arg(&trace).args(["--seed", "7"]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let body = Self { child, link, trace };
        wait_until("the body's link", || body.link.exists());
        body
    }

    /// Injects a fault, in the words of `robbie-body --help`.
    pub(crate) fn fault(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Kills it, as if its plug were pulled.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Everything it has noted so far.
    pub(crate) fn trace(&self) -> Vec<Line> {
        let text = std::fs::read_to_string(&self.trace).unwrap_or_default();
        // The newest line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What it has noted since `t_us`.
    pub(crate) fn trace_since(&self, t_us: u64) -> Vec<Line> {
        let mut lines = self.trace();
        lines.retain(|line| line.t_us >= t_us);
        lines
    }

    /// Waits until its trace has a line at or after `t_us` that satisfies `wanted`.
    pub(crate) fn wait_for_line(&self, what: &str, t_us: u64, wanted: impl Fn(&Line) -> bool) {
        wait_until(what, || self.trace_since(t_us).iter().any(&wanted));
    }

    /// Waits until its trace goes beyond `t_us`.
    pub(crate) fn wait_until_noted(&self, t_us: u64) {
        self.wait_for_line("the trace to go on", t_us, |_| true);
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Already gone is fine.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
