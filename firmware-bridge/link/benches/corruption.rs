//! Damaged frames that come through with altered content: there must be none.
//!
//! Prints one JSON line. `ROBBIE_SAMPLES` says how many frames are damaged at random (fixed seeds), beside every set of
//! one to three flipped bits in short frames.

#[path = "../tests/support/corrupt.rs"]
mod corrupt;

use std::num::NonZero;
use std::thread;

const SAMPLES: u64 = 100_000_000;
/// Samples are drawn in parts with a seed each, so that the result does not depend on the number of threads.
const PARTS: u64 = 64;

fn main() {
    #[expect(clippy::disallowed_methods, reason = "a bench has no configuration file")]
    let samples = std::env::var("ROBBIE_SAMPLES").ok().and_then(|text| text.parse().ok()).unwrap_or(SAMPLES);
    let threads = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let (tried, mut altered) = corrupt::flip_all();
    altered += thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let parts = (worker..PARTS).step_by(threads as usize);
                scope.spawn(move || {
                    parts.map(|part| corrupt::damage_sampled(samples / PARTS, part)).sum::<u64>()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker must not panic")).sum::<u64>()
    });
    let note =
        format!("{tried} frames with every 1 to 3 flipped bits, {samples} sampled beyond, seeds 0..{PARTS}");
    println!(r#"{{"figure":"link_corruption_accepted","value":{altered},"unit":"frames","note":"{note}"}}"#);
}
