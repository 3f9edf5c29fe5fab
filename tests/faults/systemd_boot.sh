#!/bin/bash
# systemd_boot.sh ROOT: boot systemd with Roomtone installed and put the units to the test: start, reload, hang, kill,
# memory limit, update, stop. Example, as root, on Debian with mmdebstrap:
#     bash tests/faults/systemd_boot.sh /var/tmp/roomtone-root
# ROOT is a Debian bookworm with Roomtone in it, made where there is none (some 500 MB, from Debian's mirror and PyPI).
# systemd runs as process 1 of namespaces of its own, without a network. Prints a line for each check; exits 1 when one
# fails. Needs cgroups of version 1 or 2 that root may write.
set -eu
root=$(realpath -m "$1") here=$(cd "$(dirname "$0")/../.." && pwd)
[ -d "$root/usr" ] || mmdebstrap --variant=minbase --include=systemd,systemd-sysv,libnss-systemd,dbus,procps,python3,python3-venv,libportaudio2,ca-certificates,curl \
    bookworm "$root"
[ -x "$root/opt/roomtone/bin/roomtone" ] || {
    mkdir -p "$root/src"
    (cd "$here" && tar c edge export firmware_profiles packaging pyproject.toml README.md LICENSE) | tar x -C "$root/src"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    chroot "$root" sh /src/packaging/install.sh --profile rpi-zero-2w-speaker --updates file:///site
}
cp "$here"/packaging/roomtone*.{service,timer} "$root/etc/systemd/system/"
clip=/src/edge/assets/clips/in-the-catalogue.ogg
echo "ROOMTONE_OPTIONS=\"--profile rpi-zero-2w-speaker --audio file:$clip\"" > "$root/etc/default/roomtone"
rm -rf "$root/var/lib/private/roomtone" "$root/site" "$root"/var/log/journal/*
chroot "$root" systemctl enable -q roomtone.service

# A release, by the real commands.
keys=$(mktemp -d); groups=""; init=""
trap '[ -z "$init" ] || kill -9 "$init" 2>/dev/null; sleep 1; for g in $groups; do rmdir "$g"/* "$g" 2>/dev/null || true; done; rm -rf "$keys"' EXIT
export PYTHONPATH=$here
for name in bundle root release; do python -m export.cli keygen "$keys/$name" > /dev/null; done
cp -r "$here/edge/assets/bundle" "$keys/made"
python -m export.cli sign "$keys/made" --key "$keys/bundle" --sequence 1000 > /dev/null
python -m export.cli publish "$root/site" --bundle "$keys/made" --catalog "$here/edge/assets/catalog" --key "$keys/release" \
    --root-key "$keys/root" --version test > /dev/null
cp "$keys/bundle.pub" "$root/etc/roomtone/keys/"
cp "$root/site/metadata/1.root.json" "$root/etc/roomtone/root.json"
echo 'ROOMTONE_UPDATE_OPTIONS="--url file:///site --profile rpi-zero-2w-speaker"' > "$root/etc/default/roomtone-update"

version1=$([ -f /sys/fs/cgroup/cgroup.controllers ] || echo yes)
for controller in ${version1:+memory pids cpu systemd unified} ${version1:-.}; do
    [ "$controller" = yes ] && continue
    group=/sys/fs/cgroup/$controller/roomtone-boot.$$
    [ -d "/sys/fs/cgroup/$controller" ] && mkdir "$group" && groups="$groups $group"
done
(
    for group in $groups; do echo $BASHPID > "$group/cgroup.procs"; done
    exec unshare --mount --uts --ipc --net --cgroup --pid --fork --kill-child bash -c '
    set -e
    mount --make-rprivate /; mount --bind "$1" "$1"; cd "$1"
    mount -t proc proc proc; mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro sysfs sys; mount -t tmpfs -o mode=755 tmpfs dev; mount -t tmpfs -o mode=755 tmpfs run
    for d in null zero full random urandom tty; do touch dev/$d; mount --bind /dev/$d dev/$d; done
    mkdir -p dev/pts dev/shm; mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts; ln -s pts/ptmx dev/ptmx
    mount -t tmpfs tmpfs dev/shm
    if [ -n "$2" ]; then
        mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup; cd sys/fs/cgroup
        for c in memory pids cpu; do mkdir $c; mount -t cgroup -o $c cgroup $c; done
        mkdir systemd unified; mount -t cgroup -o none,name=systemd cgroup systemd; mount -t cgroup2 cgroup2 unified
    else
        mount -t cgroup2 cgroup2 sys/fs/cgroup
    fi
    cd "$1"; mkdir -p mnt; pivot_root . mnt; umount -l /mnt
    exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --log-target=console
    ' boot "$root" "$version1"
) > "$keys/boot.log" 2>&1 < /dev/null &
init=$!

inside() { nsenter -t "$(pgrep -P "$init" | head -1)" -m -u -i -n -p -C env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
property() { inside systemctl show -P "$1" "${2:-roomtone.service}"; }
told() { inside journalctl -u roomtone.service -o cat --no-pager | grep -c "$1" || true; }
failed=0
check() {  # check WHAT SECONDS COMMAND...: until the command succeeds
    local what=$1 seconds=$2 began=$EPOCHREALTIME; shift 2
    until "$@" > /dev/null 2>&1; do
        if (( $(( ${EPOCHREALTIME/./} - ${began/./} )) > seconds * 1000000 )); then
            echo "FAULT  $what: not within $seconds s"; failed=1; return
        fi
        sleep 0.1
    done
    printf 'ok     %s (%.1f s)\n' "$what" "$(echo "($EPOCHREALTIME - $began)" | bc)"
}
answers() { inside curl -sf http://127.0.0.1:8765/v1/recommendations; }
same_process() { [ "$(property MainPID)" = "$1" ]; }
another_process() { local pid; pid=$(property MainPID); [ "$pid" != "$1" ] && [ "$pid" != 0 ] && answers; }
is() { [ "$(property "$1" "${3:-roomtone.service}")" = "$2" ]; }
reloads() { [ "$(told reloading)" = "$1" ]; }
limited() {
    inside sh -c 'cat /sys/fs/cgroup/memory/system.slice/roomtone.service/memory.limit_in_bytes \
        /sys/fs/cgroup/system.slice/roomtone.service/memory.max 2>/dev/null' | grep -qx $((80 << 20))
}
on_trial() { inside journalctl -u roomtone.service -o cat --no-pager | grep -q "release test"; }
readies() { [ "$(told "ready in")" -ge "$1" ]; }

check "systemd is up" 60 inside systemctl is-system-running --wait
check "the unit is active and answers" 60 answers
check "the manager was told that it is ready" 5 is StatusText "listening on http://127.0.0.1:8765/"
pid=$(property MainPID)
check "a user of its own" 1 test "$(inside stat -c %U "/proc/$pid")" = roomtone
check "a state folder for it alone" 1 test "$(inside stat -c %a /var/lib/private/roomtone)" = 700
check "the memory limit of the profile" 1 is MemoryMax $((80 << 20))
check "which the kernel enforces" 1 limited
inside systemctl reload roomtone.service
check "reloaded" 30 readies 2
check "in the same process" 5 same_process "$pid"
inside kill -STOP "$pid"
check "one that hangs is started again" 60 another_process "$pid"
pid=$(property MainPID)
inside kill -KILL "$pid"
check "one that was killed is started again" 30 another_process "$pid"
before=$(told reloading)
check "an update ends well" 120 inside systemctl start roomtone-update.service
check "and the daemon is reloaded for it" 30 reloads $((before + 1))
check "with the release on trial" 30 on_trial
before=$(told reloading)
check "an update that finds nothing new ends well" 120 inside systemctl start roomtone-update.service
check "and reloads nothing" 1 reloads "$before"
check "the timer waits" 5 inside systemctl start roomtone-update.timer
check "stopped" 5 inside systemctl stop roomtone.service
check "cleanly" 1 is Result success
[ "$failed" = 0 ] || { inside journalctl -o cat --no-pager -n 60 || true; tail -5 "$keys/boot.log"; }
exit "$failed"
