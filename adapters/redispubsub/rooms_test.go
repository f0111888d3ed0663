package redispubsub_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redispubsub/redistest"
)

func TestAllRooms(t *testing.T) {
	server := redistest.Start(t)
	p := newPair(t, server, redispubsub.Config{})
	var got []string
	for room, err := range p.adapters[0].AllRooms(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, room)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"red", "socket0", "socket1"}, got); diff != "" {
		t.Errorf("rooms (-want +got):\n%s", diff)
	}
	sharded := newPair(t, server, redispubsub.Config{Mode: redispubsub.ShardedStatic})
	for _, err := range sharded.adapters[0].AllRooms(t.Context()) {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("in a sharded mode: %v", err)
		}
	}
}

// Requests as @socket.io/redis-adapter sends them for allRooms(), and older
// versions for sockets().
func TestOfficialRequestsForRooms(t *testing.T) {
	server := redistest.Start(t)
	p := newPair(t, server, redispubsub.Config{SpecificResponses: true})
	client := server.Open(t)
	answers := client.Subscribe(t.Context(), p.prefix+"-response#/#theirs#")
	defer answers.Close()
	if _, err := answers.Receive(t.Context()); err != nil { // the confirmation
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for request, want := range map[string][]string{
		`{"uid":"theirs","requestId":"r1","type":1}`: {
			`{"requestId":"r1","uid":"server0","rooms":["red","socket0"]}`, `{"requestId":"r1","uid":"server0","rooms":["socket0","red"]}`,
			`{"requestId":"r1","uid":"server1","rooms":["red","socket1"]}`, `{"requestId":"r1","uid":"server1","rooms":["socket1","red"]}`,
		},
		`{"uid":"theirs","requestId":"r2","type":0,"rooms":["red"]}`: {
			`{"requestId":"r2","uid":"server0","sockets":["socket0"]}`, `{"requestId":"r2","uid":"server1","sockets":["socket1"]}`,
		},
	} {
		if err := client.Publish(ctx, p.prefix+"-request#/#", request).Err(); err != nil {
			t.Fatal(err)
		}
		for range p.adapters {
			m, err := answers.ReceiveMessage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(want, m.Payload) {
				t.Errorf("%s was answered with %s", request, m.Payload)
			}
		}
	}
}
