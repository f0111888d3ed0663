package mixed

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// within is how long anything may take until a test fails.
const within = 20 * time.Second

// peer is the Node process of peer.js.
type peer struct {
	stdin  io.WriteCloser
	stderr bytes.Buffer

	mu      sync.Mutex
	calls   map[int]chan answer
	last    int
	seen    map[int][]received // by client
	changed chan struct{}      // closed and replaced when more was seen
}

type answer struct {
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// received is an event that a client got.
type received struct {
	Client int             `json:"client"`
	Name   string          `json:"name"`
	Args   json.RawMessage `json:"args"`
}

func startPeer(t *testing.T) *peer {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("%v; make setup installs it", err)
	}
	modules, err := filepath.Abs("../../tools/node/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(modules); err != nil {
		t.Fatalf("%v; make setup installs the packages", err)
	}
	p := &peer{calls: make(map[int]chan answer), seen: make(map[int][]received), changed: make(chan struct{})}
	cmd := exec.Command(node, "node/peer.js")
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stderr = &p.stderr
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() { // ends with the process
		defer close(read)
		p.read(stdout)
	}()
	t.Cleanup(func() {
		p.stdin.Close()
		kill := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("node: %v\n%s", err, p.stderr.Bytes())
		}
	})
	return p
}

func (p *peer) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var message struct {
			ID int `json:"id"`
			answer
			Event *received `json:"event"`
		}
		if err := json.Unmarshal(lines.Bytes(), &message); err != nil {
			continue // something that a library prints
		}
		p.mu.Lock()
		if e := message.Event; e != nil {
			p.seen[e.Client] = append(p.seen[e.Client], *e)
			close(p.changed)
			p.changed = make(chan struct{})
		} else if call := p.calls[message.ID]; call != nil {
			delete(p.calls, message.ID)
			call <- message.answer
		}
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, call := range p.calls {
		delete(p.calls, id)
		call <- answer{Error: "node has ended"}
	}
}

// object is a request or an option.
type object = map[string]any

// call has the process do something and stores what it answers in result, if that
// isn't nil.
func (p *peer) call(op string, request object, result any) error {
	message := object{"op": op}
	for k, v := range request {
		message[k] = v
	}
	done := make(chan answer, 1)
	p.mu.Lock()
	p.last++
	message["id"] = p.last
	p.calls[p.last] = done
	p.mu.Unlock()
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		return err
	}
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case a := <-done:
		if a.Error != "" {
			return fmt.Errorf("%s on Node: %s", op, a.Error)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-timeout.C:
		return fmt.Errorf("%s on Node: no answer", op)
	}
}

// events returns what a client has got, in order.
func (p *peer) events(client int) []received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]received(nil), p.seen[client]...)
}

// await waits until ok holds, which looks at what clients have got.
func (p *peer) await(ctx context.Context, ok func() bool) error {
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.New("not in time")
		}
	}
}
