//! Where the next page of a list begins, in letters that mean nothing to a reader. A cursor is bound to its list, to whose
//! list it is and to the filter: anywhere else it is refused. It is no secret and proves nothing.

use uuid::Uuid;

use crate::store::StoreError;

/// Names lists.
const LISTS: Uuid = Uuid::from_u128(0x6f3a_51c2_9d0e_4c55_8a1b_3f60_7e92_c4d8);

/// Names a list: its kind, whose it is, its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List([u8; 8]);

impl List {
    /// The list that these words name. Each word counts with its length, so no two lists share a name.
    #[must_use]
    pub fn named(words: &[Option<&str>]) -> Self {
        let mut whole = Vec::new();
        for word in words {
            match word {
                Some(word) => {
                    whole.extend((word.len() as u64 + 1).to_le_bytes());
                    whole.extend(word.as_bytes());
                }
                None => whole.extend(0_u64.to_le_bytes()),
            }
        }
        let hash = Uuid::new_v5(&LISTS, &whole);
        let mut name = [0; 8];
        // The last bytes: among the first stand version and variant.
        name[1..].copy_from_slice(&hash.as_bytes()[9..]);
        name[0] = hash.as_bytes()[0];
        Self(name)
    }

    /// The cursor behind the row with this key. A key has at most 112 bytes.
    #[must_use]
    pub fn after(self, key: &[u8]) -> String {
        self.0.iter().chain(key).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key in a cursor of this list.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] where it is another list's, or no cursor at all.
    pub fn key<const N: usize>(self, cursor: &str) -> Result<[u8; N], StoreError> {
        let digits = cursor.as_bytes();
        if digits.len() != 2 * (8 + N)
            || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(StoreError::BadCursor);
        }
        let mut bytes = digits.chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]));
        if !self.0.iter().all(|byte| bytes.next() == Some(*byte)) {
            return Err(StoreError::BadCursor);
        }
        let mut key = [0; N];
        for (place, byte) in key.iter_mut().zip(bytes) {
            *place = byte;
        }
        Ok(key)
    }
}

fn nibble(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}

/// A key of a moment and an id.
#[must_use]
pub fn moment_key(ms: i64, id: &[u8; 16]) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&ms.to_be_bytes());
    key[8..].copy_from_slice(id);
    key
}

/// The moment and the id in such a key.
#[must_use]
pub fn moment_of(key: &[u8; 24]) -> (i64, [u8; 16]) {
    let (mut ms, mut id) = ([0; 8], [0; 16]);
    ms.copy_from_slice(&key[..8]);
    id.copy_from_slice(&key[8..]);
    (i64::from_be_bytes(ms), id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_key_and_to_no_other_list() {
        let list = List::named(&[Some("notes"), Some("home"), None]);
        let cursor = list.after(&[1, 2, 255]);
        assert_eq!(list.key::<3>(&cursor).unwrap(), [1, 2, 255]);
        assert!(cursor.len() <= 256 && cursor.is_ascii());
        let other = List::named(&[Some("notes"), Some("home"), Some("")]);
        assert!(matches!(other.key::<3>(&cursor), Err(StoreError::BadCursor)));
        for wrong in ["", "zz", "é", &cursor[2..], &cursor.to_uppercase(), &format!("{cursor}00")] {
            assert!(matches!(list.key::<3>(wrong), Err(StoreError::BadCursor)), "{wrong}");
        }
    }

    #[test]
    fn words_do_not_run_into_each_other() {
        assert_ne!(List::named(&[Some("ab"), Some("c")]), List::named(&[Some("a"), Some("bc")]));
    }
}
