//! What `/proc` says of a process.

use anyhow::Context;

/// Unit of the times in /proc, 1/s: fixed by Linux's interface, whatever the kernel's own clock is.
const USER_HZ: f64 = 100.0;

/// Processor time so far, s.
pub(crate) fn cpu_s(process: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name before the last bracket may hold spaces.
    let fields: Vec<&str> = text.rsplit_once(')').context("no stat")?.1.split_whitespace().collect();
    let ticks: u64 =
        fields.get(11..13).context("a short stat")?.iter().filter_map(|text| text.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / USER_HZ)
}

/// Memory in use, MB.
pub(crate) fn rss_mb(process: u32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}
