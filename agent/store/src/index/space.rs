//! The vectors of one model: a row that is entered is found by the next question, a row that is removed never again.
//!
//! A lock around plain vectors: questions go side by side, and a change holds it for microseconds, because nothing in it grows
//! with the number of rows (but for the amortised growth of a few arrays of 4 to 48 bytes a row). What does grow with it,
//! finding the centre anew, happens beside the questions. Copies by epoch would free questions from those microseconds and
//! cost the memory twice. Never asks the database.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, RwLock};

use pulp::Arch;

use super::codes::{Code, Codes, encode, mix};
use super::owners::{Allowed, Owners, Tag};
use super::said::{Meant, Said};
use super::select::Nearest;
use super::small::{Question, Slot, Smalls};
use super::{DIMENSIONS, Filter, Row, Vector};

/// Where a filter lets no more rows pass than this, all of them are compared: it takes no longer than a scan of 100,000.
const COMPARE_ALL_MAX: usize = 4_000;

/// Rows that are compared for each one wanted, of those with the nearest codes.
const SHORTLIST: usize = 30;

/// Rows that are compared beside them: 600 find 0.993 of the ten nearest of 100,000 (20,000 real sentences by MiniLM and
/// perturbed copies of them), 300 find 0.982, 1,200 find 0.999.
const SHORTLIST_MORE: usize = 300;

/// Small vectors that are fetched from memory at once.
const FETCHED: usize = 16;

/// A row that was found, and its cosine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Near {
    pub(crate) n: i64,
    pub(crate) cosine: f32,
}

impl Near {
    /// Of two as near, the newer.
    pub(crate) fn best_first(one: &Self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&one.cosine).then(other.n.cmp(&one.n))
    }
}

/// A row whose cosine is off by `error` at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rough {
    pub(crate) near: Near,
    error: f32,
}

impl Rough {
    /// Its cosine is no more than this.
    pub(crate) fn at_most(&self) -> f32 {
        self.near.cosine + self.error
    }

    fn at_least(&self) -> f32 {
        self.near.cosine - self.error
    }
}

/// Those that may be among the best `wanted`: not the ones that as many others surpass for certain.
fn possible(rough: Vec<Rough>, wanted: usize) -> Vec<Rough> {
    let mut certain: Vec<f32> = rough.iter().map(Rough::at_least).collect();
    let bound = match wanted.checked_sub(1) {
        Some(last) if last < certain.len() => {
            *certain.select_nth_unstable_by(last, |one, other| other.total_cmp(one)).1
        }
        _ => f32::NEG_INFINITY,
    };
    rough.into_iter().filter(|rough| rough.at_most() >= bound).collect()
}

/// The vectors of one model.
pub(crate) struct Space {
    state: RwLock<State>,
    /// Held by whoever changes it, also while finding a new centre without the lock above.
    changing: Mutex<()>,
}

/// Which rows may be found by a question.
struct Pass<'a> {
    allowed: Allowed,
    meant: &'a Meant,
}

/// What a row is made of stands in several arrays at the same place.
struct State {
    codes: Codes,
    tags: Vec<Tag>,
    said: Vec<Said>,
    keys: Vec<i64>,
    slots: Vec<Slot>,
    /// Where each key stands.
    places: HashMap<i64, u32>,
    smalls: Smalls,
    owners: Owners,
    /// Mean of all vectors when it was last found, mixed as codes are.
    centre: Box<Vector>,
    /// Rows there were then.
    centred_at: usize,
}

/// The lock is poisoned: a thread died in the middle of a change, and the space is not to be trusted.
pub(crate) type Trusted<T> = Option<T>;

impl Space {
    pub(crate) fn empty() -> Self {
        Self { state: RwLock::new(State::with_capacity(0)), changing: Mutex::new(()) }
    }

    /// Rows in it.
    pub(crate) fn len(&self) -> usize {
        self.state.read().map_or(0, |state| state.keys.len())
    }

    /// Enters a row, in place of an earlier one of the same key. `twin`: a row of the same text whose vector it shares.
    pub(crate) fn insert(&self, row: &Row, twin: Option<i64>, vector: &Vector) -> Trusted<()> {
        let Ok(_changing) = self.changing.lock() else { return None };
        let outgrown = {
            let mut state = self.state.write().ok()?;
            state.remove(row.n);
            let twin = twin.and_then(|twin| state.places.get(&twin).copied());
            let slot = match twin {
                Some(place) => state.slots[place as usize],
                None => state.smalls.add(vector),
            };
            let code = encode(&state.smalls.at(slot).numbers(), &state.centre);
            state.codes.push(&code);
            state.enter(row, slot);
            state.has_outgrown_its_centre()
        };
        if outgrown {
            let (centre, codes) = self.state.read().ok()?.centred();
            self.state.write().ok()?.recentre(centre, codes);
        }
        Some(())
    }

    /// Takes a row out; a key that is not in it is fine.
    pub(crate) fn remove(&self, n: i64) -> Trusted<()> {
        let Ok(_changing) = self.changing.lock() else { return None };
        self.state.write().ok()?.remove(n);
        Some(())
    }

    /// The rows that may be among the best `wanted` of those that are meant and pass, best first by what their small vectors
    /// say, at most twice as many and 16.
    pub(crate) fn nearest(
        &self,
        question: &Question,
        filter: &Filter<'_>,
        meant: &Meant,
        wanted: usize,
    ) -> Trusted<Vec<Rough>> {
        let state = self.state.read().ok()?;
        let pass = Pass { allowed: state.owners.allowed(filter), meant };
        // With the widest instructions that this processor has: counting bits and multiplying is nearly all of the work.
        let rough = Arch::new().dispatch(|| state.rough(question, &pass, wanted));
        drop(state);
        let mut rough = possible(rough, wanted);
        rough.sort_unstable_by(|one, other| Near::best_first(&one.near, &other.near));
        rough.truncate(2 * wanted + 16);
        Some(rough)
    }

    /// Cosines of rows; `None` for those that have no vector.
    pub(crate) fn cosines(&self, question: &Question, keys: &[i64]) -> Trusted<Vec<Option<f32>>> {
        let state = self.state.read().ok()?;
        let cosine = |n: &i64| {
            let place = *state.places.get(n)?;
            Some(state.smalls.at(state.slots[place as usize]).cosine(question))
        };
        Some(keys.iter().map(cosine).collect())
    }
}

impl State {
    fn with_capacity(rows: usize) -> Self {
        Self {
            codes: Codes::with_capacity(rows),
            tags: Vec::with_capacity(rows),
            said: Vec::with_capacity(rows),
            keys: Vec::with_capacity(rows),
            slots: Vec::with_capacity(rows),
            places: HashMap::with_capacity(rows),
            smalls: Smalls::default(),
            owners: Owners::default(),
            centre: Box::new([0.0; DIMENSIONS]),
            centred_at: 0,
        }
    }

    /// Everything of a new row but its code.
    fn enter(&mut self, row: &Row, slot: Slot) {
        self.smalls.share(slot);
        self.places.insert(row.n, self.keys.len() as u32);
        self.tags.push(self.owners.enter(&row.town, &row.user, row.kind));
        self.said.push(Said::of(row));
        self.keys.push(row.n);
        self.slots.push(slot);
    }

    fn remove(&mut self, n: i64) {
        let Some(place) = self.places.remove(&n) else { return };
        let place = place as usize;
        self.codes.swap_remove(place);
        self.owners.leave(self.tags.swap_remove(place));
        self.said.swap_remove(place);
        self.keys.swap_remove(place);
        self.smalls.release(self.slots.swap_remove(place));
        if let Some(moved) = self.keys.get(place) {
            self.places.insert(*moved, place as u32);
        }
    }

    fn passes(&self, place: u32, pass: &Pass<'_>) -> bool {
        let place = place as usize;
        pass.allowed.passes(self.tags[place])
            && (pass.meant.is_all() || pass.meant.includes(self.said[place]))
    }

    /// All that pass, where they are so few that all of them are compared.
    fn few(&self, pass: &Pass<'_>) -> Option<Vec<u32>> {
        if pass.meant.is_all() && pass.allowed.rows > COMPARE_ALL_MAX {
            return None;
        }
        let passing = (0..self.keys.len() as u32).filter(|place| self.passes(*place, pass));
        let few: Vec<u32> = passing.take(COMPARE_ALL_MAX + 1).collect();
        (few.len() <= COMPARE_ALL_MAX).then_some(few)
    }

    #[inline(always)]
    fn rough(&self, question: &Question, pass: &Pass<'_>, wanted: usize) -> Vec<Rough> {
        match self.few(pass) {
            Some(places) => self.compare(places.into_iter(), question),
            None => self.compare(self.shortlist(question, pass, wanted).places(), question),
        }
    }

    #[inline(always)]
    fn shortlist(&self, question: &Question, pass: &Pass<'_>, wanted: usize) -> Nearest {
        let code = encode(&question.exact, &self.centre);
        let mut nearest = Nearest::new(wanted * SHORTLIST + SHORTLIST_MORE);
        self.codes.scan(&code, |start, distances| {
            // One look at all of them: almost always none is near enough.
            if distances.iter().copied().min().is_none_or(|distance| distance > nearest.bound()) {
                return;
            }
            for (place, distance) in (start..).zip(distances).filter(|(_, distance)| **distance != u16::MAX) {
                let place = place as u32;
                if *distance <= nearest.bound() && self.passes(place, pass) {
                    nearest.offer(*distance, place);
                }
            }
        });
        nearest
    }

    #[inline(always)]
    fn compare(&self, places: impl Iterator<Item = u32>, question: &Question) -> Vec<Rough> {
        let mut places = places.map(|place| place as usize);
        let (mut rough, mut keys, mut fetched) = (Vec::new(), Vec::new(), Vec::with_capacity(FETCHED));
        loop {
            // Copied first, several at once: waiting for memory takes longer than comparing, and so they wait together.
            keys.clear();
            fetched.clear();
            for place in places.by_ref().take(FETCHED) {
                keys.push(self.keys[place]);
                fetched.push(self.smalls.at(self.slots[place]).clone());
            }
            if fetched.is_empty() {
                return rough;
            }
            rough.extend(keys.iter().zip(&fetched).map(|(n, small)| {
                let near = Near { n: *n, cosine: small.cosine(question) };
                Rough { near, error: small.error() }
            }));
        }
    }

    /// The centre matters only where codes are compared, and doubling keeps the work of finding it in proportion.
    fn has_outgrown_its_centre(&self) -> bool {
        self.keys.len() > COMPARE_ALL_MAX && self.keys.len() >= 2 * self.centred_at
    }

    /// The mean of all vectors, and every code by it.
    fn centred(&self) -> (Box<Vector>, Codes) {
        let mut sums = Box::new([0.0_f32; DIMENSIONS]);
        let mut count = 0.0_f32;
        for small in self.smalls.used() {
            count += 1.0;
            for (sum, number) in sums.iter_mut().zip(small.numbers()) {
                *sum += number;
            }
        }
        if count > 0.0 {
            sums.iter_mut().for_each(|sum| *sum /= count);
        }
        *sums = mix(&sums);
        let mut codes = Codes::with_capacity(self.slots.len());
        for slot in &self.slots {
            let code: Code = encode(&self.smalls.at(*slot).numbers(), &sums);
            codes.push(&code);
        }
        (sums, codes)
    }

    fn recentre(&mut self, centre: Box<Vector>, codes: Codes) {
        self.centre = centre;
        self.codes = codes;
        self.centred_at = self.keys.len();
    }
}

/// A space while it is read from the database: first the vectors, then the rows.
pub(crate) struct Loading {
    state: State,
    slots: HashMap<[u8; 16], Slot>,
}

impl Loading {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { state: State::with_capacity(rows), slots: HashMap::with_capacity(rows) }
    }

    /// The vector of a text.
    pub(crate) fn vector(&mut self, content_hash: [u8; 16], vector: &Vector) {
        let slot = self.state.smalls.add(vector);
        self.slots.insert(content_hash, slot);
    }

    /// A row of that text; without a vector it is simply not in the space.
    pub(crate) fn row(&mut self, row: &Row, content_hash: &[u8; 16]) {
        if let Some(slot) = self.slots.get(content_hash) {
            self.state.enter(row, *slot);
        }
    }

    pub(crate) fn finish(self) -> Space {
        let mut state = self.state;
        for slot in self.slots.into_values() {
            if state.smalls.at(slot).is_unused() {
                state.smalls.release(slot);
            }
        }
        let (centre, codes) = state.centred();
        state.recentre(centre, codes);
        Space { state: RwLock::new(state), changing: Mutex::new(()) }
    }
}
