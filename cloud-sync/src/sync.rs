//! `POST /api/sync`: the frames of robots over HTTP, and how each is answered, whichever way it came. What they mean is decided
//! elsewhere; it carries.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use cloud_sync_api::access::{Guards, Principal, Rule};
use cloud_sync_api::octets::Octets;
use cloud_sync_api::openapi::ApiRouter;
use cloud_sync_api::problem::{Answer, Problem};
use cloud_sync_api::rate::Rate;
use cloud_sync_protocol::store::StoreError;
use cloud_sync_protocol::sync::frame::{Frame, FrameError, Refusal, VERSION, Why, join, split};
use cloud_sync_protocol::sync::server::Who;
use cloud_sync_protocol::town::{RobotId, TownId};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, UPGRADE};
use utoipa_axum::routes;

use crate::clock::now_ms;
use crate::store::Rows;

/// Bytes of all frames of a request.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// Frames of a request.
pub const FRAMES_MAX: usize = 64;

/// The route.
pub fn routes(guards: &Guards, rows: Rows) -> ApiRouter {
    ApiRouter::new(guards).route(Rule::Device(Rate::Read), routes!(exchange)).with_state(rows)
}

/// A robot, as its secret proves it.
#[derive(Clone, Debug)]
pub struct Robot {
    /// Its town.
    pub town: TownId,
    /// Its name there.
    pub id: RobotId,
    /// Whose rows it holds beside the town's.
    pub user: String,
}

/// How the bytes of a frame are answered.
#[derive(Debug)]
pub enum Reply {
    /// By this frame.
    Frame(Vec<u8>),
    /// By this refusal, which names no conversation: they are nothing that a robot sends.
    NoFrame(Vec<u8>),
    /// Not at all: they are of a version that is not spoken here.
    TooNew,
}

/// Answers the bytes of one frame, whichever way they came. What is refused is counted.
///
/// # Errors
/// The database does not answer: the robot says it again.
pub async fn answer(rows: &Rows, robot: &Robot, bytes: &[u8]) -> Result<Reply, StoreError> {
    let answer = match Frame::decode(bytes) {
        Ok(frame) => {
            let who = Who { device: robot.id.as_str(), user: &robot.user };
            rows.handle(&robot.town, who, &frame, now_ms()).await?
        }
        Err(FrameError::Version(_)) => {
            count_refused(Why::TooNew);
            return Ok(Reply::TooNew);
        }
        Err(FrameError::Malformed | FrameError::TooLong) => {
            Frame::Refusal(Refusal { session: 0, why: Why::Malformed })
        }
    };
    let bytes = answer.encode().map_err(|error| {
        // Rows are bounded so that one always fits.
        tracing::error!(town = %robot.town, robot = %robot.id, %error, "an answer to a robot cannot be packed");
        StoreError::Failed("an answer cannot be packed".to_owned())
    })?;
    let Frame::Refusal(Refusal { session, why }) = answer else { return Ok(Reply::Frame(bytes)) };
    count_refused(why);
    Ok(if session == 0 { Reply::NoFrame(bytes) } else { Reply::Frame(bytes) })
}

fn count_refused(why: Why) {
    let why = match why {
        Why::GreetAgain => "greet-again",
        Why::Gap { .. } => "gap",
        Why::TooNew => "too-new",
        Why::Malformed => "malformed",
        Why::NotYours => "not-yours",
    };
    metrics::counter!("robbie_sync_refused_total", "why" => why).increment(1);
}

/// Frames of sync, each with its length before it (4 bytes, little-endian): at most 64 of together 1 MiB. Each is answered by
/// one, in order; a refusal is an answer, too.
#[utoipa::path(post, path = "/api/sync", tag = "sync",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
              (status = 400, description = "These bytes are no frames.", body = Problem, content_type = "application/problem+json"),
              (status = 413, description = "Too many at once.", body = Problem, content_type = "application/problem+json"),
              (status = 426, description = "A frame is newer than this cloud.", body = Problem, content_type = "application/problem+json")))]
async fn exchange(
    State(rows): State<Rows>,
    principal: Principal,
    Octets(bytes): Octets<REQUEST_BYTES_MAX>,
) -> Answer<Response> {
    let robot = robot(&principal)?;
    let frames = split(&bytes).map_err(|_cut_off| {
        Problem::bad_request("The body is not a row of frames, each with its length before it.")
    })?;
    if frames.len() > FRAMES_MAX {
        return Err(Problem::too_many("frames", FRAMES_MAX));
    }
    let mut answers = Vec::with_capacity(frames.len());
    for frame in frames {
        match answer(&rows, &robot, frame).await? {
            Reply::Frame(bytes) | Reply::NoFrame(bytes) => answers.push(bytes),
            Reply::TooNew => return Ok(too_new()),
        }
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, join(answers.iter().map(Vec::as_slice))).into_response())
}

fn too_new() -> Response {
    let detail = format!(
        "This cloud speaks sync version {VERSION}, and these frames are of another. Update the cloud."
    );
    let mut response = Problem::too_new(detail).into_response();
    if let Ok(version) = HeaderValue::from_str(&format!("robbie-sync/{VERSION}")) {
        response.headers_mut().insert(UPGRADE, version);
    }
    response
}

fn robot(principal: &Principal) -> Answer<Robot> {
    let home = principal.entry.home.as_ref().and_then(|home| home.town.parse().ok());
    let (Some(id), Some(town)) = (principal.device().cloned(), home) else {
        return Err(Problem::no_right("This is for paired robots, by the secret of their pairing."));
    };
    Ok(Robot { town, id, user: principal.user_id().to_owned() })
}
