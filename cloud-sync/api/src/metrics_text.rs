//! The process's one recorder of metrics, as Prometheus reads it. What is measured is each program's business.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The first program in the process installs it.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Counters count from here on.
pub fn start() {
    recorder();
}

/// Everything that was counted, in Prometheus's text format; 503 where nothing could be.
pub fn answer() -> Response {
    let Some(recorder) = recorder() else {
        return http::StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render()).into_response()
}

fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER
        .get_or_init(|| match PrometheusBuilder::new().install_recorder() {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::warn!("there will be no metrics: {error}");
                None
            }
        })
        .as_ref()
}
