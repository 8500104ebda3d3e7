# shellcheck shell=bash
# Functions that the scripts of this folder share. Sourced, never run.

# The repository's root: every script works from there, whatever folder it was called in.
# shellcheck disable=SC2034 # used by the scripts that source this one
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

note() { printf '%s\n' "$*"; }

# One line that names the cause and the remedy, on standard error; then the end.
die() {
    printf '%s: error: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Whether something accepts connections on a port of 127.0.0.1.
port_is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Prints a port of 127.0.0.1 on which nothing listens now; below the range the kernel gives to outgoing connections.
free_port() {
    local port attempt
    for ((attempt = 0; attempt < 50; attempt++)); do
        port=$((20000 + RANDOM % 12000))
        if ! port_is_open "$port"; then
            printf '%s\n' "$port"
            return 0
        fi
    done
    die 'no free port between 20000 and 32000 found in 50 attempts'
}

# wait_until_healthy URL PID SECONDS: succeeds when the URL answers 200; fails when the process ends first or the time is
# over.
wait_until_healthy() {
    local url=$1 pid=$2 deadline=$((SECONDS + $3))
    while ! curl --silent --fail --max-time 2 --output /dev/null "$url"; do
        kill -0 "$pid" 2>/dev/null || return 1
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
    # An answer counts only if it is this process that gave it.
    kill -0 "$pid" 2>/dev/null
}
