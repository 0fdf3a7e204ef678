#!/usr/bin/env bash
# Installs what the benchmark runs against: a real registry (distribution), regctl, and what the end-to-end
# tests install (buildx, BuildKit, crane, the docker command). Everything comes from package registries, is
# pinned, and is cached by version, so that a second run installs nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ECR_MULTIARCH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ecr-multiarch}

distribution=v3.1.2
regctl=v0.11.7

"$here/../__tests__/e2e/setup.sh"

# Two runs at once would build over each other.
exec 9> "$cache/setup.lock"
flock 9

# go_tool NAME VERSION PACKAGE: `go install` into a folder of that version.
go_tool() {
  local name=$1 version=$2 package=$3
  local dir=$cache/tools/$name@$version
  if [ ! -x "$dir/$name" ]; then
    echo "setup: $name $version"
    env CGO_ENABLED=0 GOFLAGS= GOBIN="$dir.partial" nice -n 5 go install -trimpath -ldflags '-s -w' "$package@$version"
    rm -rf "$dir"
    mv "$dir.partial" "$dir"
  fi
  ln -sfn "$dir/$name" "$cache/bin/$name"
}

go_tool registry "$distribution" github.com/distribution/distribution/v3/cmd/registry
go_tool regctl "$regctl" github.com/regclient/regclient/cmd/regctl
