package adapter_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// Rooms and broadcasts, with stand-ins for the server and its sockets.
func ExampleMemory() {
	rooms := adapter.MakeMemory(adaptertest.NewServer("/"))
	defer rooms.Observe(func(e adapter.Event) { fmt.Printf("%v %s (%s)\n", e.Kind, e.Room, e.SocketID) })()

	ann, bob := adaptertest.NewSocket("ann"), adaptertest.NewSocket("bob")
	for _, s := range []*adaptertest.Socket{ann, bob} {
		if err := rooms.Join(s, s.ID(), "lobby"); err != nil {
			log.Fatal(err)
		}
	}
	hello := &sioparser.Packet{Type: sioparser.Event, Name: []byte("hello")}
	if err := rooms.Broadcast(hello, adapter.Selection{Rooms: []string{"lobby"}, Except: []string{"bob"}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(ann.Received()), len(bob.Received()))
	rooms.Leave(ann, "lobby")
	rooms.Leave(bob, "lobby")
	// Output:
	// created ann ()
	// joined ann (ann)
	// created lobby ()
	// joined lobby (ann)
	// created bob ()
	// joined bob (bob)
	// joined lobby (bob)
	// 1 0
	// left lobby (ann)
	// left lobby (bob)
	// deleted lobby ()
}

// A client that is cut off gets what it has missed.
func ExampleNewRecovery() {
	ctx := context.Background()
	made, err := adapter.NewRecovery(adapter.RecoveryConfig{MaxDisconnection: time.Minute})(adaptertest.NewServer("/"))
	if err != nil {
		log.Fatal(err)
	}
	store := made.(*adapter.Recovery)
	ann := adaptertest.NewSocket("ann")
	if err := store.Join(ann, "ann", "news"); err != nil {
		log.Fatal(err)
	}
	if _, err := store.Persist(ann, adapter.Session{SocketID: "ann", PrivateID: "secret"}); err != nil {
		log.Fatal(err)
	}
	missed := &sioparser.Packet{Type: sioparser.Event, Name: []byte("headline")}
	if err := store.Broadcast(missed, adapter.Selection{Rooms: []string{"news"}}); err != nil {
		log.Fatal(err)
	}

	session, err := store.Take(ctx, "secret", "")
	if err != nil {
		log.Fatal(err)
	}
	again := adaptertest.NewSocket(session.SocketID)
	if err := store.Resume(ctx, again, session); err != nil {
		log.Fatal(err)
	}
	again.Flush()
	fmt.Println(again.Received()[0].Name, again.Membership().In("news"))
	if err := store.Close(ctx); err != nil {
		log.Fatal(err)
	}
	// Output: headline true
}
