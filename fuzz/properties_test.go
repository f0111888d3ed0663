package fuzz_test

import (
	"github.com/siokit/siokit/fuzz/internal/property"
	"github.com/siokit/siokit/sioparser"
)

var properties = property.New

// sioValues reads and writes the arguments of packets.
var sioValues = sioparser.JSON()
