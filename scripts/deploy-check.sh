#!/usr/bin/env bash
# Checks what deploy/ holds, without a running systemd and without a container engine: the unit, the Dockerfile, and the
# steps of the image on a program that is already built. Each check that reads a file is also shown a wrong one.
#
#   CONTRAIL_BINARY=.build/release/contrail scripts/deploy-check.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

binary=${CONTRAIL_BINARY:-.build/release/contrail}
[[ -x $binary ]] || die "$binary is not there; build it first: deploy/image.sh build"
binary=$(readlink -f "$binary")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pass() { note "ok: $*"; }

# --- the systemd unit -------------------------------------------------------------------------------------------------

# verify FILE: the unit with its program replaced by one that exists here; every word about it is a failure, because
# systemd-analyze only warns of an option that it does not know.
verify() {
    mkdir -p "$work/unit"
    sed "s|/usr/bin/contrail\\b|$binary|g" "$1" >"$work/unit/contrail.service"
    local output status=0
    output=$(SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no \
        "$work/unit/contrail.service" 2>&1) || status=$?
    ! grep -F 'contrail.service' <<<"$output" || return 1
    ((status == 0)) || {
        note "$output"
        return 1
    }
}

verify deploy/contrail.service || die 'deploy/contrail.service is wrong, see above'
sed 's/^ProtectSystem=/ProtectSistem=/' deploy/contrail.service >"$work/wrong.service"
! verify "$work/wrong.service" >/dev/null || die 'the check of the unit does not notice a misspelled option'
sed 's|^ExecStart=/usr/bin/contrail |ExecStart=/nowhere/contrail |' deploy/contrail.service >"$work/wrong.service"
! verify "$work/wrong.service" >/dev/null || die 'the check of the unit does not notice a missing program'
pass 'systemd-analyze verify'

# exposed FILE: fails at an exposure of 2.0 or more; the option counts in tenths.
exposed() { systemd-analyze security --offline=true --no-pager --threshold=19 "$1"; }
if systemd-analyze --help | grep -q -e --offline; then
    verify deploy/contrail.service
    exposed "$work/unit/contrail.service" >"$work/security" || {
        cat "$work/security"
        die 'the exposure of deploy/contrail.service must stay under 2.0'
    }
    grep -E '^.?.?.?.? ?Overall' "$work/security" || tail -n 1 "$work/security"
    sed -i '/^SystemCallFilter=/d; /^Protect/d; /^Private/d' "$work/unit/contrail.service"
    ! exposed "$work/unit/contrail.service" >/dev/null || die 'the check of the exposure does not notice a bare unit'
    pass 'systemd-analyze security'
else
    note 'skipped: this systemd-analyze cannot judge the exposure of a unit that is not loaded'
fi

# --- the Dockerfile ---------------------------------------------------------------------------------------------------

# lint_dockerfile FILE: every RUN calls one step of image.sh and nothing else; COPY brings in the sources, and takes out
# what the step `stage` has laid out; the image does not run as root and has a health check.
lint_dockerfile() {
    awk -v steps="$(deploy/image.sh commands | tr '\n' ' ')" '
        function wrong(reason) { print FILENAME ":" start ": " reason ": " $0; failed = 1 }
        BEGIN { n = split(steps, list, " "); for (i = 1; i <= n; i++) known[list[i]] = 1 }
        /^[ \t]*(#|$)/ { next }
        {
            start = FNR
            if (/\\[ \t]*$/) { wrong("a continued line hides what is called"); next }
            instruction = toupper($1)
            if (instruction == "RUN") {
                if ($0 !~ /^RUN (deploy|\/usr\/libexec\/contrail)\/image\.sh [a-z-]+( \/[a-z\/]+)?$/)
                    wrong("RUN must call one step of image.sh")
                else if (!($3 in known)) wrong("image.sh has no such step")
                if ($3 == "stage") stage = $4
            } else if (instruction == "COPY") {
                if ($0 != "COPY . /src" && !(stage != "" && $0 == "COPY --from=build " stage "/ /"))
                    wrong("COPY may bring in the sources or take out the staged folder")
            } else if (instruction == "ADD" || instruction == "ONBUILD" || instruction == "SHELL") {
                wrong("not a step of image.sh")
            } else if (instruction == "USER") user = $2
            else if (instruction == "HEALTHCHECK") { if ($0 ~ /image\.sh", "health"/) health = 1 }
            else if (instruction == "EXPOSE") { if ($2 == "8081") port = 1 }
            else if (instruction == "FROM") { user = ""; health = port = 0 }
        }
        END {
            start = FNR; $0 = ""
            if (user == "" || user ~ /^(0|root)(:|$)/) wrong("the image runs as root")
            if (!health) wrong("no health check by image.sh")
            if (!port) wrong("port 8081 is not exposed")
            exit failed
        }' "$1"
}

lint_dockerfile deploy/Dockerfile || die 'deploy/Dockerfile does more than call image.sh, see above'
# refuse LINE [AFTER]: the Dockerfile with this line added, or put in place of the lines that match, must not pass.
refuse() {
    if [[ -n ${2-} ]]; then
        sed "s|^$2.*|$1|" deploy/Dockerfile >"$work/Dockerfile"
    else
        { cat deploy/Dockerfile && printf '%s\n' "$1"; } >"$work/Dockerfile"
    fi
    ! lint_dockerfile "$work/Dockerfile" >/dev/null || die "the check of the Dockerfile lets pass: $1"
}
refuse 'RUN apt-get update'
refuse 'run apt-get update'
refuse 'RUN deploy/image.sh build && rm -rf /src'
refuse 'RUN deploy/image.sh no-such-step'
refuse "RUN deploy/image.sh \\"
refuse 'RUN <<END'
refuse 'COPY deploy/image.sh /usr/bin/image.sh'
refuse 'COPY --from=build /src/secret /'
refuse 'ADD https://example.org/archive.tar /'
refuse 'USER root'
refuse '' USER
refuse '' HEALTHCHECK
refuse 'FROM scratch'
pass 'the Dockerfile only calls the steps of image.sh'

# --- the steps of the image -------------------------------------------------------------------------------------------

image=$work/image
CONTRAIL_BINARY=$binary deploy/image.sh stage "$image"
deploy/image.sh user "$image"
deploy/image.sh user "$image"
for file in usr/bin/contrail usr/libexec/contrail/image.sh usr/share/doc/contrail/LICENSE \
    usr/share/doc/contrail/operations.md; do
    [[ -s $image/$file ]] || die "image.sh stage does not lay out $file"
done
[[ $(grep -c '^contrail:x:10001:' "$image/etc/passwd") == 1 ]] || die 'image.sh user must write its line exactly once'
grep -q '^USER 10001:10001$' deploy/Dockerfile || die 'the Dockerfile and image.sh name different users'
[[ $(stat --format=%a "$image/var/lib/contrail") == 770 ]] || die 'image.sh user must make its folder with mode 0770'
cmp -s deploy/image.sh "$image/usr/libexec/contrail/image.sh" || die 'the image carries another image.sh'
! "$image/usr/libexec/contrail/image.sh" no-such-step 2>/dev/null || die 'image.sh accepts an unknown step'
! CONTRAIL_BINARY=$work/absent deploy/image.sh stage "$work/other" 2>/dev/null ||
    die 'image.sh stage goes on without a program'
pass 'image.sh stage and user'

# The program must run with nothing but a slim base and the runtime packages: no library of the Swift toolchain, none
# that is not found, and each one in a package of the base or of the list.
needed=$(env -u LD_LIBRARY_PATH ldd "$image/usr/bin/contrail")
! grep -E 'not found|libswift|libFoundation|lib_Foundation|libdispatch|libBlocksRuntime' <<<"$needed" ||
    die 'the program needs libraries that the image does not have, see above; build it with deploy/image.sh build'
if command -v dpkg-query >/dev/null 2>&1; then
    # What every Debian base has, because its package manager needs it.
    allowed=" libc6 libgcc-s1 zlib1g $(deploy/image.sh runtime-packages list | tr '\n' ' ')"
    while read -r library; do
        # The loader may name a merged folder by its old path.
        package=$({ dpkg-query --search "$library" || dpkg-query --search "$(readlink -f "$library")" ||
            dpkg-query --search "/usr$library"; } 2>/dev/null | head -n 1 | cut -d : -f 1)
        [[ " $allowed " == *" $package "* ]] ||
            die "$library is in package '$package', which the image does not install: add it to deploy/image.sh"
    done < <(awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' <<<"$needed")
fi
env --ignore-environment "$image/usr/bin/contrail" --help >/dev/null || die 'the staged program does not start'
# In its own root folder, if this machine lets us have one: with the libraries and nothing else.
awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' <<<"$needed" |
    while read -r library; do install -D "$(readlink -f "$library")" "$image$library"; done
# /proc belongs to it, as in a container: the runtime's thread pool reads its threads' states there, and stops the program
# where it cannot.
mkdir -p "$image/proc"
# shellcheck disable=SC2016 # the inner shell expands its own argument
if [[ $(id -u) != 0 ]] || ! unshare --mount mount --bind /proc "$image/proc" 2>/dev/null; then
    note 'skipped: the run in a root folder of its own needs root and a mount namespace'
elif unshare --mount sh -c 'mount --bind /proc "$1/proc" && chroot "$1" /usr/bin/contrail --help' sh "$image" >/dev/null
then
    pass 'the staged program runs in a root folder of its own'
else
    die 'the staged program does not run in a root folder of its own'
fi
note "image: $(du -sh "$image/usr/bin/contrail" | cut -f 1) program"
pass 'image.sh: the program needs only what the image installs'
