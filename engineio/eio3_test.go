package engineio_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/engineio/internal/eiotest"
)

func v3() engineio.Config {
	cfg := fixture()
	cfg.AllowEIO3 = true
	cfg.Transports = []engineio.Transport{engineio.Polling{JSONP: true}, engineio.WebSocket{}}
	return cfg
}

func TestRevision3(t *testing.T) {
	s := eiotest.Start(t, v3(), new(echoing))
	opened := `114:0{"sid":"<sid>","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`
	session := func(extra string) *eiotest.Poller {
		a := s.Do("GET", s.URL("EIO=3&transport=polling"+extra), "")
		return s.Attach(eiotest.SID(t, a.Body), "EIO=3"+extra)
	}
	check := func(t *testing.T, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	}
	t.Run("E-HS-66,67", func(t *testing.T) {
		check(t, show(s.Do("GET", s.URL("EIO=3&transport=polling&b64=1"), "")), "200 "+opened)
		check(t, show(s.Do("GET", s.URL("transport=polling&b64=1"), "")), "200 "+opened)
		check(t, show(s.Do("GET", s.URL("EIO=5&transport=polling"), "")), badVersion)
	})
	t.Run("text", func(t *testing.T) {
		p := session("&b64=1")
		check(t, show(p.Post("6:4hello4:4é😀")), "200 ok") // lengths in UTF-16 code units
		check(t, show(p.Get()), "200 6:4hello4:4é😀")
	})
	t.Run("binary as base64", func(t *testing.T) {
		p := session("&b64=1")
		check(t, show(p.Post("10:b4AQIDBA==")), "200 ok")
		check(t, show(p.Get()), "200 10:b4AQIDBA==")
	})
	t.Run("binary", func(t *testing.T) {
		p := session("")
		body := "\x00\x03\xff4hi\x01\x05\xff\x04\x01\x02\x03\x04"
		check(t, show(p.Post(body, "Content-Type", "application/octet-stream")), "200 ok")
		a := p.Get()
		check(t, a.Type, "application/octet-stream")
		check(t, a.Body, body)
	})
	t.Run("ping", func(t *testing.T) {
		p := session("&b64=1")
		check(t, show(p.Post("1:2")), "200 ok")
		check(t, show(p.Get()), "200 1:3")
	})
	t.Run("a wrong length ends the session", func(t *testing.T) {
		p := session("&b64=1")
		check(t, show(p.Post("7:4hello")), "200 ok")
		check(t, show(p.Get()), unknownSID)
	})
	t.Run("another revision on the session is refused", func(t *testing.T) {
		p := session("")
		check(t, show(s.Do("GET", s.URL("EIO=4&transport=polling&sid="+p.SID), "")), badRequest)
		q, _ := s.Poll()
		check(t, show(s.Do("GET", s.URL("EIO=3&transport=polling&sid="+q.SID), "")), badRequest)
	})
	t.Run("E-HS-68 WebSocket", func(t *testing.T) {
		ws, _ := s.Upgrade("EIO=3&transport=websocket")
		check(t, masked(ws.Read()), openedWS)
		ws.Send("2")
		check(t, ws.Read(), "3")
		ws.Send("4x")
		check(t, ws.Read(), "4x")
		ws.SendBinary([]byte{4, 1, 2})
		check(t, ws.Read(), "<bin 040102>")
		ws.Send("b4AQI=")
		check(t, ws.Read(), "<bin 040102>")
	})
	t.Run("WebSocket without binary frames", func(t *testing.T) {
		ws, _ := s.Upgrade("EIO=3&transport=websocket&b64=1")
		ws.Read()
		ws.SendBinary([]byte{4, 1, 2})
		check(t, ws.Read(), "b4AQI=")
	})
	t.Run("upgrade", func(t *testing.T) {
		p := session("&b64=1")
		c := p.Go()
		ws, _ := s.Upgrade("EIO=3&transport=websocket&sid=" + p.SID)
		ws.Send("2probe")
		check(t, ws.Read(), "3probe")
		check(t, show(eiotest.Wait(t, c)), "200 1:6")
		ws.Send("5")
		ws.Send("4x")
		check(t, ws.Read(), "4x")
	})
	t.Run("E-HS-65 JSONP", func(t *testing.T) {
		a := s.Do("GET", s.URL("EIO=4&transport=polling&j=0"), "")
		sid := strings.Split(a.Body, `\"`)[3]
		check(t, a.Body, `___eio[0]("0{\"sid\":\"`+sid+`\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,\"pingTimeout\":200,\"maxPayload\":1000000}");`)
		p := s.Attach(sid, "EIO=4&j=7")
		check(t, show(p.Post("d=4a%0A%5Cn%22", "Content-Type", "application/x-www-form-urlencoded")), "200 ok")
		check(t, show(p.Get()), `200 ___eio[7]("4a\n\n\"");`)
		for _, j := range []string{"x", "", "1);alert(1", "-1"} {
			if a := s.Do("GET", s.URL("EIO=4&transport=polling&j="+j), ""); a.Body[0] != '0' {
				t.Errorf("j=%s: %s", j, a.Body)
			}
		}
	})
	t.Run("JSONP is off by default", func(t *testing.T) {
		s := eiotest.Start(t, fixture(), new(echoing))
		check(t, show(s.Do("GET", s.URL("EIO=4&transport=polling&j=0"), "")), "200 "+`0{"sid":"<sid>","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}`)
	})
}

// TestRevision3OpensLater: the open packet does not share a segment with the
// handshake's answer, which npm's client cannot take apart in time.
func TestRevision3OpensLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := eiotest.StartPipe(t, v3(), new(echoing))
		ws, _ := s.Upgrade("EIO=3&transport=websocket")
		from := time.Now()
		if got := masked(ws.ReadAny()); got != openedWS {
			t.Error(got)
		}
		if d := time.Since(from); d < time.Millisecond {
			t.Errorf("after %v", d)
		}
	})
}

// TestRevision3Heartbeat: the client pings; the server waits for interval and
// timeout together.
func TestRevision3Heartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := new(echoing)
		s := eiotest.StartPipe(t, v3(), e)
		ws, _ := s.Upgrade("EIO=3&transport=websocket")
		ws.ReadAny()
		<-time.After(400 * time.Millisecond)
		from := time.Now()
		ws.Send("2")
		if got := ws.ReadAny(); got != "3" {
			t.Error(got)
		}
		if got := ws.ReadAny(); got != "CLOSE(1005)" {
			t.Error(got)
		}
		about(t, "end", time.Since(from), 500*time.Millisecond)
		synctest.Wait()
		if got := e.reasons(); len(got) != 1 || got[0] != "ping timeout" {
			t.Error(got)
		}
	})
}

// TestPolledBytesAreHandedOver: what a handler keeps of a binary payload of
// revision 3 does not change when the next client sends one.
func TestPolledBytesAreHandedOver(t *testing.T) {
	kept := make(chan []byte, 64)
	s := eiotest.Start(t, v3(), eiotest.Handler{
		OnMessage: func(_ *engineio.Session, m engineio.Message) { kept <- m.Data },
	})
	for range 16 { // the race detector makes pools forget now and then
		for _, what := range []string{"mine", "your"} {
			a := s.Do("GET", s.URL("EIO=3&transport=polling"), "")
			p := s.Attach(eiotest.SID(t, a.Body), "EIO=3")
			p.Post("\x01\x05\xff\x04"+what, "Content-Type", "application/octet-stream")
		}
		first, second := eiotest.Wait(t, kept), eiotest.Wait(t, kept)
		if string(first) != "mine" || string(second) != "your" {
			t.Fatalf("kept %q and %q", first, second)
		}
	}
}
