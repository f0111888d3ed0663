package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
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
	switch args = args[1:]; event {
	case "welcome":
		_ = json.Unmarshal(args[0], &v.server)
	default:
		_ = json.Unmarshal(args[len(args)-1], &v.offset)
		args = args[:len(args)-1]
	}
	if event == "tick" {
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

func TestCluster(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, listener) }() // ends with ctx
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	}()
	addr := listener.Addr().String()
	post := func(path, origin string) int {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, "http://"+addr+path, nil)
		if err != nil {
			t.Error(err)
			return 0
		}
		r.Header.Set("Origin", origin)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Error(err)
			return 0
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}

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
