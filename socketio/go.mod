module github.com/siokit/siokit/socketio

go 1.26.0

require (
	github.com/go-json-experiment/json v1.27.2
	github.com/google/go-cmp v0.7.0
	github.com/gorilla/websocket v1.5.3
	github.com/rs/cors v1.11.1
	github.com/siokit/siokit/eioparser v0.1.0
	github.com/siokit/siokit/engineio v0.1.0
	github.com/siokit/siokit/sioparser v0.1.0
	go.uber.org/goleak v1.3.0
)
