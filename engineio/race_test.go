package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// TestEveryMethodFromEverywhere: 64 goroutines call everything at once while
// clients come, upgrade and go.
func TestEveryMethodFromEverywhere(t *testing.T) {
	s := eiotest.Start(t, engineio.Config{Logger: quiet, Limits: engineio.Limits{Outbox: 1 << 20}}, eiotest.Handler{
		OnOpen:    func(ss *engineio.Session) error { ss.SetData(ss.ID()); ss.Subscribe("all"); return nil },
		OnMessage: eiotest.Echo,
		OnClose:   func(ss *engineio.Session, _ engineio.Reason, _ error) { _ = ss.Send(engineio.Text("late")) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var callers, clients sync.WaitGroup
	for seed := range 64 {
		callers.Go(func() {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			tick := time.NewTicker(time.Duration(1+r.IntN(10)) * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				callAnything(ctx, s, r)
				<-tick.C
			}
		})
	}
	for i := range 4 {
		clients.Go(func() {
			for range 25 {
				if i%2 == 0 {
					ws, resp := s.Upgrade("EIO=4&transport=websocket")
					if ws == nil {
						t.Error(resp.Status)
						return
					}
					ws.Send("4x")
					ws.Read()
					ws.Conn.Close()
					continue
				}
				open := s.Do("GET", s.URL("EIO=4&transport=polling"), "").Body
				if open[0] != '0' {
					continue // somebody closed the session already
				}
				ws, resp := s.Upgrade("EIO=4&transport=websocket&sid=" + eiotest.SID(t, open))
				if ws == nil {
					_ = resp.Body.Close() // the same
					continue
				}
				ws.Send("2probe")
				ws.Send("5")
				ws.Send("4y")
				ws.Conn.Close()
			}
		})
	}
	clients.Wait()
	cancel()
	callers.Wait()
}

func callAnything(ctx context.Context, s *eiotest.Server, r *rand.Rand) {
	for ss := range s.Sessions() {
		switch r.IntN(18) {
		case 0:
			_ = ss.Send(engineio.Text("a"), engineio.Binary([]byte{1}))
		case 1:
			_ = ss.Push(engineio.Prepare(engineio.Text("b")), engineio.Volatile)
		case 2:
			ss.Cork()
		case 3:
			ss.Uncork()
		case 4:
			ss.Wake()
		case 5:
			_ = ss.Flush(ctx)
		case 6:
			ss.Subscribe(fmt.Sprint(r.IntN(3)))
		case 7:
			ss.Unsubscribe(fmt.Sprint(r.IntN(3)))
		case 8:
			s.Publish([]string{"all", "1"}, engineio.Text("c"), engineio.Volatile)
		case 9:
			s.Uncork([]*engineio.Session{ss})
		case 10:
			_, _ = s.Session(ss.ID())
		case 11:
			_, _, _, _ = ss.Transport(), ss.State(), ss.Protocol(), ss.RTT()
		case 12:
			_, _, _ = ss.BufferedBytes(), ss.Writable(), ss.Data()
		case 13:
			_ = context.Cause(ss.Context())
		case 14:
			_ = ss.Handshake().URL.String()
		case 15:
			_ = s.Len()
		case 16:
			if r.IntN(20) == 0 {
				ss.Close()
			}
		case 17:
			if r.IntN(20) == 0 {
				ss.Discard()
			}
		}
	}
}

// stillborn is a transport whose Accept fails when it is told to.
type stillborn struct {
	engineio.WebSocket
	arrived, fail chan struct{}
}

func (t stillborn) Accept(http.ResponseWriter, *http.Request, *engineio.Port) (engineio.Link, error) {
	close(t.arrived)
	<-t.fail
	return nil, errors.New("not accepted")
}

// TestSessionsThatNeverBeganAreNotFound: who iterates while a handshake fails
// is given nothing that has no link.
func TestSessionsThatNeverBeganAreNotFound(t *testing.T) {
	bad := stillborn{arrived: make(chan struct{}), fail: make(chan struct{})}
	s := eiotest.Start(t, engineio.Config{Transports: []engineio.Transport{engineio.Polling{}, bad}}, eiotest.Handler{})
	for range 20 { // of which one is likely to come before it
		s.Poll()
	}
	refused := make(chan struct{})
	go func() {
		defer close(refused)
		s.Upgrade("EIO=4&transport=websocket")
	}()
	eiotest.Wait(t, bad.arrived)
	n := 0
	for ss := range s.Sessions() {
		if n++; n == 1 {
			close(bad.fail)
			eiotest.Wait(t, refused)
		}
		if err := ss.Send(engineio.Text("x")); err != nil {
			t.Error(err)
		}
		if got := ss.Transport(); got != "polling" {
			t.Error(got)
		}
	}
	if n != 20 {
		t.Errorf("%d sessions", n)
	}
}
