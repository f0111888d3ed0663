package coder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/coder/websocket"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/engineio"
)

// link is one client.
type link struct {
	conn *websocket.Conn
	port *engineio.Port
	end  sync.Once
}

func newLink(conn *websocket.Conn, p *engineio.Port) *link {
	conn.SetReadLimit(p.MaxPayload())
	return &link{conn: conn, port: p}
}

// Read hands over what the client sends.
func (l *link) Read() error {
	for {
		kind, b, err := l.conn.Read(context.Background()) // Close ends it
		if err != nil {
			return readError(err)
		}
		var p eioparser.Packet
		if kind == websocket.MessageBinary {
			p = eioparser.DecodeBinary(b) // b is ours, and the server's from here on
		} else if p, err = eioparser.DecodeText(b); err != nil {
			return err
		}
		if err := l.port.Receive(p); err != nil {
			return err
		}
	}
}

// readError tells the end of a connection, with a close frame or without, from
// its failure.
func readError(err error) error {
	if websocket.CloseStatus(err) >= 0 || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", io.EOF, err)
	}
	return err
}

// Write sends a message for each packet. A Close packet is left out: the close
// frame, which Close sends, says the same.
func (l *link) Write(batch []engineio.Outgoing) error {
	for _, o := range batch {
		for _, p := range o.Packets() {
			if p.Type == eioparser.Close {
				return nil
			}
			if err := l.send(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *link) send(p eioparser.Packet) error {
	ctx, cancel := context.WithTimeout(context.Background(), l.port.WriteTimeout())
	defer cancel()
	if p.Binary {
		return l.conn.Write(ctx, websocket.MessageBinary, p.Data)
	}
	return l.conn.Write(ctx, websocket.MessageText, eioparser.AppendPacket(nil, p))
}

// Close shakes hands on the end, which may take seconds, on a goroutine that
// Server.Shutdown waits for.
func (l *link) Close() {
	l.end.Do(func() {
		l.port.Go(func() { _ = l.conn.Close(websocket.StatusNormalClosure, "") })
	})
}
