//! Keeps the nearest of many by counting: a distance is a whole number of at most 384 bits, so neither a heap nor sorting is
//! needed, only a count for each of them and the bound that follows.
//!
//! Never holds more than a fixed multiple of what it is to keep, however many are offered and however many tie.

use super::DIMENSIONS;

/// Ties at the bound that are kept, as a multiple of what is to be kept: near-copies of a text tie by the dozen.
const TIES: usize = 3;

/// The nearest so far.
pub(super) struct Nearest {
    keep: usize,
    /// Whoever is farther than this does not belong to them any more.
    bound: u16,
    /// Offered and taken, by distance.
    counts: [u32; DIMENSIONS + 1],
    /// Sum of the counts up to the bound.
    within: usize,
    /// Those within the bound, and some that were when they came.
    found: Vec<(u16, u32)>,
}

impl Nearest {
    /// Keeps the nearest `keep`, at least one, and some of those as far away as the last of them.
    pub(super) fn new(keep: usize) -> Self {
        let keep = keep.max(1);
        let room = Self::room(keep);
        Self {
            keep,
            bound: DIMENSIONS as u16,
            counts: [0; DIMENSIONS + 1],
            within: 0,
            found: Vec::with_capacity(room),
        }
    }

    /// Whoever is farther need not be offered.
    pub(super) fn bound(&self) -> u16 {
        self.bound
    }

    /// Takes it if it is near enough.
    pub(super) fn offer(&mut self, distance: u16, place: u32) {
        if distance > self.bound || distance == self.bound && self.within >= self.keep * (1 + TIES) {
            return;
        }
        if self.found.len() == Self::room(self.keep) {
            let bound = self.bound;
            self.found.retain(|(distance, _)| *distance <= bound);
        }
        self.counts[usize::from(distance)] += 1;
        self.within += 1;
        self.found.push((distance, place));
        loop {
            let farthest = self.counts[usize::from(self.bound)] as usize;
            if self.bound == 0 || self.within - farthest < self.keep {
                break;
            }
            self.within -= farthest;
            self.bound -= 1;
        }
    }

    /// Places of the nearest, in no order.
    pub(super) fn places(self) -> impl Iterator<Item = u32> {
        self.found.into_iter().filter(move |(distance, _)| *distance <= self.bound).map(|(_, place)| place)
    }

    /// Twice what can be within the bound, so that clearing out pays.
    fn room(keep: usize) -> usize {
        2 * keep * (2 + TIES)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Everybody nearer than the last one kept is kept, whatever the order, and the number has its bound.
        #[test]
        fn keeps_the_nearest(
            distances in prop::collection::vec(prop_oneof![0_u16..=384, 100_u16..104], 0..3_000),
            keep in 1_usize..60,
        ) {
            let mut nearest = Nearest::new(keep);
            for (place, distance) in (0..).zip(&distances) {
                nearest.offer(*distance, place);
            }
            let mut kept: Vec<u16> = nearest.places().map(|place| distances[place as usize]).collect();
            kept.sort_unstable();
            let mut all = distances.clone();
            all.sort_unstable();
            prop_assert!(kept.len() >= keep.min(all.len()));
            prop_assert!(kept.len() <= keep * (2 + TIES));
            prop_assert_eq!(&kept[..keep.min(all.len())], &all[..keep.min(all.len())]);
        }
    }
}
