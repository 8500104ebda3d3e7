#!/usr/bin/env bash
# Every step of the container image. The Dockerfile only calls them, so that a test can execute them without an engine.
#
#   packages                 in the build stage: the system packages that the build needs
#   build                    builds the programs in release mode with the Swift runtime inside
#   stage DESTROOT           lays out what the image adds to its base, under a folder
#   runtime-packages [list]  in the image: the system packages that the program needs; `list` only prints them
#   user [ROOT]              in the image: the user that the program runs as, and its folder
#   health [PORT]            in the image: succeeds if the server answers on 127.0.0.1
#   commands                 prints the names of the steps
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

# With the Swift runtime linked in, these are all the libraries that a slim base lacks or may lack.
runtime_packages=(libsqlite3-0 libstdc++6)
user_id=10001

usage() {
    sed -nE '2,${ /^#/!q; s/^# ?//p }' "${BASH_SOURCE[0]}" >&2
    exit 64
}

packages() { "$root/scripts/install-packages.sh" build; }

build() {
    cd "$root"
    local product
    for product in Orders contrail; do
        swift build --configuration release --static-swift-stdlib --product "$product"
    done
}

stage() {
    local destination=${1:?'stage needs the folder to lay the image out in'}
    local binary=${CONTRAIL_BINARY:-$root/.build/release/contrail}
    [[ -x $binary ]] || {
        echo "image.sh: error: $binary is not there; run deploy/image.sh build first" >&2
        exit 1
    }
    install -D --mode=0755 "$binary" "$destination/usr/bin/contrail"
    # The steps that the image itself runs: its packages, its user, its health check.
    install -D --mode=0755 "$here/image.sh" "$destination/usr/libexec/contrail/image.sh"
    install -D --mode=0644 "$root/LICENSE" "$destination/usr/share/doc/contrail/LICENSE"
    install -D --mode=0644 "$root/docs/operations.md" "$destination/usr/share/doc/contrail/operations.md"
    # The program contains its dependencies: their licences travel with it.
    local file package
    for file in "$root"/.build/checkouts/*/{LICENSE,NOTICE}*; do
        [[ -f $file ]] || continue
        package=$(basename "$(dirname "$file")")
        install -D --mode=0644 "$file" "$destination/usr/share/doc/contrail/licenses/$package/${file##*/}"
    done
}

runtime_packages() {
    if [[ ${1-} == list ]]; then
        printf '%s\n' "${runtime_packages[@]}"
        return
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get --quiet=2 update
    apt-get --quiet=2 install --yes --no-install-recommends "${runtime_packages[@]}"
    rm -rf /var/lib/apt/lists/*
}

# Written by hand because a slim base need not have a program for it; a second call changes nothing.
user() {
    local prefix=${1-}
    mkdir -p "$prefix/etc" "$prefix/var/lib/contrail"
    grep -qs '^contrail:' "$prefix/etc/group" || echo "contrail:x:$user_id:" >>"$prefix/etc/group"
    grep -qs '^contrail:' "$prefix/etc/passwd" ||
        echo "contrail:x:$user_id:$user_id:contrail:/var/lib/contrail:/usr/sbin/nologin" >>"$prefix/etc/passwd"
    chmod 0770 "$prefix/var/lib/contrail"
    [[ $(id -u) != 0 ]] || chown "$user_id:$user_id" "$prefix/var/lib/contrail"
}

# Needs nothing but this shell. `timeout` bounds a server that accepts and never answers.
health() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout 3 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
        printf "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n" "$1" >&3
        IFS= read -r answer <&3 || exit 1
        printf "%s\n" "${answer%$'"'\\\\r'"'}"
        [[ $answer == "HTTP/1.1 200"* ]]' health "${1:-8081}" || exit 1
}

step=${1-}
shift || true
case $step in
    packages) packages ;;
    build) build ;;
    stage) stage "$@" ;;
    runtime-packages) runtime_packages "$@" ;;
    user) user "$@" ;;
    health) health "$@" ;;
    commands) printf '%s\n' packages build stage runtime-packages user health commands ;;
    *) usage ;;
esac
