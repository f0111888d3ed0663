// Somebody with a transport of their own: its packets travel through Go
// channels, and the server is an echo.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// channels is the transport; HTTP does not reach it.
type channels struct{}

func (channels) Name() string { return "channels" }

func (channels) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	return nil, engineio.ErrNoHTTP
}

// link is one client's connection.
type link struct {
	port     *engineio.Port
	in, out  chan string
	ctx      context.Context
	shutdown context.CancelFunc
}

func (l *link) Write(batch []engineio.Outgoing) error {
	for _, o := range batch {
		for _, p := range o.Packets() {
			select {
			case l.out <- string(eioparser.AppendPacket(nil, p)):
			case <-l.ctx.Done():
				return l.ctx.Err()
			}
		}
	}
	return nil
}

func (l *link) Read() error {
	for {
		select {
		case text, ok := <-l.in:
			if !ok {
				return nil // the client has gone
			}
			p, err := eioparser.DecodeText([]byte(text))
			if err != nil {
				return err
			}
			if err := l.port.Receive(p); err != nil {
				return err
			}
		case <-l.ctx.Done():
			return nil
		}
	}
}

func (l *link) Close() { l.shutdown() }

// echo is the application.
type echo struct{}

func (echo) Open(*engineio.Session) error                    { return nil }
func (echo) Message(s *engineio.Session, m engineio.Message) { _ = s.Send(m) }
func (echo) Close(*engineio.Session, engineio.Reason, error) {}

func main() {
	server, err := engineio.NewServer(engineio.Config{Transports: []engineio.Transport{channels{}}})
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Handle(echo{}); err != nil {
		log.Fatal(err)
	}
	in, out := make(chan string), make(chan string)
	request, err := http.NewRequest(http.MethodGet, "/engine.io/?EIO=4&transport=channels", nil)
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() {
		served <- server.ServeConn(request, func(p *engineio.Port) (engineio.Link, error) {
			ctx, cancel := context.WithCancel(context.Background())
			return &link{p, in, out, ctx, cancel}, nil
		})
	}()
	fmt.Printf("%.8s\n", <-out)
	in <- "4hello"
	fmt.Println(<-out)
	close(in)
	fmt.Println(<-served)

	// Output:
	// 0{"sid":
	// 4hello
	// <nil>
}
