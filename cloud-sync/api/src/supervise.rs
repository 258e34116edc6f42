//! Starts the program's tasks and says when one ends that should not. The only place that calls `tokio::spawn`.

use std::future::Future;

use tokio::task::JoinHandle;

/// Runs `task` beside the others. A panic in it is logged with its name; it never takes the program down: whatever
/// must end the process with it has a thread of its own.
pub fn spawn<T: Send + 'static>(
    name: &'static str,
    task: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<Option<T>> {
    #[expect(clippy::disallowed_methods, reason = "this is the supervisor")]
    let inner = tokio::spawn(task);
    #[expect(clippy::disallowed_methods, reason = "this is the supervisor")]
    tokio::spawn(async move {
        match inner.await {
            Ok(value) => Some(value),
            Err(error) if error.is_panic() => {
                tracing::error!(task = name, "a task panicked: {error}");
                None
            }
            Err(_cancelled) => None,
        }
    })
}
