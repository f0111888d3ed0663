package mutant

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Proxy is a server with one fault: the server behind it, and a [Mutant].
type Proxy struct {
	mutant   Mutant
	upstream string
	listener net.Listener
	tasks    sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]bool
	sessions map[string]*Session // polling sessions by id
	closed   bool
}

// Start puts a mutant before the server at an address.
func Start(ctx context.Context, m Mutant, upstream string) (*Proxy, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mutant: %w", err)
	}
	p := &Proxy{mutant: m, upstream: upstream, listener: l, conns: map[net.Conn]bool{}, sessions: map[string]*Session{}}
	p.tasks.Go(p.accept) // ends when the listener is closed
	return p, nil
}

// URL is where the mutant listens.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Close ends all connections and waits.
func (p *Proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.tasks.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.tasks.Go(func() { p.serve(client) }) // ends with the connection, which Close closes
	}
}

// track remembers a connection for Close; false means that it is too late.
func (p *Proxy) track(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *Proxy) forget(c net.Conn) {
	c.Close()
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// polling returns what is known of a polling session.
func (p *Proxy) polling(path, sid string) *Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sessions[sid]
	if s == nil {
		s = &Session{Path: path, Seen: map[string]string{}, toClient: func(Packet) {}, toServer: func(Packet) {}, close: func(int) {}}
		p.sessions[sid] = s
	}
	return s
}

// link is one client's connection and the server's.
type link struct {
	p              *Proxy
	client, server net.Conn
	fromClient     *bufio.Reader
	fromServer     *bufio.Reader
	clientMu       sync.Mutex // guards writes to the client

	answered chan struct{} // closed when the server says nothing more

	mu      sync.Mutex
	pending []*http.Request // requests whose answers are still to come
}

// serve carries one client's connection.
func (p *Proxy) serve(client net.Conn) {
	if !p.track(client) {
		return
	}
	defer p.forget(client)
	server, err := net.Dial("tcp", p.upstream)
	if err != nil || !p.track(server) {
		return
	}
	defer p.forget(server)
	l := &link{p: p, client: client, server: server, fromClient: bufio.NewReaderSize(client, 64<<10), fromServer: bufio.NewReaderSize(server, 64<<10), answered: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() { // ends with either connection: serve waits
		l.responses()
		closeWrite(client)
		close(l.answered)
	})
	l.requests()
	wg.Wait()
}

// closeWrite hands the end of a stream on.
func closeWrite(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.CloseWrite()
	}
}

func (l *link) push(r *http.Request) {
	l.mu.Lock()
	l.pending = append(l.pending, r)
	l.mu.Unlock()
}

func (l *link) pop() *http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		return nil
	}
	r := l.pending[0]
	l.pending = l.pending[1:]
	return r
}

// requests hands requests on until the client ends its side or asks for
// something that is no plain request any more.
func (l *link) requests() {
	defer l.server.Close()
	for {
		head, err := readHead(l.fromClient)
		if err != nil {
			// No HTTP: what there is goes on as it is.
			l.server.Write(head)
			if err == io.EOF {
				// The client has ended its side; the server's answer may still come.
				closeWrite(l.server)
				<-l.answered
				return
			}
			io.Copy(l.server, l.fromClient)
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			l.server.Write(head)
			io.Copy(l.server, l.fromClient)
			return
		}
		if !l.request(r, head) {
			return
		}
	}
}

// request hands one request on; false ends the link's side of the client.
func (l *link) request(r *http.Request, head []byte) bool {
	m := l.p.mutant
	// The method and path that the client used stand for the request, whatever
	// the mutant makes of it.
	asked := r.Clone(context.Background())
	if m.Answer != nil {
		if a := m.Answer(r); a != nil {
			l.discardBody(r)
			l.answer(asked, a)
			return true
		}
	}
	if m.Request != nil {
		before := r.Method + r.RequestURI
		m.Request(r)
		if uri := r.URL.RequestURI(); r.Method+uri != before {
			line := bytes.IndexByte(head, '\n')
			head = append([]byte(r.Method+" "+uri+" "+r.Proto+"\r\n"), head[line+1:]...)
		}
	}
	l.push(asked)
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		l.server.Write(head)
		l.webSocketFromClient(asked)
		return false
	}
	if body, ok := l.wholeBody(r); ok && m.In != nil && r.Method == http.MethodPost {
		s := l.p.polling(r.URL.Path, r.URL.Query().Get("sid"))
		var packets []Packet
		for _, packet := range payload(string(body)) {
			packets = append(packets, m.In(s, packet)...)
		}
		out := []byte(join(packets))
		if len(packets) == 0 {
			// Nothing is left: the server would take an empty body for a fault.
			l.pop()
			l.answer(asked, &Answer{Status: 200, Header: http.Header{"Content-Type": {"text/html"}, "Cache-Control": {"no-store"}}, Body: []byte("ok")})
			return true
		}
		l.server.Write(append(withLength(head, len(out)), out...))
		return true
	} else if ok {
		l.server.Write(append(head, body...))
		return true
	}
	l.server.Write(head)
	return l.stream(r) == nil
}

// wholeBody returns the body of a request when it came in one piece with its
// head; bodies that arrive bit by bit are tests of that, and are not touched.
func (l *link) wholeBody(r *http.Request) ([]byte, bool) {
	if len(r.TransferEncoding) > 0 || r.ContentLength <= 0 || r.ContentLength > int64(l.fromClient.Size()) {
		return nil, false
	}
	n := int(r.ContentLength)
	if l.fromClient.Buffered() < n {
		return nil, false
	}
	body := make([]byte, n)
	io.ReadFull(l.fromClient, body)
	return body, true
}

// stream hands a body on as it comes.
func (l *link) stream(r *http.Request) error {
	if len(r.TransferEncoding) == 0 {
		_, err := io.CopyN(l.server, l.fromClient, max(r.ContentLength, 0))
		return err
	}
	for {
		line, err := l.fromClient.ReadString('\n')
		l.server.Write([]byte(line))
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil {
			return err
		}
		if _, err := io.CopyN(l.server, l.fromClient, size+2); err != nil || size == 0 {
			return err
		}
	}
}

func (l *link) discardBody(r *http.Request) {
	if r.ContentLength > 0 {
		io.CopyN(io.Discard, l.fromClient, r.ContentLength)
	}
}

// responses hands the server's answers on.
func (l *link) responses() {
	for {
		if _, err := l.fromServer.Peek(1); err != nil {
			return
		}
		r := l.pop()
		if r == nil {
			io.Copy(l.client, l.fromServer)
			return
		}
		resp, err := http.ReadResponse(l.fromServer, &http.Request{Method: r.Method})
		if err != nil {
			return
		}
		if resp.StatusCode == http.StatusContinue {
			l.mu.Lock()
			l.pending = append([]*http.Request{r}, l.pending...)
			l.mu.Unlock()
			l.write([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
			continue
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			l.webSocketFromServer(r, resp)
			return
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return
		}
		a := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
		if resp.Close {
			a.Header.Set("Connection", "close")
		}
		l.packets(r, a)
		l.answer(r, a)
		if resp.Close {
			return
		}
	}
}

// packets passes what a poll brings through the mutant.
func (l *link) packets(r *http.Request, a *Answer) {
	out := l.p.mutant.Out
	query := r.URL.Query()
	if out == nil || r.Method != http.MethodGet || a.Status != 200 || a.Header.Get("Content-Encoding") != "" || query.Get("EIO") != "4" {
		return
	}
	sid := query.Get("sid")
	packets := payload(string(a.Body))
	if sid == "" {
		sid = openSID(packets[0].Text)
	}
	s := l.p.polling(r.URL.Path, sid)
	var passed []Packet
	for _, packet := range packets {
		passed = append(passed, out(s, packet)...)
	}
	if len(passed) == 0 {
		passed = text("6") // an empty answer would be a fault of its own
	}
	a.Body = []byte(join(passed))
}

// openSID is the sid of an open packet.
func openSID(packet string) string {
	_, rest, _ := strings.Cut(packet, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	return sid
}

// answer writes an answer to the client.
func (l *link) answer(r *http.Request, a *Answer) {
	if l.p.mutant.Response != nil {
		l.p.mutant.Response(r, a)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %d %s\r\n", "HTTP/1.1", a.Status, http.StatusText(a.Status))
	a.Header.Del("Transfer-Encoding")
	chunked := a.Header.Get("X-Mutant-Chunked") != ""
	a.Header.Del("X-Mutant-Chunked")
	if r.Method != http.MethodHead {
		a.Header.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	if chunked {
		a.Header.Del("Content-Length")
		a.Header.Set("Transfer-Encoding", "chunked")
	}
	a.Header.Write(&b)
	b.WriteString("\r\n")
	if chunked {
		fmt.Fprintf(&b, "%x\r\n%s\r\n0\r\n\r\n", len(a.Body), a.Body)
	} else if r.Method != http.MethodHead {
		b.Write(a.Body)
	}
	l.write(b.Bytes())
}

func (l *link) write(data []byte) {
	l.clientMu.Lock()
	defer l.clientMu.Unlock()
	l.client.Write(data)
}

// readHead reads the head of a request, up to its empty line.
func readHead(r *bufio.Reader) ([]byte, error) {
	var head []byte
	for {
		line, err := r.ReadSlice('\n')
		head = append(head, line...)
		if err != nil {
			return head, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return head, nil
		}
	}
}

// withLength replaces the Content-Length of a head.
func withLength(head []byte, n int) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(head) {
		if bytes.HasPrefix(bytes.ToLower(line), []byte("content-length:")) {
			fmt.Fprintf(&b, "Content-Length: %d\r\n", n)
		} else {
			b.Write(line)
		}
	}
	return b.Bytes()
}
