package siotest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/client"
	"github.com/siokit/siokit/socketio/siotest"
)

var echo = socketio.DefineCall[string, string]("echo").ToServer()

func TestRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := siotest.New(t, socketio.Config{})
		echo.On(io, func(_ context.Context, _ *socketio.Socket, text string) (string, error) { return text, nil })
		c := io.Connect(client.Config{})
		got, err := echo.Do(t.Context(), c, "hello")
		if err != nil || got != "hello" {
			t.Error(got, err)
		}
		<-time.After(time.Minute)
		if !c.Connected() || c.Transport() != "websocket" {
			t.Error("not connected any more", c.Transport())
		}
	})
}
