// Somebody who has servers in a cluster on a bus of their own: here the bus is
// a map, and one server tells another something.
package main

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/socketio"
)

// bus implements cluster.Bus.
type bus struct {
	mu        sync.Mutex
	receivers map[string][]func([]byte)
}

func (b *bus) Publish(_ context.Context, topic string, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, receive := range b.receivers[topic] {
		receive(data)
	}
	return nil
}

func (b *bus) Subscribe(topic string, receive func([]byte)) (stop func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := len(b.receivers[topic])
	b.receivers[topic] = append(b.receivers[topic], receive)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.receivers[topic][i] = func([]byte) {}
	}, nil
}

var reload = socketio.DefineEvent[string]("reload").BetweenServers()

func main() {
	adapters := cluster.New(cluster.Config{Bus: &bus{receivers: map[string][]func([]byte){}}})
	heard := make(chan string)
	var servers []*socketio.Server
	for range 2 {
		server, err := socketio.NewServer(socketio.Config{Adapter: adapters})
		if err != nil {
			log.Fatal(err)
		}
		reload.On(server, func(_ context.Context, what string) error {
			heard <- what
			return nil
		})
		servers = append(servers, server)
	}
	if err := reload.Emit(servers[0], "the prices"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-heard)
	for _, server := range servers {
		if err := server.Shutdown(context.Background()); err != nil {
			log.Fatal(err)
		}
	}

	// Output:
	// the prices
}
