//! A battery that sags under load and runs down slowly.

use super::Defects;
use super::drive_train::DriveTrain;
use crate::profile::{BatteryProfile, BodyProfile};

/// Voltage without load over charge, both as shares: the shape of a lithium-ion cell, steep at both ends.
const CURVE: [(f64, f64); 8] = [
    (0.0, 0.0),
    (0.05, 0.25),
    (0.1, 0.375),
    (0.2, 0.486),
    (0.4, 0.583),
    (0.6, 0.68),
    (0.8, 0.805),
    (1.0, 1.0),
];

#[derive(Clone, Debug)]
pub(crate) struct Battery {
    profile: BatteryProfile,
    /// 0..=1.
    charge: f64,
    current_a: f64,
}

impl Battery {
    pub(crate) fn new(profile: &BodyProfile) -> Self {
        let battery = profile.battery.clone();
        let charge = f64::from(battery.charge_percent) / 100.0;
        let current_a = f64::from(battery.idle_a);
        Self { profile: battery, charge, current_a }
    }

    pub(crate) fn pass(&mut self, dt_s: f64, drive_train: &DriveTrain) {
        let (speed, push) = drive_train.effort();
        self.current_a = f64::from(self.profile.idle_a)
            + speed * f64::from(self.profile.motor_a)
            + push * f64::from(self.profile.surge_a);
        let used_mah = self.current_a * dt_s / 3.6;
        self.charge = (self.charge - used_mah / f64::from(self.profile.capacity_mah)).max(0.0);
    }

    pub(crate) fn voltage_mv(&self, defects: &Defects) -> u16 {
        let sag_mv = self.current_a * f64::from(self.profile.resistance_ohm) * 1e3;
        (self.open_mv(defects) - sag_mv).clamp(0.0, f64::from(u16::MAX)) as u16
    }

    /// What a gauge shows that goes by the voltage without load.
    pub(crate) fn percent(&self, defects: &Defects) -> u8 {
        let (empty_mv, span_mv) = self.span_mv();
        let share = inverse((self.open_mv(defects) - empty_mv) / span_mv);
        (share * 100.0).round() as u8
    }

    fn open_mv(&self, defects: &Defects) -> f64 {
        let (empty_mv, span_mv) = self.span_mv();
        defects.battery_mv.map_or_else(|| empty_mv + span_mv * curve(self.charge), f64::from)
    }

    fn span_mv(&self) -> (f64, f64) {
        let empty_mv = f64::from(self.profile.empty_mv);
        (empty_mv, f64::from(self.profile.full_mv) - empty_mv)
    }
}

fn curve(charge: f64) -> f64 {
    interpolate(charge, |&(charge, voltage)| (charge, voltage))
}

fn inverse(voltage: f64) -> f64 {
    interpolate(voltage, |&(charge, voltage)| (voltage, charge))
}

/// Along [`CURVE`], from whichever of its axes `pick` puts first; clamped at both ends.
fn interpolate(at: f64, pick: impl Fn(&(f64, f64)) -> (f64, f64)) -> f64 {
    let at = at.clamp(0.0, 1.0);
    for pair in CURVE.windows(2) {
        let [from, to] = pair else { continue };
        let ((x0, y0), (x1, y1)) = (pick(from), pick(to));
        if at <= x1 {
            return y0 + (at - x0) / (x1 - x0) * (y1 - y0);
        }
    }
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gauge_reads_back_the_charge() {
        // The percentage a user sees is the charge that is left.
        for percent in 0..=100 {
            let charge = f64::from(percent) / 100.0;
            assert!((inverse(curve(charge)) - charge).abs() < 1e-9, "{percent}");
        }
    }

    #[test]
    fn a_forced_voltage_is_what_the_body_measures() {
        // The fault `battery 9.6` shows 9.6 V less the sag, and a nearly empty gauge.
        let battery = Battery::new(&BodyProfile::default());
        let low = Defects { battery_mv: Some(9_600), ..Defects::default() };
        assert_eq!(battery.voltage_mv(&low), 9_590);
        assert_eq!(battery.percent(&low), 3);
        assert_eq!(battery.percent(&Defects::default()), 95);
    }
}
