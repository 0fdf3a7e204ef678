#!/usr/bin/env bash
# Installs what the end-to-end tests drive: buildx, BuildKit, dockerd, containerd,
# crane, skopeo, act, the aws CLI, ministack, QEMU, and the root file systems that the test
# image is made of. Everything comes from package registries (Go modules, Debian and PyPI),
# is pinned where the registry lets us pin it, and is cached outside of the tree by version,
# so that a second run installs nothing and says nothing. Needs Debian 12, root, Go and git.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ECR_MULTIARCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ecr-multiarch}

buildx=v0.35.0
buildkit=v0.31.0
crane=v0.22.1
act=v0.2.89
actionlint=v1.7.12
awscli=1.46.3
ministack=1.5.33

debian_packages=(skopeo runc containerd docker.io qemu-user-static busybox-static iptables
  python3-venv)

mkdir -p "$cache/bin" "$cache/docker-config/cli-plugins"
# Two runs at once would unpack over each other.
exec 9> "$cache/setup.lock"
flock 9

say() { printf 'setup: %s\n' "$*"; }

# Runs a command whose output matters only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" > "$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

install_debian_packages() {
  local missing=() package status
  for package in "${debian_packages[@]}"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Debian packages: ${missing[*]}"
  quietly apt-get update
  # The tests start their own daemons; the packages must not start the machine's.
  local policy=/usr/sbin/policy-rc.d added=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    added=yes
  fi
  local failed=
  quietly env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}" || failed=yes
  [ -z "$added" ] || rm -f "$policy"
  [ -z "$failed" ]
}

# go_tool NAME VERSION PACKAGE [LDFLAGS]: `go install` into a folder of that version.
go_tool() {
  local name=$1 version=$2 package=$3 ldflags=${4:-}
  local dir=$cache/tools/$name@$version
  if [ ! -x "$dir/$name" ]; then
    say "$name $version"
    quietly env CGO_ENABLED=0 GOFLAGS= GOBIN="$dir.partial" \
      nice -n 5 go install -trimpath -ldflags "-s -w $ldflags" "$package@$version"
    rm -rf "$dir"
    mv "$dir.partial" "$dir"
  fi
  ln -sfn "$dir/$name" "$cache/bin/$name"
}

# `go install` refuses modules whose go.mod has exclude directives. As the go.mod of a
# module of our own, the very same file is accepted and gives the very same versions.
install_buildkit() {
  local dir=$cache/tools/buildkit@$buildkit
  if [ ! -x "$dir/buildctl" ]; then
    say "buildkitd and buildctl $buildkit"
    local module=github.com/moby/buildkit work source
    work=$(mktemp -d)
    quietly env GOFLAGS= go mod download "$module@$buildkit"
    source=$(go env GOMODCACHE)/$module@$buildkit
    install -m 644 "$source/go.mod" "$source/go.sum" "$work/"
    (
      cd "$work"
      go mod edit -module=e2e/buildkit -require="$module@$buildkit"
      quietly env CGO_ENABLED=0 GOFLAGS=-mod=mod nice -n 5 go build -trimpath \
        -ldflags "-s -w -X $module/version.Version=$buildkit" \
        -o "$dir.partial/" "$module/cmd/buildkitd" "$module/cmd/buildctl"
    )
    rm -rf "$dir" "$work"
    mv "$dir.partial" "$dir"
  fi
  ln -sfn "$dir/buildkitd" "$cache/bin/buildkitd"
  ln -sfn "$dir/buildctl" "$cache/bin/buildctl"
}

# python_tool NAME VERSION PROGRAM: a package of PyPI in an environment of its own, for which
# Debian's Python is good on every machine.
python_tool() {
  local name=$1 version=$2 program=$3
  local dir=$cache/tools/$name@$version
  # A virtual environment cannot be moved, so that its last step says that it is complete.
  if [ ! -e "$dir/complete" ]; then
    say "$name $version"
    rm -rf "$dir"
    quietly /usr/bin/python3 -m venv "$dir"
    quietly "$dir/bin/pip" install --disable-pip-version-check "$name==$version"
    touch "$dir/complete"
  fi
  ln -sfn "$dir/bin/$program" "$cache/bin/$program"
}

install_debian_packages
# A machine may have another docker client, first on its PATH; the tests use Debian's,
# which fits Debian's dockerd.
ln -sfn /usr/bin/docker "$cache/bin/docker"

go_tool buildx "$buildx" github.com/docker/buildx/cmd/buildx \
  "-X github.com/docker/buildx/version.Version=$buildx"
ln -sfn "$cache/tools/buildx@$buildx/buildx" "$cache/docker-config/cli-plugins/docker-buildx"
install_buildkit
go_tool crane "$crane" github.com/google/go-containerregistry/cmd/crane
go_tool act "$act" github.com/nektos/act "-X main.version=${act#v}"
go_tool actionlint "$actionlint" github.com/rhysd/actionlint/cmd/actionlint
python_tool awscli "$awscli" aws
# ministack is an application of this server, which is told more when it is started by itself.
python_tool ministack "$ministack" hypercorn

# What the test image is made of, and the builder in a container.
for arch in amd64 arm64; do
  "$here/rootfs.sh" "$arch" "$cache/rootfs/$arch" \
    nginx nginx-common libc6 libcrypt1 libpcre2-8-0 libssl3 zlib1g
done
"$here/rootfs.sh" "$(dpkg --print-architecture)" "$cache/rootfs/builder" libc6 libseccomp2 runc
