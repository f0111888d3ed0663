package engineio_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/siokit/siokit/engineio"
)

// TestRefusalsThatAreNotTheClientsFaultAreLoggedOnce: an operator learns what
// to change, and a client that tries again fills no log.
func TestRefusalsThatAreNotTheClientsFaultAreLoggedOnce(t *testing.T) {
	for _, tc := range []struct{ name, target, logged string }{
		{"revision 3", "/engine.io/?EIO=3&transport=polling", "Config.AllowEIO3"},
		{"no connection to take over", "/engine.io/?EIO=4&transport=websocket", "http.ResponseWriter"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var log bytes.Buffer
			srv, err := engineio.NewServer(engineio.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			if err := srv.Handle(silent{}); err != nil {
				t.Fatal(err)
			}
			defer srv.Close()
			for range 2 {
				r := httptest.NewRequest(http.MethodGet, tc.target, nil)
				r.Header.Set("Connection", "Upgrade")
				r.Header.Set("Upgrade", "websocket")
				r.Header.Set("Sec-WebSocket-Version", "13")
				r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
				w := httptest.NewRecorder() // which is no http.Hijacker
				srv.ServeHTTP(w, r)
				if w.Code != http.StatusBadRequest {
					t.Errorf("status %d", w.Code)
				}
			}
			if got := strings.Count(log.String(), tc.logged); got != 1 {
				t.Errorf("%q is logged %d times:\n%s", tc.logged, got, &log)
			}
		})
	}
}

// silent is a handler that takes everybody and answers nothing.
type silent struct{}

func (silent) Open(*engineio.Session) error                    { return nil }
func (silent) Message(*engineio.Session, engineio.Message)     {}
func (silent) Close(*engineio.Session, engineio.Reason, error) {}

// TestWarningsRememberLittle: what clients write into a header is no memory of
// the server's.
func TestWarningsRememberLittle(t *testing.T) {
	srv, err := engineio.NewServer(engineio.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Handle(silent{}); err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	before := heap()
	for i := range 64 {
		r := httptest.NewRequest(http.MethodGet, "/?EIO=3&transport=polling", nil)
		r.Header.Set("Origin", fmt.Sprintf("https://%d.%s", i, strings.Repeat("x", 500_000)))
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if want := `{"code":3,"message":"Bad request"}`; w.Body.String() != want {
			t.Fatal(w.Body)
		}
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("the heap grew by %d KB", (after-before)>>10)
	}
}
