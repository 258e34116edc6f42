#!/bin/sh
# Chromium draws in software here; the robot's body must not starve for that.
exec nice -n 10 "${CHROMIUM:-/usr/bin/chromium}" "$@"
