// Package match compares what a server sent with what a case expects.
//
// An expectation is written as the packet itself, with masks for what the
// server chooses:
//
//	42/custom,["auth",{"sid":"<sid>"}]
//
// JSON is compared by meaning: white space, the order of keys and the spelling
// of numbers and escapes are free. Strings are compared as UTF-16 code units,
// so that lone surrogates are not lost. Everything before the JSON is compared
// byte by byte.
package match
