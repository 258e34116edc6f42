//! The JSON of the robot's routes. Parsing ends here: inside, a value that could be wrong cannot be built.

pub mod answers;
pub mod bodies;
pub mod identity;
pub mod ids;
pub mod state;
