#!/bin/bash
# Roomtone on an emulated ARM board: makes an arm64 Debian 12, installs the device's packages into it, and runs
# `roomtone recommend` and the device's tests there as on a Cortex-A53 (Raspberry Pi 3 and Zero 2 W, Amlogic S905X),
# which has no dot-product instructions: qemu raises SIGILL on them, as the board does. Times mean nothing.
# As root:
#     packaging/arm/emulate.sh build/arm [TESTS...]       apt-get install mmdebstrap qemu-user-static
set -eu
here=$(cd "$(dirname "$0")" && pwd); project=$(cd "$here/../.." && pwd)
mkdir -p "${1:?usage: emulate.sh FOLDER [TESTS...]}"; work=$(cd "$1" && pwd); shift
root=$work/root
tests=("$@"); [ $# -gt 0 ] || tests=(tests/edge/audio/test_ring.py tests/edge/engine
    tests/edge/catalog tests/edge/test_bundle.py tests/edge/test_manifest.py tests/edge/recommend/test_gini.py)
for tool in mmdebstrap qemu-aarch64-static pip unshare; do
    command -v $tool > /dev/null || { echo "emulate.sh: needs $tool" >&2; exit 2; }
done

register() {  # let the kernel hand arm64 programs to qemu
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] ||
        grep -v '^#' /usr/lib/binfmt.d/qemu-aarch64.conf | tr -d '\n' > /proc/sys/fs/binfmt_misc/register
}

make_root() {  # extracted, not configured: no emulated code runs while it is made
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
    mmdebstrap --mode=root --variant=extract --architectures=arm64 \
        --include=base-files,coreutils,dash,bash,libc-bin,python3,libportaudio2,libgomp1 \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$root" "$mirror"
    mkdir -p "$root"/{proc,sys,dev,tmp,root,opt}; chmod 1777 "$root/tmp"
    chroot "$root" /sbin/ldconfig
    platforms=(); for tag in manylinux_2_{36,34,31,28,27,26,17}_aarch64 manylinux2014_aarch64 any; do
        platforms+=(--platform $tag); done
    (cd "$project" && python3 - <<'PY'
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
needed = project["dependencies"] + extras["speaker"] + extras["tv"] + ["pytest", "hypothesis"]
print("\n".join(line for line in needed if not line.startswith("roomtone")))
PY
    ) > "$work/needed.txt"
    pip install --quiet --target "$root/opt/app" --python-version 311 --implementation cp --abi cp311 --abi abi3 \
        --abi none --only-binary=:all: "${platforms[@]}" --requirement "$work/needed.txt"
}

inside() {  # in namespaces of its own, without a network, with the board's /proc/cpuinfo
    unshare --mount --net bash -c '
        root=$1; shift; mount --make-rprivate /
        mount -t proc proc "$root/proc"; mount --rbind /sys "$root/sys"; mount --bind /dev "$root/dev"
        mount --bind '"$here"'/cpuinfo.cortex-a53 "$root/proc/cpuinfo"
        exec chroot "$root" "$@"' inside "$root" env -i PATH=/usr/bin:/bin HOME=/root QEMU_CPU=cortex-a53 \
        PYTHONPATH=/opt/roomtone:/opt/app OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$@"
}

register
[ -e "$root/opt/app/numpy" ] || make_root
rm -rf "$root/opt/roomtone"; mkdir -p "$root/opt/roomtone"
(cd "$project" && tar -c edge export firmware_profiles benchmarks tests pyproject.toml) | tar -x -C "$root/opt/roomtone"
echo "== roomtone recommend, both engines"
for engine in litert onnx; do
    inside bash -c "cd /opt/roomtone && python3 -m edge.cli recommend edge/assets/clips/in-the-catalogue.ogg --engine $engine \
        --state /tmp/state-$engine -k 3 --json" | tee "$work/recommend-$engine.json"
done
echo "== tests of the device"
inside bash -c "cd /opt/roomtone && python3 -m pytest -p no:cacheprovider ${tests[*]}"
