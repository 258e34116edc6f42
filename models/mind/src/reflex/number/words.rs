//! The words of numbers and units, and what they are worth. It reads no sentence.

use super::Unit;

pub(super) const ONES: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("nought", 0.0),
    ("naught", 0.0),
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("pi", std::f64::consts::PI),
];
pub(super) const TENS: &[(&str, f64)] = &[
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fourty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("ninty", 90.0),
];
pub(super) const PARTS: &[(&str, f64)] = &[
    ("half", 0.5),
    ("third", 1.0 / 3.0),
    ("thirds", 1.0 / 3.0),
    ("quarter", 0.25),
    ("quarters", 0.25),
    ("fifth", 0.2),
    ("fifths", 0.2),
    ("sixth", 1.0 / 6.0),
    ("sixths", 1.0 / 6.0),
    ("eighth", 0.125),
    ("eighths", 0.125),
    ("tenth", 0.1),
    ("tenths", 0.1),
];

pub(super) fn unit_of(word: &str) -> Option<(Unit, f64)> {
    Some(match word {
        "m" | "metre" | "mtr" | "mtrs" | "mt" => (Unit::Metre, 1.0),
        "dm" | "decimetre" | "decimeter" => (Unit::Metre, 0.1),
        "cm" | "cms" | "centimetre" | "centi" => (Unit::Metre, 0.01),
        "mm" | "millimetre" => (Unit::Metre, 0.001),
        "km" | "kms" | "kilometre" => (Unit::Metre, 1000.0),
        "inch" | "in" => (Unit::Metre, 0.0254),
        "foot" | "ft" => (Unit::Metre, 0.3048),
        "yard" | "yd" | "yds" => (Unit::Metre, 0.9144),
        "mile" | "miles" => (Unit::Metre, 1609.344),
        "degree" => (Unit::Degree, 1.0),
        "radian" | "radians" | "rad" | "rads" => (Unit::Degree, 180.0 / std::f64::consts::PI),
        "s" | "sec" | "secs" | "second" | "seconds" => (Unit::Second, 1.0),
        "min" | "mins" | "minute" | "minutes" => (Unit::Second, 60.0),
        "h" | "hr" | "hrs" | "hour" | "hours" => (Unit::Second, 3600.0),
        "day" | "days" | "week" | "weeks" | "month" | "months" | "year" | "years" => (Unit::Second, 86400.0),
        "m/s" | "mps" => (Unit::MetrePerSecond, 1.0),
        "cm/s" => (Unit::MetrePerSecond, 0.01),
        "mm/s" => (Unit::MetrePerSecond, 0.001),
        "km/h" | "kmh" | "kph" => (Unit::MetrePerSecond, 1.0 / 3.6),
        "mph" => (Unit::MetrePerSecond, 0.44704),
        "times" | "time" | "x" => (Unit::Times, 1.0),
        "step" | "steps" | "pace" | "paces" => (Unit::Step, 1.0),
        "percent" | "kg" | "euro" | "euros" | "dollars" | "celsius" | "fahrenheit" | "km²" | "am" | "pm"
        | "o'clock" | "st" | "nd" | "rd" | "th" | "k" | "people" => (Unit::Other, 1.0),
        _ => return None,
    })
}

/// A whole turn by its names.
pub(super) fn shape_of(word: &str) -> bool {
    matches!(
        word,
        "turn" | "turns" | "rotation" | "rotations" | "revolution" | "revolutions" | "circle" | "spin"
    )
}

/// The value of a word in one of the tables.
pub(super) fn look_up(table: &[(&str, f64)], word: &str) -> Option<f64> {
    table.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}
