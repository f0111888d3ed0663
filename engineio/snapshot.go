package engineio

import (
	"crypto/tls"
	"encoding/binary"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Handshake is what the server keeps of the request that began a session.
type Handshake struct {
	Header     http.Header          // without Host, which net/http keeps apart
	URL        *url.URL             // scheme, host, path and query, as the server saw them
	Host       string               // the Host header
	RemoteAddr string               // the client's address without a port; trusted proxies are considered
	TLS        *tls.ConnectionState // nil if the connection to us was not encrypted
	Time       time.Time            // when the request came
}

// snapshot is a Handshake in one piece of memory: a header's map takes several
// times the bytes of what is in it, for every session and as long as it lives,
// and few ever ask.
type snapshot struct {
	tls *tls.ConnectionState
	// The address, the time, the host, parts of the URL, and the header: for each
	// name the name, the number of values, and the values.
	packed string
}

// snapshotBufs hold a snapshot while it is being made.
var snapshotBufs = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

func newSnapshot(r *http.Request, addr string) snapshot {
	buf := snapshotBufs.Get().(*[]byte)
	b := binary.AppendVarint(appendString((*buf)[:0], addr), time.Now().UnixNano())
	for _, part := range [...]string{r.Host, r.URL.Scheme, r.URL.Host, r.URL.Path, r.URL.RawPath, r.URL.RawQuery} {
		b = appendString(b, part)
	}
	for name, values := range r.Header {
		b = appendString(b, name)
		b = binary.AppendUvarint(b, uint64(len(values)))
		for _, v := range values {
			b = appendString(b, v)
		}
	}
	sn := snapshot{tls: r.TLS, packed: string(b)}
	if cap(b) <= 16<<10 {
		*buf = b[:0]
		snapshotBufs.Put(buf)
	}
	return sn
}

// addr returns the client's address.
func (sn *snapshot) addr() string {
	p := unpacker(sn.packed)
	return p.string()
}

// handshake unpacks. What it returns is the caller's own, except TLS.
func (sn *snapshot) handshake() *Handshake {
	p := unpacker(sn.packed)
	h := &Handshake{Header: make(http.Header), TLS: sn.tls}
	h.RemoteAddr, h.Time, h.Host = p.string(), time.Unix(0, p.varint()), p.string()
	h.URL = &url.URL{Scheme: p.string(), Host: p.string(), Path: p.string(), RawPath: p.string(), RawQuery: p.string()}
	for len(p) > 0 {
		name := p.string()
		values := make([]string, p.uvarint())
		for i := range values {
			values[i] = p.string()
		}
		h.Header[name] = values
	}
	return h
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// unpacker is what is left to be unpacked.
type unpacker string

func (p *unpacker) string() string {
	n := p.uvarint()
	s := string((*p)[:n])
	*p = (*p)[n:]
	return s
}

func (p *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint([]byte((*p)[:min(len(*p), binary.MaxVarintLen64)]))
	*p = (*p)[n:]
	return v
}

func (p *unpacker) varint() int64 {
	v := p.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}
