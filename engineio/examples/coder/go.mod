module github.com/siokit/siokit/engineio/examples/coder

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/siokit/siokit/eioparser v0.1.0
	github.com/siokit/siokit/engineio v0.1.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/gorilla/websocket v1.5.3 // indirect
	github.com/rs/cors v1.11.1 // indirect
)
