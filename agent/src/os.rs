//! The few things only the operating system can say or do: clocks, randomness, event descriptors, real-time scheduling.
//! Never decides anything.

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::time::Duration;

use agent_core::time::BootTime;
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::pipe::PipeFlags;
use rustix::time::{ClockId, clock_gettime};

/// Now, on CLOCK_BOOTTIME: it goes on while the machine sleeps.
pub fn boot_time() -> BootTime {
    let now = clock_gettime(ClockId::Boottime);
    BootTime::from_us(now.tv_sec.unsigned_abs() * 1_000_000 + now.tv_nsec.unsigned_abs() / 1000)
}

/// A random number from the kernel.
///
/// # Errors
/// The kernel has no randomness to give.
pub fn random_u64() -> io::Result<u64> {
    random_bytes().map(u64::from_le_bytes)
}

/// A descriptor that one side writes to wake the other.
///
/// # Errors
/// Out of descriptors.
pub fn wake_fd() -> io::Result<OwnedFd> {
    Ok(eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?)
}

/// A pipe whose reading end a runtime can watch, and whose writing end never blocks.
///
/// # Errors
/// Out of descriptors.
pub fn wake_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?)
}

/// Wakes the reader of a pipe. A full pipe is already a wake-up.
pub fn wake_reader(pipe: &OwnedFd) {
    rustix::io::write(pipe, &[1]).ok();
}

/// Wakes whoever polls `fd`. A full counter is already a wake-up, so it cannot fail in a way that matters.
pub fn wake(fd: &OwnedFd) {
    rustix::io::write(fd, &1u64.to_ne_bytes()).ok();
}

/// Takes back all wake-ups of `fd`.
pub fn drain(fd: &OwnedFd) {
    rustix::io::read(fd, &mut [0u8; 8]).ok();
}

/// `duration` for a poll.
pub fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// What the operating system granted the gate thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Realtime {
    /// SCHED_FIFO is in force.
    pub fifo: bool,
    /// Memory is locked, so that no page of the gate waits for the disk.
    pub memory_locked: bool,
}

/// Asks for real-time scheduling of the calling thread and precise timers; `false` when that is not allowed. Threads that
/// it starts afterwards inherit it.
pub fn ask_for_fifo(priority: FifoPriority) -> bool {
    // 1 us instead of 50: without SCHED_FIFO the kernel may otherwise delay every wake-up by the slack.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1000)).ok();
    let priority = (priority as u8).try_into().unwrap_or_default();
    thread_priority::set_thread_priority_and_policy(
        thread_priority::thread_native_id(),
        thread_priority::ThreadPriority::Crossplatform(priority),
        thread_priority::ThreadSchedulePolicy::Realtime(thread_priority::RealtimeThreadSchedulePolicy::Fifo),
    )
    .is_ok()
}

/// Real-time priorities of the threads that have one; the higher goes first.
#[derive(Clone, Copy, Debug)]
pub enum FifoPriority {
    /// The simulated body, which stands for a processor of its own.
    Body = 44,
    /// Whoever reads the port.
    Port = 47,
    /// The gate.
    Gate = 50,
}

/// Asks for locked memory; `false` when that is not allowed.
pub fn ask_for_locked_memory() -> bool {
    // ONFAULT locks what is used and no more: whole thread stacks would cost tens of megabytes.
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).is_ok()
}

/// The kernel's id of this boot; zero where it gives none.
pub fn boot_id() -> u128 {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    u128::from_str_radix(&text.trim().replace('-', ""), 16).unwrap_or_default()
}

/// A time server has set the wall clock since this boot, as systemd's time service notes it.
pub fn is_clock_synced() -> bool {
    std::path::Path::new("/run/systemd/timesync/synchronized").exists()
}

/// Random bytes from the kernel.
///
/// # Errors
/// The kernel has no randomness to give.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// Seconds since 1970 by the wall clock; 0 when it stands before that.
pub fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
