#!/bin/sh
# Installs what the browser and pooling tests need and no package index has: Chromium and PgBouncer.
# Does nothing where both are there. NETVEXA_CHROMIUM names a browser in another place.
set -eu

missing=
if [ ! -x "${NETVEXA_CHROMIUM:-/nonexistent}" ] &&
    ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 &&
    ! command -v google-chrome >/dev/null 2>&1; then
    missing=chromium
fi
PATH=$PATH:/usr/sbin
command -v pgbouncer >/dev/null 2>&1 || missing="$missing pgbouncer"
[ -n "$missing" ] || exit 0

if [ "$missing" = " pgbouncer" ] && { [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; }; then
    echo "PgBouncer is not installed, so the tests behind a pooler are skipped (Debian: apt-get install pgbouncer)."
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need$(printf ' %s' $missing), which cannot be installed from here: as root on Debian or Ubuntu run" \
        "'apt-get install --no-install-recommends $missing', elsewhere use your system's packages" \
        "(NETVEXA_CHROMIUM may name a Chrome or Chromium)." >&2
    exit 1
fi
echo "Installing for the tests:$(printf ' %s' $missing) (apt-get; takes a minute)."
log=$(mktemp)
# RUNLEVEL=1: packages do not start their services, the tests start their own.
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # the list is meant to be split
if ! { apt-get update -q && RUNLEVEL=1 apt-get install -qy --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    tail -3 "$log" >&2
    echo "apt-get could not install $missing (details: $log): install by hand, then run the same again." >&2
    exit 1
fi
rm -f "$log"
