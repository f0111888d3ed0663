package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// client is a WebSocket client that does no more than the load needs: frames
// of known bytes go out, frames are counted in.
type client struct {
	net.Conn
	r *bufio.Reader
}

const readBuffer = 4 << 10

// dial connects and joins the main namespace; a raw server, which has none,
// echoes the packet, so that both have done a round trip.
func dial(addr string, raw bool) (*client, error) {
	c, err := shakeHands(addr)
	if err != nil {
		return nil, err
	}
	if raw {
		err = errors.Join(c.send(text("40")), c.expect("40"))
	} else {
		err = errors.Join(c.expect("0{"), c.send(text("40")), c.expect("40{"))
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, c.SetDeadline(time.Time{})
}

// dialWith connects and sends a CONNECT packet, whose answer it leaves unread.
func dialWith(addr, connect string) (*client, error) {
	c, err := shakeHands(addr)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.expect("0{"), c.send(text(connect))); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// shakeHands opens a WebSocket, with a deadline.
func shakeHands(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	c := &client{Conn: conn, r: bufio.NewReaderSize(conn, readBuffer)}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\n"+
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", addr)
	status, err := c.r.ReadString('\n')
	if err != nil || !strings.Contains(status, " 101 ") {
		conn.Close()
		return nil, fmt.Errorf("handshake: %q %v", status, err)
	}
	for line := status; line != "\r\n"; {
		if line, err = c.r.ReadString('\n'); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *client) send(frames []byte) error {
	_, err := c.Write(frames)
	return err
}

func (c *client) expect(prefix string) error {
	msg, err := c.read()
	if err == nil && !strings.HasPrefix(string(msg), prefix) {
		err = fmt.Errorf("expected %s…, got %.80q", prefix, msg)
	}
	return err
}

// header reads a frame's header and returns its payload's length.
func (c *client) header() (op byte, n int, err error) {
	head, err := c.r.Peek(2)
	if err != nil {
		return 0, 0, err
	}
	op, n = head[0]&15, int(head[1]&127)
	size := 2
	switch n {
	case 126:
		size = 4
	case 127:
		size = 10
	}
	if head, err = c.r.Peek(size); err != nil {
		return 0, 0, err
	}
	switch size {
	case 4:
		n = int(binary.BigEndian.Uint16(head[2:]))
	case 10:
		n = int(binary.BigEndian.Uint64(head[2:]))
	}
	_, err = c.r.Discard(size)
	return op, n, err
}

// read returns the next message's bytes.
func (c *client) read() ([]byte, error) {
	_, n, err := c.header()
	if err != nil {
		return nil, err
	}
	msg := make([]byte, n)
	_, err = io.ReadFull(c.r, msg)
	return msg, err
}

// skip reads a message, answers a ping, and tells whether it was one to count.
func (c *client) skip() (bool, error) {
	op, n, err := c.header()
	if err != nil {
		return false, err
	}
	if op == 1 && n == 1 {
		b, err := c.r.ReadByte()
		if err == nil && b == '2' {
			return false, c.send(text("3"))
		}
		return true, err
	}
	_, err = c.r.Discard(n)
	return op == 1 || op == 2, err
}

func text(s string) []byte { return appendFrame(nil, 1, s) }

// appendFrame appends a masked frame; the mask is zero, which is legal and
// leaves the payload as it is.
func appendFrame(dst []byte, op byte, payload string) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = append(dst, 0x80|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(n))
	default:
		dst = append(dst, 0x80|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}
