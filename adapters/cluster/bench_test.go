package cluster_test

import (
	"testing"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

func benchMessage(b *testing.B) *cluster.Message {
	b.Helper()
	args, err := sioparser.ParseArgs([]byte(`[{"room":"lobby","user":"ann","text":"a line of chat that is neither long nor short","at":1712345678901}]`), nil)
	if err != nil {
		b.Fatal(err)
	}
	return &cluster.Message{
		Type: cluster.Broadcast, UID: "0123456789abcdef", Namespace: "/", Name: []byte("chat"), Args: args,
		Selection: adapter.Selection{Rooms: []string{"lobby"}, Except: []string{"4cXzQ0qvJ1bM8xYyAAAB"}},
	}
}

func BenchmarkJSONAppend(b *testing.B) {
	m := benchMessage(b)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = cluster.JSON.Append(dst[:0], m); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(dst)))
}

func BenchmarkJSONDecode(b *testing.B) {
	text, err := cluster.JSON.Append(nil, benchMessage(b))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var m cluster.Message
		if err := cluster.JSON.Decode(text, &m); err != nil {
			b.Fatal(err)
		}
	}
}
