# Numbered, timed steps for ./demo and ./check; to be sourced. Set STEPS to their number first.
# shellcheck shell=bash

STEP=0
STARTED=$SECONDS

# shellcheck disable=SC2153  # STEPS is the caller's
# step TEXT...: says which step begins, and how long everything has taken so far.
step() {
    STEP=$((STEP + 1))
    printf '[%*d/%d] %4d s  %s\n' "${#STEPS}" "$STEP" "$STEPS" "$((SECONDS - STARTED))" "$*"
}

# quietly LOG COMMAND...: runs it with its output in LOG; a failure shows the lines of LOG that match FIND, an
# extended regular expression, if that is set, and the end of LOG. On a terminal a line every ten seconds
# says that it is still at work.
quietly() {
    local log=$1 began=$SECONDS status=0 worker
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 &
    worker=$!
    while kill -0 "$worker" 2>/dev/null; do
        sleep 0.2
        if [ -t 1 ] && [ $((SECONDS - began)) -ge 10 ]; then
            printf '\r           ... %d s: %.60s\033[K' "$((SECONDS - began))" "$(tail -n 1 "$log" | tr -d '\r\033')"
        fi
    done
    if [ -t 1 ]; then printf '\r\033[K'; fi
    wait "$worker" || status=$?
    if [ "$status" -ne 0 ]; then
        echo "failed: $*  (whole output: $log)" >&2
        if [ -n "${FIND:-}" ]; then grep -aE -m 100 "$FIND" "$log" >&2 || true; fi
        tail -n "${TAIL:-40}" "$log" >&2
    fi
    return "$status"
}

# A Swift toolchain is the one thing that apt does not bring.
need_swift() {
    command -v swift >/dev/null || {
        echo "swift is not on PATH. Install Swift 6.3 or newer (swift.org/install), then run this again." >&2
        exit 69
    }
}
