#!/bin/bash
# memory_wall.sh PROFILE SECONDS [OPTION...]: run the daemon on the sample clips under a hard limit of the profile's budget.
# Example, as root: bash tests/faults/memory_wall.sh rpi-zero-2w-speaker 20
# Prints its peak resident size, the group's peak, and how often the kernel killed for memory; exits 1 when it did.
set -eu
profile=$1 seconds=$2; shift 2
clips=edge/assets/clips
budget=$(( $(sed -n 's/^budget_mib = //p' "firmware_profiles/$profile.toml") << 20 ))
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then  # version 2
    group=/sys/fs/cgroup/roomtone-wall.$$ limit=memory.max peak=memory.peak killed=memory.events
else
    group=/sys/fs/cgroup/memory/roomtone-wall.$$ limit=memory.limit_in_bytes peak=memory.max_usage_in_bytes killed=memory.oom_control
fi
mkdir "$group"
echo "$budget" > "$group/$limit"
sound=$(ls "$clips"/*.ogg | head -1)
video=none
sed -n '/^\[video\]/,/^$/p' "firmware_profiles/$profile.toml" | grep -q '^enabled = true' && video="file:$(ls "$clips"/*.mp4 "$clips"/*.webm 2>/dev/null | head -1)"
( echo $BASHPID > "$group/cgroup.procs"; export PYTHONOPTIMIZE=2 MALLOC_ARENA_MAX=1
  exec "${PYTHON:-python}" -m edge.cli daemon --profile "$profile" --audio "file:$sound" --video "$video" \
      --state "$work/state" --listen "unix:$work/api.sock" "$@" ) 2> "$work/log" &
daemon=$!
for _ in $(seq $((seconds * 4))); do
    sleep 0.25
    kill -0 $daemon 2>/dev/null || { cat "$work/log" >&2; break; }
    curl -s -o /dev/null --unix-socket "$work/api.sock" "http://localhost/v1/recommendations" || true
done
status=$(curl -s --unix-socket "$work/api.sock" http://localhost/v1/status || echo '{}')
echo "$status" | "${PYTHON:-python}" -c 'import json, sys
status = json.load(sys.stdin)
print({key: round(value / 1e6, 1) for key, value in status["memory"].items() if isinstance(value, int)}, "MB; shed:", status["shed"])'
kill $daemon; wait $daemon || true
kills=$(grep -E '^oom_kill ' "$group/$killed" | cut -d' ' -f2)
echo "group peak $(( $(cat "$group/$peak") / 1000000 )) MB of $(( budget / 1000000 )) MB, killed for memory: $kills"
rmdir "$group"
[ "$kills" = 0 ]
