package cluster_test

import (
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio/adapter"
)

func TestHostileMessagesAreDropped(t *testing.T) {
	const opts = `"opts":{"rooms":[],"except":[],"flags":{}}`
	hostile := map[string]string{
		"nothing":              ``,
		"no JSON":              `hello`,
		"msgpack":              "\x81\xa3uid\xa1x",
		"cut off":              `{"uid":"x","nsp":"/","type":3,"data":{` + opts,
		"trailing":             `{"uid":"x","nsp":"/","type":2}x`,
		"array":                `[]`,
		"null":                 `null`,
		"no uid":               `{"nsp":"/","type":2}`,
		"empty uid":            `{"uid":"","nsp":"/","type":2}`,
		"uid with a sign":      `{"uid":"a#b","nsp":"/","type":2}`,
		"uid with a newline":   `{"uid":"a\n","nsp":"/","type":2}`,
		"long uid":             `{"uid":"` + strings.Repeat("a", 65) + `","nsp":"/","type":2}`,
		"uid number":           `{"uid":7,"nsp":"/","type":2}`,
		"no namespace":         `{"uid":"x","type":2}`,
		"other namespace":      `{"uid":"x","nsp":"/other","type":2}`,
		"no type":              `{"uid":"x","nsp":"/"}`,
		"type 14":              `{"uid":"x","nsp":"/","type":14}`,
		"type 256":             `{"uid":"x","nsp":"/","type":256}`,
		"type -1":              `{"uid":"x","nsp":"/","type":-1}`,
		"type 2.5":             `{"uid":"x","nsp":"/","type":2.5}`,
		"type text":            `{"uid":"x","nsp":"/","type":"2"}`,
		"no packet":            `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `}}`,
		"packet null":          `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":null}}`,
		"packet number":        `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":3}}`,
		"packet of type 0":     `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":0,"data":["a"]}}}`,
		"packet of type 3":     `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":3,"data":["a"]}}}`,
		"packet without data":  `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2}}}`,
		"event empty":          `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":[]}}}`,
		"event no array":       `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":"a"}}}`,
		"event name object":    `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":[{}]}}}`,
		"event name null":      `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":[null]}}}`,
		"event name reserved":  `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":["disconnect"]}}}`,
		"rooms text":           `{"uid":"x","nsp":"/","type":3,"data":{"opts":{"rooms":"red","except":[],"flags":{}},"packet":{"type":2,"data":["a"]}}}`,
		"rooms of numbers":     `{"uid":"x","nsp":"/","type":3,"data":{"opts":{"rooms":[1],"except":[],"flags":{}},"packet":{"type":2,"data":["a"]}}}`,
		"flags text":           `{"uid":"x","nsp":"/","type":3,"data":{"opts":{"rooms":[],"except":[],"flags":"volatile"},"packet":{"type":2,"data":["a"]}}}`,
		"attachments missing":  `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":["a",{"_placeholder":true,"num":1}]},"attachments":["AA=="]}}`,
		"attachments no text":  `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":["a"]},"attachments":[1]}}`,
		"attachments no base":  `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":["a"]},"attachments":["!!"]}}`,
		"deep":                 `{"uid":"x","nsp":"/","type":3,"data":{` + opts + `,"packet":{"type":2,"data":["a",` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `]}}}`,
		"deep elsewhere":       `{"uid":"x","nsp":"/","type":2,"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
		"join no rooms array":  `{"uid":"x","nsp":"/","type":4,"data":{` + opts + `,"rooms":{"a":1}}}`,
		"close text":           `{"uid":"x","nsp":"/","type":6,"data":{` + opts + `,"close":"yes"}}`,
		"fetch without id":     `{"uid":"x","nsp":"/","type":7,"data":{` + opts + `}}`,
		"server event no name": `{"uid":"x","nsp":"/","type":9,"data":{"packet":[]}}`,
		"server event object":  `{"uid":"x","nsp":"/","type":9,"data":{"packet":{"type":2}}}`,
	}
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		s := r.socket(0, "s")
		a := r.adapters[0]
		before := a.Stats()
		for name, message := range hostile {
			r.raw("socket.io#/#", message)
			synctest.Wait()
			after := a.Stats()
			if after.Dropped != before.Dropped+1 || after.Received != before.Received {
				t.Errorf("%s: dropped %d, received %d", name, after.Dropped-before.Dropped, after.Received-before.Received)
			}
			before = after
		}
		if n := len(r.servers[0].Events()); n != 0 || names(s) != "" || len(r.servers[0].Disconnected()) != 0 {
			t.Errorf("something came through: %q, %d events", names(s), n)
		}
		if got := s.Membership().Rooms(); len(got) != 1 {
			t.Errorf("the socket is in %q", got)
		}
		if err := r.broadcast(0, "alive"); err != nil {
			t.Error(err)
		}
		if names(s) != "alive" {
			t.Errorf("received %q", names(s))
		}
	})
}

// Responses that nobody asked for, or that answer something else, or twice.
func TestHostileResponses(t *testing.T) {
	bubble(t, 2, cluster.Config{}, func(t *testing.T, r *rig) {
		// A foreign sender knows the id of the request.
		ids := make(chan string, 1)
		stop, err := r.bus.Subscribe("socket.io#/#", func(data []byte) {
			if _, after, ok := strings.Cut(string(data), `"requestId":"`); ok {
				ids <- after[:16]
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		go func() { // ends with the request
			id := <-ids
			for _, m := range []string{
				`{"uid":"n1","nsp":"/","type":11,"data":{"requestId":"` + id + `","clientCount":5}}`,
				`{"uid":"n1","nsp":"/","type":8,"data":{"requestId":"` + id + `","sockets":[{"rooms":[]}]}}`,
				`{"uid":"n1","nsp":"/","type":8,"data":{"requestId":"` + id + `","sockets":[{"id":1}]}}`,
				`{"uid":"n1","nsp":"/","type":8,"data":{"requestId":"unknown","sockets":[{"id":"ghost"}]}}`,
				`{"uid":"n1","nsp":"/","type":8,"data":{"requestId":"` + id + `","sockets":[{"id":"first"}]}}`,
				`{"uid":"n1","nsp":"/","type":8,"data":{"requestId":"` + id + `","sockets":[{"id":"second"}]}}`,
			} {
				r.raw("socket.io#/#n0#", m)
			}
		}()
		r.ends[1].cut.Store(true)
		var got []string
		for s, err := range r.adapters[0].Fetch(t.Context(), adapter.Selection{}) {
			if err != nil {
				t.Error(err)
				continue
			}
			got = append(got, s.ID)
		}
		synctest.Wait()
		if len(got) != 1 || got[0] != "first" {
			t.Errorf("fetched %q, want the first answer only", got)
		}
		if n := r.adapters[0].Stats().Dropped; n != 3 {
			t.Errorf("%d messages were dropped, want 3", n)
		}
	})
}

func TestInventedServersAreBounded(t *testing.T) {
	bubble(t, 1, cluster.Config{}, func(t *testing.T, r *rig) {
		for i := range 10_000 {
			r.raw("socket.io#/#", `{"uid":"x`+strings.Repeat("x", i%50)+string(rune('a'+i%26))+string(rune('a'+i/26%26))+`","nsp":"/","type":2}`)
		}
		synctest.Wait()
		if n := len(r.adapters[0].Nodes()); n > 4096 {
			t.Errorf("%d servers are known", n)
		}
	})
}

// What a decoder allocates is a small multiple of what it is given.
func TestDecodeAllocatesLittle(t *testing.T) {
	for name, message := range map[string]string{
		"rooms":       `{"uid":"x","nsp":"/","type":3,"data":{"opts":{"rooms":[` + strings.Repeat(`"",`, 300_000) + `""]}}}`,
		"sockets":     `{"uid":"x","nsp":"/","type":8,"data":{"sockets":[` + strings.Repeat(`{},`, 300_000) + `{}]}}`,
		"attachments": `{"uid":"x","nsp":"/","type":9,"data":{"packet":["a"],"attachments":[` + strings.Repeat(`"",`, 300_000) + `""]}}`,
		"arguments":   `{"uid":"x","nsp":"/","type":9,"data":{"packet":["a"` + strings.Repeat(`,1`, 450_000) + `]}}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var m cluster.Message
		_ = cluster.JSON.Decode([]byte(message), &m)
		runtime.ReadMemStats(&after)
		if n := int(after.TotalAlloc-before.TotalAlloc) / len(message); n > 40 {
			t.Errorf("%s: %d bytes for each byte of the message", name, n)
		}
	}
}
