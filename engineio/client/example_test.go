package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/client"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// printer prints what it is sent, and closes.
type printer struct{}

func (printer) Open(s *client.Session) {
	if err := s.Send(engineio.Text("hello")); err != nil {
		log.Print(err)
	}
}

func (printer) Message(s *client.Session, m engineio.Message) {
	fmt.Printf("%s\n", m.Data)
	s.Close()
}

func (printer) Close(_ *client.Session, why engineio.Reason, _ error) { fmt.Println(why) }

func Example() {
	url, stop := echoServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := client.Dial(ctx, url, printer{}, client.Config{})
	if err != nil {
		log.Fatal(err)
	}
	<-s.Done()
	// Output:
	// hello
	// forced close
}

// echoServer stands for the server that a program would talk to.
func echoServer() (url string, stop func()) {
	srv, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Handle(eiotest.Handler{OnMessage: eiotest.Echo}); err != nil {
		log.Fatal(err)
	}
	hs := httptest.NewServer(srv)
	return hs.URL, func() {
		_ = srv.Close()
		hs.Close()
	}
}
