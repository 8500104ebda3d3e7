#!/usr/bin/env bash
# Installs the system packages that a task needs and that this machine lacks.
#
#   scripts/install-packages.sh build|run|test|trace
#
# What is there is found by looking for the command or the header, not by asking the package manager, so a machine that
# has them from elsewhere is left alone. Packages come from apt, as root or through a sudo that asks no password. Where
# neither is allowed, or CONTRAIL_NO_INSTALL is set, the exact command is printed and the exit status is 1.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

missing=()

# need PACKAGE WHAT-IS-ABSENT: notes a package once.
need() {
    local package
    for package in "${missing[@]+"${missing[@]}"}"; do
        [[ $package != "$1" ]] || return 0
    done
    missing+=("$1")
    note "missing: $2 (package $1)"
}

has_command() { command -v "$1" >/dev/null 2>&1; }

has_header() {
    local folder
    for folder in /usr/include /usr/local/include "/usr/include/$(uname -m)-linux-gnu"; do
        [[ ! -e $folder/$1 ]] || return 0
    done
    return 1
}

can_compile() {
    has_command ld || return 1
    printf '#include <cstddef>\n#include <stdlib.h>\nint main() { return 0; }\n' |
        "$(dirname "$(readlink -f "$(command -v swift)")")/clang" -x c++ -lstdc++ -o /dev/null - >/dev/null 2>&1
}

# The toolchain must be there; what it is linked against may not be, where it was unpacked from an archive.
check_toolchain() {
    has_command swift ||
        die 'swift is not on the PATH; install Swift 6.3 or newer from https://www.swift.org/install and try again'
    has_command ldd || return 0
    local tools program library
    tools=$(dirname "$(readlink -f "$(command -v swift)")")
    while read -r library; do
        case $library in
            libncurses.so.* | libtinfo.so.* | libpanel.so.* | libform.so.*) need libncurses-dev "$library" ;;
            libsqlite3.so.*) need libsqlite3-dev "$library" ;;
            libcurl.so.*) need libcurl4-openssl-dev "$library" ;;
            libxml2.so.*) need libxml2-dev "$library" ;;
            libuuid.so.*) need uuid-dev "$library" ;;
            libz.so.*) need zlib1g-dev "$library" ;;
            libedit.so.*) need libedit-dev "$library" ;;
            libstdc++.so.* | libgcc_s.so.*) need g++ "$library" ;;
        esac
    done < <(
        for program in swift swift-build swift-frontend swift-format clang lld; do
            [[ ! -x $tools/$program ]] || ldd "$tools/$program" 2>/dev/null | awk '/not found/ { print $1 }'
        done | sort -u
    )
}

check_build() {
    check_toolchain
    # The C library's headers, the start files, the linker and the C++ library: all Swift programs on Linux need them.
    can_compile || need g++ 'the headers and libraries of C and C++'
    has_header sqlite3.h || need libsqlite3-dev sqlite3.h
    # Dependencies are cloned over HTTPS.
    [[ -e /etc/ssl/certs/ca-certificates.crt || -e /etc/pki/tls/certs/ca-bundle.crt ]] ||
        need ca-certificates 'the certificate authorities'
    has_command git || need git git
}

check_run() {
    check_build
    has_command curl || need curl curl
}

check_test() {
    check_run
    has_command sqlite3 || need sqlite3 'the sqlite3 shell'
    has_command shellcheck || need shellcheck shellcheck
    has_command systemd-analyze || need systemd systemd-analyze
    # A test client of HTTP on some versions of the dependencies links zlib.
    has_header zlib.h || need zlib1g-dev zlib.h
}

check_trace() {
    check_build
    has_command sqlite3 || need sqlite3 'the sqlite3 shell'
    has_command strace || need strace strace
}

case ${1-} in
    build) check_build ;;
    run) check_run ;;
    test) check_test ;;
    trace) check_trace ;;
    *) die "unknown task '${1-}'; use build, run, test or trace" ;;
esac

((${#missing[@]} > 0)) || exit 0

by_hand="apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}"
if ! has_command apt-get; then
    die "this machine has no apt-get; install what is listed above under the names of your system, then try again"
fi
elevate=()
if [[ $(id -u) != 0 ]]; then
    elevate=(sudo --non-interactive)
    by_hand="sudo sh -c '$by_hand'"
fi
if [[ -n ${CONTRAIL_NO_INSTALL-} ]] || { ((${#elevate[@]} > 0)) && ! "${elevate[@]}" true 2>/dev/null; }; then
    note 'These packages are needed and may not be installed from here. Run this, then try again:' >&2
    note "    $by_hand" >&2
    exit 1
fi

note "installing: ${missing[*]}"
apt_get=("${elevate[@]+"${elevate[@]}"}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A repository that does not answer is no reason to stop while the packages come from another one.
"${apt_get[@]}" update >"$log" 2>&1 || note 'apt-get update failed for some repository; going on with what it has'
if ! "${apt_get[@]}" install --yes --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "apt-get could not install ${missing[*]}; run it by hand to see why: $by_hand"
fi
