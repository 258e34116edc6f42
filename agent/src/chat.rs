//! Talking moves the body through here: the calls of a chat become requests to the gate, in the name of the model (class `ai`),
//! in one turn a message. What a turn may do, the gate decides; nothing here opens, bounds or stops by itself.

mod body;
mod errand;
pub mod mood_lights;
mod report;

pub use body::RobotBody;
