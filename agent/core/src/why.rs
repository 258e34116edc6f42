//! The last refusals, for `control/why`. The oldest drops out.

use arrayvec::ArrayVec;

use crate::snapshot::{REFUSALS_KEPT, RefusalRecord};

/// Ring of the last [`REFUSALS_KEPT`] refusals.
#[derive(Debug)]
pub struct Why {
    ring: [Option<RefusalRecord>; REFUSALS_KEPT],
    next: usize,
}

impl Why {
    /// Empty.
    pub const fn new() -> Self {
        Self { ring: [None; REFUSALS_KEPT], next: 0 }
    }

    /// Keeps one more.
    pub const fn push(&mut self, record: RefusalRecord) {
        self.ring[self.next] = Some(record);
        self.next = (self.next + 1) % REFUSALS_KEPT;
    }

    /// Copies them, oldest first.
    pub fn copy_into(&self, into: &mut ArrayVec<RefusalRecord, REFUSALS_KEPT>) {
        into.clear();
        let (newer, older) = self.ring.split_at(self.next);
        into.extend(older.iter().chain(newer).flatten().copied());
    }
}

impl Default for Why {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Class, label};
    use crate::refusal::Refusal;
    use crate::time::BootTime;

    fn check(pushed: u64, first_ms: Option<u64>, len: usize) {
        let mut why = Why::new();
        for ms in 0..pushed {
            why.push(RefusalRecord {
                at: BootTime::from_ms(ms),
                refusal: Refusal::LeaseGone,
                source: label("page"),
                class: Class::Local,
            });
        }
        let mut copy = ArrayVec::new();
        why.copy_into(&mut copy);
        assert_eq!(copy.len(), len);
        assert_eq!(copy.first().map(|record| record.at.as_ms()), first_ms);
        assert!(copy.is_sorted_by_key(|record| record.at));
    }

    #[test]
    fn starts_empty() {
        check(0, None, 0);
    }
    #[test]
    fn keeps_all_while_they_fit() {
        check(50, Some(0), 50);
    }
    #[test]
    fn drops_the_oldest() {
        check(123, Some(73), 50);
    }
}
