//! What the microcontroller may do, by the frames that reached it and the rules of the link alone: a wheel has a goal only
//! until the end of the newest setpoint, and none once a stop has come.

use std::collections::VecDeque;

use firmware_bridge_link::ToMcu;
use firmware_bridge_link::frame::Decoder;
use firmware_bridge_link::message::{Setpoint, TimeReply, WheelGoal};

/// A send time further ahead than this is not believed by the MCU, us.
const AHEAD_US_MAX: u64 = 50_000;

/// Questions for the time whose answers may still come.
const ASKED_MAX: usize = 16;

/// The MCU's clock as this simulation knows it, from a moment at which it was told.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    true_us: u64,
    mcu_us: u64,
}

/// The MCU's side of the line.
pub(crate) struct McuSide {
    decoder: Decoder,
    anchor: Option<Anchor>,
    /// What it was last asked for its time with, and when that reached it.
    asked: VecDeque<(u64, u64)>,
    drift: f64,
    newest_us: u64,
    newest_rounding_us: u64,
    /// Until when a wheel may have a goal, true time.
    pub(crate) ends_us: u64,
    /// Before this the MCU hangs or starts: it hears nothing, and while it hangs its outputs are frozen.
    pub(crate) deaf_until_us: u64,
}

/// A frame that reached the MCU and says something about motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Heard {
    Moves,
    Halts,
    Stops,
}

impl McuSide {
    pub(crate) fn new(clock_ppm: i32) -> Self {
        let drift = 1.0 + f64::from(clock_ppm) / 1e6;
        let asked = VecDeque::new();
        Self {
            decoder: Decoder::new(),
            anchor: None,
            asked,
            drift,
            newest_us: 0,
            newest_rounding_us: 0,
            ends_us: 0,
            deaf_until_us: 0,
        }
    }

    /// It hangs or is reset: what was true of the life before is over.
    pub(crate) fn restarts(&mut self, hears_again_us: u64) {
        self.deaf_until_us = hears_again_us;
        self.decoder = Decoder::new();
        self.anchor = None;
        self.asked.clear();
        (self.newest_us, self.newest_rounding_us, self.ends_us) = (0, 0, 0);
    }

    /// The MCU says what its clock showed when it was asked.
    pub(crate) fn tells_time(&mut self, reply: &TimeReply) {
        if let Some((_, true_us)) = self.asked.iter().rfind(|(host_us, _)| *host_us == reply.host_us) {
            self.anchor = Some(Anchor { true_us: *true_us, mcu_us: reply.mcu_us });
        }
    }

    /// The true time at which the MCU's clock shows `mcu_us`.
    pub(crate) fn true_us(&self, mcu_us: u64) -> Option<u64> {
        let anchor = self.anchor?;
        let since_us = mcu_us.wrapping_sub(anchor.mcu_us) as i64 as f64 / self.drift;
        Some(anchor.true_us.saturating_add_signed(since_us.round() as i64))
    }

    fn mcu_us(&self, true_us: u64) -> Option<u64> {
        let anchor = self.anchor?;
        let since_us = true_us.wrapping_sub(anchor.true_us) as i64 as f64 * self.drift;
        Some(anchor.mcu_us.saturating_add_signed(since_us.round() as i64))
    }

    /// Bytes that reached it.
    pub(crate) fn hears(&mut self, now_us: u64, bytes: &[u8], mut heard: impl FnMut(Heard)) {
        if now_us < self.deaf_until_us {
            return;
        }
        for &byte in bytes {
            let Some(Ok(frame)) = self.decoder.push(byte) else { continue };
            match ToMcu::parse(&frame) {
                Ok(ToMcu::Setpoint(setpoint)) => {
                    if let Some(kind) = self.takes(now_us, &setpoint) {
                        heard(kind);
                    }
                }
                Ok(ToMcu::Stop(_)) => {
                    self.ends_us = now_us;
                    heard(Heard::Stops);
                }
                Ok(ToMcu::Time(request)) => {
                    self.asked.push_back((request.host_us, now_us));
                    self.asked.drain(..self.asked.len().saturating_sub(ASKED_MAX));
                }
                _ => {}
            }
        }
    }

    fn takes(&mut self, now_us: u64, setpoint: &Setpoint) -> Option<Heard> {
        let mcu_now_us = self.mcu_us(now_us)?;
        let ttl_us = u64::from(setpoint.ttl_ms.clamp(20, 500)) * 1000;
        // What counts by its arrival may be off by one microsecond of rounding between the two clocks.
        let (order_us, rounding_us) = match setpoint.sent_at_us > mcu_now_us + AHEAD_US_MAX {
            true => (mcu_now_us, 1),
            false => (setpoint.sent_at_us, self.newest_rounding_us),
        };
        let sent_us = self.true_us(setpoint.sent_at_us)?;
        let ends_us = sent_us.min(now_us) + ttl_us;
        if order_us + rounding_us < self.newest_us || ends_us + 1 < now_us {
            return None;
        }
        (self.newest_us, self.newest_rounding_us) = (order_us.max(self.newest_us), rounding_us);
        if moves(&setpoint.wheels) {
            self.ends_us = ends_us;
            return Some(Heard::Moves);
        }
        self.ends_us = now_us;
        Some(Heard::Halts)
    }
}

/// A goal that turns a wheel.
pub(crate) fn moves(wheels: &WheelGoal) -> bool {
    matches!(wheels, WheelGoal::Follow { left_mps, right_mps } if *left_mps != 0.0 || *right_mps != 0.0)
}
