#!/usr/bin/env bash
# Runs the browser tests of the page against the programs that `cargo test` has just built: the agent and a cloud behind it.
# Usage: page.sh TARGET_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1

leave_out() {
    echo "left out: the page in a browser ($1)"
    # What people may leave out on their own machine is a failure where everything must run.
    [ "${CI:-}" = true ] && exit 1
    exit 0
}
for tool in node npm chromium; do
    command -v "$tool" >/dev/null || leave_out "$tool is missing: apt-get install nodejs npm chromium"
done

cd agent/tests/page
npm ci --no-audit --no-fund --silent || leave_out "npm ci failed: it needs the npm registry once"
ROBBIE_AGENT_BINARY="$target/debug/robbie-agent" node --test
