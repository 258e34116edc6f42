//! The measures of all-MiniLM-L6-v2, and which tensors of its file go where in memory.

use crate::DIMENSIONS;

/// Numbers that stand for one word piece.
pub(super) const HIDDEN: usize = DIMENSIONS;
/// Attention heads, and the numbers of one.
pub(super) const HEADS: usize = 12;
pub(super) const HEAD: usize = HIDDEN / HEADS;
/// Numbers between the two products behind attention.
pub(super) const WIDE: usize = 1536;
pub(super) const LAYERS: usize = 6;
/// Word pieces that the vocabulary has, and that a sentence may have in the file's table.
pub(super) const VOCABULARY: usize = 30_522;
pub(super) const POSITIONS: usize = 512;
/// Sentence types; the model is only ever asked about the first.
pub(super) const TYPES: usize = 2;

/// Longest sentence in word pieces, both marks included; what comes after is cut. The model was trained with this length.
pub(crate) const PIECES_MAX: usize = 256;

/// A tensor of the file, and where its numbers go in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// Rows and columns in the file; a list of numbers has one row.
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Where its first number goes, and how far from there the next row and the next column are.
    pub(super) at: usize,
    pub(super) row_step: usize,
    pub(super) column_step: usize,
}

impl Part {
    pub(super) fn count(&self) -> usize {
        self.rows * self.columns
    }
}

/// Every tensor that is used, in the order of memory.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) parts: Vec<Part>,
    /// Numbers in all.
    pub(super) count: usize,
}

impl Plan {
    /// A table that is looked up row by row, or a list: as in the file.
    fn rows(&mut self, name: &str, rows: usize, columns: usize) {
        let (name, at) = (name.to_owned(), self.count);
        self.parts.push(Part { name, rows, columns, at, row_step: columns, column_step: 1 });
        self.count += rows * columns;
    }

    /// Matrices of products, all of one shape: turned, so that the weights of one input lie together (the products then need
    /// no copy of them), and side by side, so that they are one matrix.
    fn turned(&mut self, names: &[String], outputs: usize, inputs: usize) {
        let step = names.len() * outputs;
        for (index, name) in names.iter().enumerate() {
            let (name, at) = (name.clone(), self.count + index * outputs);
            let part = Part { name, rows: outputs, columns: inputs, at, row_step: 1, column_step: step };
            self.parts.push(part);
        }
        self.count += step * inputs;
    }
}

/// What the network takes out of memory, in its order.
pub(super) fn plan() -> Plan {
    let mut plan = Plan::default();
    plan.rows("embeddings.word_embeddings.weight", VOCABULARY, HIDDEN);
    plan.rows("embeddings.position_embeddings.weight", POSITIONS, HIDDEN);
    plan.rows("embeddings.token_type_embeddings.weight", TYPES, HIDDEN);
    plan.rows("embeddings.LayerNorm.weight", 1, HIDDEN);
    plan.rows("embeddings.LayerNorm.bias", 1, HIDDEN);
    for layer in 0..LAYERS {
        let name = |rest: &str| format!("encoder.layer.{layer}.{rest}");
        let inputs =
            |end: &str| ["query", "key", "value"].map(|input| name(&format!("attention.self.{input}.{end}")));
        plan.turned(&inputs("weight"), HIDDEN, HIDDEN);
        for bias in inputs("bias") {
            plan.rows(&bias, 1, HIDDEN);
        }
        for (linear, norm, outputs, inputs) in [
            ("attention.output.dense", Some("attention.output.LayerNorm"), HIDDEN, HIDDEN),
            ("intermediate.dense", None, WIDE, HIDDEN),
            ("output.dense", Some("output.LayerNorm"), HIDDEN, WIDE),
        ] {
            plan.turned(&[name(&format!("{linear}.weight"))], outputs, inputs);
            plan.rows(&name(&format!("{linear}.bias")), 1, outputs);
            for list in norm.iter().flat_map(|norm| [format!("{norm}.weight"), format!("{norm}.bias")]) {
                plan.rows(&name(&list), 1, HIDDEN);
            }
        }
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_place_of_its_own() {
        let plan = plan();
        let mut taken = vec![false; plan.count];
        for part in &plan.parts {
            for at in (0..part.rows).flat_map(|row| {
                (0..part.columns).map(move |column| part.at + row * part.row_step + column * part.column_step)
            }) {
                assert!(!std::mem::replace(&mut taken[at], true), "{} overlaps another", part.name);
            }
        }
        assert!(taken.into_iter().all(|taken| taken));
    }
}
