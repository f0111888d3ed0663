package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/adapters/redispubsub/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const within = 20 * time.Second

// visitor does what the page does.
type visitor struct {
	t      *testing.T
	addr   string
	conn   *websocket.Conn
	pid    string
	offset string
	server string
	ticks  []int
}

// connect returns whether the visitor was recognised.
func (v *visitor) connect() (recovered bool) {
	v.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial("ws://"+v.addr+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		v.t.Fatal(err)
	}
	v.conn = conn
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		v.t.Fatal(err)
	}
	auth, _ := json.Marshal(map[string]string{"pid": v.pid, "offset": v.offset})
	v.read()
	v.write("40" + string(auth))
	// What was missed comes before the answer.
	text := v.read()
	for ; !strings.HasPrefix(text, "40"); text = v.read() {
		v.handle(text)
	}
	var answer struct{ PID string }
	if err := json.Unmarshal([]byte(text[2:]), &answer); err != nil {
		v.t.Fatal(err)
	}
	recovered = answer.PID == v.pid
	v.pid = answer.PID
	return recovered
}

func (v *visitor) write(text string) {
	v.t.Helper()
	if err := v.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		v.t.Fatal(err)
	}
}

func (v *visitor) read() string {
	v.t.Helper()
	_, data, err := v.conn.ReadMessage()
	if err != nil {
		v.t.Fatal(err)
	}
	return string(data)
}

// handle notes what a message says, and returns the event that it is.
func (v *visitor) handle(message string) (event string, args []json.RawMessage) {
	v.t.Helper()
	text, found := strings.CutPrefix(message, "42")
	if !found {
		return "", nil
	}
	if err := json.Unmarshal([]byte(text), &args); err != nil {
		v.t.Fatal(err)
	}
	_ = json.Unmarshal(args[0], &event)
	args = args[1:]
	if json.Unmarshal(args[len(args)-1], &v.offset) == nil { // no event has a text as its last argument
		args = args[:len(args)-1]
	}
	switch event {
	case "welcome":
		var s State
		_ = json.Unmarshal(args[0], &s)
		v.server = s.Name
	case "tick":
		var n int
		_ = json.Unmarshal(args[0], &n)
		v.ticks = append(v.ticks, n)
	}
	return event, args
}

// until handles events until one makes ok true.
func (v *visitor) until(ok func(event string, args []json.RawMessage) bool) {
	v.t.Helper()
	for !ok(v.handle(v.read())) {
	}
}

// end reads until the server has closed the connection.
func (v *visitor) end() {
	for {
		_, data, err := v.conn.ReadMessage()
		if err != nil {
			_ = v.conn.Close()
			return
		}
		v.handle(string(data))
	}
}

// running is a cluster with its front.
type running struct {
	t    *testing.T
	addr string
}

// start runs the command until the end of the test.
func start(t *testing.T, redis string) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, listener, redis) }() // ends with ctx
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return &running{t, listener.Addr().String()}
}

// request returns status and body of an answer of the front.
func (c *running) request(method, path, origin, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://"+c.addr+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return 0, ""
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Error(err)
	}
	return resp.StatusCode, string(text)
}

// post is what a button of the page does.
func (c *running) post(path, origin string) int {
	c.t.Helper()
	code, _ := c.request(http.MethodPost, path, origin, "")
	return code
}

func TestClusterOnNATS(t *testing.T) { testCluster(t, start(t, "")) }

func TestClusterOnRedis(t *testing.T) { testCluster(t, start(t, redistest.Start(t).Addr)) }

func TestRedisThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	if err := run(t.Context(), listener, addr); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("error %v", err)
	}
}

// TestFrontKeepsSessionsOnTheirServers: with long-polling each request is on its own.
func TestFrontKeepsSessionsOnTheirServers(t *testing.T) {
	c := start(t, "")
	var sids []string
	for range 6 {
		code, body := c.request(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "")
		var opened struct{ SID string }
		if code != http.StatusOK || json.Unmarshal([]byte(strings.TrimPrefix(body, "0")), &opened) != nil {
			t.Fatalf("handshake: %d %s", code, body)
		}
		sids = append(sids, opened.SID)
	}
	owners := map[string]int{}
	for _, sid := range sids {
		owner, _, _ := strings.Cut(sid, ".")
		owners[owner]++
		path := "/socket.io/?EIO=4&transport=polling&sid=" + sid
		if code, body := c.request(http.MethodPost, path, "", "40"); code != http.StatusOK || body != "ok" {
			t.Fatalf("CONNECT to %s: %d %s", sid, code, body)
		}
		if code, body := c.request(http.MethodGet, path, "", ""); code != http.StatusOK || !strings.HasPrefix(body, "40{") {
			t.Errorf("poll of %s: %d %s", sid, code, body)
		}
	}
	if len(owners) != 3 || owners["ada"] != 2 {
		t.Errorf("sessions by server: %v", owners)
	}

	// One whose server is stopped has to begin anew, whoever says so.
	owner, _, _ := strings.Cut(sids[0], ".")
	if code := c.post("/stop/"+owner, "http://"+c.addr); code != http.StatusOK {
		t.Fatalf("stop: status %d", code)
	}
	code, body := c.request(http.MethodGet, "/socket.io/?EIO=4&transport=polling&sid="+sids[0], "", "")
	if code != http.StatusBadRequest || !strings.Contains(body, `"code":1`) {
		t.Errorf("a session of a stopped server: %d %s", code, body)
	}
}

// TestNewPageKnowsWhatIsStopped: the event about it was before its time.
func TestNewPageKnowsWhatIsStopped(t *testing.T) {
	c := start(t, "")
	if code := c.post("/stop/bob", "http://"+c.addr); code != http.StatusOK {
		t.Fatalf("stop: status %d", code)
	}
	code, body := c.request(http.MethodGet, "/servers", "", "")
	var list []State
	if err := json.Unmarshal([]byte(body), &list); code != http.StatusOK || err != nil {
		t.Fatalf("%d %s: %v", code, body, err)
	}
	if want := []State{{"ada", true}, {"bob", false}, {"cyd", true}}; !slices.Equal(list, want) {
		t.Errorf("servers %v, want %v", list, want)
	}
}

func testCluster(t *testing.T, c *running) {
	addr, post := c.addr, c.post
	v := &visitor{t: t, addr: addr}
	v.connect()
	v.until(func(string, []json.RawMessage) bool { return v.server != "" && len(v.ticks) > 2 })
	for range 3 { // through all three, and back
		before := v.server
		stopped := make(chan int, 1)
		go func() { stopped <- post("/stop/"+before, "http://"+addr) }() // waited for below
		v.end()
		if code := <-stopped; code != http.StatusOK {
			t.Fatalf("stop: status %d", code)
		}
		if !v.connect() {
			t.Fatal("the visitor is somebody new")
		}
		v.server = ""
		seen := len(v.ticks)
		v.until(func(string, []json.RawMessage) bool { return v.server != "" && len(v.ticks) > seen+2 })
		if v.server == before {
			t.Errorf("%s was stopped and has the connection", before)
		}
		if code := post("/start/"+before, "http://"+addr); code != http.StatusOK {
			t.Fatalf("start: status %d", code)
		}
	}
	for i := 1; i < len(v.ticks); i++ {
		if v.ticks[i] != v.ticks[i-1]+1 {
			t.Fatalf("tick %d came after %d", v.ticks[i], v.ticks[i-1])
		}
	}
	v.write(`42["say",{"who":"me","text":"hello"}]`)
	v.until(func(event string, args []json.RawMessage) bool {
		var line Said
		return event == "said" && json.Unmarshal(args[0], &line) == nil && line == Said{"me", "hello", v.server}
	})
	_ = v.conn.Close()

	if code := post("/stop/ada", "http://elsewhere"); code != http.StatusForbidden {
		t.Errorf("another site may stop servers: %d", code)
	}
	if code := post("/stop/nobody", "http://"+addr); code != http.StatusBadRequest {
		t.Errorf("a server that isn't there: %d", code)
	}
}
