#!/usr/bin/env bash
# Runs COMMAND with a DATABASE_URL: the one that is set, else that of an embedded database which lives as long as the command.
# That one takes one connection at a time: ROBBIE_TEST_EMBEDDED=1 tells tests to leave out what needs more, and they say so.
# Usage: with_database.sh TARGET COMMAND...
set -euo pipefail
target=$1
shift
[ -z "${DATABASE_URL:-}" ] || exec "$@"

cargo build --locked --quiet --package cloud-sync-tryout --bin robbie-tryout
folder=$(mktemp -d)
mkfifo "$folder/said"
"$target/debug/robbie-tryout" database --data "$folder/data" >"$folder/said" &
database=$!
finish() {
    kill "$database" 2>/dev/null || true
    wait "$database" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
exec 3<"$folder/said"
# Fails when the database ends without having said where it is.
read -r said <&3
export DATABASE_URL="${said#DATABASE_URL=}" ROBBIE_TEST_EMBEDDED=1
echo "no DATABASE_URL: an embedded database is used; tests that need more than one connection are left out, and say so" >&2
"$@"
