#!/usr/bin/env bash
# Runs the agent built for 64-bit ARM under emulation: does it start, does it know itself, does it drive.
# Usage: check.sh TARGET_FOLDER    the folder given to build.sh
set -euo pipefail
cd "$(dirname "$0")/.."
agent="$1/aarch64-unknown-linux-gnu/release/robbie-agent"

for tool in qemu-aarch64-static jq curl; do
    command -v "$tool" >/dev/null || { echo "missing: $tool (apt-get install qemu-user-static jq curl)" >&2; exit 1; }
done
# No QEMU_LD_PREFIX: with it qemu was seen to hang. The arm64 C library of libstd-rust-web-dev:arm64 lies in its usual place.
unset QEMU_LD_PREFIX

echo "== robbie-agent --version"
version=$(timeout 60 qemu-aarch64-static "$agent" --version)
echo "$version"
[[ "$version" == "robbie-agent "* ]]

echo "== robbie-agent doctor --json"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# What it finds depends on this machine, so its exit code is no matter here; that it answers in JSON is.
ROBBIE_DATA="$folder/data" timeout 60 qemu-aarch64-static "$agent" doctor --json >"$folder/doctor.json" || true
jq -e 'type == "object" or (type == "array" and length > 0)' "$folder/doctor.json" >/dev/null
jq -c . "$folder/doctor.json" | cut -c 1-400

echo "== one lap"
cross/lap.sh qemu-aarch64-static "$agent"

echo "== memory"
cross/memory.sh qemu-aarch64-static "$agent"
