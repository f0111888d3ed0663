package engineio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
)

// messageBufs keep the memory into which messages are read, while one is read.
var messageBufs = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// messageBufMax is the largest buffer that goes back into the pool.
const messageBufMax = 256 << 10

var errTooBig = errors.New("engineio: message over the limit")

// Read reads messages until the connection ends. It asks for a fresh goroutine
// after the first input, and after that of a heartbeat: a client that is idle
// after one of them is going to be so for some time.
func (l *wsLink) Read() error {
	for {
		if l.restless && l.wire.idle() {
			l.restless = false
			l.port.Uncork() // as await would
			return ErrReadOn
		}
		err := l.wire.await()
		if err == nil {
			err = l.next()
		} else {
			err = l.readError(err)
		}
		if err != nil {
			l.after(err)
			return err
		}
	}
}

// next reads one message and hands it to the session.
func (l *wsLink) next() error {
	kind, r, err := l.conn.NextReader()
	if err != nil {
		return l.readError(err)
	}
	buf := messageBufs.Get().(*[]byte)
	b, err := readMessage((*buf)[:0], r, l.port.MaxPayload())
	if err == nil {
		l.wire.since = 0
		err = l.deliver(kind, b)
	} else {
		err = l.messageError(err)
	}
	if cap(b) <= messageBufMax {
		*buf = b[:0]
		messageBufs.Put(buf)
	}
	return err
}

// readMessage appends a message of at most limit bytes to b. Memory is taken
// as the bytes come, whatever the frame's header announces.
func readMessage(b []byte, r io.Reader, limit int64) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return b, errTooBig
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// messageError deals with an error within a message.
func (l *wsLink) messageError(err error) error {
	if err == errTooBig {
		// Larger than it looked: gorilla counts compressed bytes.
		l.closeWith(websocket.CloseMessageTooBig, "")
		return err
	}
	if l.deflate != nil && isInflateError(err) {
		l.closeWith(websocket.CloseInvalidFramePayloadData, "")
		return fmt.Errorf("engineio: bad compressed message: %w", err)
	}
	return l.readError(err)
}

// deliver makes a packet of a message. Text stays where it is; bytes are
// copied into memory of their own, which is the session's to keep.
func (l *wsLink) deliver(kind int, b []byte) error {
	pkt, err := l.decode(kind == websocket.BinaryMessage, b)
	if err == eioparser.ErrUTF8 {
		// RFC 6455, section 8.1; gorilla leaves the check to us.
		l.closeWith(websocket.CloseInvalidFramePayloadData, "")
		return errors.New("engineio: text message that is not UTF-8")
	}
	if err != nil {
		return err
	}
	if !l.spoken || pkt.Type == eioparser.Ping || pkt.Type == eioparser.Pong {
		l.spoken, l.restless = true, true
	}
	return l.port.Receive(pkt)
}

func (l *wsLink) decode(binary bool, b []byte) (eioparser.Packet, error) {
	v3 := l.form != form4
	switch {
	case binary && v3:
		return eio3.DecodeBinary(bytes.Clone(b))
	case binary:
		return eioparser.DecodeBinary(bytes.Clone(b)), nil
	case v3:
		return eio3.DecodeText(b)
	default:
		return eioparser.DecodeText(b)
	}
}
