//! `/metrics` for Prometheus: what the gate and the link measure, read when somebody asks.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use cloud_sync_api::access::{Guards, Rule};
use cloud_sync_api::metrics_text;
use cloud_sync_api::openapi::ApiRouter;
use metrics::gauge;
use utoipa_axum::routes;

use crate::drive::gate_thread::Pulse;
use crate::drive::handle::DriveHandle;

#[derive(Clone, Debug)]
struct Sources {
    drive: DriveHandle,
    pulse: Arc<Pulse>,
}

/// The route.
pub(super) fn routes(guards: &Guards, drive: DriveHandle, pulse: Arc<Pulse>) -> ApiRouter {
    // Counters count from here on, not from the first look.
    metrics_text::start();
    ApiRouter::new(guards).route(Rule::Loopback, routes!(metrics_text)).with_state(Sources { drive, pulse })
}

/// What is measured, in Prometheus's text format. For programs on this machine only.
#[utoipa::path(get, path = "/metrics", tag = "program",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain")))]
async fn metrics_text(State(sources): State<Sources>) -> Response {
    read(&sources);
    metrics_text::answer()
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts stay far below 2^53")]
fn read(sources: &Sources) {
    let snapshot = sources.drive.snapshot();
    let flag = |is: bool| if is { 1.0 } else { 0.0 };
    gauge!("robbie_gate_ticks").set(sources.pulse.ticks() as f64);
    gauge!("robbie_gate_longest_gap_seconds").set(sources.pulse.longest_gap().as_secs_f64());
    gauge!("robbie_gate_realtime").set(flag(sources.pulse.realtime().fifo));
    gauge!("robbie_link_frames_written").set(sources.pulse.frames_written() as f64);
    gauge!("robbie_link_frames_lost").set(f64::from(snapshot.body.frames_lost));
    let losses = snapshot.losses;
    gauge!("robbie_link_frames_broken").set(f64::from(losses.broken_frames));
    gauge!("robbie_link_commands_unanswered").set(f64::from(losses.commands_unanswered));
    gauge!("robbie_link_commands_refused").set(f64::from(losses.commands_refused));
    gauge!("robbie_link_setpoints_refused").set(f64::from(losses.setpoints_refused));
    gauge!("robbie_link_mcu_restarts").set(f64::from(losses.restarts));
    gauge!("robbie_link_up").set(flag(snapshot.link_up));
    gauge!("robbie_base_open").set(flag(snapshot.base_closed.is_none()));
    gauge!("robbie_head_open").set(flag(snapshot.head_closed.is_none()));
    gauge!("robbie_estop_latched").set(flag(snapshot.estop.latched));
    gauge!("robbie_estop_epoch").set(f64::from(snapshot.estop.epoch));
    gauge!("robbie_linear_mps").set(f64::from(snapshot.linear_mps));
    gauge!("robbie_angular_radps").set(f64::from(snapshot.angular_radps));
    gauge!("robbie_envelope_linear_mps").set(f64::from(snapshot.envelope.linear_mps));
    if let Some(rtt) = snapshot.body.rtt_p95 {
        gauge!("robbie_link_rtt_p95_seconds").set(rtt.as_secs_f64());
    }
    if let Some((_, senses)) = snapshot.body.senses {
        gauge!("robbie_battery_volts").set(f64::from(senses.battery_mv) / 1000.0);
        gauge!("robbie_battery_percent").set(f64::from(senses.battery_percent));
    }
}
