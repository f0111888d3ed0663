package app

import "github.com/siokit/siokit/socketio"

func f(s string) { socketio.DefineEvent[int](s) }