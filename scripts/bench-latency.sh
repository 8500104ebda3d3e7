#!/usr/bin/env bash
# Measures what one record takes while the disk and the processors are busy and what records add to a steady load, and traces the
# system calls of a thread that records.
#
#   STRICT=1 SCRATCH=Benchmarks/.build scripts/bench-latency.sh
#
# With STRICT=1 the exit status is not 0 when a record takes longer or a steady load more than the bar, or when the traced thread
# asks the system for anything but the time.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

command -v strace >/dev/null || die 'strace is not there; install it (package strace) and try again'
build=(swift build --configuration release --package-path Benchmarks ${SCRATCH:+--scratch-path "$SCRATCH"})
"${build[@]}" --product RecordLatency
program=$("${build[@]}" --show-bin-path)/RecordLatency

strict=()
[[ ${STRICT:-} != 1 ]] || strict=(--strict)
failed=0
"$program" "${strict[@]+"${strict[@]}"}" || failed=1
"$program" steady "${strict[@]+"${strict[@]}"}" || failed=1

trace=$(mktemp -d)
trap 'rm -rf "$trace"' EXIT
# One file for each thread; the one with the marks is the one that records.
strace -ff -o "$trace/calls" "$program" watched
file=$(grep -l 'contrail-begin' "$trace"/calls.*)
sed -n '/contrail-begin/,/contrail-end/p' "$file" | grep -v 'contrail-' >"$trace/between" || true
clock=$(grep -c '^clock_gettime(' "$trace/between" || true)
other=$(grep -vc '^clock_gettime(' "$trace/between" || true)
printf 'system calls %s readings of the clock, %s others\n' "$clock" "$other"
grep -v '^clock_gettime(' "$trace/between" | head -n 5 || true
((other == 0)) || failed=1
[[ ${STRICT:-} != 1 ]] || exit "$failed"
