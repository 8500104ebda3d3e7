#!/usr/bin/env bash
# Builds the fuzzers with libFuzzer in a folder of their own and runs them one after another, each from its corpus.
#
#   scripts/fuzz.sh                           both
#   FUZZERS=fuzzring scripts/fuzz.sh          one of them
#   FUZZ_SECONDS=60 scripts/fuzz.sh           a minute each, instead of ten
#
#   fuzzring   the reader of rings that a dead process left
#   fuzztrail  recovery of such rings into a trail, and everything that reads stored values
#
# What they find worth keeping goes to .build-fuzz/corpus-NAME, an input that ends the process to .build-fuzz/NAME-crash-…;
# `.build-fuzz/release/NAME FILE` repeats it. Exit status 0: nothing was found.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

export CONTRAIL_FUZZ=1
# The handler of crashes would wait for a debugger.
export SWIFT_BACKTRACE=enable=no
build=.build-fuzz
# Inputs become files thousands of times a second: in memory, where there is a place for that.
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for fuzzer in ${FUZZERS:-fuzzring fuzztrail}; do
    case $fuzzer in
        fuzzring) corpus=Tests/ContrailRecorderTests/Corpus ;;
        fuzztrail) corpus=Tests/ContrailStoreTests/Corpus ;;
        *) die "unknown fuzzer '$fuzzer'; choose among: fuzzring fuzztrail" ;;
    esac
    printf '\n==> %s\n' "$fuzzer"
    # gold, which would be taken otherwise, fails on the instrumented code.
    swift build -c release --product "$fuzzer" --scratch-path "$build" -Xswiftc -sanitize=fuzzer -Xswiftc -use-ld=lld
    mkdir -p "$build/corpus-$fuzzer"
    TMPDIR=$scratch "$build/release/$fuzzer" -max_total_time="${FUZZ_SECONDS:-600}" -max_len=2048 -timeout=20 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$build/$fuzzer-" "$build/corpus-$fuzzer" "$corpus"
done
