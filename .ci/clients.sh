#!/usr/bin/env bash
# OpenAI's own clients for tests, below FOLDER: fetches them from PyPI and npm once, and prints their folder, with the programs
# `python` and `node_modules` in it.
# Usage: clients.sh FOLDER
set -euo pipefail
sources=$(cd "$(dirname "$0")/../cloud-sync/tests/clients" && pwd)
mkdir -p "$1"
folder="$(cd "$1" && pwd)/tools/openai-clients"
wanted=$(cat "$sources/requirements.txt" "$sources/package-lock.json" | sha256sum | cut -d ' ' -f 1)

if [ "$(cat "$folder/fetched" 2>/dev/null)" != "$wanted" ]; then
    echo "fetching OpenAI's clients" >&2
    rm -rf "$folder"
    mkdir -p "$folder"
    python3 -m venv "$folder/venv" >&2
    "$folder/venv/bin/pip" install --quiet --requirement "$sources/requirements.txt" >&2
    cp "$sources"/package*.json "$folder"
    npm ci --prefix "$folder" --no-audit --no-fund --silent >&2
    echo "$wanted" >"$folder/fetched"
fi
echo "$folder"
