//! The body's own record of its wheels: the judge of every figure about motion.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use crate::programs::wait_for;
use crate::stats::monotonic_us;

/// A wheel below this stands, m/s.
const STANDSTILL_MPS: f32 = 0.01;

/// One line, as far as a bench looks at it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    /// CLOCK_MONOTONIC, us.
    pub(crate) t_us: u64,
    left_mps: f32,
    right_mps: f32,
    left_target_mps: f32,
    /// Goal before the ramp, m/s.
    pub(crate) right_target_mps: f32,
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
        self.fastest_mps() >= STANDSTILL_MPS
    }

    /// Speed of the faster wheel, m/s.
    pub(crate) fn fastest_mps(&self) -> f32 {
        self.left_mps.abs().max(self.right_mps.abs())
    }
}

/// Every line from `since_us` on, once the trace reaches beyond this moment.
pub(crate) fn read_to_now(path: &Path, since_us: u64) -> anyhow::Result<Vec<Line>> {
    let now_us = monotonic_us();
    wait_for("the trace to go on", || {
        let text = std::fs::read_to_string(path).context("no trace")?;
        // The newest line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let newest = whole.lines().next_back().map(serde_json::from_str::<Line>).transpose()?;
        if newest.is_none_or(|newest| newest.t_us <= now_us) {
            return Ok(None);
        }
        let lines: Result<Vec<Line>, _> = whole.lines().map(serde_json::from_str).collect();
        let mut lines = lines.context("a line of the trace")?;
        lines.retain(|line| line.t_us >= since_us);
        Ok(Some(lines))
    })
}

/// The part of a trace from `from_us` until before `to_us`.
pub(crate) fn between(lines: &[Line], from_us: u64, to_us: u64) -> &[Line] {
    let start = lines.partition_point(|line| line.t_us < from_us);
    let end = lines.partition_point(|line| line.t_us < to_us);
    &lines[start..end.max(start)]
}

/// How something ended within a part of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// No line had it.
    Never,
    /// The first line without it after the last with it, us.
    At(u64),
    /// The newest line still has it.
    NotYet,
}

/// When `is_so` ended for good.
pub(crate) fn end_of(lines: &[Line], is_so: impl Fn(&Line) -> bool) -> End {
    let Some(last) = lines.iter().rposition(is_so) else { return End::Never };
    lines.get(last + 1).map_or(End::NotYet, |line| End::At(line.t_us))
}
