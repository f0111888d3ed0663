package engineio_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

// pending is what a poll that nobody answers is recorded as.
const pending = "no response"

// getSoon polls, and gives up if there is no answer before the server says by
// a later message that there is none.
func getSoon(t *testing.T, s *eiotest.Server, p *eiotest.Poller) string {
	t.Helper()
	c := p.Go()
	ss, ok := s.Session(p.SID)
	if ok {
		// A session that lives answers this at once; what was due comes before it.
		eiotest.Until(t, "poll pending or answered", func() bool { return ss.Writable() || len(c) > 0 || ss.State() != engineio.Open })
		if len(c) == 0 {
			_ = ss.Send(engineio.Text("sentinel"))
		}
	}
	got := show(eiotest.Wait(t, c))
	if got == "200 4sentinel" {
		return pending
	}
	return got
}

func TestPayloads(t *testing.T) {
	gone := "200 ok; " + unknownSID
	for _, c := range []struct {
		id, body, want string
		header         []string
	}{
		{id: "E-PD-01", body: "", want: gone},
		{id: "E-PD-02", body: "4", want: "200 ok; 200 4"},
		{id: "E-PD-03", body: "4a\x1e", want: gone},
		{id: "E-PD-04", body: "\x1e4a", want: gone},
		{id: "E-PD-05", body: "4a\x1e\x1e4b", want: gone},
		{id: "E-PD-06", body: "abc", want: gone},
		{id: "E-PD-07", body: "7x", want: gone},
		{id: "E-PD-08", body: "4ok\x1e9bad\x1e4after", want: gone},
		{id: "E-PD-09", body: "bAQIDBA==", want: "200 ok; 200 bAQIDBA=="},
		{id: "E-PD-10", body: "b", want: "200 ok; 200 b"},
		// Base64 is strict here, and text is UTF-8: the reference guesses.
		{id: "E-PD-11 strict", body: "bAQIDBA", want: gone},
		{id: "E-PD-12 strict", body: "b!!!!", want: gone},
		{id: "E-PD-13 strict", body: "bAQID_-8=", want: gone},
		{id: "E-PD-14 strict", body: "bAQID\nBA==", want: gone},
		{id: "E-PD-15", body: "4é€😀", want: "200 ok; 200 4é€😀"},
		{id: "E-PD-16 strict", body: "4\xff", want: gone},
		{id: "E-PD-17", body: "4a\x00b", want: "200 ok; 200 4a\x00b"},
		{id: "E-PD-18", body: "4a", want: "400 (empty body); " + unknownSID, header: []string{"Content-Type", "application/octet-stream"}},
		{id: "E-PD-19", body: "4a", want: "200 ok; 200 4a", header: []string{"Content-Type", "text/plain;charset=UTF-8"}},
		{id: "E-PD-20", body: "4a", want: "200 ok; 200 4a", header: []string{"Content-Type", "application/json"}},
		{id: "E-PD-26", body: "2", want: gone},
		{id: "E-PD-27", body: "3", want: "200 ok; " + pending},
		{id: "E-PD-28", body: "0", want: "200 ok; " + pending},
		{id: "E-PD-29", body: "5", want: "200 ok; " + pending},
		{id: "E-PD-30", body: "6", want: "200 ok; " + pending},
		{id: "E-PD-31", body: "1", want: gone},
		{id: "E-PD-32", body: "4a\x1e1\x1e4b", want: gone},
		{id: "E-PD-41", body: "4a\x1e4b\x1ebAQ==", want: "200 ok; 200 4a␞4b␞bAQ=="},
		{id: "E-PD-43", body: "4empty", want: "200 ok; 200 4"},
		{id: "E-PD-44", body: "4mixed", want: "200 ok; 200 4t␞bAQID␞4é€😀"},
	} {
		t.Run(c.id, func(t *testing.T) {
			s := eiotest.Start(t, slow(), new(echoing))
			p, _ := s.Poll()
			got := show(p.Post(c.body, c.header...))
			ss, alive := s.Session(p.SID)
			if alive { // a wrong packet ends the session soon, not at once
				eiotest.Until(t, "settled", func() bool {
					return ss.State() == engineio.Closed || ss.BufferedBytes() > 0 || strings.HasSuffix(c.want, pending)
				})
			}
			if got += "; " + getSoon(t, s, p); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPayloadLimit(t *testing.T) {
	s := eiotest.Start(t, small(), new(echoing))
	a99 := strings.Repeat("a", 99)
	t.Run("E-PD-21", func(t *testing.T) {
		p, _ := s.Poll()
		if got := show(p.Post("4"+a99)) + show(p.Get()); got != "200 ok200 4"+a99 {
			t.Error(got)
		}
	})
	for id, body := range map[string]string{"E-PD-22,23": "4a" + a99, "E-PD-24": "4" + strings.Repeat("€", 34)} {
		t.Run(id, func(t *testing.T) {
			p, _ := s.Poll()
			if got := p.Post(body); got.Status != 413 || got.Body != "" || got.Type != "" || !got.Close {
				t.Errorf("%+v", got)
			}
			if got := getSoon(t, s, p); got != pending {
				t.Errorf("then %s", got)
			}
		})
	}
	t.Run("E-PD-25 chunked", func(t *testing.T) {
		p, _ := s.Poll()
		c := s.Dial()
		fmt.Fprintf(c, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n66\r\n4%s\r\n", p.SID, strings.Repeat("a", 101))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || resp.StatusCode != 413 {
			t.Errorf("%v %v", resp, err)
		}
		if got := getSoon(t, s, p); got != pending {
			t.Errorf("then %s", got)
		}
	})
}

func TestPolling(t *testing.T) {
	e := new(echoing)
	s := eiotest.Start(t, slow(), e)
	session := func(p *eiotest.Poller) *engineio.Session {
		ss, ok := s.Session(p.SID)
		if !ok {
			t.Fatal("no session")
		}
		return ss
	}
	// polled returns an answer to come, when the server has the poll.
	polled := func(p *eiotest.Poller) <-chan eiotest.Answer {
		c := p.Go()
		eiotest.Until(t, "poll pending", session(p).Writable)
		return c
	}
	check := func(t *testing.T, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
	for _, m := range []string{"PUT", "DELETE"} {
		t.Run("E-PD-33,34 "+m, func(t *testing.T) {
			p, _ := s.Poll()
			if a := s.Do(m, p.URL(), ""); a.Status != 405 {
				t.Error(a.Status)
			}
			check(t, getSoon(t, s, p), pending)
		})
	}
	t.Run("E-PD-35", func(t *testing.T) {
		p, _ := s.Poll()
		first := polled(p)
		second := show(p.Get())
		check(t, show(eiotest.Wait(t, first))+"; "+second+"; "+show(p.Get()), "200 1; 400 (empty body); "+unknownSID)
	})
	t.Run("E-PD-36", func(t *testing.T) {
		p, _ := s.Poll()
		c := s.Dial()
		fmt.Fprintf(c, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4abc", p.SID)
		first := make(chan int, 1)
		go func() {
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				first <- 0
			} else {
				first <- resp.StatusCode
			}
		}()
		var second string
		eiotest.Until(t, "the first POST has begun", func() bool {
			second = show(p.Post("4b"))
			return second != "200 ok"
		})
		check(t, second+"; "+show(p.Get()), "400 (empty body); "+unknownSID)
		if code := eiotest.Wait(t, first); code == 200 {
			t.Error("the first POST got", code)
		}
	})
	t.Run("E-PD-37", func(t *testing.T) {
		p, _ := s.Poll()
		ss := session(p)
		c := s.Dial()
		fmt.Fprintf(c, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4abc", p.SID)
		c.Close()
		eiotest.Wait(t, ss.Context().Done())
		check(t, show(p.Get()), unknownSID)
	})
	t.Run("E-PD-38", func(t *testing.T) {
		p, _ := s.Poll()
		ss := session(p)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = s.Request(ctx, "GET", p.URL(), "") }()
		eiotest.Until(t, "poll pending", ss.Writable)
		cancel()
		eiotest.Wait(t, ss.Context().Done())
		check(t, fmt.Sprint(context.Cause(ss.Context())), "engineio: transport error: engineio: poll connection closed prematurely")
		check(t, show(p.Get()), unknownSID)
	})
	t.Run("E-PD-39", func(t *testing.T) {
		p, _ := s.Poll()
		c := polled(p)
		check(t, show(p.Post("4x"))+"; "+show(eiotest.Wait(t, c)), "200 ok; 200 4x")
	})
	t.Run("E-PD-40", func(t *testing.T) {
		p, _ := s.Poll()
		ss := session(p)
		c := polled(p)
		check(t, show(p.Post("1"))+"; "+show(eiotest.Wait(t, c))+"; "+show(p.Get()), "200 ok; 200 6; "+unknownSID)
		check(t, fmt.Sprint(context.Cause(ss.Context())), "engineio: transport close: EOF")
	})
	t.Run("E-PD-42", func(t *testing.T) {
		p, _ := s.Poll()
		p.Post("4burst 1000")
		parts := strings.Split(p.Get().Body, "\x1e")
		if len(parts) != 1000 || parts[0] != "4b0" || parts[999] != "4b999" {
			t.Errorf("%d packets", len(parts))
		}
	})
	t.Run("E-PD-45", func(t *testing.T) {
		p, _ := s.Poll()
		c := polled(p)
		check(t, show(p.Post("4close"))+"; "+show(eiotest.Wait(t, c))+"; "+show(p.Get()), "200 ok; 200 1; "+unknownSID)
	})
	t.Run("E-PD-46", func(t *testing.T) {
		p, _ := s.Poll()
		check(t, show(p.Post("4close"))+"; "+show(p.Get())+"; "+show(p.Get()), "200 ok; 200 6␞1; "+unknownSID)
	})
	t.Run("E-PD-47", func(t *testing.T) {
		p, _ := s.Poll()
		c := polled(p)
		check(t, show(p.Post("4discard"))+"; "+show(eiotest.Wait(t, c)), "200 ok; 200 1")
	})
	t.Run("E-PD-48 keep-alive", func(t *testing.T) {
		p, _ := s.Poll()
		c := s.Dial()
		br := bufio.NewReader(c)
		send := func(method, body string) string {
			fmt.Fprintf(c, "%s /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, p.SID, len(body), body)
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			return string(b)
		}
		check(t, send("POST", "4k")+"; "+send("GET", ""), "ok; 4k")
	})
	t.Run("reasons", func(t *testing.T) {
		want := map[string]int{"transport error": 4, "transport close": 1, "forced close": 3}
		got := make(map[string]int)
		for _, r := range e.reasons() {
			got[r]++
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

// TestServerTimeouts: an http.Server's timeouts are made for requests that are
// answered at once. A poll moves its own deadlines, a slow POST has as long as
// its session, and a WebSocket has none.
func TestServerTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, new(echoing), func(hs *http.Server) {
			hs.ReadTimeout, hs.WriteTimeout = 5*time.Second, 5*time.Second
		})
		from := time.Now()
		p, _ := s.Poll()
		a, err := s.Request(t.Context(), "GET", p.URL(), "")
		if err != nil || show(a) != "200 2" { // 25 s later
			t.Error(a, err)
		}
		about(t, "ping", time.Since(from), 25*time.Second)
		c := s.Dial()
		fmt.Fprintf(c, "POST /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n4a", p.SID)
		<-time.After(8 * time.Second)
		fmt.Fprint(c, "bc")
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || r.StatusCode != 200 {
			t.Fatalf("slow POST: %v %v", r, err)
		}
		if got := show(p.Get()); got != "200 4abc" {
			t.Error(got)
		}
		ws, _ := s.WS()
		<-time.After(20 * time.Second)
		ws.Send("4late")
		if got := ws.Read(); got != "4late" {
			t.Error(got)
		}
	})
}

// TestPollBehindAnAbortedOne: a client that aborts its poll has left; a poll
// that comes while the server notices is refused.
func TestPollBehindAnAbortedOne(t *testing.T) {
	s := eiotest.Start(t, slow(), new(echoing))
	for i := range 300 {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		c := s.Dial()
		fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", p.SID)
		eiotest.Until(t, "poll pending", ss.Writable)
		next := s.Dial()
		c.Close()
		fmt.Fprintf(next, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", p.SID)
		r, err := http.ReadResponse(bufio.NewReader(next), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode != 400 {
			b, _ := io.ReadAll(r.Body)
			t.Fatalf("%d: %d %q", i, r.StatusCode, b)
		}
		next.Close()
	}
}

// TestPollBesideAnAnswer: until a poll is answered another one overlaps, also
// when the answer is being made.
func TestPollBesideAnAnswer(t *testing.T) {
	s := eiotest.Start(t, slow(), new(echoing))
	p, _ := s.Poll()
	ss, _ := s.Session(p.SID)
	first := p.Go()
	eiotest.Until(t, "poll pending", ss.Writable)
	answer := engineio.TakePoll(ss, engineio.Text("x"))
	second := p.Go()
	if got := show(eiotest.Wait(t, second)); got != "400 (empty body)" {
		t.Errorf("second: %s", got)
	}
	answer()
	if got := show(eiotest.Wait(t, first)); got != "200 4x" {
		t.Errorf("first: %s", got)
	}
	eiotest.Wait(t, ss.Context().Done())
}

// TestPostEndsTheSessionBeforeItsAnswer: a client that has read the answer to a
// packet that was not its to send finds no session, as on the reference.
func TestPostEndsTheSessionBeforeItsAnswer(t *testing.T) {
	ended := 0
	s := eiotest.Start(t, v3(), eiotest.Handler{
		OnClose: func(*engineio.Session, engineio.Reason, error) { ended++ },
	})
	for i, c := range []struct{ query, body string }{{"EIO=4", "2"}, {"EIO=3", "1:3"}} {
		open := s.Do("GET", s.URL(c.query+"&transport=polling"), "")
		p := s.Attach(eiotest.SID(t, open.Body), c.query)
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequest("POST", p.URL(), strings.NewReader(c.body)))
		if answer.Code != 200 || ended != i+1 {
			t.Errorf("%s: answered with %d, %d sessions have ended", c.query, answer.Code, ended)
		}
	}
}

// TestGoodbyeBesideAMessage: a client that closes while it is sent something
// has closed; it has not left a poll.
func TestGoodbyeBesideAMessage(t *testing.T) {
	ended := make(chan string, 1)
	s := eiotest.Start(t, slow(), eiotest.Handler{
		OnClose: func(_ *engineio.Session, why engineio.Reason, _ error) { ended <- string(why) },
	})
	for range 100 {
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		poll := p.Go()
		eiotest.Until(t, "poll pending", ss.Writable)
		post := make(chan eiotest.Answer, 1)
		go func() { post <- p.Post("1") }()
		for len(post) == 0 && ss.Send(engineio.Text("x")) == nil {
			if len(poll) > 0 {
				<-poll
				poll = p.Go() // the official client polls until its close packet has left
			}
		}
		if why := eiotest.Wait(t, ended); why != "transport close" {
			t.Fatal(why)
		}
		eiotest.Wait(t, post)
		eiotest.Wait(t, poll)
		if err := engineio.WriteOverPolling(ss, engineio.Text("late")); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBodiesThatNobodyReads: net/http reads what is left of a request's body
// before it lets the answer go. A client that never sends it is answered all the
// same, and holds up neither a session nor Shutdown.
func TestBodiesThatNobodyReads(t *testing.T) {
	s := eiotest.Start(t, small(), new(echoing))
	const query = "EIO=4&transport=polling"
	for _, c := range []struct {
		method, query, header string
		want                  int
	}{
		{"POST", "EIO=4&transport=nope", "", 400},
		{"POST", query + "&sid=nope", "", 400},
		{"POST", query + "&sid=SESSION", "Content-Type: application/octet-stream\r\n", 400},
		{"PUT", query + "&sid=SESSION", "", 405},
		{"GET", query, "", 400},
		{"GET", query + "&sid=SESSION", "", 400},
	} {
		p, _ := s.Poll()
		p.Post("4x")     // is there to be fetched
		conn := s.Dial() // open until the test ends
		fmt.Fprintf(conn, "%s /engine.io/?%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: 90\r\n\r\n4abc",
			c.method, strings.Replace(c.query, "SESSION", p.SID, 1), c.header)
		if err := conn.SetReadDeadline(time.Now().Add(eiotest.Patience)); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.query, err)
		}
		if r.StatusCode != c.want || !r.Close {
			t.Errorf("%s %s: %d, the connection is closed: %v", c.method, c.query, r.StatusCode, r.Close)
		}
		if strings.HasSuffix(c.query, "SESSION") && c.header == "" { // it lives on
			if got := show(p.Get()); got != "200 4x" {
				t.Errorf("%s %s: then %s", c.method, c.query, got)
			}
		}
	}
	_ = s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), eiotest.Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

// TestOneAnswerAtATime: a client that polls on without reading what it was
// answered is no better than one that does not read: it fills its outbox.
func TestOneAnswerAtATime(t *testing.T) {
	s := eiotest.Start(t, slow(), new(echoing))
	p, _ := s.Poll()
	ss, _ := s.Session(p.SID)
	c := s.Dial()
	fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", p.SID)
	eiotest.Until(t, "poll pending", ss.Writable)
	const large = 15 << 20 // more than a connection holds
	_ = ss.Send(engineio.Binary(make([]byte, large)))
	eiotest.Until(t, "taken", func() bool { return ss.BufferedBytes() == 0 })
	next := p.Go()
	_ = ss.Send(engineio.Text("next"))
	eiotest.Until(t, "the next poll overlaps", func() bool {
		return len(next) > 0 || engineio.Polled(ss)
	})
	if len(next) > 0 || ss.Writable() || ss.BufferedBytes() == 0 {
		t.Fatal("an answer beside another")
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r.Body); err != nil || len(b) < large {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if got := show(eiotest.Wait(t, next)); got != "200 4next" {
		t.Error(got)
	}
}

// TestSlowPollIsRead: the write timeout is for a client that takes nothing, not
// for one that takes its time.
func TestSlowPollIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, engineio.Config{}, new(echoing))
		p, _ := s.Poll()
		ss, _ := s.Session(p.SID)
		_ = ss.Send(engineio.Text(strings.Repeat("x", 1<<20)))
		c := s.Dial()
		fmt.Fprintf(c, "GET /engine.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\n\r\n", p.SID)
		br := bufio.NewReader(c)
		r, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		for got, piece := 0, make([]byte, 32<<10); got < 1<<20; {
			<-time.After(700 * time.Millisecond)
			n, err := r.Body.Read(piece)
			if err != nil {
				t.Fatalf("after %v: %v", time.Since(from), err)
			}
			got += n
		}
	})
}
