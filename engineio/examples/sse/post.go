package sse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/siokit/siokit/eioparser"
)

var errOverlap = errors.New("sse: two POSTs at a time")

// post takes packets from the client.
func (l *link) post(w http.ResponseWriter, r *http.Request) {
	if !l.posting.TryLock() {
		// Nobody could tell which of the two comes first.
		l.port.Fail(errOverlap)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	defer l.posting.Unlock()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(l.port.WriteTimeout())) // not for ever
	// A JSON string may be six times as long as what it says.
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 6*l.port.MaxPayload()+64))
	l.port.Cork()
	defer l.port.Uncork()
	for {
		var text string
		err := body.Decode(&text)
		if err == io.EOF {
			break
		}
		if err == nil {
			err = l.receive(text)
		} else {
			err = notStrings(err)
		}
		if err != nil {
			l.port.Fail(err) // the end of the events tells the client
			break
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// notStrings tells a body that is not what it should be from one that could not
// be read.
func notStrings(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	if syntax || kind {
		return fmt.Errorf("%w: %w", eioparser.ErrPacketType, err)
	}
	return err
}

var errTooLarge = errors.New("sse: message over the limit")

// receive hands one packet to the session. A Close packet is the client's
// goodbye.
func (l *link) receive(text string) error {
	p, err := eioparser.DecodeText([]byte(text))
	switch {
	case err != nil:
		return err
	case p.Type == eioparser.Close:
		return io.EOF
	case int64(len(p.Data)) >= l.port.MaxPayload() && !p.Binary || int64(len(p.Data)) > l.port.MaxPayload():
		return errTooLarge
	}
	return l.port.Receive(p)
}
