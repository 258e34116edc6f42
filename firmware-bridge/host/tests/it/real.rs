//! The real controller with a body that does at once what the ramp says.

use firmware_bridge_controller::{Config, Controller, Inputs};
use firmware_bridge_link::ToHost;
use firmware_bridge_link::frame::{Class, Decoder, FrameBuf, encode};
use firmware_bridge_link::message::{HelloRequest, Limits, PROTOCOL, RANGES_MAX, RangeReading, ResetReason};

use crate::world::{LIMITS, Mcu};

const CONTROL_US: u64 = 2_000;

pub(crate) struct Real {
    pub controller: Controller,
    pub estop_pressed: bool,
    boot_id: u32,
    booted_at_us: u64,
    control_at_us: u64,
    wheels_um: [f64; 2],
}

impl Real {
    pub(crate) fn new(boot_id: u32) -> Self {
        let looser = Limits { wheel_mps_max: 2.0, hold_ms: 300, ..LIMITS };
        let config = Config {
            board: *b"test\0\0\0\0\0\0\0\0\0\0\0\0",
            firmware: [1, 2, 3],
            head: true,
            lights: true,
            ranges: 2,
            limits: looser,
            battery_soft_mv: 10_000,
            battery_cut_mv: 9_000,
        };
        Self {
            controller: Controller::new(config, boot_id, ResetReason::PowerOn),
            estop_pressed: false,
            boot_id,
            booted_at_us: 0,
            control_at_us: 0,
            wheels_um: [0.0; 2],
        }
    }

    /// The MCU starts again, with its clock at zero.
    pub(crate) fn reset(&mut self, now_us: u64) {
        *self = Self { booted_at_us: now_us, control_at_us: now_us, ..Self::new(self.boot_id + 1) };
    }

    /// The MCU's clock at a moment of the host's.
    pub(crate) fn clock_us(&self, now_us: u64) -> u64 {
        now_us - self.booted_at_us
    }

    /// The limits in force, as the MCU tells whoever asks who it is.
    pub(crate) fn limits(&mut self, now_us: u64) -> Limits {
        let (mut question, mut answer) = (FrameBuf::new(), FrameBuf::new());
        encode(Class::Hello, 0, &HelloRequest { protocol: PROTOCOL }, &mut question).unwrap();
        self.controller.receive(self.clock_us(now_us), question.as_bytes());
        let mut decoder = Decoder::new();
        while self.controller.transmit(self.clock_us(now_us), &mut answer) {
            for byte in answer.as_bytes() {
                if let Some(Ok(frame)) = decoder.push(*byte)
                    && let Ok(ToHost::Hello(hello)) = ToHost::parse(&frame)
                {
                    return hello.capabilities.limits;
                }
            }
        }
        panic!("no answer");
    }

    fn inputs(&self) -> Inputs {
        Inputs {
            left_um: self.wheels_um[0] as i64,
            right_um: self.wheels_um[1] as i64,
            gyro_radps: 0.0,
            acceleration_mps2: 0.0,
            ranges: [RangeReading { mm: 1_000, age_ms: 0 }; RANGES_MAX],
            battery_mv: 12_000,
            battery_percent: 80,
            pan_rad: 0.0,
            tilt_rad: 0.0,
            estop_pressed: self.estop_pressed,
        }
    }
}

impl Mcu for Real {
    fn turn(&mut self, now_us: u64, bytes: &[u8], out: &mut Vec<FrameBuf>) {
        let mcu_us = self.clock_us(now_us);
        self.controller.receive(mcu_us, bytes);
        self.controller.check_deadlines(mcu_us);
        if self.control_at_us <= now_us {
            self.control_at_us = now_us + CONTROL_US;
            let inputs = self.inputs();
            let outputs = self.controller.control(mcu_us, &inputs);
            let step_s = CONTROL_US as f64 / 1e6;
            self.wheels_um[0] += f64::from(outputs.left_mps) * step_s * 1e6;
            self.wheels_um[1] += f64::from(outputs.right_mps) * step_s * 1e6;
        }
        let mut frame = FrameBuf::new();
        while self.controller.transmit(mcu_us, &mut frame) {
            out.push(frame.clone());
        }
    }
}
