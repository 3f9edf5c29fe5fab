#!/bin/bash
# device_loss.sh ROOT KERNEL [LOSSES]: lose a real ALSA card and a real V4L2 camera, of a kernel of its own, again and again.
# Example, as root, on Debian bookworm (needs qemu-system-x86, busybox-static, kmod, cpio):
#     apt-get download linux-image-6.1.0-56-amd64 && dpkg-deb -x linux-image-*.deb /var/tmp/kernel
#     bash tests/faults/device_loss.sh /var/tmp/roomtone-root /var/tmp/kernel 60
# ROOT is what systemd_boot.sh made; KERNEL has boot/vmlinuz-* and lib/modules/*. The card is snd-aloop, which aplay plays
# into, the camera is vivid; both are pulled out by unbinding their drivers. device_loss.py, in there, says what is wrong.
set -eu
root=$(realpath "$1") kernel=$(realpath "$2") losses=${3:-60} here=$(cd "$(dirname "$0")/../.." && pwd)
release=$(ls "$kernel/lib/modules")
[ -x "$root/usr/bin/aplay" ] || chroot "$root" sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends alsa-utils kmod'
[ -d "$root"/opt/roomtone/lib/python3*/site-packages/cv2 ] ||
    chroot "$root" /opt/roomtone/bin/pip install --quiet opencv-python-headless httpx
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
depmod -b "$kernel" "$release"
mkdir -p "$root/repo" "$root/result" "$root/lib/modules/$release" "$work/first"/{bin,proc,sys,dev,new,modules}
rm -f "$root/result/"*

# What the kernel needs to reach ROOT: busybox and, in the order of their dependencies, the modules of 9p over virtio.
cp "$(command -v busybox)" "$work/first/bin/busybox"
for module in virtio_pci 9pnet_virtio 9p; do
    modprobe -d "$kernel" -S "$release" --show-depends "$module" | sed -n 's/^insmod \(\S*\).*/\1/p'
done | awk '!seen[$0]++' > "$work/order"
number=100
while read -r module; do cp "$module" "$work/first/modules/$((number++))-$(basename "$module")"; done < "$work/order"
cat > "$work/first/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
for module in /modules/*; do $b insmod "$module"; done
options=trans=virtio,version=9p2000.L,msize=262144,cache=loose
$b mount -t 9p -o "$options" root /new
$b mount -t 9p -o "$options,ro" repo /new/repo
$b mount -t 9p -o "$options,ro" modules /new/lib/modules
exec $b switch_root /new /bin/sh /repo/tests/faults/device_guest.sh
INIT
chmod +x "$work/first/init"
(cd "$work/first" && find . | cpio -o -H newc --quiet) > "$work/first.cpio"

share() { echo -virtfs "local,path=$1,mount_tag=$2,security_model=passthrough,multidevs=remap${3:-}"; }
# shellcheck disable=SC2046
qemu-system-x86_64 -accel "${ACCEL:-tcg}" -cpu max -smp 2 -m 1024 -nographic -no-reboot -nic none -kernel "$kernel"/boot/vmlinuz-* \
    -initrd "$work/first.cpio" $(share "$root" root) $(share "$here" repo ,readonly=on) $(share "$kernel/lib/modules" modules ,readonly=on) \
    -append "console=ttyS0 quiet panic=-1 losses=$losses" < /dev/null > "${CONSOLE:=$work/console}" 2>&1 || true
cat "$root/result/table" "$root/result/faults" 2>/dev/null || tail -40 "$CONSOLE"
[ "$(cat "$root/result/status" 2>/dev/null)" = 0 ]
