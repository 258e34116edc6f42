//! Text to word pieces, by the model's own `tokenizer.json`.

use tokenizers::{Tokenizer, TruncationParams};

use super::load::LoadError;
use super::shape::{PIECES_MAX, VOCABULARY};

/// Bytes of a text that are looked at; the rest is cut. Many times what [`PIECES_MAX`] word pieces take, and what a turn may have.
pub(crate) const TEXT_BYTES_MAX: usize = 32 * 1024;

/// The tokenizer, set to one sentence at a time.
#[derive(Debug)]
pub(super) struct Pieces(Tokenizer);

impl Pieces {
    pub(super) fn from_json(json: &[u8]) -> Result<Self, LoadError> {
        let damaged = |error: tokenizers::Error| LoadError::Damaged(format!("tokenizer.json: {error}"));
        let mut tokenizer = Tokenizer::from_bytes(json).map_err(damaged)?;
        // The file pads every sentence to 128 pieces and cuts it there; neither is what the model was made for.
        let cut = TruncationParams { max_length: PIECES_MAX, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(cut)).map_err(damaged)?;
        Ok(Self(tokenizer))
    }

    /// Ids of the pieces, marks at both ends included: 2 to [`PIECES_MAX`], each within the vocabulary.
    pub(super) fn split(&self, text: &str) -> Result<Vec<u32>, String> {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        let encoding = self.0.encode_fast(text, true).map_err(|error| error.to_string())?;
        let ids = encoding.get_ids().to_vec();
        if ids.iter().any(|id| *id as usize >= VOCABULARY) {
            return Err("a word piece outside the vocabulary".to_owned());
        }
        Ok(ids)
    }
}
