package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/siokit/siokit/engineio"
)

// echoHandler sends back what comes.
type echoHandler struct{}

func (echoHandler) Open(s *engineio.Session) error { return nil }

func (echoHandler) Message(s *engineio.Session, m engineio.Message) {
	if err := s.Send(m); err != nil {
		log.Print(err) // the session is over, or its client does not read
	}
}

func (echoHandler) Close(s *engineio.Session, why engineio.Reason, err error) {
	log.Printf("%s: %s", s.Handshake().RemoteAddr, why)
}

// An echo server that ends gracefully. It must be told to stop before the HTTP
// server, which knows nothing of its connections.
func Example() {
	srv, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if err := srv.Handle(echoHandler{}); err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", srv)
	hs := &http.Server{Addr: "127.0.0.1:3000", Handler: mux}
	go func() {
		if err := hs.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			log.Fatal(err)
		}
	}()
	// …
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		log.Print(err)
	}
	_ = hs.Shutdown(ctx)
}

// userKey finds the user in a session's context.
type userKey struct{}

// Config.Connect decides who may connect, on every transport alike, and what
// it finds out reaches every handler by the session's context.
func ExampleConfig_connect() {
	_, err := engineio.NewServer(engineio.Config{
		Connect: func(r *http.Request) (context.Context, error) {
			c, err := r.Cookie("token")
			if err != nil {
				return nil, errors.New("who are you?") // the client sees this text
			}
			return context.WithValue(r.Context(), userKey{}, c.Value), nil
		},
	})
	fmt.Println(err)
	// Output: <nil>
}

// One transport only: no polling request is answered, and no upgrade offered.
func ExampleConfig_transports() {
	_, err := engineio.NewServer(engineio.Config{
		Transports: []engineio.Transport{engineio.WebSocket{
			Compression: &engineio.Deflate{Threshold: 4096},
		}},
	})
	fmt.Println(err)
	// Output: <nil>
}

// A message to everyone who subscribed to a topic is framed once, and written
// on several cores if they are many.
func ExampleServer_Publish() {
	srv, err := engineio.NewServer(engineio.Config{})
	if err != nil {
		log.Fatal(err)
	}
	// In Handler.Open: s.Subscribe("news")
	n := srv.Publish([]string{"news", "sports"}, engineio.Text("hello"), engineio.Volatile)
	fmt.Println(n, "sessions")
	// Output: 0 sessions
}
