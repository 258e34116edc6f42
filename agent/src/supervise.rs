//! Ends the process when a thread that moves the body panics. Tasks are started by what both programs share.

pub use cloud_sync_api::supervise::spawn;

/// Ends the process when the thread that holds it unwinds: a gate that panicked must fall silent, so that the
/// microcontroller's hold stops the body.
#[derive(Debug)]
pub struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}
