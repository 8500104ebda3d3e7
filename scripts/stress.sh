#!/usr/bin/env bash
# Runs the tests of Tests/ContrailModelTests at full size, on the core modules alone, in build folders of their own.
#
#   scripts/stress.sh                       all of them
#   STRESS="programs" scripts/stress.sh     some of them
#
#   programs  100,000 random programs against the model, in release mode
#   clean     10,000,000 clean contexts without a problem, in release mode
#   tasks     64 tasks × 20,000 contexts under the thread sanitizer
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

parts=${STRESS:-programs clean tasks}
log=$(mktemp)
saved_pins=
cleanup() {
    [[ -z $saved_pins ]] || mv -f "$saved_pins" Package.resolved
    rm -f "$log"
}
trap cleanup EXIT
if [[ -e Package.resolved ]]; then
    # The smaller manifest has fewer dependencies; the versions chosen for the full one are put back afterwards.
    saved_pins=$(mktemp)
    cp Package.resolved "$saved_pins"
fi
export CONTRAIL_CORE_ONLY=1

# run FILTER ARGUMENT…: the tests that match, refusing a run in which none ran.
run() {
    local filter=$1 started=$SECONDS
    shift
    swift test --disable-xctest --filter "$filter" "$@" 2>&1 | tee "$log"
    grep -qE 'Test run with [1-9][0-9]* tests? .*passed' "$log" || die "no test ran: nothing matches '$filter'"
    note "$filter took $((SECONDS - started)) s, the build included"
}

release=(-c release -Xswiftc -enable-testing --scratch-path .build-stress)
for part in $parts; do
    printf '\n==> %s\n' "$part"
    case $part in
        programs) CONTRAIL_MODEL_PROGRAMS=100000 run ModelTests "${release[@]}" ;;
        clean) CONTRAIL_CLEAN_CONTEXTS=10000000 run CleanContextsTests "${release[@]}" ;;
        tasks)
            CONTRAIL_TASK_CONTEXTS=20000 TSAN_OPTIONS="suppressions=$ROOT/scripts/tsan.supp" \
                run ManyTasksTests --sanitize=thread --scratch-path .build-tsan
            ;;
        *) die "unknown part '$part'; choose among: programs clean tasks" ;;
    esac
done
