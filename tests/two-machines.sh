#!/usr/bin/env bash
# A GPU in another machine, tried on one: two network namespaces, the host in the first, a worker in the second, the cable between them
# cut for a minute while it trains. By hand, as root, after `./sdxl setup` (it needs iproute2 and curl; CI's machines may have no right to
# make namespaces): tests/two-machines.sh
# Ends with the training's status; the log lines "Training on" say how often a worker took it up.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
state=$(mktemp -d)
sdxl=(dotnet "$root/cli/bin/Release/net10.0/sdxl.dll")
export SDXL_ROOT=$root SDXL_INSTALLED=1

finish() {
  kill "$worker" "$host" 2>/dev/null || true
  wait 2>/dev/null || true
  ip netns del sdxl-here; ip netns del sdxl-there
  rm -rf "$state"
}
trap finish EXIT

ip netns add sdxl-here; ip netns add sdxl-there
ip link add sdxl0 type veth peer name sdxl1
ip link set sdxl0 netns sdxl-here; ip link set sdxl1 netns sdxl-there
ip -n sdxl-here addr add 10.77.0.1/24 dev sdxl0; ip -n sdxl-there addr add 10.77.0.2/24 dev sdxl1
for end in here:sdxl0 there:sdxl1; do ip -n "sdxl-${end%%:*}" link set lo up; ip -n "sdxl-${end%%:*}" link set "${end##*:}" up; done

SDXL_HOME=$state/here ip netns exec sdxl-here "${sdxl[@]}" up --listen 10.77.0.1 --no-worker >"$state/up.log" 2>&1 & host=$!
until grep -q -- '--join' "$state/up.log"; do sleep 0.5; done
join=$(sed -n 's/.*--join //p' "$state/up.log" | head -n 1)
SDXL_JOIN=$join SDXL_HOME=$state/there ip netns exec sdxl-there "${sdxl[@]}" worker >"$state/worker.log" 2>&1 & worker=$!

field() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
url=$(field "d['url']" <"$state/here/host.json") token=$(field "d['token']" <"$state/here/host.json")
api() { ip netns exec sdxl-here curl -s "${url%/}/v1/$1" -H @<(echo "Authorization: Bearer $token") "${@:2}"; } # the token in no process list
id=$(api trainings -F "input_images=@$root/examples/gizmo.zip" -F name=far -F max_train_steps=900 -F train_batch_size=1 \
  -F checkpointing_steps=100 -F resolution=64 | field "d['id']")
until [[ $(api "trainings/$id" | field "(d.get('progress') or {}).get('step') or 0") -gt 150 ]]; do sleep 1; done
echo "at step $(api "trainings/$id" | field "d['progress']['step']"): the cable is cut for a minute"
ip -n sdxl-there link set sdxl1 down; sleep 60; ip -n sdxl-there link set sdxl1 up
until [[ $(api "trainings/$id" | field "d['status']") =~ succeeded|failed|canceled ]]; do sleep 1; done
api "trainings/$id" | field "d['status'], d['error'], d['output'] and d['output']['version'], d['logs'].count('Training on')"
