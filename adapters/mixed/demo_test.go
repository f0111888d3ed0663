package mixed

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/siokit/siokit/adapters/redispubsub/redistest"
)

// The cluster to look at serves official clients, on either bus: when a server is
// stopped, those that were on it go on with another and have missed nothing.
func TestClusterExample(t *testing.T) {
	program := filepath.Join(t.TempDir(), "cluster")
	if out, err := exec.Command("go", "build", "-o", program, "../nats/examples/cluster").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := startPeer(t)
	for name, flags := range map[string]func(*testing.T) []string{
		"NATS":  func(*testing.T) []string { return nil },
		"Redis": func(t *testing.T) []string { return []string{"-redis", redistest.Start(t).Addr} },
	} {
		t.Run(name, func(t *testing.T) {
			address := freeAddress(t)
			launch(t, program, address, append(flags(t), "-addr", address)...)
			var clients []*visitor
			for _, tr := range transports {
				clients = append(clients, visit(t, p, "http://"+address, "welcome", tr))
			}
			for range names { // through all of them
				home := clients[0].home()
				press(t, address, "stop", home)
				for _, v := range clients {
					v.until("it is somewhere else", func() bool { return v.home() != home })
					seen := v.got("tick")
					v.until("it goes on", func() bool { return v.got("tick") > seen+2 })
				}
				press(t, address, "start", home)
			}
			for _, v := range clients {
				ticks := v.ticks()
				for i := 1; i < len(ticks); i++ {
					if ticks[i] != ticks[i-1]+1 {
						t.Errorf("%s: tick %d came after %d", v.name, ticks[i], ticks[i-1])
					}
				}
			}
		})
	}
}

// press is a button of the page.
func press(t *testing.T, address, verb, server string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://"+address+"/"+verb+"/"+server, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Origin", "http://"+address)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: status %d", verb, server, resp.StatusCode)
	}
}

// ticks are the numbers that the example counts with, as far as the client has them.
func (v *visitor) ticks() (list []int) {
	for _, e := range v.peer.events(v.number) {
		if e.Name != "tick" {
			continue
		}
		var args []any // the number, and an offset
		if err := json.Unmarshal(e.Args, &args); err != nil || len(args) == 0 {
			v.t.Fatalf("tick %s: %v", e.Args, err)
		}
		n, _ := args[0].(float64)
		list = append(list, int(n))
	}
	return list
}
