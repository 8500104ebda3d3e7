#!/usr/bin/env bash
# Builds the example service, starts it on 127.0.0.1, prints three lines to try, and stays with it in the foreground.
#
#   PORT=8080 VAR=var CONFIGURATION=debug scripts/run.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

port=${PORT:-8080}
folder=${VAR:-var}
configuration=${CONFIGURATION:-debug}
base=http://127.0.0.1:$port

scripts/install-packages.sh run

swift build --configuration "$configuration" --product Orders
binary=$(swift build --configuration "$configuration" --product Orders --show-bin-path)/Orders

mkdir -p "$folder"
# Without this look the health of another process would be taken for that of this one.
if port_is_open "$port"; then
    die "port $port of 127.0.0.1 is in use; stop what listens there or choose another: make run PORT=8090"
fi

# Job control gives the server a process group of its own: an interrupt from the terminal reaches it once, from here.
set -m
"$binary" --port "$port" --database "$folder/orders.sqlite" --trail "$folder/contrail.sqlite" </dev/null &
server=$!
set +m

interrupted=
forward() {
    interrupted=yes
    kill -s "$1" -- "$server" 2>/dev/null || true
}
trap 'forward INT' INT
trap 'forward TERM' TERM
trap 'forward TERM' HUP

if wait_until_healthy "$base/_contrail/healthz" "$server" 30; then
    cat <<TEXT

Orders serves $base; its trail is $folder/contrail.sqlite. Try, in another terminal:

  curl -sS $base/orders -H 'content-type: application/json' -d '{"item":"tea","quantity":2}'
  curl -sS -i $base/boom
  curl -sS -G $base/_contrail/v1/query --data-urlencode 'sql=select path, outcome, error from contexts order by context_id desc limit 5'

Control-C stops it.

TEXT
elif kill -0 "$server" 2>/dev/null && [[ -z $interrupted ]]; then
    kill -s TERM -- "$server" 2>/dev/null || true
    wait "$server" || true
    die "the service did not answer $base/_contrail/healthz within 30 s; its output is above"
fi

# A wait that a signal cut short says nothing about the server: wait again, until it has really ended.
while :; do
    interrupted=
    status=0
    wait "$server" || status=$?
    [[ -n $interrupted ]] || exit "$status"
done
