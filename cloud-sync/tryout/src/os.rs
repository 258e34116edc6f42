//! The few things only the operating system can do: tie a child's life to its parent's, and signal a child. Never decides
//! anything.

use std::io;

use crate::failure::Failure;
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};

/// From now on the kernel kills this process when `parent` ends, however it ends. It stays so across `exec`.
///
/// # Errors
/// The parent is gone already, or the kernel refuses.
pub(crate) fn die_with(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Between the fork and the line above nobody watched.
    match getppid().map(Pid::as_raw_nonzero) {
        Some(now) if u32::try_from(now.get()) == Ok(parent) => Ok(()),
        _ => Err(io::Error::other("the program that started this one has ended")),
    }
}

/// Asks the child with this id to end.
///
/// # Errors
/// There is no such process.
pub(crate) fn ask_to_end(child: u32) -> io::Result<()> {
    send(child, Signal::TERM)
}

/// Whoever started this process wants it to outlive the terminal, as `nohup` does.
pub(crate) fn outlives_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    // The first bit is signal 1, the hangup.
    ignored & 1 == 1
}

/// What a running try-out can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Off,
    On,
}

/// Asks the try-out with this process id.
///
/// # Errors
/// There is no such process.
pub(crate) fn wish(tryout: u32, wish: Wish) -> io::Result<()> {
    send(
        tryout,
        match wish {
            Wish::Off => Signal::USR1,
            Wish::On => Signal::USR2,
        },
    )
}

fn send(process: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("not a process id"))?;
    Ok(kill_process(pid, signal)?)
}

/// Runs `work` to its end on this thread. What still blocks afterwards ends with the process.
///
/// # Errors
/// The machine gives no runtime.
pub(crate) fn on_runtime<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Unavailable(format!("cannot start: {error}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(done)
}
