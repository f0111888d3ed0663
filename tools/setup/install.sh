#!/bin/sh
# Installs what this repository needs and is not there yet. Everything that is
# there already is left alone, so it costs a fraction of a second when run again.
#
#   install.sh go      Go 1.26
#   install.sh demo    the above, Node.js with npm, and the npm packages that are locked here
#   install.sh test    the above, a C compiler (for go test -race), git, Chromium, PostgreSQL, Redis, nginx,
#                   HAProxy, python-socketio
#
# Debian and its relatives; as root, or with sudo. On another system it says
# what is missing and stops.
set -eu

go_version=1.26.8 # fetched only where no Go of at least 1.26 can be had
node_major=18

root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
own_go=$root/build/go # a Go fetched by this script; the Makefile looks there first
PATH=$own_go/bin:$PATH
export PATH

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
	say "$*"
	exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo; then
		sudo -n "$@"
	else
		fail "root or sudo is needed to run: $*"
	fi
}

updated=
apt_install() {
	have apt-get || fail "please install these, then run again: $*"
	say "installing $*"
	if [ -z "$updated" ]; then
		as_root apt-get -qq update </dev/null >/dev/null
		updated=yes
	fi
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null
}

# go_is_enough reports whether the go command that would run here is 1.26 or
# later. From Go 1.21 on, the command fetches the version that go.work asks for.
go_is_enough() {
	have go || return 1
	minor=$(cd "$root" && go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
	[ -n "$minor" ] && [ "$minor" -ge 26 ]
}

# fetch_go has an older go command fetch a newer one as the module that newer go
# commands would fetch themselves, verified by the checksum database.
fetch_go() {
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) fail "please install Go 1.26 or later, then run again" ;;
	esac
	say "fetching Go $go_version"
	mkdir -p "$root/build"
	empty=$(mktemp -d)
	dir=$(cd "$empty" && GOFLAGS=-modcacherw GOWORK=off go mod download -json \
		"golang.org/toolchain@v0.0.1-go$go_version.linux-$arch" |
		sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
	rmdir "$empty"
	[ -d "$dir" ] || fail "Go $go_version could not be fetched"
	# Module files carry no permission to execute.
	chmod -R u+w "$dir/bin" "$dir/pkg/tool"
	chmod a+x "$dir"/bin/* "$dir"/pkg/tool/*/*
	ln -sfn "$dir" "$own_go"
	hash -r # the shell remembers where it found the older one
}

need_go() {
	go_is_enough && return
	have go || apt_install golang-go ca-certificates
	go_is_enough || fetch_go
	go_is_enough || fail "Go 1.26 or later is needed; found $(go version)"
}

need_node() {
	have node || apt_install nodejs
	major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
	[ "$major" -ge "$node_major" ] || fail "Node.js $node_major or later is needed; found $(node --version)"
	have npm || apt_install npm
}

# need_packages FOLDER... runs npm ci in each folder below these that has a lock
# file, without the packages' own install scripts.
need_packages() {
	(cd "$root" && find "$@" -name node_modules -prune -o -name package-lock.json -print) | while read -r lock; do
		(
			cd "$root/$(dirname "$lock")"
			# npm writes node_modules/.package-lock.json last.
			if [ ! -e node_modules/.package-lock.json ] ||
				[ package-lock.json -nt node_modules/.package-lock.json ]; then
				say "npm ci in ${PWD#"$root/"}"
				npm ci --ignore-scripts --no-audit --no-fund </dev/null >&2
				touch node_modules/.package-lock.json
			fi
		)
	done
}

# need_postgres installs PostgreSQL's programs. The tests run servers of their own,
# so Debian's packages are kept from setting one up.
need_postgres() {
	have initdb && return
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return
	apt_install postgresql-common
	as_root sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	apt_install postgresql
}

# need_redis takes the Redis that is there, or installs one; the service that the
# package would start is of no use here.
need_redis() {
	have redis-server && return
	apt_install redis-server
	as_root service redis-server stop >/dev/null 2>&1 || true
}

# need_proxies takes the load balancers that are there, or installs them. They are
# in a folder that only root's PATH is sure to have; the tests look there, too.
need_proxies() {
	if ! have nginx && [ ! -x /usr/sbin/nginx ]; then
		apt_install nginx-light
		as_root service nginx stop >/dev/null 2>&1 || true
	fi
	if ! have haproxy && [ ! -x /usr/sbin/haproxy ]; then
		apt_install haproxy
		as_root service haproxy stop >/dev/null 2>&1 || true
	fi
}

# has_socketio reports whether a Python has python-socketio and what that needs.
has_socketio() { (cd / && "$1" -c 'from socketio import Client; import requests, websocket') >/dev/null 2>&1; }

need_test_tools() {
	# The race detector links with the C compiler.
	have gcc || apt_install gcc libc6-dev
	have git || apt_install git
	have chromium || have chromium-browser || have google-chrome || apt_install chromium fonts-noto-color-emoji
	has_socketio python3 || has_socketio /usr/bin/python3 ||
		apt_install python3 python3-socketio python3-requests python3-websocket
	need_postgres
	need_redis
	need_proxies
}

case ${1-} in
go) need_go ;;
demo)
	need_go
	need_node
	need_packages tools/node
	;;
test)
	need_go
	need_test_tools
	need_node
	need_packages tools conformance/fixtures/node # other servers' fixtures install themselves
	;;
*) fail "usage: $0 go|demo|test" ;;
esac
