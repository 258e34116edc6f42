//! Faults that can be injected into a simulated body, as data: for virtual time, a live body, or a line of text.

use std::str::FromStr;

use firmware_bridge_link::message::ResetReason;
use serde::Deserialize;

/// Longest silence, ms; most bytes of garbage at once. Enough for every test, small enough for every memory.
const SILENCE_MS_MAX: u32 = 600_000;
const GARBAGE_MAX: u32 = 65_536;
/// Byte faults are given per million bytes.
const MILLION: u32 = 1_000_000;

/// The lines that [`Fault`] is parsed from, for a human.
pub const HELP: &str = "\
Faults, one a line on standard input:
  reset REASON             the MCU restarts: power-on, brown-out, watchdog, software, external
                           (watchdog: it first hangs with its outputs frozen until the watchdog bites)
  silence MS               the MCU works but sends nothing for MS milliseconds
  garbage N                the MCU sends N random bytes
  corrupt PPM              from now on this share of sent bytes (per million) has a flipped bit
  drop PPM                 ... is left out
  duplicate PPM            ... is sent twice
  encoder left|right stuck the encoder no longer counts
  range front|rear dead    the sensor gives no new readings
  battery VOLTS            the battery has this voltage without load
  estop press|release      the e-stop button of the body
  clear                    everything above ends (latches of the MCU stay)";

/// One side of the drive train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wheel {
    /// Left.
    Left,
    /// Right.
    Right,
}

/// Where a range sensor looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RangeSide {
    /// Ahead.
    Front,
    /// Behind.
    Rear,
}

/// The e-stop button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    /// Down.
    Pressed,
    /// Up.
    Released,
}

/// Something that goes wrong, or a button that is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The MCU restarts. A watchdog reset is preceded by a hang: outputs stay as they are until the watchdog bites.
    Reset(ResetReason),
    /// The MCU works but nothing it sends arrives.
    Silence {
        /// For how long, ms.
        for_ms: u32,
    },
    /// The MCU sends random bytes.
    Garbage {
        /// How many.
        bytes: u32,
    },
    /// Sent bytes have a flipped bit.
    Corrupt {
        /// Share, per million bytes.
        ppm: u32,
    },
    /// Sent bytes are left out.
    Drop {
        /// Share, per million bytes.
        ppm: u32,
    },
    /// Sent bytes come twice.
    Duplicate {
        /// Share, per million bytes.
        ppm: u32,
    },
    /// An encoder no longer counts.
    EncoderStuck(Wheel),
    /// A range sensor gives no new readings.
    RangeDead(RangeSide),
    /// The battery's voltage without load.
    Battery {
        /// mV.
        mv: u16,
    },
    /// The e-stop button of the body.
    EStop(Button),
    /// Every lasting fault ends. What the MCU has latched stays latched.
    Clear,
}

/// Why a line is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault has this form.
    #[error("unknown fault {0:?}; see --help")]
    Unknown(String),
    /// The number is missing, not a number or out of range.
    #[error("{fault} needs a number from {min} to {max}")]
    Number {
        /// Which fault.
        fault: &'static str,
        /// Smallest.
        min: u32,
        /// Largest.
        max: u32,
    },
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(line: &str) -> Result<Self, FaultError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(match words.as_slice() {
            ["reset", reason] => Self::Reset(reset_reason(reason).ok_or_else(|| unknown(line))?),
            ["silence", ms] => Self::Silence { for_ms: number("silence", ms, 1, SILENCE_MS_MAX)? },
            ["garbage", bytes] => Self::Garbage { bytes: number("garbage", bytes, 1, GARBAGE_MAX)? },
            ["corrupt", ppm] => Self::Corrupt { ppm: number("corrupt", ppm, 0, MILLION)? },
            ["drop", ppm] => Self::Drop { ppm: number("drop", ppm, 0, MILLION)? },
            ["duplicate", ppm] => Self::Duplicate { ppm: number("duplicate", ppm, 0, MILLION)? },
            ["encoder", "left", "stuck"] => Self::EncoderStuck(Wheel::Left),
            ["encoder", "right", "stuck"] => Self::EncoderStuck(Wheel::Right),
            ["range", "front", "dead"] => Self::RangeDead(RangeSide::Front),
            ["range", "rear", "dead"] => Self::RangeDead(RangeSide::Rear),
            ["battery", volts] => Self::Battery { mv: millivolts(volts)? },
            ["estop", "press"] => Self::EStop(Button::Pressed),
            ["estop", "release"] => Self::EStop(Button::Released),
            ["clear"] => Self::Clear,
            _ => return Err(unknown(line)),
        })
    }
}

fn unknown(line: &str) -> FaultError {
    FaultError::Unknown(line.trim().to_owned())
}

fn reset_reason(word: &str) -> Option<ResetReason> {
    Some(match word {
        "power-on" => ResetReason::PowerOn,
        "brown-out" => ResetReason::BrownOut,
        "watchdog" => ResetReason::Watchdog,
        "software" => ResetReason::Software,
        "external" => ResetReason::External,
        _ => return None,
    })
}

fn number(fault: &'static str, word: &str, min: u32, max: u32) -> Result<u32, FaultError> {
    let wrong = FaultError::Number { fault, min, max };
    word.parse().ok().filter(|number| (min..=max).contains(number)).ok_or(wrong)
}

fn millivolts(word: &str) -> Result<u16, FaultError> {
    let wrong = FaultError::Number { fault: "battery", min: 0, max: 65 };
    let volts: Option<f64> = word.parse().ok();
    let volts = volts.filter(|volts| (0.0..=65.0).contains(volts)).ok_or(wrong)?;
    Ok((volts * 1e3).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, wanted: Fault) {
        assert_eq!(line.parse(), Ok(wanted), "{line}");
    }

    #[test]
    fn every_documented_line_is_a_fault() {
        // What --help says works when it is typed.
        check("reset watchdog", Fault::Reset(ResetReason::Watchdog));
        check("reset brown-out\n", Fault::Reset(ResetReason::BrownOut));
        check("silence 500", Fault::Silence { for_ms: 500 });
        check("  garbage   64", Fault::Garbage { bytes: 64 });
        check("corrupt 1000", Fault::Corrupt { ppm: 1000 });
        check("drop 0", Fault::Drop { ppm: 0 });
        check("duplicate 1000000", Fault::Duplicate { ppm: 1_000_000 });
        check("encoder left stuck", Fault::EncoderStuck(Wheel::Left));
        check("range rear dead", Fault::RangeDead(RangeSide::Rear));
        check("battery 9.6", Fault::Battery { mv: 9_600 });
        check("estop press", Fault::EStop(Button::Pressed));
        check("estop release", Fault::EStop(Button::Released));
        check("clear", Fault::Clear);
    }

    fn check_refused(line: &str, wanted: &str) {
        let error = line.parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }

    #[test]
    fn other_lines_are_refused_with_the_reason() {
        // A typing error never becomes another fault.
        check_refused("", "unknown fault");
        check_refused("reset", "unknown fault \"reset\"");
        check_refused("reset tuesday", "reset tuesday");
        check_refused("encoder middle stuck", "unknown fault");
        check_refused("silence -1", "silence needs a number from 1 to 600000");
        check_refused("garbage 9999999", "65536");
        check_refused("battery nan", "battery needs a number from 0 to 65");
        check_refused("clear all", "unknown fault");
    }
}
