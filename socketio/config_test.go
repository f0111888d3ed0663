package socketio_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

// TestConfigThatCannotWork: NewServer says which field, instead of a server
// that answers nobody or forgets what it was asked for.
func TestConfigThatCannotWork(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config socketio.Config
		says   string
	}{
		{"path without slash", socketio.Config{Path: "socket.io"}, `Config.Path "socket.io"`},
		{"two paths", socketio.Config{Path: "/a/", EngineConfig: engineio.Config{Path: "/b/"}}, "both Path and EngineConfig.Path"},
		{"two engines", socketio.Config{Engine: new(engineio.Server), EngineConfig: engineio.Config{Path: "/b/"}}, "both Engine and EngineConfig"},
		{"recovery without sessions", socketio.Config{Recovery: &socketio.Recovery{}, Adapter: adapter.NewMemory}, "keeps no sessions; leave it nil, or use an adapter that keeps a log and set its MaxDisconnection"},
		{"namespaces", socketio.Config{MaxNamespaces: -1}, "Config.MaxNamespaces"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := socketio.NewServer(tc.config)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want one that says %q", err, tc.says)
			}
		})
	}
}

// TestEngineOfTheCallersOwn: its transports are those that are served, and it ends
// with the server.
func TestEngineOfTheCallersOwn(t *testing.T) {
	config := quiet()
	engine, err := engineio.NewServer(engineio.Config{Logger: config.Logger, Transports: []engineio.Transport{engineio.WebSocket{}}})
	if err != nil {
		t.Fatal(err)
	}
	config.Engine, config.EngineConfig = engine, engineio.Config{}
	srv := newServer(t, config)
	url := serve(t, srv)
	c := dial(t, url)
	c.join("/")
	if srv.Engine() != engine || engine.Len() != 1 {
		t.Error("another engine, with", engine.Len(), "sessions")
	}
	if res, text := fetcher(t)(http.MethodGet, url+"/socket.io/?EIO=4&transport=polling"); res.StatusCode != http.StatusBadRequest || !strings.Contains(text, `"code":0`) {
		t.Error(res.Status, text)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if f := c.next(); !strings.HasPrefix(f, "CLOSE") || engine.Len() != 0 {
		t.Error(f, engine.Len())
	}
}

// TestMistakesPanicWhereTheyAreMade: a nil function is the program's mistake
// and no client's.
func TestMistakesPanicWhereTheyAreMade(t *testing.T) {
	io, err := socketio.NewServer(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer io.Close()
	var noPattern *regexp.Regexp
	for name, f := range map[string]func(){
		"On":             func() { io.On("event", nil) },
		"OnAny":          func() { io.OnAny(nil) },
		"Use":            func() { io.Use(nil) },
		"OnConnection":   func() { io.OnConnection(nil) },
		"OfPattern":      func() { io.OfPattern(noPattern) },
		"OfMatch":        func() { io.OfMatch(nil) },
		"no name":        func() { socketio.DefineEvent[int]("") },
		"reserved name":  func() { socketio.DefineCall[int, int]("disconnect") },
		"reserved event": func() { io.Once("connect", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v, _ := recover().(string); !strings.HasPrefix(v, "socketio: ") {
					t.Errorf("panic %q", v)
				}
			}()
			f()
		})
	}
}
