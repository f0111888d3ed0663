package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/siokit/siokit/engineio"
)

var (
	// ErrFull: the outbox has no room (Config.Outbox). The message was not sent;
	// the session goes on.
	ErrFull = errors.New("engineio: outbox full, the server does not read")

	// ErrTooLarge: the message is larger than what the server takes, as it said in
	// its handshake. It was not sent; the session goes on.
	ErrTooLarge = errors.New("engineio: message larger than the server's maxPayload")

	// ErrMaxMessage: the server sent more than Config.MaxMessage. It ends a
	// session.
	ErrMaxMessage = errors.New("engineio: message of the server over the limit")
)

// StatusError is an answer of the server, or of something before it, that
// refuses a request.
type StatusError struct {
	Status  int           // the HTTP status
	Code    engineio.Code // what an Engine.IO server says is wrong; -1: it said nothing
	Message string        // its text, or the beginning of the answer
}

// Error returns status and text.
func (e *StatusError) Error() string {
	return fmt.Sprintf("engineio: status %d: %s", e.Status, e.Message)
}

// statusError reads an answer that is not the one that was hoped for.
func statusError(resp *http.Response) *StatusError {
	e := &StatusError{Status: resp.StatusCode, Code: -1}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1024)) // what there is of it
	e.Message = string(body)
	if to, err := resp.Location(); err == nil && e.Status/100 == 3 {
		to.RawQuery = "" // it may have ids and tokens
		e.Message = "the server is said to be at " + to.Redacted()
		return e
	}
	var said struct {
		Code    *engineio.Code `json:"code"`
		Message string         `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil && said.Code != nil {
		e.Code, e.Message = *said.Code, said.Message
	}
	return e
}
