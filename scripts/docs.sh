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
CONTRAIL_CORE_ONLY=1 swift build --scratch-path "$scratch" --product Contrail
modules=$(CONTRAIL_CORE_ONLY=1 swift build --scratch-path "$scratch" --show-bin-path)/Modules
[[ -d $modules ]] || die "the build left no modules in $modules"

# Of one module: the package's own command would build and read the tests too.
target=$(swift -print-target-info | sed -n 's/^ *"triple": "\([^"]*\)".*/\1/p' | head -n 1)
mkdir "$work/graphs"
swift symbolgraph-extract -module-name Contrail -target "$target" -I "$modules" \
    -minimum-access-level public -skip-inherited-docs -output-dir "$work/graphs"

mkdir -p "$(dirname "$site")"
docc convert Sources/Contrail/Contrail.docc \
    --additional-symbol-graph-dir "$work/graphs" \
    --fallback-display-name Contrail \
    --fallback-bundle-identifier contrail.Contrail \
    --output-path "$site" \
    --warnings-as-errors
note "wrote $site; show it with: docc preview, or any static file server"
