//! Memory that can be asked: a question becomes words and a vector, the store gives candidates, `models-mind` puts them in
//! order. Vectors of what was written are made in the background.

mod embedding;
mod recall;
mod surface;

pub use embedding::keep_up;
pub use recall::Recall;
