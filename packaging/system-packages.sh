#!/bin/sh
# system-packages.sh NAME...: install the Debian packages that are missing where that is allowed, else say which.
missing=""
for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q "ok installed" || missing="$missing $name"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing; } \
        >/dev/null && exit 0
fi
echo "Some system packages are missing; without them a microphone cannot be used:" >&2
echo "    sudo apt-get install$missing" >&2
