//! Whose a row is and of which kind, as one number, so that a filter costs one comparison a row and is exact.
//!
//! Never forgets an owner: there are as many as users were ever seen since the start, which is few.

use cloud_sync_protocol::memory::MemoryKind;

use super::Filter;

/// Kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    /// All there are.
    pub(crate) const ALL: [MemoryKind; 3] = [MemoryKind::Note, MemoryKind::Fact, MemoryKind::Turn];

    /// These; all of them where none is named.
    pub(crate) fn of(kinds: &[MemoryKind]) -> Self {
        let kinds = if kinds.is_empty() { &Self::ALL } else { kinds };
        Self(kinds.iter().fold(0, |bits, kind| bits | 1 << Self::number(*kind)))
    }

    /// A kind as it stands in the table `memory`.
    pub(crate) const fn number(kind: MemoryKind) -> u8 {
        match kind {
            MemoryKind::Note => 0,
            MemoryKind::Fact => 1,
            MemoryKind::Turn => 2,
        }
    }

    /// The other way.
    pub(crate) fn from_number(number: u8) -> Option<MemoryKind> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Bit 0 notes, bit 1 facts, bit 2 turns.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}

/// An owner and a kind: four numbers an owner, the last of them unused.
#[derive(Clone, Copy)]
pub(super) struct Tag(u32);

impl Tag {
    fn kind(self) -> usize {
        (self.0 & 3) as usize
    }

    fn owner(self) -> usize {
        (self.0 >> 2) as usize
    }
}

struct Owner {
    town: String,
    user: String,
    /// Rows by kind.
    rows: [usize; 3],
}

/// Everybody who has rows.
#[derive(Default)]
pub(super) struct Owners {
    owners: Vec<Owner>,
}

impl Owners {
    /// The tag of a row, which is counted.
    pub(super) fn enter(&mut self, town: &str, user: &str, kind: MemoryKind) -> Tag {
        let known = self.owners.iter().position(|owner| owner.town == town && owner.user == user);
        let index = known.unwrap_or_else(|| {
            self.owners.push(Owner { town: town.to_owned(), user: user.to_owned(), rows: [0; 3] });
            self.owners.len() - 1
        });
        let kind = Kinds::number(kind);
        self.owners[index].rows[usize::from(kind)] += 1;
        Tag((index as u32) << 2 | u32::from(kind))
    }

    /// A row of this tag is gone.
    pub(super) fn leave(&mut self, tag: Tag) {
        let rows = &mut self.owners[tag.owner()].rows[tag.kind()];
        *rows = rows.saturating_sub(1);
    }

    /// What a filter lets pass.
    pub(super) fn allowed(&self, filter: &Filter<'_>) -> Allowed {
        let whose = filter.whose;
        let mut allowed = Allowed { owners: [u32::MAX; 2], kinds: filter.kinds, rows: 0 };
        let theirs =
            |owner: &Owner| owner.town == whose.town && (owner.user.is_empty() || owner.user == whose.user);
        // At most two: the town and the user.
        let found = self.owners.iter().enumerate().filter(|(_, owner)| theirs(owner));
        for (place, (index, owner)) in allowed.owners.iter_mut().zip(found) {
            *place = index as u32;
            let kinds =
                owner.rows.iter().enumerate().filter(|(kind, _)| filter.kinds.bits() >> kind & 1 == 1);
            allowed.rows += kinds.map(|(_, rows)| rows).sum::<usize>();
        }
        allowed
    }
}

/// What a filter lets pass.
pub(super) struct Allowed {
    owners: [u32; 2],
    kinds: Kinds,
    /// How many rows it is.
    pub(super) rows: usize,
}

impl Allowed {
    pub(super) fn passes(&self, tag: Tag) -> bool {
        let owner = tag.0 >> 2;
        (owner == self.owners[0] || owner == self.owners[1]) && self.kinds.bits() >> tag.kind() & 1 == 1
    }
}
