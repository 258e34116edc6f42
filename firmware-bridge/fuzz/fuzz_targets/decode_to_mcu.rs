//! Any bytes at the MCU's end: whatever the host's side of the wire says, and whenever, no rule is broken.
//!
//! The script and the rules are those of the controller's property tests.

#![no_main]

#[path = "../../controller/tests/it/harness.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    harness::play(script);
});
