package sioparser

import (
	"errors"
	"strconv"
)

// What can be wrong with a packet, a message or a list of arguments. Every
// error of this package that a peer can cause is an [*Error] around one of
// these; a connection that caused one should be closed, as the reference does.
var (
	// ErrEmpty: a message without a byte.
	ErrEmpty = errors.New("empty packet")
	// ErrPacketType: the first byte is not a digit from 0 to 6.
	ErrPacketType = errors.New("unknown packet type")
	// ErrAttachmentCount: a binary packet's count is not decimal digits
	// followed by a hyphen, or is zero.
	ErrAttachmentCount = errors.New("illegal number of attachments")
	// ErrTooManyAttachments: the count, or the number of placeholders, is over
	// [Limits].Attachments.
	ErrTooManyAttachments = errors.New("too many attachments")
	// ErrAttachmentBytes: the attachments of one packet are together over
	// [Limits].AttachmentBytes.
	ErrAttachmentBytes = errors.New("attachments too large")
	// ErrNamespace: the namespace is over [Limits].Namespace, does not begin
	// with a slash, or has a comma in it.
	ErrNamespace = errors.New("illegal namespace")
	// ErrID: the acknowledgement id is over [MaxID].
	ErrID = errors.New("acknowledgement id out of range")
	// ErrSyntax: the text is not JSON, or something follows the value.
	ErrSyntax = errors.New("invalid JSON")
	// ErrUTF8: a string or a namespace is not UTF-8.
	ErrUTF8 = errors.New("invalid UTF-8")
	// ErrDepth: arrays and objects are nested deeper than [Limits].Depth.
	ErrDepth = errors.New("JSON nested too deeply")
	// ErrPayload: valid JSON, but not of the shape that the packet's type asks
	// for, or none where there must be one.
	ErrPayload = errors.New("invalid payload")
	// ErrReserved: the event's name is one of those that [Reserved] lists.
	ErrReserved = errors.New("reserved event name")
	// ErrPlaceholder: a placeholder's num is not the number of an attachment,
	// or data that looks like a placeholder would go out beside attachments
	// and be taken for one by the receiver.
	ErrPlaceholder = errors.New("illegal placeholder")
	// ErrUnexpectedBinary: a binary message, and no packet waits for attachments.
	ErrUnexpectedBinary = errors.New("got binary data when not reconstructing a packet")
	// ErrUnexpectedText: a text message while a packet waits for attachments.
	ErrUnexpectedText = errors.New("got plaintext data when reconstructing a packet")
	// ErrTooLong: a text of 2 GiB or more.
	ErrTooLong = errors.New("text too long")
)

// Error says what is wrong with a packet, and where.
type Error struct {
	// Err is one of this package's sentinels.
	Err error
	// Offset is the position, in bytes from the beginning of the message or
	// text in question, at which it was noticed.
	Offset int
}

func fail(err error, offset int) error { return &Error{Err: err, Offset: offset} }

// Error is the sentinel's text with the package's name and the position.
func (e *Error) Error() string {
	return "sioparser: " + e.Err.Error() + " at byte " + strconv.Itoa(e.Offset)
}

// Unwrap is Err.
func (e *Error) Unwrap() error { return e.Err }
