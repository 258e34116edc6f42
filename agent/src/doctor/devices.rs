//! What is plugged in: serial ports, GPIO chips, cameras, sound.

use std::path::Path;

use rustix::fs::{Access, access};

use super::Probe;
use super::board::Board;
use super::report::Check;

pub(super) fn serial_ports(probe: &Probe) -> Check {
    let by_id = probe.names("/dev/serial/by-id");
    if !by_id.is_empty() {
        let paths: Vec<String> = by_id.iter().map(|name| format!("/dev/serial/by-id/{name}")).collect();
        return Check::ok("serial.ports", paths.join(", "));
    }
    let is_usb = |name: &String| name.starts_with("ttyACM") || name.starts_with("ttyUSB");
    let raw: Vec<String> = probe.names("/dev").into_iter().filter(is_usb).collect();
    if raw.is_empty() {
        return Check::ok("serial.ports", "no USB serial port is plugged in");
    }
    Check::warn(
        "serial.ports",
        format!("{} without a stable name", raw.join(", ")),
        "install udev, so that /dev/serial/by-id names a port the same after every start",
    )
}

/// The port of the configuration: there, readable, and nobody else's.
pub(super) fn configured_port(probe: &Probe, port: &str, agent_runs: bool) -> Check {
    let id = "serial.port";
    let path = probe.path(port);
    if !path.exists() {
        let names = probe.names("/dev/serial/by-id");
        let fix = names.first().map_or_else(
            || "plug the body in, or set body.port to where it is".to_owned(),
            |name| format!("plug the body in, or set body.port, for example to /dev/serial/by-id/{name}"),
        );
        return Check::fail(id, format!("{port} is not there"), fix);
    }
    if access(&path, Access::READ_OK | Access::WRITE_OK).is_err() {
        return Check::fail(
            id,
            format!("{port} may not be opened by this user"),
            "sudo usermod -aG dialout $USER, then log in again (the shipped service has it)",
        );
    }
    match user_of(probe, &path) {
        Some(user) if !agent_runs => {
            Check::fail(id, format!("{port} is in use by {user}"), "end that program: a body has one master")
        }
        _ if port.starts_with("/dev/ttyACM") || port.starts_with("/dev/ttyUSB") => Check::warn(
            id,
            format!("{port} is there, but its number may change at the next start"),
            "set body.port to its name under /dev/serial/by-id",
        ),
        _ => Check::ok(id, port),
    }
}

/// The process that has the port open, as far as this user may see.
fn user_of(probe: &Probe, port: &Path) -> Option<String> {
    let real = port.canonicalize().ok()?;
    let is_process = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    probe.names("/proc").into_iter().filter(is_process).find_map(|pid| {
        let folder = probe.path(&format!("/proc/{pid}/fd"));
        let opened = std::fs::read_dir(folder).ok()?;
        let mut targets = opened.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        targets.any(|target| target == real).then(|| {
            let name = probe.text(&format!("/proc/{pid}/comm")).unwrap_or_default();
            format!("{name} (process {pid})")
        })
    })
}

/// It probes every new serial port with modem commands, for half a minute.
pub(super) fn modem_manager(probe: &Probe) -> Option<Check> {
    let is_process = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let runs = probe
        .names("/proc")
        .into_iter()
        .filter(is_process)
        .any(|pid| probe.text(&format!("/proc/{pid}/comm")).as_deref() == Some("ModemManager"));
    let kept_off = ["/etc/udev/rules.d", "/usr/lib/udev/rules.d"]
        .into_iter()
        .any(|folder| probe.names(folder).iter().any(|name| name.contains("robbie")));
    (runs && !kept_off).then(|| {
        Check::warn(
            "serial.modem",
            "ModemManager runs, and sends modem commands to every new serial port",
            "install the shipped udev rules, which keep it off the body's port",
        )
    })
}

/// Chips by label: numbers change between kernels.
pub(super) fn gpio(probe: &Probe) -> Check {
    let id = "gpio";
    let labels: Vec<String> = probe
        .names("/sys/class/gpio")
        .into_iter()
        .filter_map(|chip| probe.text(&format!("/sys/class/gpio/{chip}/label")))
        .collect();
    let chips = probe.names("/sys/bus/gpio/devices").len();
    let board = Board::of(probe);
    match board.header_gpio() {
        Some(header) if labels.iter().any(|label| label == header) => {
            Check::ok(id, format!("header on {header}; all chips: {}", labels.join(", ")))
        }
        Some(header) if !labels.is_empty() => Check::warn(
            id,
            format!("the header's chip {header} is missing among {}", labels.join(", ")),
            "look for a device tree overlay that takes the header, and at the kernel's messages",
        ),
        _ if !labels.is_empty() => Check::ok(id, labels.join(", ")),
        _ if chips > 0 => Check::ok(id, format!("{chips} chips; this kernel does not tell their labels")),
        _ => Check::ok(id, "none"),
    }
}

/// Sensors on the board's own camera connector give raw data: they need the board's pipeline, not a plain V4L2 read.
pub(super) fn cameras(probe: &Probe) -> Check {
    let id = "cameras";
    let mut names: Vec<String> = probe
        .names("/sys/class/video4linux")
        .into_iter()
        .filter(|node| node.starts_with("video"))
        .filter_map(|node| probe.text(&format!("/sys/class/video4linux/{node}/name")))
        .collect();
    names.dedup();
    if names.is_empty() {
        return Check::ok(id, "none");
    }
    let text = names.join(", ");
    let has = |parts: &[&str]| names.iter().any(|name| parts.iter().any(|part| name.starts_with(part)));
    if has(&["unicam", "rp1-cfe"]) {
        let tools = ["/usr/bin/rpicam-vid", "/usr/bin/libcamera-vid"];
        return if tools.into_iter().any(|tool| probe.exists(tool)) {
            Check::ok(id, format!("{text}: through rpicam"))
        } else {
            Check::warn(
                id,
                format!("{text}: a CSI camera needs rpicam-vid"),
                "sudo apt install rpicam-apps-lite",
            )
        };
    }
    if has(&["vi-output"]) {
        return if probe.exists("/usr/bin/gst-launch-1.0") {
            Check::ok(id, format!("{text}: through GStreamer (nvarguscamerasrc)"))
        } else {
            Check::warn(
                id,
                format!("{text}: a CSI camera needs GStreamer"),
                "sudo apt install gstreamer1.0-tools",
            )
        };
    }
    Check::ok(id, format!("{text}: through V4L2"))
}

pub(super) fn sound(probe: &Probe) -> Check {
    let cards: Vec<String> = probe
        .names("/proc/asound")
        .into_iter()
        .filter(|name| {
            name.strip_prefix("card").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .filter_map(|card| probe.text(&format!("/proc/asound/{card}/id")))
        .collect();
    Check::ok("sound", if cards.is_empty() { "no ALSA card".to_owned() } else { cards.join(", ") })
}
