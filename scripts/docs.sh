#!/usr/bin/env bash
# Makes the documentation of the module Contrail as static pages: the articles of its catalogue and the docstrings of its
# public declarations. A warning, such as a link that leads nowhere, is an error.
#
#   scripts/docs.sh [FOLDER]     by default .build-docs/site
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

site=$(realpath -m "${1:-$ROOT/.build-docs/site}")
cd "$ROOT"
command -v docc >/dev/null || die 'docc is not on the path: it comes with the Swift toolchain'

work=$(mktemp -d)
cleanup() {
    [[ ! -e $work/Package.resolved ]] || mv -f "$work/Package.resolved" Package.resolved
    rm -rf "$work"
}
trap cleanup EXIT
# The smaller manifest has fewer dependencies; the versions chosen for the full one are put back afterwards.
[[ ! -e Package.resolved ]] || cp Package.resolved "$work/Package.resolved"

scratch=${DOCS_SCRATCH:-.build-docs}
CONTRAIL_CORE_ONLY=1 swift build --scratch-path "$scratch" --target Contrail
built=$(CONTRAIL_CORE_ONLY=1 swift build --scratch-path "$scratch" --show-bin-path)
[[ -d $built/Modules ]] || die "the build left no modules in $built"
# Modules in C are found by their maps, which the build has written beside their objects.
maps=()
for map in "$built"/*.build/module.modulemap; do
    [[ ! -e $map ]] || maps+=(-Xcc "-fmodule-map-file=$map")
done

# Of one module: the package's own command would build and read the tests too.
target=$(swift -print-target-info | sed -n 's/^ *"triple": "\([^"]*\)".*/\1/p' | head -n 1)
mkdir "$work/graphs"
swift symbolgraph-extract -module-name Contrail -target "$target" -I "$built/Modules" "${maps[@]}" \
    -minimum-access-level public -skip-inherited-docs -output-dir "$work/graphs"

mkdir -p "$(dirname "$site")"
# The forms of one function, sync and async, share a page.
docc convert Sources/Contrail/Contrail.docc \
    --additional-symbol-graph-dir "$work/graphs" \
    --fallback-display-name Contrail \
    --fallback-bundle-identifier contrail.Contrail \
    --output-path "$site" \
    --enable-experimental-overloaded-symbol-presentation >"$work/diagnostics" 2>&1 || {
    cat "$work/diagnostics" >&2
    die 'docc failed'
}
# Nobody passes the site of a call, so no docstring speaks of it.
warnings=$(grep -E '^warning:' "$work/diagnostics" | grep -cvE "^warning: Parameter '(fileID|line)' is missing documentation" || true)
if ((warnings > 0)); then
    grep -E -A 2 '^warning:' "$work/diagnostics" | grep -vE -A 2 "Parameter '(fileID|line)' is" >&2
    die "$warnings warnings"
fi
note "wrote $site; show it with any static file server"
