module github.com/siokit/siokit/fuzz

go 1.26.0

require (
	github.com/go-json-experiment/json v1.27.2
	github.com/google/go-cmp v0.7.0
	github.com/gorilla/websocket v1.5.3
	github.com/leanovate/gopter v0.2.11
	github.com/siokit/siokit/adapters/cluster v0.1.0
	github.com/siokit/siokit/eioparser v0.1.0
	github.com/siokit/siokit/engineio v0.1.0
	github.com/siokit/siokit/sioparser v0.1.0
	github.com/siokit/siokit/sioparser/msgpack v0.1.0
	github.com/siokit/siokit/socketio v0.1.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/rs/cors v1.11.1 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
)
