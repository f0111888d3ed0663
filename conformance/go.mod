module github.com/siokit/siokit/conformance

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/google/go-cmp v0.7.0
	github.com/siokit/siokit/eioparser v0.1.0
	github.com/siokit/siokit/sioparser v0.1.0
	go.uber.org/goleak v1.3.0
)

require github.com/go-json-experiment/json v1.27.2 // indirect
