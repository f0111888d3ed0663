#!/bin/sh
# The proof that the suite's verdicts can be believed, the whole of it: some
# twenty minutes on two cores. What of it fits into three is part of go test.
#
#   kill table   every mutant is still killed, and every case still kills
#   controls     what is no server, or one of revision 3, passes nothing
#   public       every test of the public protocol suites has its cases
#   repeats      the reference passes every case twenty times, with the machine
#                to itself and with all cores kept busy
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
go build -o build/sioconform ./conformance/cmd/sioconform

step() {
	echo "== $1" >&2
	shift
	"$@"
}

twenty() {
	code=0
	build/sioconform --cmd conformance/fixtures/node/start.sh --start-timeout 10m \
		--strict --quirks --repeat 20 --parallel 16 >build/proof.txt || code=$?
	if [ "$code" = 0 ]; then tail -n 1 build/proof.txt; else cat build/proof.txt; fi
	return "$code"
}

# busy runs a command while every core has a loop to run.
busy() {
	loops=
	for _ in $(seq "$(getconf _NPROCESSORS_ONLN)"); do
		sh -c 'while :; do :; done' &
		loops="$loops $!"
	done
	# shellcheck disable=SC2064,SC2086 # these loops, when we end in any way
	trap "kill $loops 2>/dev/null || true" EXIT
	"$@"
	# shellcheck disable=SC2086
	kill $loops
	trap - EXIT
}

step 'kill table: every row' go test -count=1 -timeout 60m ./conformance/internal/mutant -args -every
step 'controls and public suites' go test -count=1 ./conformance \
	-run 'NotTested|NothingPasses|PassesNothing|PublicSuites'
step 'twenty times' twenty
step 'twenty times, all cores busy' busy twenty
echo 'the suite is proved' >&2
