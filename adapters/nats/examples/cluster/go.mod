module github.com/siokit/siokit/adapters/nats/examples/cluster

go 1.26.0

require (
	github.com/gorilla/websocket v1.5.3
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/nats-io/nats.go v1.55.0
	github.com/siokit/siokit/adapters/cluster v0.1.0
	github.com/siokit/siokit/adapters/nats v0.1.0
	github.com/siokit/siokit/engineio v0.1.0
	github.com/siokit/siokit/socketio v0.1.0
	go.uber.org/goleak v1.3.0
)
