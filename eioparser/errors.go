package eioparser

// Error says what is wrong with bytes that came from the other side. Every
// error of this module that is not an [io.Reader]'s own is one of the constants
// below, so a caller compares with [errors.Is], or asks with [errors.As] for an
// Error to tell bad input from a broken connection. The reference
// implementation has one text for all of them, "parser error", and answers each
// by closing the session.
//
// The constants allocate nothing and hold no input, so they are safe to log.
type Error string

// Error returns the text with the module's prefix.
func (e Error) Error() string { return "eioparser: " + string(e) }

const (
	// ErrEmptyPacket: a text frame, a part of a payload or a stream frame with
	// no byte in it. Every packet has at least its type.
	ErrEmptyPacket Error = "empty packet"

	// ErrPacketType: the type is none of the seven.
	ErrPacketType Error = "unknown packet type"

	// ErrUTF8: text that is not UTF-8. A WebSocket transport answers it with
	// close code 1007 (RFC 6455, section 8.1).
	ErrUTF8 Error = "invalid UTF-8"

	// ErrBase64: a binary message in text form that is not the one base64
	// encoding (RFC 4648, section 4) of any bytes: another alphabet, missing or
	// misplaced padding, stray bits, line breaks.
	ErrBase64 Error = "invalid base64"

	// ErrFrameSize: the header of a stream frame announces more than the limit,
	// or more than 2^53-1 bytes.
	ErrFrameSize Error = "stream frame over the limit"

	// ErrHandshake: the data of an open packet is not the JSON object that the
	// protocol describes.
	ErrHandshake Error = "invalid handshake"

	// ErrLength: a length prefix of a revision 3 payload that is not plain
	// decimal digits, or that does not fit what follows it.
	ErrLength Error = "invalid packet length"

	// ErrJSONP: a JSONP index that is not decimal digits, or a form body that
	// does not hold exactly one field d.
	ErrJSONP Error = "invalid JSONP request"
)
