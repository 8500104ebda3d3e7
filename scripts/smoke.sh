#!/usr/bin/env bash
# Starts the release build of the example service, sends it a few requests, and holds its trail against them: with the
# sqlite3 shell, over HTTP, and with the contrail program after the service has ended.
#
#   BIN=.build/release scripts/smoke.sh
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

bin=${BIN:-.build/release}
for program in Orders contrail; do
    [[ -x $bin/$program ]] || die "$bin/$program is not there; build it first: deploy/image.sh build"
done

folder=$(mktemp -d)
server=
cleanup() {
    [[ -z $server ]] || kill -s KILL "$server" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trail=$folder/contrail.sqlite

failures=0
expect() { # WHAT EXPECTED ACTUAL
    if [[ $3 == "$2" ]]; then
        note "ok: $1"
    else
        note "FAILED: $1: expected '$2', got '$3'"
        failures=$((failures + 1))
    fi
}

# start COMMAND…: in the background, healthy within 30 s on the port and path given in the variables.
start() {
    "$@" >"$folder/output" 2>&1 &
    server=$!
    wait_until_healthy "$base$health" "$server" 30 || {
        cat "$folder/output" >&2
        die "${1##*/} did not answer $base$health within 30 s; its output is above"
    }
}

# Ends the server with SIGTERM, after 10 s with SIGKILL; sets `status` and `milliseconds`.
stop() {
    local begun=${EPOCHREALTIME/[.,]/} attempt
    kill -s TERM "$server"
    for ((attempt = 0; attempt < 200; attempt++)); do
        kill -0 "$server" 2>/dev/null || break
        sleep 0.05
    done
    milliseconds=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000))
    kill -s KILL "$server" 2>/dev/null || true
    status=0
    wait "$server" || status=$?
    server=
}

requests=0
# request EXPECTED-STATUS ARGUMENT…: one request to the service's own routes; its body is in $folder/body.
request() {
    local expected=$1 got
    shift
    requests=$((requests + 1))
    got=$(curl --silent --show-error --max-time 60 --output "$folder/body" --write-out '%{http_code}' "$@" || true)
    # shellcheck disable=SC2053 # the expected status is a pattern
    if [[ $got == $expected ]]; then
        note "ok: $got ${*: -1}"
    else
        note "FAILED: ${*: -1}: expected status $expected, got $got"
        failures=$((failures + 1))
    fi
}

sql() { sqlite3 -batch -noheader "$trail" "$1"; }

port=$(free_port)
base=http://127.0.0.1:$port
health=/_contrail/healthz
start "$bin/Orders" --port "$port" --database "$folder/orders.sqlite" --trail "$trail"

request '20[01]' -H 'content-type: application/json' -d '{"item":"tea","quantity":2}' "$base/orders"
order=$(sed -nE 's/.*"id" *: *"?([0-9A-Za-z-]+)"?.*/\1/p' "$folder/body" | head -n 1)
request '200' "$base/orders"
request '200' "$base/orders/$order"
request '20[0-9]' -X POST "$base/orders/$order/ship"
request '404' "$base/orders/999999999"
request '500' "$base/boom"

# The drain commits in groups: the trail is complete a moment after the answer.
question="select count(*) from contexts where kind = 'request' and outcome <> 'open'"
for ((attempt = 0; attempt < 50; attempt++)); do
    counted=$(sql "$question" 2>/dev/null || true)
    [[ $counted != "$requests" ]] || break
    sleep 0.1
done
expect 'sqlite3: one closed request context per request' "$requests" "$counted"

answer=$(curl --silent --show-error --max-time 10 -H 'content-type: application/json' \
    -d "{\"sql\":\"$question\"}" "$base/_contrail/v1/query" || true)
expect 'HTTP: the same number' "[[$requests]]" "$(sed -nE 's/.*"rows" *: *(\[\[[^]]*\]\]).*/\1/p' <<<"$answer" | tr -d ' ')"

stop
expect 'SIGTERM: exit status' 0 "$status"
expect 'SIGTERM: within 5 s' yes "$( ((milliseconds <= 5000)) && echo yes || echo "no, $milliseconds ms")"
expect 'SIGTERM: the run ended cleanly' clean "$(sql 'select end_state from runs')"
expect 'the failed request is named' '/boom|failed' \
    "$(sql "select path, outcome from contexts where kind = 'request' and outcome = 'failed'")"

# On a dead box: the same trail, no service.
expect 'contrail query' "$requests" \
    "$("$bin/contrail" query --db "$trail" "$question" --format json 2>&1 | sed -nE 's/^\{"[^"]*":([0-9]+)\}$/\1/p')"
port=$(free_port)
base=http://127.0.0.1:$port
health=/healthz
start "$bin/contrail" serve --db "$trail" --port "$port"
expect 'the health check of the image' 0 "$(deploy/image.sh health "$port" >/dev/null && echo 0 || echo $?)"
expect 'contrail serve refuses SQL that writes' 4 \
    "$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' -G "$base/v1/query" \
        --data-urlencode 'sql=delete from events' | cut -c 1)"
stop
expect 'contrail serve: exit status after SIGTERM' 0 "$status"
expect 'the health check of the image notices that nothing answers' 1 \
    "$(deploy/image.sh health "$port" >/dev/null 2>&1 && echo 0 || echo $?)"

((failures == 0)) || die "$failures checks failed, see above"
