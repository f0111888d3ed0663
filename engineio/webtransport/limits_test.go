package webtransport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"
	wt "github.com/quic-go/webtransport-go"
	"github.com/rs/cors"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/webtransport"
)

// over waits for the end of a WebTransport session and returns its error.
func over(t *testing.T, s *wt.Session) *wt.SessionError {
	t.Helper()
	await(t, s.Context().Done())
	_, err := s.OpenStream()
	var e *wt.SessionError
	if !errors.As(err, &e) {
		t.Fatalf("the session ended with %v", err)
	}
	return e
}

// TestFirstPacket: a client has so much time, and one thing to say.
func TestFirstPacket(t *testing.T) {
	short := func(h *webtransport.Handler, _ *wt.Server) { h.FirstPacket = 300 * time.Millisecond }
	s := serve(t, newServer(t, engineio.Config{}, newApp()), short)
	for name, say := range map[string]func(t *testing.T, c *wt.Session){
		"no stream": func(*testing.T, *wt.Session) {},
		"an empty stream": func(t *testing.T, c *wt.Session) {
			if _, err := c.OpenStream(); err != nil {
				t.Error(err)
			}
		},
		"half a packet":      first(3, '0'),
		"a message":          first(2, '4', 'x'),
		"a frame too large":  first(127, 0, 0, 0, 0, 1, 0, 0, 0),
		"an empty frame":     first(0),
		"an unknown session": first(11, []byte(`0{"sid":"x"}`[:11])...),
		"no JSON":            first(4, []byte(`0{{{`)...),
		"a stream that ends": func(t *testing.T, c *wt.Session) {
			s, err := c.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c, err := connect(ctx, s.addr, s.tls, nil)
			if err != nil {
				t.Fatal(err)
			}
			say(t, c)
			if e := over(t, c); e.ErrorCode != 1 || !e.Remote {
				t.Errorf("refused with %v", e)
			}
		})
	}
}

// first opens a stream and writes bytes.
func first(length byte, b ...byte) func(*testing.T, *wt.Session) {
	return func(t *testing.T, c *wt.Session) {
		s, err := c.OpenStream()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(append([]byte{length}, b...)); err != nil {
			t.Error(err)
		}
	}
}

// TestSurplusStreams: the session has one stream; others are refused and do it
// no harm.
func TestSurplusStreams(t *testing.T) {
	s := serve(t, newServer(t, engineio.Config{}, newApp()))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := dial(ctx, s.addr, s.tls, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Receive(); err != nil { // streams may arrive in any order
		t.Fatal(err)
	}
	for range 300 { // more than QUIC lets be open at a time
		str, err := c.session.OpenStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = str.Write(make([]byte, 1000)) // it may have been refused already
		if _, err := io.ReadAll(str); err == nil {
			t.Error("a second stream is served")
		}
		uni, err := c.session.OpenUniStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = uni.Write(make([]byte, 1000))
		await(t, uni.Context().Done())
	}
	if err := c.Send(eioparser.Packet{Type: eioparser.Message, Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	for {
		p, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if p.Type == eioparser.Message {
			break
		}
	}
}

// TestOrigins: pages of other origins are refused unless CORS names them.
func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		name, origin string
		cors         *cors.Options
		ok           bool
	}{
		{"no page", "", nil, true},
		{"own origin", "own", nil, true},
		{"another origin", "https://evil.example", nil, false},
		{"one that is listed", "https://app.example", &cors.Options{AllowedOrigins: []string{"https://app.example"}}, true},
		{"one that is not", "https://evil.example", &cors.Options{AllowedOrigins: []string{"https://app.example"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, newServer(t, engineio.Config{CORS: c.cors}, newApp()))
			header := http.Header{}
			switch c.origin {
			case "":
			case "own":
				header.Set("Origin", "https://"+s.addr)
			default:
				header.Set("Origin", c.origin)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			session, err := connect(ctx, s.addr, s.tls, header)
			if ok := err == nil; ok != c.ok {
				t.Errorf("connected: %v, %v", ok, err)
			}
			if err == nil {
				_ = session.CloseWithError(0, "")
			}
		})
	}
}

// TestPollingOverHTTP3: what is no WebTransport is the engineio server's.
func TestPollingOverHTTP3(t *testing.T) {
	s := serve(t, newServer(t, engineio.Config{}, newApp()))
	rt := &http3.Transport{TLSClientConfig: s.tls}
	defer rt.Close()
	get := func(query string) (int, string) {
		t.Helper()
		resp, err := (&http.Client{Transport: rt}).Get("https://" + s.addr + "/engine.io/?" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if status, body := get("EIO=4&transport=polling"); status != 200 || body[0] != '0' {
		t.Errorf("%d %s", status, body)
	}
	want := `{"code":0,"message":"Transport unknown"}`
	if status, body := get("EIO=4&transport=webtransport"); status != 400 || body != want {
		t.Errorf("%d %s, want 400 %s", status, body, want)
	}
}

// TestHalfAnUpgrade: a client that comes to move a session and says nothing more
// goes, and the session stays.
func TestHalfAnUpgrade(t *testing.T) {
	a := newApp()
	sessions := make(chan *engineio.Session, 1)
	a.open = func(s *engineio.Session) error { sessions <- s; return nil }
	s := serve(t, newServer(t, engineio.Config{UpgradeTimeout: 200 * time.Millisecond}, a))
	rt := &http.Transport{TLSClientConfig: s.tls.Clone(), DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: rt}).Get("https://" + s.addr + "/engine.io/?EIO=4&transport=polling")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	session := await(t, sessions)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 2 {
		c, err := dial(ctx, s.addr, s.tls, eioparser.AppendSID(nil, session.ID()))
		if err != nil {
			t.Fatal(err)
		}
		over(t, c.session)
	}
	if session.State() != engineio.Open || session.Transport() != "polling" {
		t.Errorf("the session is %v, on %s", session.State(), session.Transport())
	}
}

// TestClientVanishes: the end of the QUIC connection is the end of the session.
func TestClientVanishes(t *testing.T) {
	a := newApp()
	s := serve(t, newServer(t, engineio.Config{}, a))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for name, leave := range map[string]func(*raw) error{
		"closes the stream":      func(c *raw) error { return c.stream.Close() },
		"resets the stream":      func(c *raw) error { c.stream.CancelWrite(7); return nil },
		"closes the session":     func(c *raw) error { return c.session.CloseWithError(0, "") },
		"closes it with a fault": func(c *raw) error { return c.session.CloseWithError(42, "fault") },
	} {
		c, err := dial(ctx, s.addr, &tls.Config{RootCAs: s.tls.RootCAs}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(); err != nil {
			t.Fatal(err)
		}
		if err := leave(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if end := await(t, a.closes); end.why != engineio.TransportClose {
			t.Errorf("%s: %q, %v", name, end.why, end.err)
		}
		_ = c.Close()
	}
}
