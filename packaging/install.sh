#!/bin/sh
# install.sh [--root DIR] [--profile NAME] [--package WHEEL|FOLDER|none] [--updates URL]: install Roomtone as a service;
# again, to renew it. With --updates it looks for releases at URL once a day (docs/updates.md).
# Example: sudo sh packaging/install.sh --profile rpi-4-tv
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root="" profile=rpi-zero-2w-speaker package="$here/.." updates=""
while [ $# -gt 0 ]; do
    case $1 in
    --root) root=$2 ;;
    --profile) profile=$2 ;;
    --package) package=$2 ;;
    --updates) updates=$2 ;;
    *) echo "install.sh: unknown option $1; known: --root DIR, --profile NAME, --package WHEEL|FOLDER|none, --updates URL" >&2; exit 2 ;;
    esac
    shift 2
done
[ "$(getconf LONG_BIT)" = 64 ] || {
    echo "install.sh: this is a 32-bit system, for which the runtimes are not made; install a 64-bit one" >&2; exit 1; }
settings="$here/../firmware_profiles/$profile.toml"
[ -f "$settings" ] || { echo "install.sh: no profile $profile in firmware_profiles/" >&2; exit 2; }
budget_mib=$(sed -n 's/^budget_mib = //p' "$settings")
extra=speaker
sed -n '/^\[video\]/,/^$/p' "$settings" | grep -q '^enabled = true' && extra=tv
[ -z "$updates" ] || extra="$extra,update"

if [ "$package" != none ]; then
    [ -n "$root" ] || sh "$here/system-packages.sh" libportaudio2 python3-venv
    [ -x "$root/opt/roomtone/bin/python" ] || python3 -m venv "$root/opt/roomtone"
    "$root/opt/roomtone/bin/pip" install --quiet --upgrade "${package}[$extra]"
    # The units may not write here and would compile every module at each start.
    [ -n "$root" ] || PYTHONPYCACHEPREFIX=/opt/roomtone/pycache /opt/roomtone/bin/python -OO -m compileall -q -j 0 \
        -x '/(test|tests|idlelib|lib2to3|ensurepip|dist-packages)/' \
        $(/opt/roomtone/bin/python -c 'import sysconfig; print(*map(sysconfig.get_path, ("stdlib", "purelib")))') || :
fi
units="$root/etc/systemd/system"
install -d "$units/roomtone.service.d" "$root/etc/default" "$root/etc/roomtone/keys"
install -m 644 "$here/roomtone.service" "$here/roomtone.socket" "$units/"
install -m 644 "$here/roomtone-update.service" "$here/roomtone-update.timer" "$units/"
printf '# The budget of the profile %s.\n[Service]\nMemoryMax=%sM\n' "$profile" "$budget_mib" \
    > "$units/roomtone.service.d/memory.conf"
# What somebody has set stays.
[ -e "$root/etc/default/roomtone" ] || echo "ROOMTONE_OPTIONS=\"--profile $profile --audio mic\"" > "$root/etc/default/roomtone"
if [ -n "$updates" ] && [ ! -e "$root/etc/default/roomtone-update" ]; then
    echo "ROOMTONE_UPDATE_OPTIONS=\"--url $updates --profile $profile\"" > "$root/etc/default/roomtone-update"
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    [ -z "$updates" ] || systemctl enable --now roomtone-update.timer
    systemctl enable roomtone.service
    systemctl restart roomtone.service
fi
echo "installed for $profile, ${budget_mib} MiB; settings: ${root}/etc/default/roomtone"
