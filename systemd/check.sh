#!/usr/bin/env bash
# Checks the units and the udev rules without installing any. Never needs a running systemd.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v systemd-analyze >/dev/null; then
    echo "left out: systemd units and udev rules (systemd-analyze is missing: apt-get install systemd)"
    [ "${CI:-}" = true ] && exit 1
    exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for unit in robbie-agent.service robbie-cloud.service; do
    # `verify` wants the program to exist; where it is installed is not its business here.
    sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' "$unit" >"$folder/$unit"
    systemd-analyze verify --man=no "$folder/$unit" 2>"$folder/said" || true
    if [ -s "$folder/said" ]; then
        cat "$folder/said" >&2
        exit 1
    fi

    # The score depends on the version of systemd; 2.0 is where its "OK" ends for a network service like these.
    systemd-analyze security --offline=true --threshold=20 --no-pager "$folder/$unit" >"$folder/score" || {
        cat "$folder/score" >&2
        exit 1
    }
    tail -n 1 "$folder/score"
done

# `udevadm verify` came with systemd 254; before that only the grammar of each line is checked.
if udevadm verify --help >/dev/null 2>&1; then
    udevadm verify --no-summary 99-robbie.rules
else
    match='(ACTION|KERNEL|SUBSYSTEMS?|DRIVERS?|(ATTRS?|ENV)\{[A-Za-z_/]+\}) *(==|!=) *"[^"]+"'
    assign='((GOTO|LABEL|(ATTR|ENV)\{[A-Za-z_/]+\}) *=|SYMLINK *\+=) *"[^"]+"'
    if grep -vnE "^(#.*)?\$|^($match|$assign)(, *($match|$assign))*\$" 99-robbie.rules; then
        echo "99-robbie.rules: these lines are no udev rules" >&2
        exit 1
    fi
fi
grep -oE 'GOTO="[a-z_]+"' 99-robbie.rules | cut -d'"' -f2 | sort -u | while read -r label; do
    grep -q "^LABEL=\"$label\"\$" 99-robbie.rules || { echo "99-robbie.rules: no label $label" >&2; exit 1; }
done
echo "systemd units and udev rules are fine"
