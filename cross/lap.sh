#!/usr/bin/env bash
# Drives one lap with the simulated body over HTTP and asserts where the robot ends, not how fast.
# Usage: lap.sh COMMAND...    the agent, e.g. `qemu-aarch64-static robbie-agent`
#
# An emulated agent on a busy machine may miss its own deadlines and close the base, which is what it must do then. The lap
# opens the base again and goes on from where the robot stands: each corner is driven to by the pose in State.
set -euo pipefail

readonly SIDE_M=0.6 TOLERANCE_M=0.08 LAP_S=240

source "$(dirname "$0")/agent.sh"

task_is_over() {
    call GET "/api/robot/tasks/$task"
    [ "$status" = 200 ] || fail "task $task: $status $(cat "$folder/answer")"
    [ "$(field .state)" != running ]
}

# move BODY: drives one move to its end. Fails when the robot did not start or did not get there.
move() {
    call POST /api/robot/move "$1"
    if [ "$status" = 409 ] || [ "$status" = 410 ]; then
        echo "  $(field '.type'): taking the base" >&2
        retakes=$((retakes + 1))
        call POST /api/robot/leases '{"resource":"base","ttl_ms":5000,"take_over":true}'
        return 1
    fi
    [ "$status" = 503 ] && return 1 # the link to the body is away for a moment
    [ "$status" = 202 ] || fail "move $1: $status $(cat "$folder/answer")"
    task=$(field .task)
    until_true 60 task_is_over || fail "task $task still runs after its deadline"
    [ "$(field .state)" = "done" ]
}

# Prints "DISTANCE_M ANGLE_RAD" from where the robot stands to a point, the angle from its heading.
way_to() {
    call GET /api/robot/state
    [ "$status" = 200 ] || fail "state: $status $(cat "$folder/answer")"
    field '.base.pose | "\(.x_m) \(.y_m) \(.heading_rad)"' | awk -v x="$1" -v y="$2" '{
        pi = atan2(0, -1); dx = x - $1; dy = y - $2
        turn = atan2(dy, dx) - $3
        while (turn > pi) turn -= 2 * pi
        while (turn < -pi) turn += 2 * pi
        printf "%.4f %.4f\n", sqrt(dx * dx + dy * dy), turn
    }'
}

larger() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a > b) }'
}

# drive_to X Y: turn and go until the robot stands there.
drive_to() {
    local distance turn
    while :; do
        way_to "$1" "$2" >"$folder/way"
        read -r distance turn <"$folder/way"
        larger "$distance" "$TOLERANCE_M" || break
        [ "$SECONDS" -lt "$lap_end" ] || fail "not at ($1, $2) after $LAP_S s, $distance m away"
        if larger "${turn#-}" 0.05; then
            move "{\"angle_rad\":$turn}" || { sleep 0.2; continue; }
        fi
        move "{\"distance_m\":$distance}" || { sleep 0.2; continue; }
    done
    corners=$((corners + 1))
    echo "  corner $corners at ($1, $2), $distance m off"
}

start "$@"
echo "lap of $SIDE_M m at $url"
lap_end=$((SECONDS + LAP_S))
corners=0
retakes=0
drive_to "$SIDE_M" 0
drive_to "$SIDE_M" "$SIDE_M"
drive_to 0 "$SIDE_M"
drive_to 0 0

call POST /api/robot/stop
[ "$status" = 200 ] || fail "stop: $status $(cat "$folder/answer")"
[ "$(field .confirmed_by_mcu)" = true ] || echo "  the stop was not confirmed by the microcontroller within 250 ms"
is_standing() {
    call GET /api/robot/state
    [ "$(field '.base.velocity | (.linear_mps | fabs) < 0.01 and (.angular_radps | fabs) < 0.02')" = true ]
}
until_true 10 is_standing || fail "still moves after stop: $(field .base)"
pose=$(field '.base.pose | "x \(.x_m) y \(.y_m)"')
[ "$(field ".base.pose | (.x_m | fabs) <= $TOLERANCE_M + 0.05 and (.y_m | fabs) <= $TOLERANCE_M + 0.05")" = true ] ||
    fail "the lap ended at $pose"
[ "$(field .base.closed.by)" = stop ] || fail "the base is not closed by the stop: $(field .base.closed)"

end_in_order
echo "lap driven: $pose at the end, $retakes times taken again, $SECONDS s"
