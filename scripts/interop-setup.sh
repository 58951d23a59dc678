#!/bin/sh
# Installs what tests with real BuildKit and with clients in other languages need from Debian, if it is missing. Go
# itself is not installed here.
set -eu

missing=''
need() { # program package
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

PATH="$PATH:/usr/sbin:/sbin"
need runc runc
need docker-registry docker-registry
# The engine, and a command line for it. Another command line may be there already.
need dockerd docker.io
need docker docker.io
need socat socat
need haproxy haproxy
need nghttp nghttp2-client
need flock util-linux
need umount mount
# Debian's python3 alone makes no virtual environments.
python3 -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
# Go and pip fetch over TLS.
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
# A dynamically linked busybox can't run in an empty container.
dpkg-query -W -f '${db:Status-Status}' busybox-static 2>/dev/null | grep -qx installed || missing="$missing busybox-static"

if [ -n "$missing" ]; then
  export DEBIAN_FRONTEND=noninteractive
  # The packages' own services stay off: a registry or a proxy on a public port is nobody's wish.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -q
  # shellcheck disable=SC2086 # a list of packages
  apt-get install -q -y --no-install-recommends $missing
fi

if ! command -v go >/dev/null 2>&1; then
  echo 'interop-setup: Go is not installed; it builds BuildKit and the test frontend' >&2
  exit 1
fi
