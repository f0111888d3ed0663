// Package mixed has no code of its own: its tests run clusters of two servers of
// the reference on Node and two of ours, with official clients on all four, on
// each bus that official adapters speak, and try every operation in every
// direction. What works is the table in ../MATRIX.md, which they write:
//
//	go test ./adapters/mixed -run TestMatrix -update
//
// The module is not released.
package mixed
