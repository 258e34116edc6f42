#!/usr/bin/env bash
# Builds the agent for 64-bit ARM with plain Debian, and link and controller for a microcontroller without an operating system.
# Usage: build.sh TARGET_FOLDER    a folder of its own: two compilers must not share one
#
# The compiler is Debian's `rustc-web` with its arm64 library, cargo is your own (rustup's). Nothing is downloaded but the
# crates: no toolchain, no container.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1

packages=(rustc-web rust-web-src libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed$' ||
        missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "missing: ${missing[*]}. On Debian 12:" >&2
    echo "  dpkg --add-architecture arm64 && apt-get update && apt-get install --no-install-recommends ${packages[*]} qemu-user-static jq curl" >&2
    exit 1
fi
# The bare build compiles `core` itself: sources and compiler must be one version.
compiler=$(dpkg-query --show --showformat='${Version}' rustc-web)
sources=$(dpkg-query --show --showformat='${Version}' rust-web-src)
if [ "$compiler" != "$sources" ]; then
    echo "rustc-web is $compiler but rust-web-src is $sources: apt-get install rustc-web rust-web-src" >&2
    exit 1
fi

unset RUSTFLAGS RUSTUP_TOOLCHAIN CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS
export RUSTC=/usr/bin/rustc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export AR_aarch64_unknown_linux_gnu=aarch64-linux-gnu-ar

echo "== robbie-agent for aarch64-unknown-linux-gnu, $("$RUSTC" --version)"
cargo build --locked --release --package agent --bin robbie-agent --target aarch64-unknown-linux-gnu --target-dir "$target"
agent="$target/aarch64-unknown-linux-gnu/release/robbie-agent"
needs=$(aarch64-linux-gnu-objdump --dynamic-syms "$agent" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
echo "$agent: $(stat --format=%s "$agent" | numfmt --to=iec), needs ${needs/_/ } or newer"

echo "== link and controller for thumbv6m-none-eabi"
# Building `core` is a nightly feature of cargo and rustc; this switch opens it for a compiler and sources that match.
RUSTC_BOOTSTRAP=1 cargo build --locked --release -Zbuild-std=core --package firmware-bridge-link \
    --package firmware-bridge-controller --target thumbv6m-none-eabi --target-dir "$target"
