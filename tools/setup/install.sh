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

# want notes Debian packages, which install_wanted installs in one go.
wanted=
updated=
want() { wanted="$wanted $*"; }

install_wanted() {
	[ -n "$wanted" ] || return 0
	have apt-get || fail "please install these, then run again:$wanted"
	say "installing$wanted"
	[ -n "$updated" ] || as_root apt-get -qq update </dev/null >/dev/null
	updated=yes
	case " $wanted " in
	*" postgresql "*) no_main_cluster ;;
	esac
	# confold: no_main_cluster may have written a file that a package brings, too.
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		-o Dpkg::Options::=--force-confold $wanted </dev/null >/dev/null
	wanted=
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

want_go() { have go || want golang-go ca-certificates; }

need_go() {
	go_is_enough || fetch_go
	go_is_enough || fail "Go 1.26 or later is needed; found $(go version)"
}

want_node() { have node || want nodejs; }

need_node() {
	have npm || want npm # which some packages of Node.js bring
	install_wanted
	major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
	[ "$major" -ge "$node_major" ] || fail "Node.js $node_major or later is needed; found $(node --version)"
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

# has_socketio reports whether a Python has python-socketio and what that needs.
has_socketio() { (cd / && "$1" -c 'from socketio import Client; import requests, websocket') >/dev/null 2>&1; }

# no_main_cluster keeps Debian's PostgreSQL from setting a server up: the tests run
# servers of their own.
no_main_cluster() {
	conf=/etc/postgresql-common/createcluster.conf
	as_root sh -c "mkdir -p ${conf%/*} && touch $conf && sed -i '/create_main_cluster/d' $conf &&
		echo create_main_cluster = false >>$conf"
}

want_postgres() {
	have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || want postgresql
}

# want_service PROGRAM PACKAGE wants a server that is not there. The load balancers
# are in a folder that only root's PATH is sure to have; the tests look there, too.
want_service() {
	have "$1" || [ -x "/usr/sbin/$1" ] && return
	want "$2"
	new_services="$new_services $2"
}

# stop_new_services stops what the packages have started: the tests run their own.
stop_new_services() {
	for s in $new_services; do
		as_root service "${s%-light}" stop >/dev/null 2>&1 || true
	done
}

want_test_tools() {
	# The race detector links with the C compiler.
	have gcc || want gcc libc6-dev
	have git || want git
	have chromium || have chromium-browser || have google-chrome || want chromium fonts-noto-color-emoji
	has_socketio python3 || has_socketio /usr/bin/python3 ||
		want python3 python3-socketio python3-requests python3-websocket
	new_services=
	want_service redis-server redis-server
	want_service nginx nginx-light
	want_service haproxy haproxy
	want_postgres
}

case ${1-} in
go)
	want_go
	install_wanted
	need_go
	;;
demo)
	want_go
	want_node
	install_wanted
	need_go
	need_node
	need_packages tools/node
	;;
test)
	want_go
	want_node
	want_test_tools
	install_wanted
	stop_new_services
	need_go
	need_node
	need_packages tools conformance/fixtures/node # other servers' fixtures install themselves
	;;
*) fail "usage: $0 go|demo|test" ;;
esac
