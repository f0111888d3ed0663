package main

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/siokit/siokit/socketio"
)

// slowMiddleware is how long the middleware of /auth-slow takes.
const slowMiddleware = 100 * time.Millisecond

// addCustom is the namespace /custom of the public protocol suites.
func addCustom(io *socketio.Server, name string) {
	n := io.Of(name)
	n.OnConnection(greet)
	handleMessages(n)
	handleIdentity(n)
}

// addNamespaces is the feature nsps.
func addNamespaces(io *socketio.Server) {
	addCustom(io, "/custom2")
	refuse(io, "/auth-fail", &socketio.PublicError{
		Message: "not authorized",
		Data: struct {
			Code    int    `json:"code"`
			Content string `json:"content"`
		}{401, "please retry"},
	})
	refuse(io, "/auth-fail-nodata", errors.New("nope"))
	refuse(io, "/deny", errors.New("denied"))

	slow := io.Of("/auth-slow")
	slow.OnConnection(greet)
	slow.Use(func(ctx context.Context, _ *socketio.Socket) error {
		select {
		case <-time.After(slowMiddleware):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	io.Of("/hang").Use(func(ctx context.Context, _ *socketio.Socket) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})

	dynamic := io.OfPattern(regexp.MustCompile(`^/dyn-\d+$`))
	dynamic.OnConnection(greet)
	dynamic.On("id", acknowledgeID)
}

func refuse(io *socketio.Server, name string, err error) {
	io.Of(name).Use(func(context.Context, *socketio.Socket) error { return err })
}

// handleIdentity is what both the main and the custom namespaces answer.
func handleIdentity(n *socketio.Namespace) {
	n.On("id", acknowledgeID)
	n.On("disconnect-me", func(_ context.Context, ev *socketio.Event) error {
		ev.Socket().Disconnect(false)
		return nil
	})
}

func acknowledgeID(_ context.Context, ev *socketio.Event) error {
	return ev.Ack(ev.Socket().ID())
}
