//! The network of all-MiniLM-L6-v2: word pieces in, one vector a sentence out.
//!
//! Differs from the stock BERT of candle-transformers in how it gets there, not in what it computes: sentences stand behind one
//! another without padding, so that the large products run over all of them at once and only attention goes sentence by
//! sentence; query, key and value are one product; bias, residual, normalising and activation happen in one pass over memory.

use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Storage, Tensor};

use super::ops;
use super::shape::{HEAD, HEADS, HIDDEN};
use crate::Vector;

/// A matrix, one row for each input, and what is added to the product.
#[derive(Debug)]
pub(super) struct Linear {
    /// `(inputs, outputs)`.
    pub(super) weight: Tensor,
    pub(super) bias: Vec<f32>,
}

/// Gain and shift of a layer normalisation.
#[derive(Debug)]
pub(super) struct Norm {
    pub(super) gain: Vec<f32>,
    pub(super) shift: Vec<f32>,
}

/// One of the six layers.
#[derive(Debug)]
pub(super) struct Layer {
    /// Query, key and value, one behind the other.
    pub(super) attention_in: Linear,
    pub(super) attention_out: Linear,
    pub(super) attention_norm: Norm,
    pub(super) widen: Linear,
    pub(super) narrow: Linear,
    pub(super) norm: Norm,
}

/// The whole network.
#[derive(Debug)]
pub(super) struct Network {
    /// One row a word piece.
    pub(super) words: Tensor,
    /// One row a position, the (single) sentence type already added.
    pub(super) positions: Vec<f32>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
}

impl Network {
    /// The vectors of sentences given as word piece ids, each 1 to 512 long.
    pub(super) fn embed(&self, sentences: &[Vec<u32>]) -> Result<Vec<Vector>> {
        let mut hidden = self.look_up(sentences)?;
        for layer in &self.layers {
            hidden = layer.forward(hidden, sentences)?;
        }
        read(&hidden, |rows| {
            let mut rest = rows;
            let mut vectors = Vec::with_capacity(sentences.len());
            for sentence in sentences {
                let (own, others) = rest.split_at(sentence.len() * HIDDEN);
                vectors.push(ops::mean_direction(own));
                rest = others;
            }
            vectors
        })
    }

    fn look_up(&self, sentences: &[Vec<u32>]) -> Result<Tensor> {
        let count: usize = sentences.iter().map(Vec::len).sum();
        let mut rows = Vec::with_capacity(count * HIDDEN);
        read(&self.words, |words| {
            for sentence in sentences {
                for (piece, position) in sentence.iter().zip(self.positions.chunks_exact(HIDDEN)) {
                    let word = &words[*piece as usize * HIDDEN..][..HIDDEN];
                    rows.extend(word.iter().zip(position).map(|(word, position)| word + position));
                }
            }
        })?;
        for row in rows.chunks_exact_mut(HIDDEN) {
            ops::normalise(row, &self.norm.gain, &self.norm.shift);
        }
        Tensor::from_vec(rows, (count, HIDDEN), &Device::Cpu)
    }
}

impl Layer {
    fn forward(&self, hidden: Tensor, sentences: &[Vec<u32>]) -> Result<Tensor> {
        let attended = self.attention_out.product(&self.attend(&hidden, sentences)?)?;
        self.attention_norm.after(&attended, &self.attention_out.bias, &hidden)?;
        let wide = self.widen.product(&attended)?;
        edit(&wide, |rows| ops::add_and_gelu(rows, &self.widen.bias))?;
        let out = self.narrow.product(&wide)?;
        self.norm.after(&out, &self.narrow.bias, &attended)?;
        Ok(out)
    }

    /// What every word piece takes from the others of its sentence.
    fn attend(&self, hidden: &Tensor, sentences: &[Vec<u32>]) -> Result<Tensor> {
        let inputs = self.attention_in.product(hidden)?;
        let mut mixed = vec![0.0; hidden.elem_count()];
        let mut start = 0;
        for sentence in sentences {
            let end = start + sentence.len();
            let [query, key, value] = self.heads(&inputs, start..end)?;
            let scores = query.matmul(&key.t()?)?;
            edit(&scores, |rows| ops::softmax(rows, sentence.len()))?;
            let heads = scores.matmul(&value)?;
            read(&heads, |heads| join_heads(heads, &mut mixed[start * HIDDEN..end * HIDDEN]))?;
            start = end;
        }
        Tensor::from_vec(mixed, hidden.shape(), &Device::Cpu)
    }

    /// Query (already scaled), key and value of one sentence, each `(heads, pieces, numbers of a head)`.
    fn heads(&self, inputs: &Tensor, pieces: std::ops::Range<usize>) -> Result<[Tensor; 3]> {
        let count = pieces.len();
        let width = 3 * HIDDEN;
        let split = read(inputs, |inputs| {
            let rows = &inputs[pieces.start * width..pieces.end * width];
            [0, 1, 2].map(|part| {
                let scale = if part == 0 { 1.0 / (HEAD as f32).sqrt() } else { 1.0 };
                let mut heads = Vec::with_capacity(count * HIDDEN);
                for at in (0..HEADS).map(|head| part * HIDDEN + head * HEAD) {
                    let bias = &self.attention_in.bias[at..][..HEAD];
                    for row in rows.chunks_exact(width) {
                        heads.extend(row[at..][..HEAD].iter().zip(bias).map(|(x, bias)| (x + bias) * scale));
                    }
                }
                heads
            })
        })?;
        let [query, key, value] =
            split.map(|part| Tensor::from_vec(part, (HEADS, count, HEAD), &Device::Cpu));
        Ok([query?, key?, value?])
    }
}

impl Linear {
    /// The product alone; whoever reads it next adds the bias on the way.
    fn product(&self, rows: &Tensor) -> Result<Tensor> {
        rows.matmul(&self.weight)
    }
}

impl Norm {
    /// Adds bias and residual to `rows` and normalises them, in place.
    fn after(&self, rows: &Tensor, bias: &[f32], residual: &Tensor) -> Result<()> {
        read(residual, |residual| {
            edit(rows, |rows| ops::add_and_normalise(rows, bias, residual, &self.gain, &self.shift))
        })?
    }
}

/// `(heads, pieces, numbers)` to `(pieces, heads * numbers)`.
fn join_heads(heads: &[f32], rows: &mut [f32]) {
    let count = rows.len() / HIDDEN;
    for (head, numbers) in heads.chunks_exact(count * HEAD).enumerate() {
        for (from, to) in numbers.chunks_exact(HEAD).zip(rows.chunks_exact_mut(HIDDEN)) {
            to[head * HEAD..][..HEAD].copy_from_slice(from);
        }
    }
}

/// Hands out the numbers of a contiguous tensor without copying them.
pub(super) fn read<T>(tensor: &Tensor, with: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else { candle_core::bail!("not in main memory") };
    let numbers = storage.as_slice::<f32>()?;
    let Some((start, end)) = layout.contiguous_offsets() else { candle_core::bail!("not contiguous") };
    Ok(with(&numbers[start..end]))
}

/// Changes the numbers of a contiguous tensor in place.
fn edit(tensor: &Tensor, with: impl Fn(&mut [f32])) -> Result<()> {
    tensor.inplace_op1(&Edit(with))
}

struct Edit<F>(F);

impl<F: Fn(&mut [f32])> InplaceOp1 for Edit<F> {
    fn name(&self) -> &'static str {
        "edit"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(numbers) = storage else { candle_core::bail!("not f32") };
        let Some((start, end)) = layout.contiguous_offsets() else { candle_core::bail!("not contiguous") };
        (self.0)(&mut numbers[start..end]);
        Ok(())
    }
}
