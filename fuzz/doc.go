// Package fuzz holds the property tests and fuzz targets of all modules: here those
// of engines, sockets, rooms and clusters; those of the parsers in the packages eio,
// sio and msgpack, whose binaries stay small, since native fuzzing is the slower
// the more a binary links.
//
// A plain go test runs each property with some hundred cases, each loop over
// random cases for a second, each comparison with a reference implementation (in
// a Node process, with the npm packages of tools/node) with ten thousand, and
// each fuzz target with its seeds. Longer runs:
//
//	go test -fuzz='^FuzzEIOPayload$' -fuzztime=10m ./fuzz/eio                      # one native target
//	SIOKIT_CASES=1e8 go test -run=Loop -timeout=0 ./fuzz/...                       # loops in process
//	SIOKIT_CASES=1e6 go test -run='Reference|Differential' -timeout=0 ./fuzz/...   # comparisons
//	SIOKIT_SEED=… go test -run=TestEIOTextLoop ./fuzz/eio                          # a failure again
//
// Names begin with what they test: EIO and EIO3, SIO, Msgpack and so on.
// DIFFERENCES.md lists each intended difference from the references.
package fuzz
