package redispubsub_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// flat lets arguments be compared.
var flat = cmp.Transformer("Args", func(a sioparser.Args) []any {
	return []any{string(a.AppendArray(nil)), a.Attachments()}
})

// What notepack.io and JSON.stringify make of the messages of
// @socket.io/redis-adapter 8.3.0.
func TestOfficialMessages(t *testing.T) {
	args := func(array string, attachments ...[]byte) sioparser.Args {
		a, err := sioparser.ParseArgs([]byte(array), attachments)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for name, tc := range map[string]struct {
		channel byte
		data    string
		want    cluster.Message
	}{
		"broadcast": {'b', "\x93\xa6abcdef\x83\xa4type\x02\xa4data\x92\xa1e\xc4\x01\xff\xa3nsp\xa1/\x83\xa5rooms\x91\xa3red\xa6except\x90\xa5flags\x82\xa8volatile\xc3\xa8compress\xc2", cluster.Message{
			Type: cluster.Broadcast, UID: "abcdef", Namespace: "/", Name: []byte("e"), Args: args(`[{"_placeholder":true,"num":0}]`, []byte{0xff}),
			Selection: adapter.Selection{Rooms: []string{"red"}, Except: []string{}, Flags: adapter.Volatile | adapter.NoCompress},
		}},
		"broadcast of another namespace": {'b', "\x93\xa1u\x83\xa4type\x02\xa4data\x91\xa1e\xa3nsp\xa2/x\x82\xa5rooms\x90\xa6except\x90", cluster.Message{
			Type: cluster.Broadcast, UID: "u", Namespace: "/x", Name: []byte("e"), Args: args(`[]`), Selection: adapter.Selection{Rooms: []string{}, Except: []string{}},
		}},
		"REMOTE_JOIN": {'q', `{"uid":"u","type":2,"opts":{"rooms":["a"],"except":["b"]},"rooms":["c"]}`, cluster.Message{
			Type: cluster.SocketsJoin, UID: "u", Namespace: "/", Selection: adapter.Selection{Rooms: []string{"a"}, Except: []string{"b"}}, Rooms: []string{"c"},
		}},
		"REMOTE_DISCONNECT of an emitter": {'q', `{"type":4,"opts":{"rooms":[],"except":[]},"close":true}`, cluster.Message{
			Type: cluster.DisconnectSockets, UID: "emitter", Namespace: "/", Selection: adapter.Selection{Rooms: []string{}, Except: []string{}}, Close: true,
		}},
		"REMOTE_FETCH": {'q', `{"uid":"u","requestId":"r","type":5,"opts":{"rooms":[],"except":[]}}`, cluster.Message{
			Type: cluster.FetchSockets, UID: "u", Namespace: "/", RequestID: "r", Selection: adapter.Selection{Rooms: []string{}, Except: []string{}},
		}},
		"SERVER_SIDE_EMIT": {'q', `{"uid":"u","requestId":"r","type":6,"data":["e",1]}`, cluster.Message{
			Type: cluster.ServerSideEmit, UID: "u", Namespace: "/", RequestID: "r", Name: []byte("e"), Args: args(`[1]`),
		}},
		"REMOTE_FETCH answered": {'r', `{"requestId":"server.r","sockets":[{"id":"s","handshake":{"a":1},"rooms":["s"],"data":{}}]}`, cluster.Message{
			Type: cluster.FetchSocketsResponse, UID: cluster.Anonymous, Namespace: "/", RequestID: "r",
			Sockets: []cluster.Details{{ID: "s", Rooms: []string{"s"}, Handshake: []byte(`{"a":1}`), Data: []byte(`{}`)}},
		}},
		"SERVER_SIDE_EMIT answered": {'r', `{"type":6,"requestId":"server.r","data":{"x":1}}`, cluster.Message{
			Type: cluster.ServerSideEmitResponse, UID: cluster.Anonymous, Namespace: "/", RequestID: "r", Args: args(`[{"x":1}]`),
		}},
		"BROADCAST_CLIENT_COUNT": {'r', `{"type":8,"requestId":"server.r","clientCount":3}`, cluster.Message{
			Type: cluster.BroadcastClientCount, UID: cluster.Anonymous, Namespace: "/", RequestID: "r", Clients: 3,
		}},
		"BROADCAST_ACK": {'r', "\x83\xa4type\x09\xa9requestId\xa8server.r\xa6packet\xa2ok", cluster.Message{
			Type: cluster.BroadcastAck, UID: cluster.Anonymous, Namespace: "/", RequestID: "r", Args: args(`["ok"]`),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var m cluster.Message
			if err := redispubsub.ClassicCodec.Decode(append([]byte{tc.channel}, tc.data...), &m); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, m, flat); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

// A message is the caller's: its id is another on the channel only.
func TestAppendLeavesTheMessageAlone(t *testing.T) {
	want := cluster.Message{Type: cluster.FetchSockets, UID: "server", Namespace: "/", RequestID: "r"}
	m := want
	data, err := redispubsub.ClassicCodec.Append(nil, &m)
	if err != nil || !bytes.Contains(data, []byte(`"server.r"`)) {
		t.Errorf("%s, %v", data, err)
	}
	if diff := cmp.Diff(want, m, flat); diff != "" {
		t.Errorf("message (-before +after):\n%s", diff)
	}
}

// FuzzClassicCodec: nothing from a channel ends the process, and what was
// understood can be sent on.
func FuzzClassicCodec(f *testing.F) {
	for _, channel := range []byte("bqr") {
		for _, message := range hostile {
			f.Add(append([]byte{channel}, message[:min(len(message), 1000)]...))
		}
	}
	f.Add([]byte("b\x93\xa6abcdef\x83\xa4type\x02\xa4data\x92\xa1e\xc4\x01\xff\xa3nsp\xa1/\x83\xa5rooms\x91\xa3red\xa6except\x90\xa5flags\x80"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m cluster.Message
		if redispubsub.ClassicCodec.Decode(data, &m) != nil {
			return
		}
		if _, err := redispubsub.ClassicCodec.Append(nil, &m); err != nil && m.Args.Len() == 0 {
			t.Errorf("%+v can't be sent: %v", m, err)
		}
	})
}
