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

var Greet = socketio.DefineCall[string, string]("greet").ToServer() // of the application

func TestGreeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := siotest.New(t, socketio.Config{})
		Greet.On(io, func(_ context.Context, _ *socketio.Socket, name string) (string, error) { return "Hello, " + name, nil })
		ada := io.Connect(client.Config{})
		ada.Stall(true) // she drives into a tunnel, and heartbeats are missed
		<-time.After(time.Minute)
		ada.Stall(false)
		<-time.After(time.Minute) // simulated: she is back by herself
		if reply, err := Greet.Do(t.Context(), ada, "Ada"); err != nil || reply != "Hello, Ada" {
			t.Error(reply, err)
		}
	})
}
