//! One bit a dimension: on which side of the centre of all vectors it lies. Two vectors that point the same way share most of
//! their bits, and counting the bits that differ costs a hundredth of multiplying the numbers.
//!
//! Never decides anything: it only tells which few are worth comparing.

use super::{DIMENSIONS, Vector};

const WORD_BITS: usize = 64;
const WORDS: usize = DIMENSIONS / WORD_BITS;

/// Codes that are compared at once. The same word of all of them stands side by side, so that the compiler counts several
/// in one instruction.
pub(super) const LANES: usize = 16;

/// Sides of one vector.
pub(super) type Code = [u64; WORDS];

/// Bits that differ, of each code in a block; 0 ..= 384, `u16::MAX` for a place where none stands.
pub(super) type Distances = [u16; LANES];

/// Numbers that are mixed with each other: three blocks make a vector.
const MIXED: usize = 128;

/// Mixes the numbers by sums and differences (the Walsh-Hadamard transform, in blocks), which changes no angle. In a vector of
/// few numbers that are not zero, as counting words gives, the zeros would say nothing about a side; mixed, every bit does.
pub(super) fn mix(vector: &Vector) -> Vector {
    let mut mixed = *vector;
    for block in mixed.as_chunks_mut::<MIXED>().0 {
        let mut reach = MIXED / 2;
        while reach > 0 {
            for pair in block.chunks_exact_mut(2 * reach) {
                let (low, high) = pair.split_at_mut(reach);
                for (low, high) in low.iter_mut().zip(high) {
                    (*low, *high) = (*low + *high, *low - *high);
                }
            }
            reach /= 2;
        }
    }
    mixed
}

/// On which side of the mixed centre each number lies, once mixed.
pub(super) fn encode(vector: &Vector, centre: &Vector) -> Code {
    let mut code = [0; WORDS];
    let mixed = mix(vector);
    let words = mixed.as_chunks::<WORD_BITS>().0.iter().zip(centre.as_chunks::<WORD_BITS>().0);
    for (word, (numbers, centre)) in code.iter_mut().zip(words) {
        for (bit, (number, centre)) in numbers.iter().zip(centre).enumerate() {
            *word |= u64::from(number > centre) << bit;
        }
    }
    code
}

type Block = [[u64; LANES]; WORDS];

/// Codes in the order of their places.
#[derive(Default)]
pub(super) struct Codes {
    blocks: Vec<Block>,
    len: usize,
}

impl Codes {
    pub(super) fn with_capacity(codes: usize) -> Self {
        Self { blocks: Vec::with_capacity(codes.div_ceil(LANES)), len: 0 }
    }

    /// Adds one behind the last.
    pub(super) fn push(&mut self, code: &Code) {
        if self.len == self.blocks.len() * LANES {
            self.blocks.push([[0; LANES]; WORDS]);
        }
        self.len += 1;
        self.set(self.len - 1, code);
    }

    /// Takes one away; the last one moves to its place.
    pub(super) fn swap_remove(&mut self, place: usize) {
        let last = self.get(self.len - 1);
        self.set(place, &last);
        self.len -= 1;
        self.blocks.truncate(self.len.div_ceil(LANES));
    }

    /// Calls with the first place of every block and the distances of the codes in it.
    #[inline(always)]
    pub(super) fn scan(&self, code: &Code, mut each: impl FnMut(usize, &Distances)) {
        for (index, block) in self.blocks.iter().enumerate() {
            let start = index * LANES;
            let mut distances = distances(block, code);
            if let Some(unused @ 1..) = (start + LANES).checked_sub(self.len) {
                distances[LANES - unused..].fill(u16::MAX);
            }
            each(start, &distances);
        }
    }

    fn get(&self, place: usize) -> Code {
        let block = &self.blocks[place / LANES];
        block.map(|lanes| lanes[place % LANES])
    }

    fn set(&mut self, place: usize, code: &Code) {
        let block = &mut self.blocks[place / LANES];
        for (lanes, word) in block.iter_mut().zip(code) {
            lanes[place % LANES] = *word;
        }
    }
}

/// Counts with full adders: three words that differ somewhere become one of ones and one of twos, so that of six words only
/// three are counted, which takes a dozen instructions each where the processor has none of its own for it.
#[inline(always)]
fn distances(block: &Block, code: &Code) -> Distances {
    let mut distances = [0; LANES];
    for (lane, distance) in distances.iter_mut().enumerate() {
        let differ: Code = std::array::from_fn(|word| block[word][lane] ^ code[word]);
        let (ones, twos) = add(differ[0], differ[1], differ[2]);
        let (more_ones, more_twos) = add(differ[3], differ[4], differ[5]);
        let (ones, carried) = (ones ^ more_ones, ones & more_ones);
        let (twos, fours) = add(twos, more_twos, carried);
        let [ones, twos, fours] = [ones, twos, fours].map(|word| u64::from(word.count_ones()));
        // At most 384.
        let bits = ones + 2 * twos + 4 * fours;
        *distance = bits as u16;
    }
    distances
}

/// Adds three bits at each of 64 places: what remains there, and what is carried.
#[inline(always)]
fn add(one: u64, other: u64, third: u64) -> (u64, u64) {
    let half = one ^ other;
    (half ^ third, one & other | half & third)
}
