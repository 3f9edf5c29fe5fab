#!/bin/sh
# uninstall.sh [--root DIR] [--purge]: remove Roomtone; --purge also removes settings, keys and everything it learned.
set -eu
root="" purge=no
while [ $# -gt 0 ]; do
    case $1 in
    --root) root=$2; shift ;;
    --purge) purge=yes ;;
    *) echo "uninstall.sh: unknown option $1; known: --root DIR, --purge" >&2; exit 2 ;;
    esac
    shift
done
units="$root/etc/systemd/system"
if [ -z "$root" ] && [ -d /run/systemd/system ]; then
    systemctl disable --now roomtone-update.timer roomtone-update.service roomtone.socket roomtone.service 2>/dev/null || true
fi
rm -rf "$root/opt/roomtone" "$units/roomtone.service.d"
rm -f "$units/roomtone.service" "$units/roomtone.socket" "$units/roomtone-update.service" "$units/roomtone-update.timer"
if [ "$purge" = yes ]; then
    # A dynamic user's state lies in /var/lib/private, behind a link.
    rm -rf "$root/etc/default/roomtone" "$root/etc/default/roomtone-update" "$root/etc/roomtone" "$root/var/lib/private/roomtone" "$root/var/lib/roomtone"
fi
if [ -z "$root" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
