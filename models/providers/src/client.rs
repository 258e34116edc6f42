//! The HTTP client of a provider: one pool of connections, made once.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Url, retry};

/// A connection that nobody used for so long is not used again. Robbie's own servers close theirs after 60 s, and a question
/// must not be lost to a connection that is being closed.
const IDLE_MAX: Duration = Duration::from_secs(50);

/// No deadline, no redirect, no second try: those are the router's. A proxy of the environment serves HTTPS only, so that
/// nothing on this machine or in the house is ever asked through one.
pub(crate) fn client(url: &Url) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .http1_only()
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE_MAX)
        .redirect(Policy::none())
        .retry(retry::never())
        .user_agent(concat!("robbie/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "https" {
        return builder.build();
    }
    // Without TLS the system's certificates need not be read, which takes milliseconds and memory.
    builder.no_proxy().tls_certs_only([]).build()
}
