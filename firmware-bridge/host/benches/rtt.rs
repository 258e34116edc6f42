//! Round trip of a time exchange through a real pty, beside a bare echo of the same bytes in the same run.
//!
//! One JSON line a figure. Both sides sleep in `poll` until bytes come, as gate and body do.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use firmware_bridge_controller::{Config, Controller};
use firmware_bridge_host::Port;
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{Limits, ResetReason, TimeRequest};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const BAUD: u32 = 921_600;
const WARM_UP: usize = 2_000;
/// Both kinds take turns in blocks, so that a busy moment of the machine hits both.
const BLOCKS: usize = 40;
const ROUNDS_PER_BLOCK: usize = 500;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let (link_master, link_path) = pty()?;
    let (raw_master, raw_path) = pty()?;
    let done = AtomicBool::new(false);
    let (mut link, mut raw) = std::thread::scope(|scope| {
        scope.spawn(|| serve_controller(&link_master, &done));
        scope.spawn(|| serve_echo(&raw_master, &done));
        let measured = measure(link_path, raw_path);
        done.store(true, Ordering::Relaxed);
        measured
    })?;
    link.sort();
    raw.sort();
    let us =
        |sorted: &[Duration], percent: usize| sorted[sorted.len() * percent / 100].as_nanos() as f64 / 1e3;
    let (link_p50, raw_p50) = (us(&link, 50), us(&raw, 50));
    print("link_rtt_us_p50", link_p50, "us", raw_p50);
    print("link_rtt_us_p99", us(&link, 99), "us", us(&raw, 99));
    print("link_rtt_vs_raw_ratio", link_p50 / raw_p50, "times", 1.0);
    Ok(())
}

/// The baseline is an echo of as many bytes through a pty of the same run.
fn print(figure: &str, value: f64, unit: &str, baseline: f64) {
    let round = |number: f64| (number * 100.0).round() / 100.0;
    let line = serde_json::json!({
        "figure": figure, "value": round(value), "unit": unit, "baseline": round(baseline),
        "note": "baseline: an echo of as many bytes through a pty, in the same run",
    });
    println!("{line}");
}

fn pty() -> Result<(OwnedFd, PathBuf), Failure> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    fcntl_setfl(&master, OFlags::NONBLOCK)?;
    let name = ptsname(&master, Vec::new())?.into_string()?;
    Ok((master, name.into()))
}

/// True when bytes are there, false after 100 ms without.
fn wait(fd: impl AsFd) -> bool {
    let mut fds = [PollFd::new(&fd, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 100_000_000 })).is_ok_and(|ready| ready > 0)
}

fn serve_echo(master: &OwnedFd, done: &AtomicBool) {
    serve(master, done, |bytes| write(master, bytes));
}

fn serve_controller(master: &OwnedFd, done: &AtomicBool) {
    let config = Config {
        board: [0; 16],
        firmware: [0; 3],
        head: false,
        lights: false,
        ranges: 0,
        limits: Limits::STANDSTILL,
        battery_soft_mv: 0,
        battery_cut_mv: 0,
    };
    let mut controller = Controller::new(config, 1, ResetReason::PowerOn);
    let mut frame = FrameBuf::new();
    let start = Instant::now();
    serve(master, done, |bytes| {
        let now_us = start.elapsed().as_micros() as u64;
        controller.receive(now_us, bytes);
        while controller.transmit(now_us, &mut frame) {
            write(master, frame.as_bytes());
        }
    });
}

/// Hands over whatever comes until `done`. Before the port is opened a read fails; that is over in a moment.
fn serve(master: &OwnedFd, done: &AtomicBool, mut answer: impl FnMut(&[u8])) {
    let mut bytes = [0; 512];
    while !done.load(Ordering::Relaxed) {
        if wait(master)
            && let Ok(len) = rustix::io::read(master, &mut bytes)
        {
            answer(&bytes[..len]);
        }
    }
}

/// An answer that cannot be written is missed by the other side, which then says so.
fn write(master: &OwnedFd, bytes: &[u8]) {
    rustix::io::write(master, bytes).ok();
}

fn measure(link_path: PathBuf, raw_path: PathBuf) -> Result<(Vec<Duration>, Vec<Duration>), Failure> {
    let mut link = Port::open(&link_path, BAUD)?;
    let mut raw = Port::open(&raw_path, BAUD)?;
    let (mut link_us, mut raw_us) = (Vec::new(), Vec::new());
    let start = Instant::now();
    for block in 0..BLOCKS + WARM_UP / ROUNDS_PER_BLOCK {
        let warm = block >= WARM_UP / ROUNDS_PER_BLOCK;
        for _ in 0..ROUNDS_PER_BLOCK {
            let took = exchange(&mut link, start)?;
            link_us.extend(warm.then_some(took));
        }
        for _ in 0..ROUNDS_PER_BLOCK {
            let took = bare(&mut raw, start)?;
            raw_us.extend(warm.then_some(took));
        }
    }
    Ok((link_us, raw_us))
}

/// A time exchange: encoded, written, read, decoded and matched.
fn exchange(port: &mut Port, start: Instant) -> Result<Duration, Failure> {
    let began = Instant::now();
    let host_us = start.elapsed().as_micros() as u64;
    let mut frame = FrameBuf::new();
    encode(Class::Time, 0, &TimeRequest { host_us }, &mut frame)?;
    port.write(&frame)?;
    let mut decoder = Decoder::new();
    let mut bytes = [0; 512];
    loop {
        if !wait(&port) {
            return Err("the controller does not answer".into());
        }
        let len = port.read(&mut bytes)?;
        for &byte in &bytes[..len] {
            let answer = match decoder.push(byte) {
                Some(Ok(frame)) => ToHost::parse(&frame)?,
                _ => continue,
            };
            if matches!(answer, ToHost::Time(reply) if reply.host_us == host_us) {
                return Ok(began.elapsed());
            }
        }
    }
}

/// The same bytes, there and back.
fn bare(port: &mut Port, start: Instant) -> Result<Duration, Failure> {
    let mut frame = FrameBuf::new();
    encode(Class::Time, 0, &TimeRequest { host_us: start.elapsed().as_micros() as u64 }, &mut frame)?;
    let began = Instant::now();
    port.write(&frame)?;
    let mut bytes = [0; 512];
    let mut got = 0;
    while got < frame.as_bytes().len() {
        if !wait(&port) {
            return Err("the echo does not answer".into());
        }
        got += port.read(&mut bytes)?;
    }
    Ok(began.elapsed())
}
