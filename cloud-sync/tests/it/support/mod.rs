//! What the tests share.

pub(crate) mod cloud;
pub(crate) mod database;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod robot;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// No test waits longer for anything.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// What `wait` gives, or a failure that says what did not happen.
pub(crate) async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, wait).await {
        Ok(value) => value,
        Err(_elapsed) => panic!("{what}: not within {DEADLINE:?}"),
    }
}

pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_millis()).expect("and before the year 292278994")
}
