//! New secrets, ids and pairing codes, and the hash under which a secret is kept.

use sha2::{Digest, Sha256};

/// SHA-256 of a whole secret, prefix included.
pub type TokenHash = [u8; 32];

/// Letters and digits of a pairing code: none that a person could take for another.
const CODE_LETTERS: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many of them.
const CODE_LENGTH: usize = 8;

/// The system gives no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandomness(getrandom::Error);

/// The hash under which a secret is kept.
pub fn hash_of(secret: &[u8]) -> TokenHash {
    Sha256::digest(secret).into()
}

/// A token: `rb_` and 256 random bits in hexadecimal digits.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_token() -> Result<String, NoRandomness> {
    Ok(format!("rb_{}", hex(&random::<32>()?)))
}

/// The secret of a pairing: `rd_` and 256 random bits.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_device_secret() -> Result<String, NoRandomness> {
    Ok(format!("rd_{}", hex(&random::<32>()?)))
}

/// An id that tells tokens apart: eight hexadecimal digits. Whoever keeps them looks whether it is taken.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_id() -> Result<String, NoRandomness> {
    Ok(hex(&random::<4>()?))
}

/// A code that a person types: eight letters and digits.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_code() -> Result<String, NoRandomness> {
    let mut code = String::with_capacity(CODE_LENGTH);
    while code.len() < CODE_LENGTH {
        for byte in random::<16>()? {
            // What is left of 256 would make some letters likelier.
            let index = usize::from(byte);
            if index < 240 && code.len() < CODE_LENGTH {
                code.push(char::from(CODE_LETTERS[index % CODE_LETTERS.len()]));
            }
        }
    }
    Ok(code)
}

/// A code as it was typed, without what people put between: `None` where it can be none.
pub fn typed_code(text: &str) -> Option<String> {
    let letters =
        text.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| letter.to_ascii_uppercase());
    let code: String = letters.take(CODE_LENGTH + 1).collect();
    let fits = code.len() == CODE_LENGTH && code.bytes().all(|byte| CODE_LETTERS.contains(&byte));
    fits.then_some(code)
}

fn random<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(NoRandomness)?;
    Ok(bytes)
}

/// As hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_what_a_person_types() {
        // In small letters and in groups, too; anything else is none.
        for _ in 0..100 {
            let code = new_code().unwrap();
            assert_eq!(typed_code(&code), Some(code.clone()));
            let grouped = format!(" {}-{} ", code[..4].to_lowercase(), &code[4..]);
            assert_eq!(typed_code(&grouped), Some(code));
        }
        for wrong in ["", "ABCD", "ABCDEFGHJ", "ABCDEFGI", "ABCDEFG0", "ABCDEFGÄ", "ABCDEFG\0"] {
            assert_eq!(typed_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (first, second) = (new_token().unwrap(), new_token().unwrap());
        assert_eq!((first.len(), &first[..3]), (67, "rb_"));
        assert_ne!(first, second);
        assert!(new_device_secret().unwrap().starts_with("rd_"));
    }
}
