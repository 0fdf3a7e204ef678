#!/usr/bin/env bash
# rootfs.sh ARCH DIR PACKAGE...: unpacks Debian's packages for ARCH, and a static busybox
# as their shell, into DIR. Nothing of ARCH is installed or run here, and the machine's
# own apt and dpkg state stay as they are.
set -euo pipefail
arch=$1
target=$2
packages=("${@:3}" busybox-static)
# What is unpacked is known by its packages and by the steps of this script.
revision="${packages[*]} $(sha256sum < "${BASH_SOURCE[0]}")"

[ "$(cat "$target.revision" 2> /dev/null || true)" != "$revision" ] || exit 0
printf 'setup: root file system %s for %s\n' "$(basename "$target")" "$arch"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs"
: > "$work/status"
# A package index of its own: adding an architecture to dpkg would change what every
# later `apt-get install` on this machine resolves to.
options=(-qq
  -o "APT::Architecture=$arch" -o "APT::Architectures=$arch"
  -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
  -o "Dir::Cache=$work"
  -o Acquire::Languages=none -o APT::Sandbox::User=root)
log=$work/log
if ! { apt-get "${options[@]}" update \
  && cd "$work/debs" && apt-get "${options[@]}" download "${packages[@]}"; } > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi

rm -rf "$target" "$target.revision"
mkdir -p "$target"
for deb in "$work"/debs/*.deb; do
  dpkg -x "$deb" "$target"
done
# Neither the server nor the shell reads these, and they would be most of the image.
rm -rf "$target"/usr/share/{doc,man,lintian,bug,locale} "$target"/usr/lib/*/gconv
ln -s busybox "$target/bin/sh"
mkdir -m 1777 "$target/tmp"
printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n' \
  > "$target/etc/passwd"
printf 'root:x:0:\nwww-data:x:33:\n' > "$target/etc/group"
echo "$revision" > "$target.revision"
