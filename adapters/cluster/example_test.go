package cluster_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

// ownBus is a bus of one's own: here a map of functions. A real one hands data
// to its engine in Publish, and calls receive from its subscription.
type ownBus struct {
	mu        sync.Mutex
	receivers map[string][]func([]byte)
}

func (b *ownBus) Publish(_ context.Context, topic string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, receive := range b.receivers[topic] {
		receive(data)
	}
	return nil
}

func (b *ownBus) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receivers[topic] = append(b.receivers[topic], receive)
	return func() {}, nil
}

// An adapter on a bus of your own: implement two methods, and give it to the
// server. adaptertest.NewServer stands for a socketio.Server here.
func ExampleNew() {
	new := cluster.New(cluster.Config{Bus: &ownBus{receivers: map[string][]func([]byte){}}})

	var adapters []adapter.Adapter
	for range 2 {
		a, err := new(adaptertest.NewServer("/"))
		if err != nil {
			log.Fatal(err)
		}
		adapters = append(adapters, a)
	}
	socket := adaptertest.NewSocket("s1")
	if err := adapters[1].Join(socket, "s1", "news"); err != nil {
		log.Fatal(err)
	}
	received := socket.Changed()
	headline := &sioparser.Packet{Type: sioparser.Event, Name: []byte("headline")}
	if err := adapters[0].Broadcast(headline, adapter.Selection{Rooms: []string{"news"}}); err != nil {
		log.Fatal(err)
	}
	<-received
	fmt.Println(socket.Received()[0].Name)
	for _, a := range adapters {
		if err := a.Close(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	// Output: headline
}
