//! Two threads that never rest, and how late a plain timer fires: what the machine itself costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::stats::Samples;

/// One for each core of the machine that the figures are meant for.
const THREADS: usize = 2;

/// How loaded the machine is while something is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// Nothing but what is measured.
    Idle,
    /// Two threads that never rest beside it.
    Busy,
}

impl Load {
    /// The name of a figure under this load.
    pub(crate) fn name(self, figure: &str) -> String {
        match self {
            Self::Idle => figure.to_owned(),
            Self::Busy => format!("{figure}_busy"),
        }
    }

    /// What a note says about it.
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Idle => "",
            Self::Busy => ", beside two threads that never rest",
        }
    }

    /// Makes it so until the answer is dropped.
    pub(crate) fn begin(self) -> Option<Busy> {
        (self == Self::Busy).then(Busy::begin)
    }
}

/// The calling thread takes only what others leave: it stands for another machine, which would not share these cores.
/// Not allowed is fine, and then only harder.
pub(crate) fn yield_to_others() {
    rustix::process::nice(10).ok();
}

/// Threads that never rest, until dropped.
#[derive(Debug)]
pub(crate) struct Busy {
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    fn begin() -> Self {
        let ending = Arc::<AtomicBool>::default();
        let spin = |ending: Arc<AtomicBool>| {
            while !ending.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        };
        let threads = (0..THREADS)
            .map(|_| {
                let ending = ending.clone();
                std::thread::spawn(move || spin(ending))
            })
            .collect();
        Self { ending, threads }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It only spins.
            drop(thread.join());
        }
    }
}

/// A thread that sleeps 10 ms at a time and notes how late it woke: the machine's own share in every deadline.
#[derive(Debug)]
pub(crate) struct Lateness {
    ending: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Lateness {
    /// Starts it.
    pub(crate) fn begin() -> Self {
        const SLEEP: Duration = Duration::from_millis(10);
        let ending = Arc::<AtomicBool>::default();
        let seen = ending.clone();
        let thread = std::thread::spawn(move || {
            let mut late_ms = Vec::new();
            while !seen.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::thread::sleep(SLEEP);
                late_ms.push((began.elapsed() - SLEEP).as_secs_f64() * 1000.0);
            }
            late_ms
        });
        Self { ending, thread }
    }

    /// How late it woke so far, ms.
    pub(crate) fn end(self) -> Samples {
        self.ending.store(true, Ordering::Relaxed);
        Samples::new(self.thread.join().unwrap_or_default())
    }
}
