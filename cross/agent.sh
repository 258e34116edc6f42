# Sourced by the emulated checks: an agent with a simulated body in a folder of its own, and calls to its API.
# start COMMAND...    the agent, e.g. `qemu-aarch64-static robbie-agent`; sets $agent, $url and $token

folder=$(mktemp -d)
agent=
end() {
    if [ -n "$agent" ]; then
        kill "$agent" 2>/dev/null || true
        wait "$agent" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap end EXIT

fail() {
    echo "${0##*/}: $*" >&2
    echo "--- what the agent said" >&2
    tail -n 30 "$folder/stdout" "$folder/stderr" >&2
    exit 1
}

# call METHOD PATH [BODY]: the answer goes to $folder/answer, its status to $status. Never fails on a problem.
call() {
    local method=$1 path=$2
    status=$(curl --silent --show-error --max-time 10 --output "$folder/answer" --write-out '%{http_code}' \
        --request "$method" --header "Authorization: Bearer $token" --header 'Content-Type: application/json' \
        ${3:+--data "$3"} "$url$path") || fail "$method $path was not answered"
}

field() {
    jq --raw-output "$1" "$folder/answer"
}

# until SECONDS COMMAND...: waits for COMMAND to succeed.
until_true() {
    local last=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$last" ] || return 1
        sleep 0.1
    done
}

url_is_printed() {
    kill -0 "$agent" 2>/dev/null || fail "the agent ended before it was ready"
    url=$(grep -ohE 'https?://[0-9.]+:[0-9]+/\?token=[A-Za-z0-9_-]+' "$folder/stdout" | head -n 1) && [ -n "$url" ]
}

is_ready() {
    call GET /health
    [ "$status" = 200 ]
}

start() {
    # No settings of the caller: they belong to another robot.
    env -i PATH="$PATH" HOME="$folder" "$@" run --data "$folder/data" --listen 127.0.0.1:0 --print-url \
        >"$folder/stdout" 2>"$folder/stderr" &
    agent=$!
    until_true 60 url_is_printed || fail "no ready URL within 60 s"
    token=${url##*token=}
    url=${url%%/\?token=*}
    until_true 60 is_ready || fail "not ready within 60 s: $(cat "$folder/answer")"
}

end_in_order() {
    kill -TERM "$agent"
    local code=0
    wait "$agent" || code=$?
    agent=
    [ "$code" = 0 ] || fail "ended with $code after SIGTERM"
}
