//! What a tier may cost in 24 hours: reserved before it is asked, settled when it is known. In millionths of a US dollar.

use std::time::Duration;

use super::config::Price;
use super::event::Moment;
use crate::tier::Usage;

/// Millionths of a US dollar.
pub(super) type MicroUsd = u64;

const MICRO: f64 = 1e6;
const HOUR: Duration = Duration::from_secs(60 * 60);
/// The hour under way and the 24 before it: at no moment does a window of 24 hours hold more than they do.
const HOURS: usize = 25;
/// Bytes of a token, for those who do not count their tokens.
const TOKEN_BYTES: usize = 4;

/// Tokens of a text, estimated.
pub(super) fn tokens(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(TOKEN_BYTES)).unwrap_or(u32::MAX)
}

/// US dollars, for people.
pub(super) fn usd(micro: MicroUsd) -> f64 {
    micro as f64 / MICRO
}

#[derive(Debug)]
pub(super) struct Budget {
    price: Price,
    limit: Option<MicroUsd>,
    reserved: MicroUsd,
    /// Spent in each hour; the hour's number modulo [`HOURS`] is its place.
    spent: [MicroUsd; HOURS],
    /// The number of the newest hour in `spent`.
    hour: u64,
}

impl Budget {
    pub(super) fn new(price: Price, limit_usd: Option<f64>) -> Self {
        // A number that is none gives the strictest budget.
        let limit = limit_usd.map(|usd| if usd > 0.0 { (usd * MICRO) as MicroUsd } else { 0 });
        Self { price, limit, reserved: 0, spent: [0; HOURS], hour: 0 }
    }

    /// A dollar for a million tokens is a millionth for one.
    pub(super) fn cost(&self, usage: Usage) -> MicroUsd {
        let input = f64::from(usage.input_tokens) * self.price.usd_per_million_input.max(0.0);
        let output = f64::from(usage.output_tokens) * self.price.usd_per_million_output.max(0.0);
        (input + output).ceil() as MicroUsd
    }

    pub(super) fn fits(&self, cost: MicroUsd, now: Moment) -> bool {
        self.limit
            .is_none_or(|limit| self.spent(now).saturating_add(self.reserved).saturating_add(cost) <= limit)
    }

    /// Whether not a single token fits.
    pub(super) fn is_spent(&self, now: Moment) -> bool {
        let least = self.cost(Usage { input_tokens: 1, output_tokens: 0 });
        least > 0 && !self.fits(least, now)
    }

    pub(super) fn reserve(&mut self, cost: MicroUsd) {
        self.reserved = self.reserved.saturating_add(cost);
    }

    /// What was reserved becomes what it cost.
    pub(super) fn settle(&mut self, reserved: MicroUsd, cost: MicroUsd, now: Moment) {
        self.reserved = self.reserved.saturating_sub(reserved);
        self.move_to(now);
        let spent = &mut self.spent[(self.hour % HOURS as u64) as usize];
        *spent = spent.saturating_add(cost);
    }

    pub(super) const fn reserved(&self) -> MicroUsd {
        self.reserved
    }

    pub(super) fn spent(&self, now: Moment) -> MicroUsd {
        let hour = hour(now);
        let oldest = hour.saturating_sub(HOURS as u64 - 1);
        let first = self.hour.saturating_sub(HOURS as u64 - 1).max(oldest);
        (first..=self.hour)
            .map(|hour| self.spent[(hour % HOURS as u64) as usize])
            .fold(0, MicroUsd::saturating_add)
    }

    fn move_to(&mut self, now: Moment) {
        let hour = hour(now);
        let passed = hour.saturating_sub(self.hour).min(HOURS as u64);
        for ahead in 0..passed {
            self.spent[((hour - ahead) % HOURS as u64) as usize] = 0;
        }
        self.hour = self.hour.max(hour);
    }
}

const fn hour(now: Moment) -> u64 {
    now.as_secs() / HOUR.as_secs()
}
