package fuzz_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/adapters/cluster/msgpack"
	"github.com/siokit/siokit/fuzz/internal/loop"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// clusterSeeds are the official adapter's messages, and what only ours send.
func clusterSeeds(t testing.TB) (list [][]byte) {
	t.Helper()
	file, err := os.Open("../adapters/cluster/testdata/official.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var v struct{ Message json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v.Message)
	}
	for _, own := range []string{
		`{"uid":"n","nsp":"/","type":3,"data":{"requestId":"r","detail":true,"opts":{"rooms":["a"],"except":[],"flags":{"volatile":true}},"packet":{"type":2,"data":["é",{"a":{"_placeholder":true,"num":0}}]},"attachments":["AAEC"]}}`,
		`{"uid":"n","nsp":"/","type":12,"data":{"requestId":"r","packet":1,"more":[[2],"3"],"socket":"s","gone":false}}`,
		`{"uid":"n","nsp":"/","type":12,"data":{"requestId":"r","socket":"s","gone":true}}`,
	} {
		list = append(list, []byte(own))
	}
	return list
}

// checkCluster decodes anything. What is accepted can be sent on, and means the
// same then.
func checkCluster(codec cluster.Codec, data []byte) error {
	var m cluster.Message
	if err := codec.Decode(data, &m); err != nil {
		return nil
	}
	text, err := codec.Append(nil, &m)
	if m.Type < cluster.InitialHeartbeat || m.Type > cluster.AdapterClose {
		if err == nil {
			return fmt.Errorf("type %d was encoded", m.Type)
		}
		return nil
	}
	if errors.Is(err, sioparser.ErrPlaceholder) {
		return nil // what looks like a placeholder can't travel beside binary
	}
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	var again cluster.Message
	if err := codec.Decode(text, &again); err != nil {
		return fmt.Errorf("decode of %q: %w", text, err)
	}
	twice, err := codec.Append(nil, &again)
	if err != nil {
		return fmt.Errorf("encode again: %w", err)
	}
	if !bytes.Equal(text, twice) {
		return errors.New(cmp.Diff(string(text), string(twice)))
	}
	return nil
}

// FuzzClusterJSON reads anything as a message of the bus.
func FuzzClusterJSON(f *testing.F) {
	for _, seed := range clusterSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := errors.Join(checkCluster(cluster.JSON, data), checkCluster(msgpack.WhenBinary, data)); err != nil {
			t.Fatal(err)
		}
	})
}

// clusterChange changes a message in one place.
func clusterChange(r *rand.Rand, seeds [][]byte, data []byte) []byte {
	at := r.IntN(len(data) + 1)
	switch r.IntN(5) {
	case 0:
		return slices.Insert(data, at, byte(r.IntN(256)))
	case 1:
		return data[:at]
	case 2:
		if at < len(data) {
			data[at] = `{}[]",:0129-.eE tfn\u`[r.IntN(21)]
		}
		return data
	case 3:
		return slices.Delete(data, at, min(len(data), at+r.IntN(9)))
	}
	other := seeds[r.IntN(len(seeds))]
	from := r.IntN(len(other))
	return slices.Insert(data, at, other[from:min(len(other), from+r.IntN(40))]...)
}

// Whatever stands in a message a thousand times, a decoder allocates little more
// than for the message.
func TestClusterJSONAllocates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, seed := range clusterSeeds(t) {
		for range 30 {
			from := r.IntN(len(seed))
			to := from + 1 + r.IntN(min(len(seed)-from, 60))
			data := slices.Concat(seed[:from], bytes.Repeat(seed[from:to], 1000), seed[to:])
			n := loop.Allocated(func() {
				var m cluster.Message
				_ = cluster.JSON.Decode(data, &m)
			})
			// Nested objects cost the JSON library half as much again as our parsers
			// allow themselves.
			if allowed := loop.Bound(len(data) + len(data)/2); n > allowed {
				t.Errorf("%d bytes are allocated, %d allowed, for %.300q…", n, allowed, data)
			}
		}
	}
}

func TestClusterJSONLoop(t *testing.T) {
	seeds := clusterSeeds(t)
	loop.Run(t, func(r *rand.Rand) error {
		data := slices.Clone(seeds[r.IntN(len(seeds))])
		for range r.IntN(4) {
			data = clusterChange(r, seeds, data)
		}
		if err := checkCluster(cluster.JSON, data); err != nil {
			return fmt.Errorf("%q: %w", data, err)
		}
		return nil
	})
}

// clusterMsgpackSeeds are the same messages in MessagePack.
func clusterMsgpackSeeds(t testing.TB) (list [][]byte) {
	t.Helper()
	for _, seed := range clusterSeeds(t) {
		var m cluster.Message
		if err := cluster.JSON.Decode(seed, &m); err != nil {
			t.Fatal(err)
		}
		data, err := msgpack.Always.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, data)
	}
	return list
}

// FuzzClusterMsgpack reads anything as a message of the bus in MessagePack.
func FuzzClusterMsgpack(f *testing.F) {
	for _, seed := range clusterMsgpackSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := errors.Join(checkCluster(msgpack.Always, data), checkCluster(msgpack.WhenBinary, data)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestClusterMsgpackLoop(t *testing.T) {
	seeds := clusterMsgpackSeeds(t)
	loop.Run(t, func(r *rand.Rand) error {
		data := slices.Clone(seeds[r.IntN(len(seeds))])
		for range r.IntN(3) {
			data = clusterChange(r, seeds, data)
		}
		if err := checkCluster(msgpack.Always, data); err != nil {
			return fmt.Errorf("%x: %w", data, err)
		}
		return nil
	})
}

// FuzzClusterReceive hands anything to a live adapter, with requests under way.
// It survives, and its own sockets stay connected to it.
func FuzzClusterReceive(f *testing.F) {
	for _, seed := range clusterSeeds(f) {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		direct := &directBus{}
		made, err := cluster.New(cluster.Config{Bus: direct, UID: "n0", Logger: slog.New(slog.DiscardHandler)})(adaptertest.NewServer("/chat"))
		if err != nil {
			t.Fatal(err)
		}
		s := adaptertest.NewSocket("s")
		if err := made.Join(s, "s", "red"); err != nil {
			t.Fatal(err)
		}
		for _, receive := range direct.receivers {
			receive(slices.Clone(first))
			receive(slices.Clone(second))
		}
		if err := made.Broadcast(roomsEvent("alive"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		if names := receivedNames(s); !slices.Contains(names, "alive") {
			t.Fatalf("received %q", names)
		}
		if err := made.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
