// Package guards holds the tests that keep the shape of this repository: which
// package may import which, what a go.mod may require, how files are named and
// how long they may be. It has no code of its own.
package guards
