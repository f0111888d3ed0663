package mixed

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/engineio"
	"github.com/siokit/siokit/socketio"
)

// The configurations are those of the README: what stands there is what is run.
const balancerManual = "../README.md"

// names are those of the servers in the README, whose addresses are 10.0.0.1:3000
// and so on.
var names = []string{"ada", "bob", "cyd"}

// transports are what an official client may be told to use. The last is its
// default, which ends with WebSocket.
var transports = [][]string{{"polling"}, {"websocket"}, {"polling", "websocket"}}

func TestNginx(t *testing.T) {
	testBalancer(t, "nginx", func(dir, config string) []string {
		config = strings.Replace(config, "listen 80;", "listen ADDRESS;", 1)
		config = fmt.Sprintf(`worker_processes 1;
pid nginx.pid;
error_log stderr;
user root;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
%s}
`, config)
		return []string{"-p", dir, "-e", "stderr", "-g", "daemon off;", "-c", writeConfig(t, dir, config)}
	})
}

func TestHAProxy(t *testing.T) {
	testBalancer(t, "haproxy", func(dir, config string) []string {
		return []string{"-db", "-f", writeConfig(t, dir, strings.Replace(config, "bind :80", "bind ADDRESS", 1))}
	})
}

// writeConfig writes a configuration for the address in the file of that name.
func writeConfig(t *testing.T, dir, config string) string {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(dir, "address"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(config, "ADDRESS") {
		t.Fatalf("%s: the configuration listens elsewhere:\n%s", balancerManual, config)
	}
	path := filepath.Join(dir, "config")
	if err := os.WriteFile(path, []byte(strings.Replace(config, "ADDRESS", string(address), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// block returns the first block of the README that is in that language.
func block(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(balancerManual)
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile("(?s)\n```" + language + "\n(.*?)```\n").FindSubmatch(text)
	if match == nil {
		t.Fatalf("%s has no configuration for %s", balancerManual, language)
	}
	return string(match[1])
}

// behind is a server behind a load balancer.
type behind struct {
	io   *socketio.Server
	http *httptest.Server
	end  sync.Once
}

func startBehind(t *testing.T, bus cluster.Bus, name string) *behind {
	t.Helper()
	srv, err := socketio.NewServer(socketio.Config{
		Adapter: cluster.New(cluster.Config{Bus: bus, UID: name, Logger: quiet}), Logger: quiet, AckTimeout: within,
		EngineConfig: engineio.Config{GenerateID: func(*http.Request) (string, error) { return name + "." + rand.Text(), nil }},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) { _ = s.Emit("ready", map[string]string{"name": name}) })
	b := &behind{io: srv, http: httptest.NewServer(srv)}
	t.Cleanup(func() { b.stop(t) })
	return b
}

func (b *behind) stop(t *testing.T) {
	b.end.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if err := b.io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		b.http.Close()
	})
}

// testBalancer runs a load balancer with what the README says about it, and has
// official clients come through it, on every transport, and go on when a server is
// stopped. command makes the program's arguments of its folder and that text.
func testBalancer(t *testing.T, program string, command func(dir, config string) []string) {
	p := startPeer(t)
	config, bus := block(t, program), &cluster.MemoryBus{}
	var servers []*behind
	for i, name := range names {
		b := startBehind(t, bus, name)
		servers = append(servers, b)
		address := fmt.Sprintf("10.0.0.%d:3000", i+1)
		if !strings.Contains(config, address) {
			t.Fatalf("%s: %s has no %s", balancerManual, program, address)
		}
		config = strings.ReplaceAll(config, address, b.http.Listener.Addr().String())
	}
	dir, address := t.TempDir(), freeAddress(t)
	if err := os.WriteFile(filepath.Join(dir, "address"), []byte(address), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, program, address, command(dir, config)...)

	var clients []*visitor
	for _, tr := range transports {
		var homes []string
		for range 2 * len(servers) {
			v := visit(t, p, "http://"+address, "ready", tr)
			clients, homes = append(clients, v), append(homes, v.home())
		}
		slices.Sort(homes)
		if len(slices.Compact(homes)) < 2 {
			t.Errorf("with %v all clients are on %s", tr, homes[0])
		}
	}
	for range 3 {
		everyone(t, servers[0], clients)
	}

	moved := map[*visitor]bool{}
	for _, v := range clients {
		moved[v] = v.home() == names[2]
	}
	servers[2].stop(t)
	for _, v := range clients {
		v.until("it is somewhere else", func() bool { return v.home() != names[2] })
	}
	everyone(t, servers[1], clients)
	for _, v := range clients {
		if n := v.got("ready"); n > 1 != moved[v] {
			t.Errorf("%v: connected %d times; its server was stopped: %v", v.transports, n, moved[v])
		}
	}
}

// everyone has all clients acknowledge a broadcast that fills many packets.
func everyone(t *testing.T, from *behind, clients []*visitor) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	n := 0
	for _, err := range from.io.EmitWithAck(ctx, "question", bytes.Repeat([]byte{1, 2, 3}, 50_000)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != len(clients) {
		t.Fatalf("%d of %d clients have answered", n, len(clients))
	}
}

// visitor is an official client that comes back by itself.
type visitor struct {
	client
	t          *testing.T
	transports []string
	ready      string // the event that tells the server's name
}

func visit(t *testing.T, p *peer, url, ready string, transports []string) *visitor {
	t.Helper()
	v := &visitor{client{peer: p, name: strings.Join(transports, " then ")}, t, transports, ready}
	var made struct {
		Client int    `json:"client"`
		Socket string `json:"socket"`
	}
	// A browser says where the page is from.
	err := p.call("client", object{
		"url": url, "name": v.name, "transports": transports, "reconnection": true, "origin": url, "ready": ready,
	}, &made)
	if err != nil {
		t.Fatalf("%s: %v", v.name, err)
	}
	v.number, v.socket = made.Client, made.Socket
	t.Cleanup(func() { v.leave(t) })
	last := transports[len(transports)-1]
	v.until("it speaks "+last, func() bool {
		var name string
		return p.call("transport", object{"client": v.number}, &name) == nil && name == last
	})
	return v
}

func (v *visitor) until(what string, ok func() bool) {
	v.t.Helper()
	if err := eventually(ok); err != nil {
		v.t.Fatalf("%s: %s: %v", v.name, what, err)
	}
}

// home is the server that has said that the client is there, last.
func (v *visitor) home() (name string) {
	for _, e := range v.peer.events(v.number) {
		if e.Name == v.ready {
			var args []struct{ Name string } // an offset may follow
			_ = json.Unmarshal(e.Args, &args)
			name = args[0].Name
		}
	}
	return name
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// launch runs a program until the end of the test, and waits until it takes
// connections.
func launch(t *testing.T, program, address string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + program) // not everyone's PATH has it
	}
	if err != nil {
		t.Fatalf("%v; make setup installs it", err)
	}
	var output bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = within
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process, which the cleanup waits for
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-ended
		if t.Failed() {
			t.Logf("%s:\n%s", program, output.Bytes())
		}
	})
	if err := eventually(func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			select {
			case err := <-ended:
				ended <- err
				t.Fatalf("%s has ended: %v\n%s", program, err, output.Bytes())
			default:
			}
			return false
		}
		return conn.Close() == nil
	}); err != nil {
		t.Fatalf("%s takes no connections: %v", program, err)
	}
}
