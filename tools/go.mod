module github.com/siokit/siokit/tools

go 1.26.0

require (
	github.com/alecthomas/kong v1.17.0
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/google/go-cmp v0.7.0
	github.com/gorilla/websocket v1.5.3
	github.com/quic-go/quic-go v0.62.0
	github.com/quic-go/webtransport-go v0.13.0
	github.com/rs/cors v1.11.1
	github.com/siokit/siokit/conformance v0.1.0
	github.com/siokit/siokit/conformance/webtransport v0.1.0
	github.com/siokit/siokit/engineio v0.1.0
	github.com/siokit/siokit/engineio/webtransport v0.1.0
	github.com/siokit/siokit/sioparser v0.1.0
	github.com/siokit/siokit/sioparser/msgpack v0.1.0
	github.com/siokit/siokit/socketio v0.1.0
	go.uber.org/goleak v1.3.0
	golang.org/x/mod v0.42.0
	golang.org/x/sys v0.49.0
	golang.org/x/tools v0.52.0
)

require (
	github.com/dunglas/httpsfv v1.1.1 // indirect
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/quic-go/qpack v0.6.0 // indirect
	github.com/siokit/siokit/eioparser v0.1.0 // indirect
	github.com/vmihailenco/msgpack/v5 v5.4.1 // indirect
	github.com/vmihailenco/tagparser/v2 v2.0.0 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/net v0.56.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.40.0 // indirect
)
