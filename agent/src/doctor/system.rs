//! Kernel, real time, clocks, heat.

use super::Probe;
use super::report::Check;

/// Capability bits in `/proc/self/status`: lock memory, set scheduling.
const CAP_IPC_LOCK: u32 = 14;
const CAP_SYS_NICE: u32 = 23;
/// `SCHED_FIFO` of Linux's `sched.h`.
const SCHED_FIFO: u32 = 1;
const REAL_TIME_FIX: &str = "run it as the shipped systemd service (LimitRTPRIO, LimitMEMLOCK), or give your user rtprio and \
                             memlock in /etc/security/limits.d";
/// What the gate locks: its stack and what it uses, with room.
const LOCKED_KB_MIN: u64 = 64 * 1024;
/// Boards slow themselves down from about here.
const HOT_C: f64 = 80.0;

pub(super) fn kernel(probe: &Probe) -> Check {
    let release = probe.text("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("unknown system");
    let kernel = probe.text("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".to_owned());
    let preempt =
        if probe.text("/sys/kernel/realtime").as_deref() == Some("1") { ", real-time kernel" } else { "" };
    Check::ok("system", format!("{}, kernel {kernel}{preempt}", name.trim_matches('"')))
}

/// Whether the gate thread has priority over everything else: that of the running agent, else what the one who asks could give
/// it. A service gets its rights from its unit, and may have others than a person.
pub(super) fn real_time(probe: &Probe, running: Option<u32>) -> Check {
    match running.and_then(|pid| gate_policy(probe, pid)) {
        Some(SCHED_FIFO) => Check::ok("realtime", "the gate thread of the running agent has SCHED_FIFO"),
        Some(_) => Check::warn(
            "realtime",
            "the gate thread of the running agent has no SCHED_FIFO: it competes with other programs; the body's own hold \
             still stops it",
            REAL_TIME_FIX,
        ),
        None => allowed_real_time(probe),
    }
}

/// Scheduling policy of the agent's gate thread: field 41 of its stat line, counted from 1.
fn gate_policy(probe: &Probe, pid: u32) -> Option<u32> {
    let threads = format!("/proc/{pid}/task");
    let gate = probe
        .names(&threads)
        .into_iter()
        .find(|thread| probe.text(&format!("{threads}/{thread}/comm")).as_deref() == Some("gate"))?;
    let stat = probe.text(&format!("{threads}/{gate}/stat"))?;
    // The second field is a name that may hold spaces; the third follows its closing bracket.
    let (_, from_third) = stat.rsplit_once(") ")?;
    from_third.split(' ').nth(41 - 3)?.parse().ok()
}

fn allowed_real_time(probe: &Probe) -> Check {
    let limits = probe.text("/proc/self/limits").unwrap_or_default();
    let status = probe.text("/proc/self/status").unwrap_or_default();
    let capabilities = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let has = |bit: u32| capabilities & (1 << bit) != 0;
    let priority =
        has(CAP_SYS_NICE) || soft_limit(&limits, "Max realtime priority").is_some_and(|limit| limit > 0);
    let locked = has(CAP_IPC_LOCK)
        || soft_limit(&limits, "Max locked memory").is_some_and(|bytes| bytes / 1024 >= LOCKED_KB_MIN);
    match (priority, locked) {
        (true, true) => Check::ok("realtime", "SCHED_FIFO and locked memory are allowed"),
        (true, false) => Check::warn(
            "realtime",
            "memory may not be locked: a page fault can delay the gate",
            REAL_TIME_FIX,
        ),
        (false, _) => Check::warn(
            "realtime",
            "SCHED_FIFO is not allowed for this user: the gate competes with other programs; the body's own hold still stops it",
            REAL_TIME_FIX,
        ),
    }
}

/// The soft limit in that line; `unlimited` is the largest number.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

pub(super) fn clock(probe: &Probe) -> Check {
    let source = probe.text("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    match source.as_deref() {
        Some(slow @ ("hpet" | "acpi_pm" | "jiffies" | "refined-jiffies")) => Check::warn(
            "clock.source",
            format!("{slow}: reading it is slow or coarse"),
            "boot with clocksource=tsc if this machine has a stable one",
        ),
        Some(source) => Check::ok("clock.source", source),
        None => Check::ok("clock.source", "unknown"),
    }
}

/// Driving needs no wall clock. Logs, certificates and the cloud do.
pub(super) fn synchronised(probe: &Probe) -> Check {
    let rtc = probe.names("/sys/class/rtc");
    let synced = [
        "/run/systemd/timesync/synchronized",
        "/run/chrony/chronyd.pid",
        "/run/chronyd.pid",
        "/run/ntpd.pid",
    ]
    .into_iter()
    .any(|path| probe.exists(path));
    match (synced, rtc.first()) {
        (true, _) => Check::ok("clock.wall", "kept by a time service"),
        (false, Some(rtc)) => Check::warn(
            "clock.wall",
            format!("kept by {rtc} alone; no time service has set it"),
            "sudo timedatectl set-ntp true",
        ),
        (false, None) => Check::warn(
            "clock.wall",
            "no battery clock and no time service: after a power cut the date is wrong",
            "sudo timedatectl set-ntp true; a clock battery keeps the date without network",
        ),
    }
}

/// What the firmware reports of supply and heat.
pub(super) fn throttling(probe: &Probe) -> Check {
    let id = "throttling";
    if let Some(bits) = probe
        .text("/sys/devices/platform/soc/soc:firmware/get_throttled")
        .and_then(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).ok())
    {
        return raspberry_pi_throttling(bits);
    }
    // Over-current events of Jetson modules; the counters start at zero with each boot.
    let mut events = 0;
    let mut found = false;
    for hwmon in probe.names("/sys/class/hwmon") {
        for number in 1..=3 {
            let path = format!("/sys/class/hwmon/{hwmon}/oc{number}_event_cnt");
            if let Some(count) = probe.text(&path).and_then(|text| text.parse::<u64>().ok()) {
                found = true;
                events += count;
            }
        }
    }
    match (found, events) {
        (false, _) => Check::ok(id, "this board does not report it"),
        (true, 0) => Check::ok(id, "none since boot"),
        (true, events) => Check::warn(
            id,
            format!("the supply was over its limit {events} times since boot"),
            "use a stronger supply, or a lower power mode (nvpmodel)",
        ),
    }
}

/// Bits as `vcgencmd get_throttled` documents them: 0 to 3 now, 16 to 19 since boot.
fn raspberry_pi_throttling(bits: u32) -> Check {
    let id = "throttling";
    let now = |bit: u32| bits & (1 << bit) != 0;
    let ever = |bit: u32| bits & (1 << (bit + 16)) != 0;
    let supply = "use the supply that is made for this board, and feed motors from their own";
    let heat = "give it a heat sink or a fan";
    if now(0) {
        return Check::fail(id, "under-voltage right now: the board may reset while driving", supply);
    }
    if now(1) || now(2) || now(3) {
        return Check::warn(id, "slowed down by heat right now", heat);
    }
    if ever(0) {
        return Check::warn(id, "there was under-voltage since boot", supply);
    }
    if ever(1) || ever(2) || ever(3) {
        return Check::warn(id, "it was slowed down by heat since boot", heat);
    }
    Check::ok(id, "none since boot")
}

pub(super) fn temperature(probe: &Probe) -> Check {
    let zones = probe.names("/sys/class/thermal").into_iter().filter(|name| name.starts_with("thermal_zone"));
    let hottest = zones
        .filter_map(|zone| {
            let milli: f64 = probe.text(&format!("/sys/class/thermal/{zone}/temp"))?.parse().ok()?;
            let kind = probe.text(&format!("/sys/class/thermal/{zone}/type")).unwrap_or(zone);
            Some((milli / 1000.0, kind))
        })
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match hottest {
        None => Check::ok("temperature", "this board does not report it"),
        Some((celsius, zone)) if celsius >= HOT_C => {
            Check::warn("temperature", format!("{celsius:.0} °C ({zone})"), "give it a heat sink or a fan")
        }
        Some((celsius, zone)) => Check::ok("temperature", format!("{celsius:.0} °C ({zone})")),
    }
}
