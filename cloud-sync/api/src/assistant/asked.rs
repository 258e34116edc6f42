//! What stands behind the question mark, and texts in bodies: within their limits, or the problem that names the field.

use std::str::FromStr;

use crate::json::shortened;
use crate::problem::{Answer, Problem};

/// 413 where `text` is longer than `bytes_max`, 400 where it holds a NUL, which not every store can keep.
pub(super) fn text(field: &'static str, text: &str, bytes_max: usize) -> Answer<()> {
    if text.len() > bytes_max {
        let detail = format!("{field} has {} bytes: at most {bytes_max}.", text.len());
        return Err(Problem::too_long(bytes_max).detail_is(detail).field(field));
    }
    if text.contains('\0') {
        return Err(Problem::bad_request(format!("{field} holds a NUL character (\\u0000).")).field(field));
    }
    Ok(())
}

/// A value that was left empty, as forms do, is none.
pub(super) fn given(value: Option<String>) -> Option<String> {
    value.filter(|value| !value.is_empty())
}

/// A number of rows: `default` where none is given, 422 outside `1..=max`.
pub(super) fn limit(value: Option<&str>, default: u32, max: u32) -> Answer<u32> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(default) };
    let number = i64::from_str(value);
    let number =
        number.map_err(|_no_number| Problem::bad_request("limit is a whole number.").field("limit"))?;
    match u32::try_from(number) {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => Err(Problem::out_of_range("limit", 1.0, f64::from(max))),
    }
}

/// A number of a body: 422 outside `range`.
pub(super) fn number(
    field: &'static str,
    value: Option<i64>,
    range: std::ops::RangeInclusive<u8>,
) -> Answer<Option<u8>> {
    let Some(value) = value else { return Ok(None) };
    match u8::try_from(value) {
        Ok(number) if range.contains(&number) => Ok(Some(number)),
        _ => Err(Problem::out_of_range(field, f64::from(*range.start()), f64::from(*range.end()))),
    }
}

/// 400 that repeats the beginning of a word which is not known.
pub(super) fn unknown(field: &'static str, word: &str, known: &str) -> Problem {
    Problem::bad_request(format!("{field} \"{}\" is not known; there are {known}.", shortened(word)))
        .field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_in_their_range() {
        // Absent and empty mean the default; anything that is no number is 400, a number outside 422.
        let check = |value: Option<&str>, wanted: Result<u32, u16>| {
            let found = limit(value, 50, 500).map_err(|problem| problem.status().as_u16());
            assert_eq!(found, wanted, "{value:?}");
        };
        check(None, Ok(50));
        check(Some(""), Ok(50));
        check(Some("1"), Ok(1));
        check(Some("500"), Ok(500));
        for outside in ["0", "-1", "501", "4294967297", "9223372036854775807"] {
            check(Some(outside), Err(422));
        }
        for no_number in ["ten", "1.5", "0x10", " 1", "1e2", "99999999999999999999"] {
            check(Some(no_number), Err(400));
        }
    }
}
