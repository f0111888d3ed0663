module github.com/siokit/siokit/engineio/webtransport

go 1.26.0

require (
	github.com/quic-go/quic-go v0.62.0
	github.com/quic-go/webtransport-go v0.13.0
	github.com/rs/cors v1.11.1
	github.com/siokit/siokit/eioparser v0.1.0
	github.com/siokit/siokit/engineio v0.1.0
	go.uber.org/goleak v1.3.0
)
