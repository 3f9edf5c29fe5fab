#!/bin/bash
# Roomtone on an emulated ARM board: makes an arm64 Debian 12, installs the device's packages into it, and runs
# `roomtone recommend` and the device's tests there as on a Cortex-A53 (Raspberry Pi 3 and Zero 2 W, Amlogic S905X),
# which has no dot-product instructions: qemu raises SIGILL on them, as the board does. Times mean nothing; instructions
# are counted (gcc and Debian's qemu-user needed). Then a 32-bit Debian (armhf), where roomtone must refuse to run.
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

register() {  # let the kernel hand ARM programs to qemu
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    for machine in qemu-aarch64 qemu-arm; do
        [ -e /proc/sys/fs/binfmt_misc/$machine ] ||
            grep -v '^#' /usr/lib/binfmt.d/$machine.conf | tr -d '\n' > /proc/sys/fs/binfmt_misc/register
    done
}

debian() {  # FOLDER ARCHITECTURE PACKAGES: extracted, not configured: no emulated code runs while it is made
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
    mmdebstrap --mode=root --variant=extract --architectures="$2" --include="$3" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$1" "$mirror"
    mkdir -p "$1"/{proc,sys,dev,tmp,root,opt}; chmod 1777 "$1/tmp"
    chroot "$1" /sbin/ldconfig
}

make_armhf() { debian "$work/armhf" armhf base-files,coreutils,dash,libc-bin,python3; }

make_root() {
    debian "$root" arm64 base-files,coreutils,dash,bash,libc-bin,python3,libportaudio2,libgomp1
    platforms=(); for tag in manylinux_2_{36,34,31,28,27,26,17}_aarch64 manylinux2014_aarch64 any; do
        platforms+=(--platform $tag); done
    (cd "$project" && python3 - <<'PY'
import tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = project["optional-dependencies"]
needed = project["dependencies"] + extras["speaker"] + extras["tv"] + ["pytest", "hypothesis", "faiss-cpu"]  # faiss: tests make the lists that they search
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
        for folder in ${COUNTING:+/usr/lib/x86_64-linux-gnu /lib64 /lib/x86_64-linux-gnu}; do
            mkdir -p "$root$folder"; mount --bind $folder "$root$folder"  # the libraries of the qemu that counts
        done
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
echo "== instructions"
if command -v gcc > /dev/null && command -v qemu-aarch64 > /dev/null; then
    mkdir -p "$root/opt/count"
    gcc -shared -fPIC -O2 -o "$root/opt/count/libcount.so" "$here/count.c"
    cp "$here/counted.py" "$(command -v qemu-aarch64)" "$root/opt/count/"
    COUNTING=1 inside /opt/count/qemu-aarch64 -plugin /opt/count/libcount.so /usr/bin/python3 /opt/count/counted.py \
        > "$work/counted.names" 2> "$work/counted.marks"
    python3 "$here/counted.py" --table "$work/counted.names" "$work/counted.marks" | tee "$work/instructions.md"
else
    echo "not counted: needs gcc and qemu-aarch64 (apt-get install gcc qemu-user)"
fi
echo "== armhf is refused"
[ -e "$work/armhf/usr/bin/python3" ] || make_armhf
rm -rf "$work/armhf/opt/roomtone"; mkdir -p "$work/armhf/opt"; cp -r "$root/opt/roomtone" "$work/armhf/opt/"
code=0
said=$(cd "$work/armhf" && chroot . env -i PATH=/usr/bin:/bin PYTHONPATH=/opt/roomtone \
    python3 -m edge.cli doctor 2>&1) || code=$?
echo "$said (exit $code)"
[ $code = 1 ] && [[ $said == *"64-bit"* ]] || { echo "emulate.sh: a 32-bit system was not refused" >&2; exit 1; }
echo "== tests of the device"  # CI: property tests without deadlines, as emulation is slow
inside bash -c "cd /opt/roomtone && CI=true python3 -m pytest -p no:cacheprovider ${tests[*]}"
