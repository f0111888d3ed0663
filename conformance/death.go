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
	if t, ok := r.target.(restarter); ok {
		if how := t.died(); how != "" {
			return how
		}
	}
	if res.Failure != nil && !r.reachable(ctx) {
		return "the server no longer accepts connections"
	}
	return ""
}

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
			r.env.Server = server
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = fmt.Sprintf("the server is gone: %v", err)
}
