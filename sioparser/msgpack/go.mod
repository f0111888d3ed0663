module github.com/siokit/siokit/sioparser/msgpack

go 1.26.0

require (
	github.com/siokit/siokit/sioparser v0.1.0
	github.com/vmihailenco/msgpack/v5 v5.4.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
)
