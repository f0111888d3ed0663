package msgpack_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAdapter(t *testing.T) {
	for name, codec := range map[string]cluster.Codec{"always": msgpack.Always, "when binary": msgpack.WhenBinary} {
		t.Run(name, func(t *testing.T) {
			adaptertest.RunCluster(t, adaptertest.Cluster{
				Servers: 3,
				Start: func(testing.TB) adapter.New {
					return cluster.New(cluster.Config{Bus: &cluster.MemoryBus{}, Codec: codec})
				},
			})
		})
	}
}

// plain is a message as a test compares it: placeholders are what they stand for.
type plain struct {
	Type      cluster.Type
	RequestID string
	Selection adapter.Selection
	Timeout   time.Duration
	Name      string
	Args      string
	Rest      []string
	Sockets   []cluster.Details
	Flags     [3]bool
	Clients   int
}

func plainOf(t *testing.T, m *cluster.Message) plain {
	t.Helper()
	raw, text, end := m.Args.Raw(), "", 0
	for ph := range m.Args.Placeholders() {
		text += string(raw[end:ph.Start]) + "<" + hex.EncodeToString(m.Args.Attachments()[ph.Num]) + ">"
		end = ph.End
	}
	return plain{
		m.Type, m.RequestID, m.Selection, m.Timeout, string(m.Name), text + string(raw[end:]),
		append([]string{m.UID, m.Namespace, m.Socket}, m.Rooms...), m.Sockets, [3]bool{m.Close, m.Detail, m.Gone}, m.Clients,
	}
}

func args(t *testing.T, array string, attachments ...[]byte) sioparser.Args {
	t.Helper()
	a, err := sioparser.ParseArgs([]byte(array), attachments)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// What the official adapters send.
func TestOfficialBinary(t *testing.T) {
	want := map[string]plain{
		"broadcast": {Type: cluster.Broadcast, Name: "picture", Args: `{"png":<8950>,"size":2.5},<>,null`,
			Selection: adapter.Selection{Rooms: []string{"red"}, Except: []string{}, Flags: adapter.NoCompress}},
		"acknowledgement":  {Type: cluster.BroadcastAck, RequestID: "r1", Args: `<010203>`},
		"server-side emit": {Type: cluster.ServerSideEmit, Name: "load", Args: `[<78>],9007199254740991`},
		"heartbeat":        {Type: cluster.Heartbeat},
	}
	file, err := os.Open("testdata/binary.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		data, err := hex.DecodeString(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		w, ok := want[fields[0]]
		if !ok {
			t.Errorf("%s: nobody knows what it means", fields[0])
			continue
		}
		delete(want, fields[0])
		w.Rest = []string{"0123456789abcdef", "/chat", ""}
		for name, codec := range map[string]cluster.Codec{"always": msgpack.Always, "when binary": msgpack.WhenBinary} {
			var m cluster.Message
			if err := codec.Decode(data, &m); err != nil {
				t.Errorf("%s, %s: %v", fields[0], name, err)
				continue
			}
			if diff := cmp.Diff(w, plainOf(t, &m)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", fields[0], name, diff)
			}
		}
	}
	for name := range want {
		t.Errorf("%s: not recorded", name)
	}
}

func TestThereAndBack(t *testing.T) {
	red := adapter.Selection{Rooms: []string{"red", "grün"}, Except: []string{"a"}, Flags: adapter.Volatile}
	for name, m := range map[string]cluster.Message{
		"broadcast": {Type: cluster.Broadcast, RequestID: "r", Selection: red, Timeout: time.Second, Detail: true, Name: []byte("é\"\n"),
			Args: args(t, `[{"_placeholder":true,"num":1},[{"a":{"_placeholder":true,"num":0}}],-1.5,""]`, []byte{1}, []byte{})},
		"alike":      {Type: cluster.ServerSideEmit, Name: []byte("x"), Args: args(t, `[{"_placeholder":true,"num":0}]`)},
		"join":       {Type: cluster.SocketsJoin, Selection: red, Rooms: []string{"b"}},
		"disconnect": {Type: cluster.DisconnectSockets, Selection: red, Close: true},
		"sockets": {Type: cluster.FetchSocketsResponse, RequestID: "r", Sockets: []cluster.Details{
			{ID: "s", Rooms: []string{"s"}, Handshake: []byte(`{"a":[1,null]}`), Data: []byte(`{}`)}}},
		"no sockets": {Type: cluster.FetchSocketsResponse, RequestID: "r", Sockets: []cluster.Details{}},
		"ack":        {Type: cluster.BroadcastAck, RequestID: "r", Socket: "s", Args: args(t, `[{"_placeholder":true,"num":0},2]`, []byte{9})},
		"gone":       {Type: cluster.BroadcastAck, RequestID: "r", Socket: "s", Gone: true},
		"count":      {Type: cluster.BroadcastClientCount, RequestID: "r", Clients: 300},
	} {
		m.UID, m.Namespace = "n", "/"
		for kind, codec := range map[string]cluster.Codec{"always": msgpack.Always, "when binary": msgpack.WhenBinary} {
			data, err := codec.Append([]byte("kept"), &m)
			if err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
				continue
			}
			data, ok := bytes.CutPrefix(data, []byte("kept"))
			if isJSON := data[0] == '{'; !ok || isJSON != (kind == "when binary" && !m.Args.HasAttachments()) {
				t.Errorf("%s, %s: wrote %q", name, kind, data)
			}
			var got cluster.Message
			if err := codec.Decode(data, &got); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
				continue
			}
			if diff := cmp.Diff(plainOf(t, &m), plainOf(t, &got)); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, kind, diff)
			}
			// Attachments are kept, so they are no part of the bus's memory.
			before := plainOf(t, &got)
			for _, b := range got.Args.Attachments() {
				if len(b) > 0 && bytes.Contains(data, b) {
					clear(data)
				}
			}
			if m.Args.HasAttachments() && plainOf(t, &got).Args != before.Args {
				t.Errorf("%s, %s: attachments change with the message", name, kind)
			}
		}
	}
}

func TestHostileMessages(t *testing.T) {
	deep := "\x81\xa3uid" + strings.Repeat("\x91", 1_000_000) + "\xc0"
	for name, data := range map[string]string{
		"nothing": "", "nil": "\xc0", "text": "\xa1x", "array": "\x90", "two values": "\x80\x80", "cut off": "\x81\xa3ui",
		"lies about its length": "\xdf\xff\xff\xff\xff", "deep": deep, "binary uid": "\x83\xa3uid\xc4\x01x\xa3nsp\xa1/\xa4type\x02",
		"number for a text": "\x83\xa3uid\x07\xa3nsp\xa1/\xa4type\x02", "broken JSON": `{"uid":`,
	} {
		for kind, codec := range map[string]cluster.Codec{"always": msgpack.Always, "when binary": msgpack.WhenBinary} {
			var m cluster.Message
			if err := codec.Decode([]byte(data), &m); err == nil {
				t.Errorf("%s, %s: %+v", name, kind, m)
			}
		}
	}
	if out, err := msgpack.Always.Append(nil, &cluster.Message{Type: 99}); err == nil {
		t.Errorf("type 99 was encoded: %x", out)
	}
}
