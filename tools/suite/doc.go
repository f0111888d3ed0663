// Package suite is where the conformance suite meets our own server: its test
// runs every case against tools/cmd/refserver. The suite itself imports no
// server, so nothing in it can know what ours answers.
package suite
