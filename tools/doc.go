// Package tools holds the programs and checks of this workspace; it is not
// released. It is the only module that may import all the others, and so the
// place where the conformance suite meets our server. README.md says what is in
// which folder.
package tools
