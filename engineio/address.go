package engineio

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// clientAddr returns the address that a request comes from, without a port.
// Proxies that are trusted are believed about the address before them, from
// the nearest to the farthest: the first address that is no trusted proxy's is
// the client's. What a client writes into the header itself lies beyond that.
func (srv *Server) clientAddr(r *http.Request) string {
	if srv.cfg.ClientAddr != nil {
		return srv.cfg.ClientAddr(r)
	}
	addr := r.RemoteAddr
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
	if !srv.trusted(addr) {
		return addr
	}
	one, other := srv.farthest(addr, forwarded(r.Header)), srv.farthest(addr, forwardedFor(r.Header))
	switch {
	case len(r.Header["Forwarded"]) == 0:
		return other
	case len(r.Header["X-Forwarded-For"]) == 0 || one == other:
		return one
	}
	// A proxy adds to the header that it knows and passes on the other, which is
	// the client's own invention. Nobody knows which is which.
	return addr
}

// farthest goes back from addr, a trusted proxy's, over the addresses that were
// noted, and returns the first that is none.
func (srv *Server) farthest(addr string, chain []string) string {
	for i := len(chain) - 1; i >= 0 && srv.trusted(addr); i-- {
		ip, err := netip.ParseAddr(chain[i])
		if err != nil {
			break
		}
		addr = ip.Unmap().String()
	}
	return addr
}

func (srv *Server) trusted(addr string) bool {
	if len(srv.cfg.TrustedProxies) == 0 {
		return false
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	for _, n := range srv.cfg.TrustedProxies {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// host returns the host that the client asked for.
func (srv *Server) host(r *http.Request) string {
	h := r.Header.Get("X-Forwarded-Host")
	if h == "" {
		return r.Host
	}
	addr, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !srv.trusted(addr) {
		return r.Host
	}
	return h
}

// forwarded returns the addresses that proxies noted by RFC 7239, section 4,
// farthest first. A hop that names none is empty.
func forwarded(h http.Header) []string {
	list := splitList(h["Forwarded"])
	for i, hop := range list {
		list[i] = ""
		for pair := range strings.SplitSeq(hop, ";") {
			k, v, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(k, "for") {
				list[i] = bareAddr(strings.Trim(v, `"`))
			}
		}
	}
	return list
}

// forwardedFor is the same for X-Forwarded-For.
func forwardedFor(h http.Header) []string {
	list := splitList(h["X-Forwarded-For"])
	for i, hop := range list {
		list[i] = bareAddr(hop)
	}
	return list
}

func splitList(lines []string) []string {
	var list []string
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			list = append(list, strings.TrimSpace(part))
		}
	}
	return list
}

// bareAddr takes port and brackets from an address.
func bareAddr(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		return host
	}
	return strings.Trim(s, "[]")
}

// addrCounter counts sessions by address, for Limits.SessionsPerAddr.
type addrCounter struct {
	mu sync.Mutex
	n  table[string, int]
}

// enter counts a session unless its address has limit already. Without a limit
// nothing is counted.
func (c *addrCounter) enter(addr string, limit int) bool {
	if limit == 0 {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n.m[addr]
	if n >= limit {
		return false
	}
	c.n.put(addr, n+1)
	return true
}

func (c *addrCounter) leave(addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.n.m[addr]; n > 1 {
		c.n.put(addr, n-1)
	} else {
		c.n.remove(addr)
	}
}
