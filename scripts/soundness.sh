#!/usr/bin/env bash
# Checks of the sources that need no build.
#
#   scripts/soundness.sh [format] [shell] [files] [links] [migrations] [unsafe]
#
# Without arguments: all of them. Each one runs even if an earlier one failed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

# The files of the repository, tracked or new, that match the patterns; NUL-separated.
list_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        # A tracked file that was deleted and not yet committed is still listed by git.
        git ls-files -z --cached --others --exclude-standard -- "$@" |
            while IFS= read -r -d '' file; do [[ ! -e $file ]] || printf '%s\0' "$file"; done
    else
        local pattern
        for pattern in "$@"; do
            find . -name '.build*' -prune -o -type f -path "./${pattern#./}" -print0
        done
    fi
}

swift_sources() {
    local path
    for path in Package.swift Sources Tests Examples Fuzz migrations Benchmarks/Package.swift Benchmarks/Sources \
        Benchmarks/Benchmarks; do
        [[ ! -e $path ]] || printf '%s\n' "$path"
    done
}

check_format() {
    local -a paths
    mapfile -t paths < <(swift_sources)
    swift format lint --strict --parallel --recursive "${paths[@]}" || {
        note 'make format lays out what can be laid out by itself'
        return 1
    }
}

check_shell() {
    local -a scripts
    mapfile -d '' -t scripts < <(list_files '*.sh' '.ci/run')
    local script failed=0
    for script in "${scripts[@]}"; do
        bash -n "$script" || failed=1
        [[ $script == scripts/lib.sh || $script == ./scripts/lib.sh || -x $script ]] || {
            note "$script: is not executable; run chmod +x $script"
            failed=1
        }
    done
    shellcheck --external-sources "${scripts[@]}" || failed=1
    return "$failed"
}

# What a build or a run leaves behind must not be in the repository.
check_files() {
    git rev-parse --is-inside-work-tree >/dev/null 2>&1 || {
        note 'not a git work tree: nothing is tracked'
        return 0
    }
    local pattern='(^|/)(Package\.resolved|\.DS_Store)$|(^|/)(\.build[^/]*|\.swiftpm|DerivedData|var|[^/]*\.xcodeproj)/'
    pattern+='|\.sqlite(-wal|-shm|-journal|-run-[^/]*)?$|\.(o|orig|rej|swp)$'
    if git ls-files | grep -E "$pattern"; then
        note 'the files above are tracked and must not be: git rm --cached FILE'
        return 1
    fi
}

# Relative links of Markdown files, outside fenced blocks and code spans.
check_links() {
    local failed=0 file line target path
    while IFS= read -r -d '' file; do
        while IFS=$'\t' read -r line target; do
            [[ $target != [a-z]*:* && $target != \#* ]] || continue
            path=${target%%#*}
            if [[ $path == /* ]]; then path=.$path; else path=$(dirname "$file")/$path; fi
            [[ -e $path ]] || {
                note "$file:$line: broken link: $target"
                failed=1
            }
        done < <(awk '
            /^ *(```|~~~)/ { fenced = !fenced; next }
            fenced { next }
            {
                gsub(/`[^`]*`/, "")
                rest = $0
                while (match(rest, /\]\([^() ]+( "[^"]*")?\)/)) {
                    target = substr(rest, RSTART + 2, RLENGTH - 3)
                    sub(/ ".*/, "", target)
                    print FNR "\t" target
                    rest = substr(rest, RSTART + RLENGTH)
                }
                if (match($0, /^\[[^]]+\]: +[^ ]+/)) {
                    target = substr($0, RSTART, RLENGTH)
                    sub(/^\[[^]]+\]: +/, "", target)
                    print FNR "\t" target
                }
            }' "$file")
    done < <(list_files '*.md')
    return "$failed"
}

# Migrations are numbered v0001, v0002, … without a gap, and the manifest and the list in Swift name them in that order.
check_migrations() {
    local failed=0 number=0 file name expected
    local -a names=()
    for file in migrations/*.sql; do
        [[ -e $file ]] || {
            note 'migrations/ holds no SQL file'
            return 1
        }
        name=${file##*/}
        number=$((number + 1))
        expected=$(printf 'v%04d_' "$number")
        [[ $name == "$expected"* && $name =~ ^v[0-9]{4}_[a-z0-9_]+\.sql$ ]] || {
            note "$file: the next migration's name must be ${expected}<words_in_lower_case>.sql"
            failed=1
        }
        names+=("${name%.sql}")
    done
    expected=$(printf '%s\n' "${names[@]}")
    [[ $(grep -oE '\.embedInCode\("[^"]+\.sql"' Package.swift | sed -E 's|.*"(.+)\.sql"|\1|') == "$expected" ]] || {
        note 'Package.swift: embedInCode must name every file of migrations/, one a line, in order'
        failed=1
    }
    [[ $(grep -ohE 'identifier: "[^"]+"' migrations/*.swift | sed -E 's|.*"(.+)"|\1|') == "$expected" ]] || {
        note 'migrations/*.swift: the list must name every file of migrations/, one a line, in order'
        failed=1
    }
    return "$failed"
}

# Whoever switches a check of the compiler off says in a comment right there why it is safe.
check_unsafe() {
    local -a sources
    mapfile -d '' -t sources < <(list_files 'Sources/*.swift' 'Examples/*.swift' 'Tests/*.swift' 'Fuzz/*.swift' 'migrations/*.swift')
    ((${#sources[@]} > 0)) || return 0
    awk '
        FNR == 1 { comment = -100 }
        /\/\// { comment = FNR }
        /@unchecked Sendable|nonisolated\(unsafe\)/ && !/^ *\/\// && FNR - comment > 3 {
            print FILENAME ":" FNR ": needs a comment that proves it safe"
            failed = 1
        }
        END { exit failed }' "${sources[@]}"
}

checks=("$@")
((${#checks[@]} > 0)) || checks=(format shell files links migrations unsafe)
failures=()
for check in "${checks[@]}"; do
    declare -F "check_$check" >/dev/null ||
        die "unknown check '$check'; use format, shell, files, links, migrations or unsafe"
    if "check_$check"; then note "soundness: $check: passed"; else failures+=("$check"); fi
done
((${#failures[@]} == 0)) || die "these checks failed, see above: ${failures[*]}"
