package clients_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	engine "github.com/siokit/siokit/engineio/client"
	sio "github.com/siokit/siokit/socketio/client"
)

// BenchmarkClients measures acknowledged events of 200 bytes over WebSocket, one
// and sixty-four at a time, with the Go client and with npm's, against refserver.
// Client and server share the machine.
func BenchmarkClients(b *testing.B) {
	url := refserver(b).url
	for _, width := range []int{1, 64} {
		b.Run(fmt.Sprintf("go/at-a-time=%d", width), func(b *testing.B) { benchmarkGo(b, url, width) })
		b.Run(fmt.Sprintf("npm/at-a-time=%d", width), func(b *testing.B) { benchmarkNode(b, url, width) })
	}
}

func benchmarkGo(b *testing.B, url string, width int) {
	c, err := sio.New(url, sio.Config{Engine: engine.Config{Transports: []engine.Transport{engine.WebSocket{}}}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(b.Context(), goTime)
	defer cancel()
	if err := c.Connect(ctx); err != nil {
		b.Fatal(err)
	}
	payload := strings.Repeat("x", 200)
	left := atomic.Int64{}
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	for range width {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := c.EmitWithAck(ctx, "message-with-ack", payload); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func benchmarkNode(b *testing.B, url string, width int) {
	out, err := exec.Command(node(b), "scripts/throughput.mjs", url, fmt.Sprint(b.N), fmt.Sprint(width)).Output()
	if err != nil {
		b.Fatal(err)
	}
	var took time.Duration // as the script counts, without the start of Node
	if _, err := fmt.Sscan(string(out), (*int64)(&took)); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(b.N), "ns/op")
}
