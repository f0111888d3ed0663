// Package eio holds the tests of eioparser, eio3 and jsonp: plain models, random loops,
// properties, fuzz targets, and engine.io-parser in a Node process beside ours.
package eio
