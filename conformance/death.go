package conformance

import (
	"context"
	"fmt"
	"net"
	"time"
)

// death reports how the server died, or "" while it lives. A server that the
// suite did not start is looked for only after a failure.
func (r *runner) death(ctx context.Context, res *Result) string {
	if ctx.Err() != nil {
		return "" // nothing can be told any more
	}
	t, ours := r.target.(restarter)
	grace := time.Duration(0)
	if res.Failure != nil {
		// A process that has just closed its connections is not over at once.
		grace = deathGrace
	}
	if ours {
		if how := t.died(grace); how != "" {
			return how
		}
	}
	if res.Failure == nil || r.reachable(ctx) {
		return ""
	}
	if ours {
		if how := t.died(time.Second); how != "" {
			return how
		}
	}
	return "the server no longer accepts connections"
}

// deathGrace is how long a failure waits for news of the server's end.
const deathGrace = 50 * time.Millisecond

// lost reports why nothing can be run any more.
func (r *runner) lost() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

func (r *runner) reachable(ctx context.Context) bool {
	d := net.Dialer{Timeout: 2 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", r.env.Server.Addr)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func (r *runner) restart(ctx context.Context) {
	err := errNoRestart
	if t, ok := r.target.(restarter); ok {
		server, restartErr := t.restart(ctx)
		if err = restartErr; err == nil {
			server.EnginePath = r.env.Server.EnginePath // preflight may have chosen it
			r.env.Server = server
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = fmt.Sprintf("the server is gone: %v", err)
}
