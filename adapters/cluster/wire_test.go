package cluster_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
)

// vector is a line of testdata/official.jsonl.
type vector struct {
	Name    string
	Source  string
	Message json.RawMessage
}

func vectors(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	file, err := os.Open("testdata/official.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	list := make(map[string]json.RawMessage)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		list[v.Name] = v.Message
	}
	return list
}

func args(t *testing.T, array string, attachments ...[]byte) sioparser.Args {
	t.Helper()
	a, err := sioparser.ParseArgs([]byte(array), attachments)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// official is what the recorded messages mean.
func official(t *testing.T) map[string]cluster.Message {
	red := adapter.Selection{Rooms: []string{"red"}, Except: []string{}}
	list := map[string]cluster.Message{
		"initial heartbeat": {Type: cluster.InitialHeartbeat},
		"heartbeat":         {Type: cluster.Heartbeat},
		"broadcast": {Type: cluster.Broadcast, Selection: adapter.Selection{Rooms: []string{}, Except: []string{}},
			Name: []byte("hello"), Args: args(t, `[1,"two",{"three":[null,true]}]`)},
		"broadcast to rooms with all flags": {Type: cluster.Broadcast, Name: []byte("hello"), Selection: adapter.Selection{
			Rooms: []string{"red", "blue"}, Except: []string{"a"}, Flags: adapter.Volatile | adapter.NoCompress}},
		"broadcast with acknowledgements": {Type: cluster.Broadcast, RequestID: "*", Selection: red, Timeout: 1500 * time.Millisecond,
			Name: []byte("ask"), Args: args(t, `["q"]`)},
		"join": {Type: cluster.SocketsJoin, Rooms: []string{"green", "grün"},
			Selection: adapter.Selection{Rooms: []string{"red"}, Except: []string{"blue"}}},
		"leave":                         {Type: cluster.SocketsLeave, Selection: red, Rooms: []string{"green"}},
		"disconnect":                    {Type: cluster.DisconnectSockets, Selection: adapter.Selection{Rooms: []string{"green"}, Except: []string{}}, Close: true},
		"disconnect from the namespace": {Type: cluster.DisconnectSockets, Selection: adapter.Selection{Rooms: []string{"green"}, Except: []string{}}},
		"fetch":                         {Type: cluster.FetchSockets, RequestID: "*", Selection: adapter.Selection{Rooms: []string{"red"}, Except: []string{"blue"}}},
		"fetch response": {Type: cluster.FetchSocketsResponse, RequestID: "r1", Sockets: []cluster.Details{{
			ID: "a", Rooms: []string{"a", "red"}, Data: []byte(`{"name":"é"}`),
			Handshake: []byte(`{"headers":{"host":"localhost"},"time":"now","issued":1,"url":"/","query":{"EIO":"4"},"auth":{}}`),
		}}},
		"server-side emit":                          {Type: cluster.ServerSideEmit, Name: []byte("hello"), Args: args(t, `[1,"two"]`)},
		"server-side emit with acknowledgement":     {Type: cluster.ServerSideEmit, RequestID: "*", Name: []byte("hello"), Args: args(t, `[1]`)},
		"server-side emit response":                 {Type: cluster.ServerSideEmitResponse, RequestID: "r2", Args: args(t, `[{"load":0.5}]`)},
		"server-side emit response without a value": {Type: cluster.ServerSideEmitResponse, RequestID: "r2"},
		"client count":                              {Type: cluster.BroadcastClientCount, RequestID: "r3", Clients: 1},
		"acknowledgement":                           {Type: cluster.BroadcastAck, RequestID: "r3", Args: args(t, `["yes"]`)},
		"close":                                     {Type: cluster.AdapterClose},
	}
	for name, m := range list {
		m.UID, m.Namespace = "0123456789abcdef", "/chat"
		list[name] = m
	}
	return list
}

var (
	sameArgs = cmp.Comparer(func(a, b sioparser.Args) bool {
		return bytes.Equal(a.AppendArray(nil), b.AppendArray(nil)) && reflect.DeepEqual(a.Attachments(), b.Attachments())
	})
	sameLists = cmp.Transformer("list", func(l []string) string { return strings.Join(l, "|") })
)

func TestOfficialMessages(t *testing.T) {
	recorded := vectors(t)
	seen := map[cluster.Type]bool{}
	for name, want := range official(t) {
		raw, ok := recorded[name]
		if !ok {
			t.Errorf("%s: not recorded", name)
			continue
		}
		delete(recorded, name)
		seen[want.Type] = true

		var got cluster.Message
		if err := cluster.JSON.Decode(raw, &got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want.RequestID == "*" { // random
			want.RequestID = got.RequestID
			if len(got.RequestID) != 16 {
				t.Errorf("%s: request id %q", name, got.RequestID)
			}
		}
		if diff := cmp.Diff(want, got, sameArgs, sameLists); diff != "" {
			t.Errorf("%s, decoded (-want +got):\n%s", name, diff)
		}

		// What we send is the same JSON, but for members that only say a default.
		ours, err := cluster.JSON.Append(nil, &want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(plain(t, raw), plain(t, ours)); diff != "" {
			t.Errorf("%s, encoded (-official +ours):\n%s", name, diff)
		}
	}
	for name := range recorded {
		t.Errorf("%s: recorded, but nobody knows what it means", name)
	}
	if len(seen) != 13 {
		t.Errorf("%d message types were seen, want 13", len(seen))
	}
}

// plain is a JSON text as any, without flags that our servers have no word for.
func plain(t *testing.T, text []byte) any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if data, ok := m["data"].(map[string]any); ok {
		if opts, ok := data["opts"].(map[string]any); ok {
			flags := opts["flags"].(map[string]any)
			delete(flags, "broadcast")
			delete(flags, "binary")
		}
	}
	return m
}

// What only our servers send survives the way there and back.
func TestOwnMembers(t *testing.T) {
	for name, want := range map[string]cluster.Message{
		"detail": {Type: cluster.Broadcast, RequestID: "r", Detail: true, Name: []byte("é\"\n"), Timeout: time.Millisecond,
			Selection: adapter.Selection{Rooms: []string{}, Except: []string{}}},
		"socket and values": {Type: cluster.BroadcastAck, RequestID: "r", Socket: "s", Args: args(t, `[1,[2],"3"]`)},
		"socket, no value":  {Type: cluster.BroadcastAck, RequestID: "r", Socket: "s"},
		"gone":              {Type: cluster.BroadcastAck, RequestID: "r", Socket: "s", Gone: true},
		"binary answer": {Type: cluster.BroadcastAck, RequestID: "r", Socket: "s",
			Args: args(t, `[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, []byte{1, 2}, []byte{})},
		"binary event": {Type: cluster.ServerSideEmit, Name: []byte("x"),
			Args: args(t, `[{"a":{"_placeholder":true,"num":0}}]`, []byte{0xff})},
		"binary broadcast": {Type: cluster.Broadcast, Name: []byte("x"), Selection: adapter.Selection{Rooms: []string{"a"}, Except: []string{}},
			Args: args(t, `[{"_placeholder":true,"num":0}]`, bytes.Repeat([]byte{7}, 1000))},
		"placeholder as data": {Type: cluster.ServerSideEmit, Name: []byte("x"), Args: args(t, `[{"_placeholder":true,"num":9}]`)},
	} {
		want.UID, want.Namespace = "n", "/"
		text, err := cluster.JSON.Append(nil, &want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got cluster.Message
		if err := cluster.JSON.Decode(text, &got); err != nil {
			t.Errorf("%s: %s: %v", name, text, err)
			continue
		}
		if diff := cmp.Diff(want, got, sameArgs, sameLists); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", name, text, diff)
		}
	}
}

func TestUnknownTypeIsNotEncoded(t *testing.T) {
	for _, typ := range []cluster.Type{0, 14, 255} {
		if out, err := cluster.JSON.Append(nil, &cluster.Message{Type: typ}); err == nil {
			t.Errorf("type %d: %s", typ, out)
		}
		if got := typ.String(); got != "unknown" {
			t.Errorf("type %d is %q", typ, got)
		}
	}
	if got := cluster.AdapterClose.String(); got != "ADAPTER_CLOSE" {
		t.Errorf("type 13 is %q", got)
	}
}
