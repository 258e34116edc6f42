//! A vector in a quarter of its size: 8 bits a number and one scale, its own largest number. A cosine computed from it is off
//! by about 0.0005, and by no more than is kept with it, so it orders a shortlist, and those of which it leaves in doubt
//! whether they are among the best are compared once more from the database.
//!
//! Never grows by copying: room is made 256 vectors at a time, so that adding one is quick at any size.

use super::{DIMENSIONS, Vector};

/// Vectors that room is made for at once: 100 KB.
const CHUNK: usize = 256;

/// A vector in small.
#[derive(Clone)]
pub(super) struct Small {
    numbers: [i8; DIMENSIONS],
    /// What 1 is worth; 0 for a vector without a direction.
    scale: f32,
    /// Length of what was rounded away: no cosine is off by more.
    error: f32,
    /// Rows that share it; 0: the place is free.
    uses: u32,
}

impl Small {
    fn of(vector: &Vector) -> Self {
        let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        let (scale, factor) = if largest > 0.0 { (largest / 127.0, 127.0 / largest) } else { (0.0, 0.0) };
        let numbers = vector.map(|number| round(number * factor) as i8);
        let mut small = Self { numbers, scale, error: 0.0, uses: 0 };
        let mut lost = small.numbers();
        lost.iter_mut().zip(vector).for_each(|(lost, number)| *lost -= number);
        small.error = dot(&lost, &lost).sqrt();
        small
    }

    /// What a cosine may be off by, at most.
    pub(super) fn error(&self) -> f32 {
        // The question is rounded too, to 16 bits.
        self.error + 0.000_1
    }

    pub(super) fn is_unused(&self) -> bool {
        self.uses == 0
    }

    /// The numbers, near enough.
    pub(super) fn numbers(&self) -> Vector {
        self.numbers.map(|number| f32::from(number) * self.scale)
    }

    /// Cosine of the angle to the question, -1 ..= 1.
    #[inline(always)]
    pub(super) fn cosine(&self, question: &Question) -> f32 {
        // Fits: 384 * 127 * 32,767 < 2^31.
        let product = |(one, other): (&i8, &i16)| i32::from(*one) * i32::from(*other);
        let sum: i32 = self.numbers.iter().zip(&question.numbers).map(product).sum();
        (sum as f32 * (self.scale * question.scale)).clamp(-1.0, 1.0)
    }
}

/// The vector of a question, in the form that is compared.
pub(crate) struct Question {
    pub(super) exact: Box<Vector>,
    numbers: [i16; DIMENSIONS],
    scale: f32,
}

impl Question {
    pub(crate) fn of(vector: &Vector) -> Self {
        let largest = vector.iter().fold(0.0_f32, |largest, number| largest.max(number.abs()));
        let (scale, factor) =
            if largest > 0.0 { (largest / 32_767.0, 32_767.0 / largest) } else { (0.0, 0.0) };
        let numbers = vector.map(|number| round(number * factor) as i16);
        Self { exact: Box::new(*vector), numbers, scale }
    }

    /// Cosine of the angle to a vector of length 1, exactly.
    pub(crate) fn cosine(&self, vector: &Vector) -> f32 {
        dot(&self.exact, vector).clamp(-1.0, 1.0)
    }
}

fn dot(one: &Vector, other: &Vector) -> f32 {
    // Eight sums side by side: in one, each addition would wait for the one before it.
    let mut sums = [0.0_f32; 8];
    for (one, other) in one.chunks_exact(8).zip(other.chunks_exact(8)) {
        for (sum, (one, other)) in sums.iter_mut().zip(one.iter().zip(other)) {
            *sum += one * other;
        }
    }
    sums.iter().sum()
}

/// The nearest whole number, within 2^22 of 0; the compiler does several at once, which it cannot with `f32::round`.
fn round(number: f32) -> i32 {
    // In this range the distance between two floats is 1, so adding rounds, and the last bits are the number.
    const SHIFT: f32 = (3 << 22) as f32;
    (number + SHIFT).to_bits() as i32 - SHIFT.to_bits() as i32
}

/// Where a small vector stands.
pub(super) type Slot = u32;

/// Small vectors, each shared by the rows of the same text.
#[derive(Default)]
pub(super) struct Smalls {
    chunks: Vec<Vec<Small>>,
    free: Vec<Slot>,
}

impl Smalls {
    /// Keeps a vector that no row uses yet.
    pub(super) fn add(&mut self, vector: &Vector) -> Slot {
        let small = Small::of(vector);
        if let Some(slot) = self.free.pop() {
            *self.at_mut(slot) = small;
            return slot;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let last = self.chunks.last_mut().map_or(0, |chunk| {
            chunk.push(small);
            chunk.len() - 1
        });
        (before + last) as Slot
    }

    pub(super) fn at(&self, slot: Slot) -> &Small {
        let slot = slot as usize;
        &self.chunks[slot / CHUNK][slot % CHUNK]
    }

    /// One more row uses it.
    pub(super) fn share(&mut self, slot: Slot) {
        self.at_mut(slot).uses += 1;
    }

    /// One row less uses it; with the last one the numbers are wiped, for what was deleted shall be gone.
    pub(super) fn release(&mut self, slot: Slot) {
        let small = self.at_mut(slot);
        small.uses = small.uses.saturating_sub(1);
        if small.uses == 0 {
            *small = Small { numbers: [0; DIMENSIONS], scale: 0.0, error: 0.0, uses: 0 };
            self.free.push(slot);
        }
    }

    /// Those that a row uses.
    pub(super) fn used(&self) -> impl Iterator<Item = &Small> {
        self.chunks.iter().flatten().filter(|small| small.uses > 0)
    }

    fn at_mut(&mut self, slot: Slot) -> &mut Small {
        let slot = slot as usize;
        &mut self.chunks[slot / CHUNK][slot % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_any_more_is_wiped_and_its_room_used_again() {
        let mut smalls = Smalls::default();
        let vector = [0.05; DIMENSIONS];
        let slots: Vec<Slot> = (0..1_000).map(|_| smalls.add(&vector)).collect();
        for slot in &slots {
            smalls.share(*slot);
            smalls.share(*slot);
            smalls.release(*slot);
            assert!(!smalls.at(*slot).is_unused(), "another row still uses it");
            smalls.release(*slot);
            assert_eq!(smalls.at(*slot).numbers(), [0.0; DIMENSIONS]);
        }
        assert_eq!(smalls.used().count(), 0);
        let again: Vec<Slot> = (0..1_000).map(|_| smalls.add(&vector)).collect();
        assert!(again.iter().all(|slot| slots.contains(slot)), "no more room than before");
    }

    #[test]
    fn rounds_to_the_nearest_whole_number() {
        for number in [-32_767.0, -127.4, -0.6, -0.4, 0.0, 0.4, 0.6, 126.5, 127.0, 32_766.7_f32] {
            assert_eq!(round(number), number.round_ties_even() as i32, "{number}");
        }
    }
}
