#!/usr/bin/env bash
# Runs every check of the repository by stages and prints what each one took.
#
#   scripts/test.sh                              all stages
#   STAGES="soundness tests" scripts/test.sh     some of them
#
#   soundness  sources: layout, shell, tracked files, links, migrations
#   build      debug build of everything, warnings are errors
#   tests      the test suite
#   torture    a recording process is killed in each of its phases, and its trail looked at
#   tsan       the tests of the core modules under the thread sanitizer
#   release    release build of the two programs, as the image has them
#   deploy     systemd unit, Dockerfile, the steps of the image
#   smoke      the release programs on real requests
#
# A stage that fails does not stop the others, except those that need what it makes. Exit status 0: all have passed.
# shellcheck disable=SC2317 # the stages are called by names put together at run time
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

all_stages=(soundness build tests torture tsan release deploy smoke)
budget_minutes=20
logs=$(mktemp -d)
saved_pins=
cleanup() {
    [[ -z $saved_pins ]] || mv -f "$saved_pins" Package.resolved
    rm -rf "$logs"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run_tests LOG COMMAND…: runs a command that tests. A run in which no test ran has failed, and so has one that ends before it says
# how many: what it said is kept for the end, where it is found.
run_tests() {
    local log=$1 count status=0
    shift
    "$@" 2>&1 | tee "$log" || status=$?
    # Tests print what hostile inputs made: the log may hold bytes that are no text.
    count=$(grep -aoE 'Test run with [0-9]+ tests?' "$log" | tail -n 1 | grep -oE '[0-9]+' || true)
    if [[ -z $count || $count == 0 ]]; then
        ((status != 0)) || status=1
        note "no test ran, or the run ended before its last line (exit status $status)"
    fi
    ((status == 0)) || keep_failure "$log" "$status" "${count:-}" "$@" >>"$logs/failures"
    echo $(($(cat "$logs/count" 2>/dev/null || echo 0) + ${count:-0})) >"$logs/count"
    return "$status"
}

# keep_failure LOG STATUS COUNT COMMAND…: prints what is to be seen of a failed run at the end of the output.
keep_failure() {
    local log=$1 status=$2 count=$3
    shift 3
    printf '\n--> failed with %s: %s\n' "$status" "$*"
    grep -aE 'recorded an issue|Fatal error|signal code|Program crashed|SUMMARY: [A-Za-z]+Sanitizer' "$log" | head -n 30 || true
    [[ -n $count ]] || { running_tests "$log" && grep -av ' started\.$' "$log" | tail -n 40; }
}

# running_tests LOG: prints the tests that have begun and not ended.
running_tests() {
    sed -nE 's/^[^ ]+ Test ("[^"]*"|[^ ]+\(\)) started\.$/\1/p' "$1" | sort >"$logs/begun"
    sed -nE 's/^[^ ]+ Test ("[^"]*"|[^ ]+\(\)) .*(passed|failed|skipped) ?.*$/\1/p' "$1" | sort >"$logs/ended"
    comm -23 "$logs/begun" "$logs/ended" | sed 's/^/was running: /'
}

stage_soundness() { scripts/soundness.sh; }

stage_build() { CONTRAIL_STRICT=1 swift build --build-tests; }

stage_tests() {
    export CONTRAIL_STRICT=1
    # Chosen without the build stage, it builds for itself.
    [[ " $stages " == *' build '* ]] || swift build --build-tests
    # The bundle itself: `swift test` plans the whole build anew each time, which takes longer than most modules' tests.
    local bundle module failures=0
    bundle=$(swift build --show-bin-path)/contrailPackageTests.xctest
    # A crash says where it was.
    local -a tests=(env NO_COLOR=1 "SWIFT_BACKTRACE=enable=yes,color=no,interactive=no" "$bundle" --testing-library swift-testing)
    # One module after another: tests that wait for each other's turn on two processors meet their limits of time, and all at once
    # take longer. Filling trails past their caps keeps a small machine busy for a minute, and goes alone.
    for module in Tests/*Tests; do
        module=${module##*/}
        printf '\n--> %s\n' "$module"
        run_tests "$logs/tests" "${tests[@]}" --filter "^$module\\." --skip RetentionTests || failures=1
    done
    run_tests "$logs/tests" "${tests[@]}" --filter RetentionTests || failures=1
    cp "$logs/count" "$logs/total"
    return "$failures"
}

# `make torture` is the long one.
stage_torture() {
    [[ " $stages " == *' build '* ]] || CONTRAIL_STRICT=1 swift build --product torture
    .build/debug/torture --kills 30
}

# Only what it runs is built for it, in a folder of its own: the manifest leaves the rest out. What one thread does alone, at
# length, has nothing to find there.
stage_tsan() {
    CONTRAIL_CORE_ONLY=sanitized TSAN_OPTIONS="suppressions=$ROOT/scripts/tsan.supp" run_tests "$logs/tsan" \
        swift test --disable-xctest --sanitize=thread --scratch-path .build-tsan \
        --filter 'ContextVariablesTests|ContrailRecorderTests|ContrailTests' \
        --skip 'PlantedSecretTests|HostileTextTests'
}

stage_release() { deploy/image.sh build; }

stage_deploy() {
    release_binaries_exist || stage_release
    scripts/deploy-check.sh
}

stage_smoke() {
    release_binaries_exist || stage_release
    scripts/smoke.sh
}

# Chosen without the release stage, a stage takes what is there; the release stage itself always builds.
release_binaries_exist() {
    [[ " $stages " == *' release '* || (-x .build/release/contrail && -x .build/release/Orders) ]]
}

# What must have passed before a stage makes sense, if it was chosen.
needs() {
    case $1 in
        tests | torture) echo build ;;
        deploy | smoke) echo release ;;
    esac
}

stages=${STAGES:-${all_stages[*]}}
stages=$(tr -s ', ' '  ' <<<"$stages")
for stage in $stages; do
    [[ " ${all_stages[*]} " == *" $stage "* ]] || die "unknown stage '$stage'; choose among: ${all_stages[*]}"
done

task=build
for stage in soundness deploy smoke; do
    [[ " $stages " != *" $stage "* ]] || task="test"
done
scripts/install-packages.sh "$task"

declare -A result=() seconds=()
failed=0
started=$SECONDS
for stage in "${all_stages[@]}"; do
    [[ " $stages " == *" $stage "* ]] || continue
    needed=$(needs "$stage")
    if [[ -n $needed && ${result[$needed]-passed} != passed ]]; then
        result[$stage]='skipped'
        seconds[$stage]=0
        failed=1
        continue
    fi
    printf '\n==> %s\n' "$stage"
    if [[ $stage == tsan && -e Package.resolved ]]; then
        # The smaller manifest has fewer dependencies; the versions chosen for the full one are put back afterwards.
        saved_pins=$(mktemp)
        cp Package.resolved "$saved_pins"
    fi
    stage_started=$SECONDS
    status=0
    # In a subshell of its own and not in a condition, where the shell would go on after an error.
    set +e
    (
        set -e
        trap - EXIT
        "stage_$stage"
    )
    status=$?
    set -e
    seconds[$stage]=$((SECONDS - stage_started))
    if [[ -n $saved_pins ]]; then
        mv -f "$saved_pins" Package.resolved
        saved_pins=
    fi
    # An interrupt that ended the stage ends the run.
    ((status != 130 && status != 143)) || exit "$status"
    if ((status == 0)); then
        result[$stage]=passed
    else
        result[$stage]="FAILED ($status)"
        failed=1
    fi
done
total=$((SECONDS - started))

printf '\n%-12s %-14s %s\n' stage result time
for stage in "${all_stages[@]}"; do
    [[ -n ${result[$stage]-} ]] || continue
    printf '%-12s %-14s %2d min %02d s\n' "$stage" "${result[$stage]}" $((seconds[$stage] / 60)) \
        $((seconds[$stage] % 60))
done
verdict=passed
((failed == 0)) || verdict=FAILED
printf '%-12s %-14s %2d min %02d s\n' all "$verdict" $((total / 60)) $((total % 60))
if ((total > budget_minutes * 60)); then
    note "warning: the checks took more than $budget_minutes minutes, which is a bug: find the stage that grew"
fi
[[ ! -e $logs/tsan ]] || grep -E 'Test run with [0-9]+ tests?' "$logs/tsan" | tail -n 1 || true
[[ ! -e $logs/total ]] || echo "$(cat "$logs/total") tests"
[[ ! -e $logs/failures ]] || cat "$logs/failures"
exit "$failed"
