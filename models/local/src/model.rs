//! all-MiniLM-L6-v2 in memory: loaded from its two files, checked while they are read, and asked for vectors.

mod forward;
mod load;
mod ops;
mod pieces;
mod shape;

use std::path::Path;

use forward::{Layer, Linear, Network, Norm};
use load::Parts;
use pieces::Pieces;
use shape::{HIDDEN, LAYERS};

use crate::Vector;

pub(crate) use load::LoadError;
pub(crate) use pieces::TEXT_BYTES_MAX;

/// Word pieces that go through the network at once, unless one sentence alone has more. More would be no faster (the
/// products have reached their full speed), and somebody who asks now has to wait for the batch that is under way.
const PIECES_AT_ONCE: usize = 256;

/// The loaded model.
#[derive(Debug)]
pub(crate) struct MiniLm {
    pieces: Pieces,
    network: Network,
}

/// A sentence in word pieces, with its place in the request it came with.
#[derive(Debug)]
pub(crate) struct Sentence {
    place: usize,
    ids: Vec<u32>,
}

impl MiniLm {
    /// Reads the files of the catalogue's entry from `folder`.
    ///
    /// # Errors
    /// They are not there, cannot be read, or are not what the catalogue says.
    pub(crate) fn load(folder: &Path) -> Result<Self, LoadError> {
        let [weights, tokenizer] = load::files()?;
        let pieces = Pieces::from_json(&load::read_checked(folder, tokenizer)?)?;
        let parts = Parts::read(folder, weights)?;
        Ok(Self { pieces, network: network(parts)? })
    }

    /// Splits texts into sentences for [`MiniLm::embed`], in batches: sentences of like length together, the longest last.
    ///
    /// # Errors
    /// In words; it is not known to happen.
    pub(crate) fn batches(&self, texts: &[String]) -> Result<Vec<Vec<Sentence>>, String> {
        let mut sentences = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            sentences.push(Sentence { place, ids: self.pieces.split(text)? });
        }
        sentences.sort_by_key(|sentence| sentence.ids.len());
        let mut batches: Vec<Vec<Sentence>> = Vec::new();
        let mut room = 0;
        for sentence in sentences {
            let count = sentence.ids.len();
            match batches.last_mut().filter(|_| count <= room) {
                Some(batch) => batch.push(sentence),
                None => {
                    room = PIECES_AT_ONCE.max(count);
                    batches.push(vec![sentence]);
                }
            }
            room -= count;
        }
        Ok(batches)
    }

    /// The vectors of one batch, each with its place.
    ///
    /// # Errors
    /// In words; it is not known to happen.
    pub(crate) fn embed(&self, batch: Vec<Sentence>) -> Result<Vec<(usize, Vector)>, String> {
        let (places, ids): (Vec<usize>, Vec<Vec<u32>>) =
            batch.into_iter().map(|sentence| (sentence.place, sentence.ids)).unzip();
        let vectors = self.network.embed(&ids).map_err(|error| error.to_string())?;
        Ok(places.into_iter().zip(vectors).collect())
    }
}

fn network(mut parts: Parts) -> Result<Network, LoadError> {
    let words = parts.table()?;
    let mut positions = parts.list()?;
    let types = parts.list()?;
    for position in positions.chunks_exact_mut(HIDDEN) {
        for (value, kind) in position.iter_mut().zip(&types) {
            *value += kind;
        }
    }
    let norm = Norm { gain: parts.list()?, shift: parts.list()? };
    let mut layers = Vec::with_capacity(LAYERS);
    for _ in 0..LAYERS {
        let weight = parts.turned(3)?;
        let bias = [parts.list()?, parts.list()?, parts.list()?].concat();
        layers.push(Layer {
            attention_in: Linear { weight, bias },
            attention_out: Linear { weight: parts.turned(1)?, bias: parts.list()? },
            attention_norm: Norm { gain: parts.list()?, shift: parts.list()? },
            widen: Linear { weight: parts.turned(1)?, bias: parts.list()? },
            narrow: Linear { weight: parts.turned(1)?, bias: parts.list()? },
            norm: Norm { gain: parts.list()?, shift: parts.list()? },
        });
    }
    Ok(Network { words, positions, norm, layers })
}
