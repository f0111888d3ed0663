package engineio

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/gorilla/websocket"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
)

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
	buf := inputs.Get().(*[]byte)
	b, err := readAll((*buf)[:0], r, l.port.MaxPayload())
	if err == nil {
		l.wire.since = 0
		err = l.deliver(kind, b)
	} else {
		err = l.messageError(err)
	}
	freeInput(buf, b)
	return err
}

// messageError deals with an error within a message.
func (l *wsLink) messageError(err error) error {
	if err == errTooLarge {
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
