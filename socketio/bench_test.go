package socketio_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// pipedSockets makes n sockets whose packets are counted and dropped.
func pipedSockets(b *testing.B, srv *socketio.Server, n int, out func()) (ends []*pipeEnd, sockets []*socketio.Socket) {
	joined := make(chan *socketio.Socket, n)
	stop := srv.OnConnection(func(_ context.Context, s *socketio.Socket) { joined <- s })
	defer stop()
	for range n {
		e := connectPipe(b, srv, func(_ *pipeEnd, p *eioparser.Packet) {
			if p.Type == eioparser.Message {
				out()
			}
		})
		e.send("0")
		ends = append(ends, e)
		sockets = append(sockets, <-joined)
	}
	b.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
		for _, e := range ends {
			<-e.served
		}
	})
	return ends, sockets
}

// payload is about the 220 bytes of the parsers' figures.
type payload struct {
	ID    int      `json:"id"`
	Name  string   `json:"name"`
	Text  string   `json:"text"`
	Tags  []string `json:"tags"`
	Score float64  `json:"score"`
}

var sample = payload{7, "Ada Lovelace", strings.Repeat("lorem ipsum ", 8), []string{"math", "engine", "notes"}, 0.75}

func BenchmarkEmit(b *testing.B) {
	raw, err := (*sioparser.Values)(nil).Append(sioparser.Args{}, sample)
	if err != nil {
		b.Fatal(err)
	}
	event := socketio.DefineEvent[payload]("message")
	for name, emit := range map[string]func(s *socketio.Socket) error{
		"string": func(s *socketio.Socket) error { return s.Emit("message", "hello, world") },
		"raw":    func(s *socketio.Socket) error { return s.Emit("message", raw) },
		"struct": func(s *socketio.Socket) error { return s.Emit("message", sample) },
		"typed":  func(s *socketio.Socket) error { return event.Emit(s, sample) },
	} {
		b.Run(name, func(b *testing.B) {
			srv := newServer(b, piped(quiet()))
			_, sockets := pipedSockets(b, srv, 1, func() {})
			b.ReportAllocs()
			for b.Loop() {
				if err := emit(sockets[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What comes in, is dispatched, and goes out again, in batches of window.
func BenchmarkEcho(b *testing.B) {
	text, err := (*sioparser.Values)(nil).Append(sioparser.Args{}, sample)
	if err != nil {
		b.Fatal(err)
	}
	message := `2["message",` + string(text.Raw()) + "]"
	event := socketio.DefineEvent[payload]("message")
	handlers := map[string]func(*socketio.Server){
		"relay":  func(srv *socketio.Server) { srv.On("message", messageBack) },
		"inline": func(srv *socketio.Server) { srv.On("message", messageBack, socketio.Inline) },
		"typed": func(srv *socketio.Server) {
			event.On(srv, func(_ context.Context, s *socketio.Socket, p payload) error { return event.Emit(s, p) })
		},
		"ack": func(srv *socketio.Server) {
			srv.On("message", func(_ context.Context, ev *socketio.Event) error { return ev.Ack(ev.Args()) })
		},
	}
	for name, register := range handlers {
		for _, window := range []int{1, 16} {
			b.Run(fmt.Sprint(name, "/", window), func(b *testing.B) {
				srv := newServer(b, piped(quiet()))
				register(srv)
				var replies atomic.Int64
				batch := make(chan struct{}, 1)
				ends, _ := pipedSockets(b, srv, 1, func() {
					if n := replies.Add(1); n > 1 && (n-1)%int64(window) == 0 { // the first answers CONNECT
						batch <- struct{}{}
					}
				})
				e := ends[0]
				data := []byte(message)
				if name == "ack" {
					data = []byte("27" + message[1:])
				}
				ended := make(chan struct{})
				b.ReportAllocs()
				e.do(func() {
					defer close(ended)
					for n := 0; n < b.N; n += window {
						e.port.Cork()
						for range window {
							_ = e.port.Receive(eioparser.Packet{Type: eioparser.Message, Data: data})
						}
						e.port.Uncork()
						<-batch
					}
				})
				<-ended
			})
		}
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			srv := newServer(b, piped(quiet()))
			var count atomic.Int64
			_, sockets := pipedSockets(b, srv, n, func() { count.Add(1) })
			for _, s := range sockets {
				if err := s.Join("room"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := srv.To("room").Emit("message", "hello, world"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
