//! How long after a cause the wheels had no goal any more: collected over all seeds, printed as JSON lines.

use std::collections::BTreeMap;

/// What ended a motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    TtlOver,
    Stop,
    EStop,
    LeaseLost,
    TokenRevoked,
    SocketClosed,
    AgentKilled,
    AgentFrozen,
    AgentEnds,
    LineStalled,
    LineCut,
    McuReset,
    McuHung,
    Button,
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TtlOver => "ttl",
            Self::Stop => "stop",
            Self::EStop => "estop",
            Self::LeaseLost => "lease_lost",
            Self::TokenRevoked => "revocation",
            Self::SocketClosed => "socket_closed",
            Self::AgentKilled => "agent_killed",
            Self::AgentFrozen => "agent_frozen",
            Self::AgentEnds => "agent_ends",
            Self::LineStalled => "line_stalled",
            Self::LineCut => "line_cut",
            Self::McuReset => "mcu_reset",
            Self::McuHung => "mcu_hung",
            Self::Button => "button",
        }
    }

    /// Somebody wanted it, as opposed to something that broke.
    pub(crate) const fn is_of_people(self) -> bool {
        self.is_of_a_client() || matches!(self, Self::Stop | Self::EStop | Self::AgentEnds)
    }

    /// A newer command of a client makes it meaningless to wait for the end of an older one.
    pub(crate) const fn is_of_a_client(self) -> bool {
        matches!(self, Self::TtlOver | Self::LeaseLost | Self::TokenRevoked | Self::SocketClosed)
    }
}

/// Times by cause, and what else is worth a line.
#[derive(Default)]
pub(crate) struct Figures {
    /// By cause, and whether something was wrong with line, MCU or process as well.
    by_cause: BTreeMap<(Cause, bool), Vec<u64>>,
    /// From both targets at zero to standstill, with the MCU in charge, us.
    pub(crate) standstills: Vec<u64>,
    /// From the first request of a person, after everything healed, to the answered take, us.
    pub(crate) takes: Vec<u64>,
    pub(crate) clock_errors: Vec<u64>,
    pub(crate) virtual_us: u64,
    /// Of it with a wheel's target other than zero.
    pub(crate) moving_us: u64,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) faults: u64,
}

impl Figures {
    pub(crate) fn add(&mut self, (cause, is_faulty): (Cause, bool), after_us: u64) {
        self.by_cause.entry((cause, is_faulty)).or_default().push(after_us);
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (cause, times) in other.by_cause {
            self.by_cause.entry(cause).or_default().extend(times);
        }
        self.standstills.extend(other.standstills);
        self.takes.extend(other.takes);
        self.clock_errors.extend(other.clock_errors);
        self.virtual_us += other.virtual_us;
        self.moving_us += other.moving_us;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.faults += other.faults;
    }

    pub(crate) fn print(&mut self) {
        for ((cause, is_faulty), times) in &mut self.by_cause {
            let during = if *is_faulty { "_during_fault" } else { "" };
            let figure = format!("sim_target_zero_after_{}{during}_ms", cause.as_str());
            distribution(&figure, times, "from the cause to both wheels' target at zero");
        }
        distribution(
            "sim_standstill_after_target_zero_ms",
            &mut self.standstills,
            "true speed of both wheels below 0.01 m/s; slow where a driver let go gently",
        );
        distribution(
            "sim_take_after_heal_ms",
            &mut self.takes,
            "from the end of all faults to the answered take",
        );
        distribution(
            "sim_clock_error_ms",
            &mut self.clock_errors,
            "worst send time ahead of the MCU's clock, one a seed",
        );
    }
}

fn distribution(figure: &str, times_us: &mut [u64], note: &str) {
    let count = times_us.len();
    if count == 0 {
        return;
    }
    times_us.sort_unstable();
    for (suffix, rank) in [("p50", (count - 1) / 2), ("p99", (count - 1) * 99 / 100), ("max", count - 1)] {
        let value = times_us[rank] as f64 / 1000.0;
        line(&format!("{figure}_{suffix}"), value, "ms", &format!("{note}; {count} times"));
    }
}

/// One figure on standard output.
pub(crate) fn line(figure: &str, value: f64, unit: &str, note: &str) {
    let value = (value * 1000.0).round() / 1000.0;
    println!("{}", serde_json::json!({ "figure": figure, "value": value, "unit": unit, "note": note }));
}
