package conformance_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

// revision3 is a server of long ago: Engine.IO revision 3 over long-polling,
// whatever version it is asked for, and an echo for Engine.IO and Socket.IO.
type revision3 struct {
	mu       sync.Mutex
	sessions map[string]chan string // what waits for a poll
}

func (s *revision3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	sid := q.Get("sid")
	s.mu.Lock()
	session, known := s.sessions[sid]
	s.mu.Unlock()
	switch {
	case q.Get("transport") != "polling":
		refuse3(w, 0, "Transport unknown")
	case sid == "" && r.Method == http.MethodGet:
		s.open(w)
	case sid == "":
		refuse3(w, 2, "Bad handshake method")
	case !known:
		refuse3(w, 1, "Session ID unknown")
	case r.Method == http.MethodGet:
		select {
		case packet := <-session:
			io.WriteString(w, frame3(packet))
		case <-r.Context().Done():
		}
	default:
		s.receive(w, r, sid, session)
	}
}

func refuse3(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, `{"code":%d,"message":%q}`, code, message)
}

func (s *revision3) open(w http.ResponseWriter) {
	s.mu.Lock()
	sid := fmt.Sprintf("session-of-revision-%03d", len(s.sessions))
	s.sessions[sid] = make(chan string, 1000)
	s.mu.Unlock()
	// A server of that time joins the client to the main namespace by itself.
	io.WriteString(w, frame3(fmt.Sprintf(`0{"sid":%q,"upgrades":[],"pingInterval":25000,"pingTimeout":20000}`, sid))+frame3("40"))
}

// receive reads a payload of revision 3 and sends the messages back.
func (s *revision3) receive(w http.ResponseWriter, r *http.Request, sid string, session chan string) {
	body, _ := io.ReadAll(r.Body)
	packets, err := payload3(string(body))
	if err != nil {
		s.mu.Lock()
		delete(s.sessions, sid)
		s.mu.Unlock()
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, packet := range packets {
		if strings.HasPrefix(packet, "4") {
			session <- packet
		}
	}
	io.WriteString(w, "ok")
}

// frame3 puts the length, in UTF-16 units, before a packet.
func frame3(packet string) string {
	return fmt.Sprintf("%d:%s", len(utf16.Encode([]rune(packet))), packet)
}

func payload3(body string) (packets []string, err error) {
	for body != "" {
		digits, rest, found := strings.Cut(body, ":")
		n, err := strconv.Atoi(digits)
		units := utf16.Encode([]rune(rest))
		if !found || err != nil || n < 0 || n > len(units) {
			return nil, errors.New("no payload of revision 3")
		}
		packets = append(packets, string(utf16.Decode(units[:n])))
		body = string(utf16.Decode(units[n:]))
	}
	return packets, nil
}

// A server of revision 3 alone is not tested; and when it is, because its
// features are declared, no case about revision 4 passes.
func TestAServerOfRevision3PassesNothingOfRevision4(t *testing.T) {
	target := func() conformance.Target {
		return conformance.Handler(&revision3{sessions: map[string]chan string{}})
	}
	if _, err := conformance.Run(t.Context(), target(), conformance.Options{Timing: hasty}); !errors.Is(err, conformance.ErrNoFixture) {
		t.Errorf("error %v, want ErrNoFixture", err)
	}
	report, err := conformance.Run(t.Context(), target(), conformance.Options{
		Profiles: spec.Profiles, Quirks: true, Features: spec.Features, Timing: hasty, Parallel: 64,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, res := range report.Results {
		if res.Verdict == conformance.Pass && !res.Case.In(spec.EIO3) {
			t.Errorf("%s (%s) passes", res.Case.ID, res.Case.Title)
		}
	}
}
