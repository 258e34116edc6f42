//! Reads numbers and measures, in digits and in words, and puts one token in the place of the words that make it. It knows
//! what units are worth; which number fills which slot is not its matter.

use super::phrase::is_one_of;
use super::token::{Kind, Token};
use words::{ONES, PARTS, TENS, look_up, shape_of, unit_of};

mod words;

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Amount {
    pub value: f64,
    pub unit: Unit,
    /// What one of the unit as said is worth, for "one foot, I mean two".
    pub scale: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Metre,
    Degree,
    /// Degrees that a shape names: "half a turn" needs no direction.
    Turn,
    Second,
    MetrePerSecond,
    Times,
    Step,
    /// Kilograms, euros, percent and what else is no measure of motion.
    Other,
}

/// Tokens with every number and measure as one token.
pub(super) fn fold(tokens: Vec<Token>) -> Vec<Token> {
    let mut folded = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_pronoun = tokens[at].is("one")
            && at > 0
            && tokens[at - 1].is_any("little this that which the another good big no");
        // "Between 1 and 2 metres": the larger stands for both, and "between" tells that it is no measure.
        if tokens[at].is("between")
            && let Some((lower, Kind::Number(_) | Kind::Amount(_))) = amount_at(&tokens, at + 1)
            && tokens.get(at + 1 + lower).is_some_and(|token| token.is("and"))
            && amount_at(&tokens, at + 2 + lower).is_some()
        {
            folded.push(tokens[at].clone());
            at += lower + 2;
            continue;
        }
        let is_at_once = tokens[at].is("once") && at > 0 && tokens[at - 1].is_any("at for");
        let found =
            amount_at(&tokens, at).filter(|(length, _)| !((is_pronoun || is_at_once) && *length == 1));
        let Some((length, kind)) = found else {
            folded.push(tokens[at].clone());
            at += 1;
            continue;
        };
        let (first, last) = (&tokens[at], &tokens[at + length - 1]);
        // "One metre and twenty centimetres".
        if let [.., Token { kind: Kind::Amount(large), .. }, and] = folded.as_slice()
            && let Kind::Amount(small) = kind
            && and.is("and")
            && large.unit == Unit::Metre
            && small.unit == Unit::Metre
            && small.value < large.scale
            && small.scale < large.scale
        {
            folded.pop();
        }
        join(&mut folded, Token { text: "0".to_owned(), kind, from: first.from, to: last.to });
        at += length;
    }
    folded
}

/// "1 m 50 cm", "5 feet 3 inches" and "one metre twenty" are one measure.
fn join(folded: &mut Vec<Token>, token: Token) {
    if let Some(last) = folded.last_mut()
        && let Kind::Amount(one) = last.kind
        && one.unit == Unit::Metre
    {
        let more = match token.kind {
            Kind::Amount(two) if two.unit == Unit::Metre && two.scale < one.scale => two.value,
            Kind::Number(rest)
                if one.scale == 1.0 && (10.0..100.0).contains(&rest) && rest.fract() == 0.0 =>
            {
                rest / 100.0
            }
            _ => f64::NAN,
        };
        if more.is_finite() && more >= 0.0 && one.value >= 0.0 {
            last.kind = Kind::Amount(Amount { value: one.value + more, ..one });
            last.to = token.to;
            return;
        }
    }
    folded.push(token);
}

/// The number or measure that starts here, and how many tokens it takes.
fn amount_at(tokens: &[Token], at: usize) -> Option<(usize, Kind)> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
    if let Some(count) = count_of(word(0), word(1)) {
        return Some((1, times(count)));
    }
    let articled = matches!(word(0), "a" | "an" | "the" | "one");
    if let Some(found) = angle_by_name(&word) {
        return Some(found);
    }
    // "A full turn", "one complete circle", "full circle".
    let from = usize::from(articled);
    if matches!(word(from), "full" | "whole" | "complete") && shape_of(word(from + 1)) {
        return Some((from + 2, turns(1.0)));
    }
    let (mut length, mut value) = match number(tokens, at) {
        Some(found) => found,
        // "A metre", "an inch".
        None if matches!(word(0), "a" | "an") && unit_of(word(1)).is_some() && word(1) != "in" => (1, 1.0),
        None => return None,
    };
    let is_bare_one = length == 1 && word(0) == "one";
    while matches!(word(length), "of" | "a" | "an" | "full" | "whole" | "complete" | "more" | "another")
        && matches!(word(length + 1), "of" | "a" | "an" | "full" | "whole" | "complete")
    {
        length += 1;
    }
    let joined =
        usize::from(matches!(word(length), "of" | "a" | "an" | "full" | "whole" | "complete" | "more"));
    if shape_of(word(length + joined))
        && (value < 1.0 || joined > 0 || word(length).ends_with('s'))
        && !is_bare_one
    {
        return Some((length + joined + 1, turns(value)));
    }
    let Some((unit, scale)) = unit_of(word(length + joined)).filter(|_| word(length) != "a" || value < 1.0)
    else {
        let lone = matches!(
            word(0),
            "half" | "quarter" | "a" | "an" | "third" | "fifth" | "tenth" | "eighth" | "sixth"
        ) && value < 1.0;
        return (!lone).then_some((length, Kind::Number(value)));
    };
    // "Go 10 in the kitchen" has no inches.
    let after = word(length + joined + 1);
    if word(length + joined) == "in" && tokens.get(at + length + joined + 1).is_some() && !is_way(after) {
        return Some((length, Kind::Number(value)));
    }
    length += joined + 1;
    let (more, part) = part_behind(&word, length);
    length += more;
    value += part;
    let (per, unit, scale) = per_time(&word, length, unit, scale);
    Some((length + per, Kind::Amount(Amount { value: value * scale, unit, scale })))
}

/// "A right angle", "half way round".
fn angle_by_name<'a>(word: &impl Fn(usize) -> &'a str) -> Option<(usize, Kind)> {
    let degrees = |value: f64| Kind::Amount(Amount { value, unit: Unit::Degree, scale: 90.0 });
    let (skip, count) = match word(0) {
        "a" | "one" => (1, 1.0),
        "two" => (1, 2.0),
        _ => (0, 1.0),
    };
    if word(skip) == "right" && matches!(word(skip + 1), "angle" | "angles") {
        return Some((skip + 2, degrees(90.0 * count)));
    }
    let skip = usize::from(word(0) == "half");
    let is_half = word(0) == "halfway" || (skip == 1 && word(1) == "way");
    (is_half && matches!(word(skip + 1), "round" | "around")).then(|| (skip + 2, turns(0.5)))
}

/// "Once", "twice"; "once you are there" is a condition.
fn count_of(word: &str, next: &str) -> Option<f64> {
    const AFTER_ONCE: &str =
        "around round for please and , . ! ? then to left right clockwise now counterclockwise";
    match word {
        "once" if next.is_empty() || is_one_of(next, AFTER_ONCE) => Some(1.0),
        "twice" => Some(2.0),
        "thrice" => Some(3.0),
        _ => None,
    }
}

/// "A metre and a half": how many tokens the part takes, and its value.
fn part_behind<'a>(word: &impl Fn(usize) -> &'a str, at: usize) -> (usize, f64) {
    if word(at) != "and" {
        return (0, 0.0);
    }
    if word(at + 1) == "three" && word(at + 2) == "quarters" {
        return (3, 0.75);
    }
    let skip = usize::from(matches!(word(at + 1), "a" | "one"));
    let part = look_up(PARTS, word(at + 1 + skip)).filter(|_| unit_of(word(at + 2 + skip)).is_none());
    part.map_or((0, 0.0), |part| (2 + skip, part))
}

/// "Metres per second", "miles an hour".
fn per_time<'a>(word: &impl Fn(usize) -> &'a str, at: usize, unit: Unit, scale: f64) -> (usize, Unit, f64) {
    if unit == Unit::Metre && matches!(word(at), "per" | "a" | "an" | "/") {
        match word(at + 1) {
            "second" | "sec" | "s" => return (2, Unit::MetrePerSecond, scale),
            "minute" | "min" => return (2, Unit::MetrePerSecond, scale / 60.0),
            "hour" | "h" => return (2, Unit::MetrePerSecond, scale / 3600.0),
            _ => {}
        }
    }
    (0, unit, scale)
}

fn is_way(word: &str) -> bool {
    matches!(
        word,
        "forward"
            | "back"
            | "backward"
            | "ahead"
            | "and"
            | "then"
            | "please"
            | ","
            | "."
            | "!"
            | "?"
            | "left"
            | "right"
            | "straight"
            | "now"
    )
}

const fn times(count: f64) -> Kind {
    Kind::Amount(Amount { value: count, unit: Unit::Times, scale: 1.0 })
}

fn turns(count: f64) -> Kind {
    Kind::Amount(Amount { value: count * 360.0, unit: Unit::Turn, scale: 360.0 })
}

/// A number in digits or words: how many tokens it takes, and its value.
fn number(tokens: &[Token], at: usize) -> Option<(usize, f64)> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
    let skip = usize::from(matches!(word(0), "a" | "an" | "the"));
    match word(skip) {
        "couple" => return Some((skip + 1 + usize::from(word(skip + 1) == "of"), 2.0)),
        "dozen" => return Some((skip + 1, 12.0)),
        "half" if word(skip + 1) == "a" && word(skip + 2) == "dozen" => return Some((skip + 3, 6.0)),
        _ => {}
    }
    if let Some(part) = look_up(PARTS, word(skip)).filter(|_| word(skip) != "second") {
        let is_article = word(0) != "the" && (skip == 1 || word(0) == "half" || word(0) == "quarter");
        return is_article.then(|| (skip + 1, part));
    }
    let (mut length, mut value) = match tokens.get(at).map(|token| token.kind) {
        Some(Kind::Number(value)) => (1, value),
        _ => spelled(tokens, at)?,
    };
    // "Two thirds", "1 1/2", "one and a half", "one point five".
    if let Some(part) = look_up(PARTS, word(length)).filter(|_| word(length) != "half") {
        return Some((length + 1, value * part));
    }
    if let Some(Kind::Number(part)) = tokens.get(at + length).map(|token| token.kind)
        && part > 0.0
        && part < 1.0
        && value.fract() == 0.0
    {
        return Some((length + 1, value + part));
    }
    // "One and three quarters".
    if word(length) == "and"
        && let Some(count) = look_up(ONES, word(length + 1)).filter(|count| (2.0..10.0).contains(count))
        && let Some(part) = look_up(PARTS, word(length + 2)).filter(|_| word(length + 2) != "half")
    {
        return Some((length + 3, value + count * part));
    }
    if word(length) == "and" && matches!(word(length + 1), "a" | "one" | "half") {
        let skip = usize::from(word(length + 1) != "half");
        if let Some(part) = look_up(PARTS, word(length + 1 + skip)) {
            return Some((length + 2 + skip, value + part));
        }
    }
    if matches!(word(length), "point" | "dot") {
        let mut place = 0.1;
        let start = length;
        length += 1;
        while let Some(digit) = look_up(ONES, word(length)).filter(|digit| *digit < 10.0) {
            value += digit * place;
            place /= 10.0;
            length += 1;
        }
        if length == start + 1 {
            length = start;
        }
    }
    Some((length, value))
}

/// A whole number in words, up to the thousands.
fn spelled(tokens: &[Token], at: usize) -> Option<(usize, f64)> {
    let word = |ahead: usize| tokens.get(at + ahead).map_or("", |token| token.text.as_str());
    if word(0) == "point" {
        let digit = look_up(ONES, word(1)).filter(|digit| *digit < 10.0)?;
        let next = look_up(ONES, word(2)).filter(|digit| *digit < 10.0);
        return Some(next.map_or((2, digit / 10.0), |next| (3, digit / 10.0 + next / 100.0)));
    }
    let hundred_article = matches!(word(0), "a" | "an") && matches!(word(1), "hundred" | "thousand");
    let (mut length, mut value) = match below_hundred(&word, 0) {
        Some(found) => found,
        None if hundred_article => (1, 1.0),
        None if word(0) == "hundred" => (0, 1.0),
        None => return None,
    };
    if word(length) == "thousand" {
        return Some((length + 1, value * 1000.0));
    }
    if word(length) == "hundred" {
        value *= 100.0;
        length += 1;
        let skip = usize::from(word(length) == "and");
        if let Some((more, rest)) = below_hundred(&word, length + skip) {
            return Some((length + skip + more, value + rest));
        }
        return Some((length, value));
    }
    // "One eighty", "two seventy".
    if length == 1
        && (1.0..10.0).contains(&value)
        && let Some((more, rest)) = below_hundred(&word, 1).filter(|(_, rest)| *rest >= 20.0)
    {
        return Some((1 + more, value * 100.0 + rest));
    }
    Some((length, value))
}

fn below_hundred<'a>(word: &impl Fn(usize) -> &'a str, at: usize) -> Option<(usize, f64)> {
    if let Some(tens) = look_up(TENS, word(at)) {
        let ones = look_up(ONES, word(at + 1)).filter(|ones| (1.0..10.0).contains(ones));
        return Some(ones.map_or((1, tens), |ones| (2, tens + ones)));
    }
    look_up(ONES, word(at)).map(|ones| (1, ones))
}

#[cfg(test)]
mod tests {
    use super::super::spell::spell;
    use super::super::token::tokens;
    use super::*;

    fn check(text: &str, value: f64, unit: Unit) {
        let folded = fold(spell(tokens(text)));
        assert_eq!(folded.len(), 1, "{text}: {folded:?}");
        let Kind::Amount(amount) = folded[0].kind else { panic!("{text}: {folded:?}") };
        assert!((amount.value - value).abs() < 1e-3 && amount.unit == unit, "{text}: {amount:?}");
    }

    fn check_number(text: &str, expected: f64) {
        let folded = fold(spell(tokens(text)));
        assert_eq!(folded.len(), 1, "{text}: {folded:?}");
        assert!(matches!(folded[0].kind, Kind::Number(value) if (value - expected).abs() < 1e-9), "{text}");
    }

    #[test]
    fn lengths_are_metres() {
        check("50cm", 0.5, Unit::Metre);
        check("half a metre", 0.5, Unit::Metre);
        check("a metre and a half", 1.5, Unit::Metre);
        check("one and a half meters", 1.5, Unit::Metre);
        check("three quarters of a metre", 0.75, Unit::Metre);
        check("two thirds of a metre", 0.6667, Unit::Metre);
        check("a couple of feet", 0.6096, Unit::Metre);
        check("a dozen centimeters", 0.12, Unit::Metre);
        check("one point five meters", 1.5, Unit::Metre);
        check("zero point four m", 0.4, Unit::Metre);
        check("an inch", 0.0254, Unit::Metre);
        check("1 1/2 m", 1.5, Unit::Metre);
        check("5 feet 3 inches", 1.6002, Unit::Metre);
        check("one metre twenty", 1.2, Unit::Metre);
        check("a hundred and twenty centimetres", 1.2, Unit::Metre);
        check("half of a yard", 0.4572, Unit::Metre);
        check("a quarter of a metre", 0.25, Unit::Metre);
    }

    #[test]
    fn angles_are_degrees() {
        check("ninety degrees", 90.0, Unit::Degree);
        check("1 radian", 57.29578, Unit::Degree);
        check("half a turn", 180.0, Unit::Turn);
        check("quarter turn", 90.0, Unit::Turn);
        check("a full circle", 360.0, Unit::Turn);
        check("two full turns", 720.0, Unit::Turn);
        check("a hundred and five degrees", 105.0, Unit::Degree);
        check("three quarters of a turn", 270.0, Unit::Turn);
    }

    #[test]
    fn other_measures_are_told_apart() {
        check("0.2 m/s", 0.2, Unit::MetrePerSecond);
        check("two metres per second", 2.0, Unit::MetrePerSecond);
        check("three times", 3.0, Unit::Times);
        check("2x", 2.0, Unit::Times);
        check("twice", 2.0, Unit::Times);
        check("21 percent", 21.0, Unit::Other);
        check_number("two hundred seventy", 270.0);
        check_number("one eighty", 180.0);
        check_number("thirty-three", 33.0);
    }
}
