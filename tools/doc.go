// Package tools holds the programs and checks of this workspace. It is the only
// module that may import everything, and is never released.
//
//	cmd/verify     runs linters, tests and alone, and counts: make test, make check
//	cmd/alone      each module without the others' folders (package alone)
//	cmd/tidy       go mod tidy in all modules (package pack)
//	cmd/prefix     another module prefix everywhere (package prefix)
//	cmd/siotypes   TypeScript, JSON Schema and AsyncAPI of defined events (package siotypes)
//	cmd/refserver  our server as every suite, bench and client here expects it
//	guards         import arrows, module files, file names, as tests
//	snippets       the Go code of all documents, compiled and run
//	suite          the conformance suite on refserver
//	clients        the official clients and a browser on refserver
//	bench          whole processes measured side by side
//	node           the npm packages that tests talk to, locked
//	setup          installs what a machine lacks
//	workspace      reads go.work; pack publishes it into a proxy; results counts tests
package tools
