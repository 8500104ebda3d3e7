#!/usr/bin/env bash
# Measures our contexts and variables against Flask's, in turns on this machine, and prints one table.
#
#   ROUNDS=8 STRICT=1 VAR=var SCRATCH=Benchmarks/.build scripts/bench-peers.sh
#
# Flask and Werkzeug come from PyPI, in fixed versions, into a virtual environment under VAR. The exit status is 0 also when a
# bar is missed, unless STRICT is 1: what a shared machine measures should not fail a build unasked.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

environment=${VAR:-var}/bench-peers
# What comes along is fixed too, so that next year's run measures the same program.
packages=(Flask==3.1.3 Werkzeug==3.1.8 blinker==1.9.0 click==8.5.1 itsdangerous==2.2.0 Jinja2==3.1.6 MarkupSafe==3.0.4)

command -v python3 >/dev/null || die 'python3 is not there; install it (package python3-venv) and try again'
if [[ $(cat "$environment/packages" 2>/dev/null) != "${packages[*]}" ]]; then
    note "installing Flask into $environment"
    rm -rf "$environment"
    python3 -m venv "$environment" || die 'python3 cannot make a virtual environment; install python3-venv and try again'
    "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
    printf '%s\n' "${packages[*]}" >"$environment/packages"
fi

build=(swift build --configuration release --package-path Benchmarks ${SCRATCH:+--scratch-path "$SCRATCH"})
"${build[@]}" --product PeerCosts
ours=$("${build[@]}" --show-bin-path)/PeerCosts
PYTHONDONTWRITEBYTECODE=1 "$environment/bin/python" Benchmarks/Peers/compare.py "$ours" "${ROUNDS:-8}"
