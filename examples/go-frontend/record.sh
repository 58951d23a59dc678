#!/bin/sh
# Records cassettes/ anew, all of it or none: what the tests say to a real
# buildkitd, and what the frontend says in a container.
#
#   ./record.sh TAPES
#
# TAPES is where buildkitd's OCI runtime records container frontends:
#   bridgetape runtime --dir TAPES --install ./runtime
#   buildkitd --oci-worker-binary=$PWD/runtime
#
# Needs bridgetape, buildctl, go and a static busybox on PATH, a registry on
# localhost:5000, and a buildkitd that knows no cassette's steps yet: at
# BUILDKIT_HOST, or where it is by default.
set -eu
tapes=$(cd "${1:?"the folder of buildkitd's runtime is missing; see the top of $0"}" && pwd)
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The image with its program, pushed to the registry. $1: its folder here.
push() {
  buildctl build --progress=plain --frontend=dockerfile.v0 \
    --local context="$work/$1" --local dockerfile="testdata/images/$1" \
    --output "type=image,name=localhost:5000/$1,push=true,registry.insecure=true"
}

mkdir "$work/busybox" "$work/shipfile"
cp "$(command -v busybox)" "$work/busybox/busybox"
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$work/shipfile/shipfile-frontend" ./cmd/shipfile-frontend
push busybox
push shipfile

bridgetape record -o "$work/tests.cassette" -- go test -count=1 ./...

ls "$tapes" >"$work/before"
buildctl build --progress=plain --frontend=gateway.v0 --opt source=localhost:5000/shipfile \
  --opt filename=hello.json --local context=testdata/hello
ls "$tapes" >"$work/after"
new=$(comm -13 "$work/before" "$work/after")
cp "$tapes/$new" "$work/container.cassette"

bridgetape verify "$work/tests.cassette"
bridgetape verify "$work/container.cassette"
install -m 644 "$work/tests.cassette" "$work/container.cassette" cassettes/
