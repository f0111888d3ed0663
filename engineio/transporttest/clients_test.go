package transporttest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio/transporttest"
)

// wsClient is a WebSocket client.
type wsClient struct {
	conn *websocket.Conn
	mu   sync.Mutex // one writer at a time
}

func dialWS(ctx context.Context, addr, query string) (transporttest.Client, error) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+addr+"/?"+query, nil)
	if err != nil {
		return nil, err
	}
	return &wsClient{conn: conn}, nil
}

func (c *wsClient) Send(p eioparser.Packet) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Binary {
		return c.conn.WriteMessage(websocket.BinaryMessage, p.Data)
	}
	return c.conn.WriteMessage(websocket.TextMessage, eioparser.AppendPacket(nil, p))
}

func (c *wsClient) Receive() (eioparser.Packet, error) {
	kind, b, err := c.conn.ReadMessage()
	if err != nil {
		return eioparser.Packet{}, err
	}
	if kind == websocket.BinaryMessage {
		return eioparser.DecodeBinary(b), nil
	}
	return eioparser.DecodeText(b)
}

func (c *wsClient) Close() error { return c.conn.Close() }

// pollClient is a long-polling client.
type pollClient struct {
	url     string
	http    *http.Client
	ctx     context.Context
	cancel  context.CancelFunc
	packets []eioparser.Packet // received, and not asked for yet
}

func dialPolling(ctx context.Context, addr, query string) (transporttest.Client, error) {
	c := &pollClient{url: "http://" + addr + "/?" + query, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	body, err := c.do("GET", "")
	if err != nil {
		return nil, err
	}
	if err := c.take(body); err != nil {
		return nil, err
	}
	h, err := eioparser.ParseHandshake(c.packets[0].Data)
	if err != nil {
		return nil, err
	}
	c.url += "&sid=" + h.SID
	return c, nil
}

func (c *pollClient) do(method, body string) (string, error) {
	r, err := http.NewRequestWithContext(c.ctx, method, c.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), err
}

func (c *pollClient) take(body string) error {
	for p, err := range eioparser.Payload([]byte(body)) {
		if err != nil {
			return err
		}
		c.packets = append(c.packets, p)
	}
	return nil
}

func (c *pollClient) Send(p eioparser.Packet) error {
	body, err := c.do("POST", string(eioparser.AppendPacket(nil, p)))
	if err == nil && body != "ok" {
		err = errors.New(body)
	}
	return err
}

func (c *pollClient) Receive() (eioparser.Packet, error) {
	for len(c.packets) == 0 {
		body, err := c.do("GET", "")
		if err != nil {
			return eioparser.Packet{}, err
		}
		if err := c.take(body); err != nil {
			return eioparser.Packet{}, err
		}
	}
	p := c.packets[0]
	c.packets = c.packets[1:]
	return p, nil
}

func (c *pollClient) Close() error {
	c.cancel()
	return nil
}
