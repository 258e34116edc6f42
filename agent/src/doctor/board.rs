//! Which board this is.

use super::Probe;
use super::report::Check;
use crate::config::Config;

/// Boards that a profile can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Board {
    Pi4,
    Pi5,
    Orin,
    Other,
}

impl Board {
    /// By the model in the device tree. A compute module is like its board.
    pub(super) fn of(probe: &Probe) -> Self {
        let model = probe.text("/proc/device-tree/model").unwrap_or_default();
        let is = |part: &str| model.contains(part);
        if is("Raspberry Pi 5") || is("Compute Module 5") || is("Raspberry Pi 500") {
            return Self::Pi5;
        }
        if is("Raspberry Pi 4") || is("Compute Module 4") || is("Raspberry Pi 400") {
            return Self::Pi4;
        }
        if is("Orin") {
            return Self::Orin;
        }
        Self::Other
    }

    /// Name of the profile for it.
    fn profile(self) -> Option<&'static str> {
        match self {
            Self::Pi4 => Some("pi4"),
            Self::Pi5 => Some("pi5"),
            Self::Orin => Some("jetson"),
            Self::Other => None,
        }
    }

    /// Label of the GPIO chip that its header is wired to.
    pub(super) fn header_gpio(self) -> Option<&'static str> {
        match self {
            Self::Pi4 => Some("pinctrl-bcm2711"),
            Self::Pi5 => Some("pinctrl-rp1"),
            Self::Orin => Some("tegra234-gpio"),
            Self::Other => None,
        }
    }
}

pub(super) fn model(probe: &Probe) -> Check {
    let model = probe.text("/proc/device-tree/model").or_else(|| {
        let vendor = probe.text("/sys/class/dmi/id/sys_vendor")?;
        Some(format!("{vendor} {}", probe.text("/sys/class/dmi/id/product_name")?))
    });
    Check::ok("board", model.unwrap_or_else(|| format!("unknown board, {}", std::env::consts::ARCH)))
}

pub(super) fn fits_profile(probe: &Probe, config: &Config) -> Check {
    let chosen = config.profile_name();
    match (config.robot.board.as_str(), Board::of(probe).profile()) {
        ("any", Some(fitting)) => {
            Check::ok("profile", format!("{chosen}; for a body on this board there is {fitting}"))
        }
        ("any", None) => Check::ok("profile", chosen),
        (wanted, Some(here)) if wanted == here => {
            Check::ok("profile", format!("{chosen}, made for this board"))
        }
        (wanted, here) => Check::warn(
            "profile",
            format!("{chosen} is made for another board ({wanted})"),
            format!("run with --profile {}, or set robot.board", here.unwrap_or("sim")),
        ),
    }
}
