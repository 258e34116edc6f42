#!/usr/bin/env bash
# Writes notes over HTTP, kills the agent, starts it again, and asserts that the right one is found by word and by meaning.
# Usage: memory.sh COMMAND...    the agent, e.g. `qemu-aarch64-static robbie-agent`
set -euo pipefail
source "$(dirname "$0")/agent.sh"

# found QUESTION: prints what the best hit says.
found() {
    call GET "/api/memory/search?q=$(jq --raw-output --null-input --arg text "$1" '$text | @uri')"
    [ "$status" = 200 ] || fail "search: $status $(cat "$folder/answer")"
    field '.hits[0].text'
}

start "$@"
for text in "The spare keys hang behind the kitchen door" "Water the ficus on Fridays" "Anna adopted a puppy"; do
    call POST /api/sticky-notes/ "{\"content\":\"$text\"}"
    [ "$status" = 201 ] || fail "note: $status $(cat "$folder/answer")"
done
kill -KILL "$agent"
wait "$agent" 2>/dev/null || true
start "$@"
[[ "$(found "where are my keys?")" == *keys* ]] || fail "the keys are not found: $(cat "$folder/answer")"
[[ "$(found "watering")" == *ficus* ]] || fail "the ficus is not found: $(cat "$folder/answer")"
end_in_order
echo "found again after a kill, $SECONDS s"
