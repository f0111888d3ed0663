package eio_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/eioparser/eio3"
	"github.com/siokit/siokit/eioparser/jsonp"
)

// Each check takes any input and compares a decoder with a model that is written
// as plainly as possible, from the standard library's parts; what is accepted
// must be written again as it was, and be read again as what it was.

// modelText is revision 4's text frame, or revision 3's if it has a type after
// the letter b.
func modelText(frame string, v3 bool) (p eioparser.Packet, err error) {
	if frame == "" {
		return p, eioparser.ErrEmptyPacket
	}
	if frame[0] == 'b' {
		frame = frame[1:]
		kind := "4"
		if v3 {
			if frame == "" {
				return p, eioparser.ErrEmptyPacket
			}
			kind, frame = frame[:1], frame[1:]
		}
		if !strings.Contains("0123456", kind) {
			return p, eioparser.ErrPacketType
		}
		data, err := base64.StdEncoding.DecodeString(frame)
		if err != nil || base64.StdEncoding.EncodeToString(data) != frame {
			return p, eioparser.ErrBase64
		}
		return eioparser.Packet{Type: eioparser.PacketType(kind[0] - '0'), Binary: true, Data: data}, nil
	}
	kind := strings.IndexByte("0123456", frame[0])
	if kind < 0 {
		return p, eioparser.ErrPacketType
	}
	if !utf8.ValidString(frame) {
		return p, eioparser.ErrUTF8
	}
	return eioparser.Packet{Type: eioparser.PacketType(kind), Data: []byte(frame[1:])}, nil
}

func samePacket(a, b eioparser.Packet) bool {
	return a.Type == b.Type && a.Binary == b.Binary && bytes.Equal(a.Data, b.Data)
}

// differ describes two results that should be the same.
func differ(input []byte, got eioparser.Packet, err error, want eioparser.Packet, wantErr error) error {
	if samePacket(got, want) && errors.Is(err, wantErr) && (err == nil) == (wantErr == nil) {
		return nil
	}
	return fmt.Errorf("%q: %+v, %v; the model says %+v, %v", input, got, err, want, wantErr)
}

func checkEIOText(frame []byte) error {
	p, err := eioparser.DecodeText(frame)
	want, wantErr := modelText(string(frame), false)
	if err := differ(frame, p, err, want, wantErr); err != nil {
		return err
	}
	if err != nil {
		return nil
	}
	if again := eioparser.AppendPacket(nil, p); !bytes.Equal(again, frame) || p.TextLen() != len(frame) {
		return fmt.Errorf("%q is written as %q", frame, again)
	}
	return nil
}

func checkEIO3Text(frame []byte) error {
	p, err := eio3.DecodeText(frame)
	want, wantErr := modelText(string(frame), true)
	if err := differ(frame, p, err, want, wantErr); err != nil {
		return err
	}
	if err == nil && !bytes.Equal(eio3.AppendText(nil, p), frame) {
		return fmt.Errorf("%q is written as %q", frame, eio3.AppendText(nil, p))
	}
	p, err = eio3.DecodeBinary(frame)
	if (err == nil) != (len(frame) > 0 && frame[0] <= 6) {
		return fmt.Errorf("binary %q: %+v, %v", frame, p, err)
	}
	if err == nil && !bytes.Equal(eio3.AppendBinary(nil, p), frame) {
		return fmt.Errorf("binary %q is written as %q", frame, eio3.AppendBinary(nil, p))
	}
	return nil
}

// samePackets compares a decoder's packets with a model's; both end with the
// first error.
func samePackets(input []byte, got, want iter.Seq2[eioparser.Packet, error]) error {
	next, stop := iter.Pull2(want)
	defer stop()
	for p, err := range got {
		wantP, wantErr, ok := next()
		if !ok {
			return fmt.Errorf("%q: %+v, %v after the model's end", input, p, err)
		}
		if err := differ(input, p, err, wantP, wantErr); err != nil {
			return err
		}
	}
	if p, err, ok := next(); ok {
		return fmt.Errorf("%q: the model goes on with %+v, %v", input, p, err)
	}
	return nil
}

func collectPackets(packets iter.Seq2[eioparser.Packet, error]) (list []eioparser.Packet, err error) {
	for p, err := range packets {
		if err != nil {
			return list, err
		}
		list = append(list, p)
	}
	return list, nil
}

func checkEIOPayload(body []byte) error {
	model := func(yield func(eioparser.Packet, error) bool) {
		for _, part := range strings.Split(string(body), "\x1e") {
			p, err := modelText(part, false)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
	if err := samePackets(body, eioparser.Payload(body), model); err != nil {
		return err
	}
	if packets, err := collectPackets(eioparser.Payload(body)); err == nil {
		if again := eioparser.AppendPayload(nil, packets...); !bytes.Equal(again, body) {
			return fmt.Errorf("%q is written as %q", body, again)
		}
	}
	return nil
}

func checkEIO3Payload(body []byte) error {
	// Bytes that are not UTF-8 have no code units; the model of such a body is
	// that it ends with some error.
	if !utf8.Valid(body) {
		if packets, err := collectPackets(eio3.Payload(body)); err == nil {
			return fmt.Errorf("%q is %v", body, packets)
		}
		return nil
	}
	model := func(yield func(eioparser.Packet, error) bool) {
		units := utf16.Encode([]rune(string(body)))
		if len(units) == 0 {
			yield(eioparser.Packet{}, eioparser.ErrEmptyPacket)
			return
		}
		if string(body) == "0:" {
			return
		}
		for len(units) > 0 {
			n, rest, ok := modelLength(units, '0', ':')
			if !ok || n > len(rest) || n > 0 && n < len(rest) && utf16.IsSurrogate(rune(rest[n])) && rest[n] >= 0xdc00 {
				yield(eioparser.Packet{}, eioparser.ErrLength)
				return
			}
			p, err := modelText(string(utf16.Decode(rest[:n])), true)
			if !yield(p, err) || err != nil {
				return
			}
			units = rest[n:]
		}
	}
	if err := samePackets(body, eio3.Payload(body), model); err != nil {
		return err
	}
	return sameAgain(body, eio3.Payload, eio3.AppendPayload)
}

// modelLength reads up to sixteen digits and an end.
func modelLength[T uint16 | byte](b []T, zero, end T) (n int, rest []T, ok bool) {
	for i, c := range b {
		if c == end {
			return n, b[i+1:], i > 0
		}
		if i == 16 || c < zero || c > zero+9 {
			return 0, nil, false
		}
		n = n*10 + int(c-zero)
	}
	return 0, nil, false
}

func checkEIO3BinaryPayload(body []byte) error {
	model := func(yield func(eioparser.Packet, error) bool) {
		for b := body; len(b) > 0; {
			kind := b[0]
			n, rest, ok := modelLength(b[1:], 0, 0xff)
			if kind > 1 || !ok || n > len(rest) {
				yield(eioparser.Packet{}, eioparser.ErrLength)
				return
			}
			p, err := modelText(string(rest[:n]), true)
			if kind == 1 {
				switch frame := rest[:n]; {
				case n == 0:
					p, err = eioparser.Packet{}, eioparser.ErrEmptyPacket
				case frame[0] > 6:
					p, err = eioparser.Packet{}, eioparser.ErrPacketType
				default:
					p, err = eioparser.Packet{Type: eioparser.PacketType(frame[0]), Binary: true, Data: frame[1:]}, nil
				}
			}
			if !yield(p, err) || err != nil {
				return
			}
			b = rest[n:]
		}
	}
	if err := samePackets(body, eio3.BinaryPayload(body), model); err != nil {
		return err
	}
	return sameAgain(body, eio3.BinaryPayload, eio3.AppendBinaryPayload)
}

// sameAgain writes a payload that was accepted, which may make it shorter, and
// reads it.
func sameAgain(body []byte,
	read func([]byte) iter.Seq2[eioparser.Packet, error],
	write func([]byte, ...eioparser.Packet) []byte,
) error {
	packets, err := collectPackets(read(body))
	if err != nil {
		return nil
	}
	again := write(nil, packets...)
	return samePackets(again, read(again), func(yield func(eioparser.Packet, error) bool) {
		for _, p := range packets {
			if !yield(p, nil) {
				return
			}
		}
	})
}

const streamLimit = 70_000

// checkEIOStream reads a stream in pieces of the given sizes and compares it with
// a model that has all of it.
func checkEIOStream(stream []byte, sizes func() int) error {
	model := func(yield func(eioparser.Packet, error) bool) {
		for b := stream; ; {
			p, rest, err := modelFrame(b)
			if !yield(p, err) || err != nil {
				return
			}
			b = rest
		}
	}
	r := eioparser.NewStreamReader(&pieces{rest: stream, size: sizes}, streamLimit)
	got := func(yield func(eioparser.Packet, error) bool) {
		for {
			p, err := r.Next()
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
	if err := samePackets(stream, got, model); err != nil {
		return err
	}
	if _, err := r.Next(); err == nil {
		return fmt.Errorf("%q: the stream goes on after its end", stream)
	}
	return nil
}

func modelFrame(b []byte) (p eioparser.Packet, rest []byte, err error) {
	if len(b) == 0 {
		return p, nil, io.EOF
	}
	top, length, b := b[0], int(b[0]&0x7f), b[1:]
	if more := map[int]int{126: 2, 127: 8}[length]; more > 0 {
		if len(b) < more {
			return p, nil, io.ErrUnexpectedEOF
		}
		length = 0
		for _, c := range b[:more] {
			if length > streamLimit {
				return p, nil, eioparser.ErrFrameSize
			}
			length = length<<8 | int(c)
		}
		b = b[more:]
	}
	switch {
	case length == 0:
		return p, nil, eioparser.ErrEmptyPacket
	case length > streamLimit:
		return p, nil, eioparser.ErrFrameSize
	case length > len(b):
		return p, nil, io.ErrUnexpectedEOF
	case top >= 0x80:
		return eioparser.Packet{Type: eioparser.Message, Binary: true, Data: b[:length]}, b[length:], nil
	}
	p, err = modelText(string(b[:length]), false)
	return p, b[length:], err
}

// pieces is a reader that hands out pieces of the sizes that size returns.
type pieces struct {
	rest []byte
	size func() int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), max(1, p.size()))], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func checkEIOHandshake(data []byte) error {
	h, err := eioparser.ParseHandshake(data)
	sid, sidErr := eioparser.ParseSID(data)
	members, ok := modelObject(data)
	if want := ok && isSID(members["sid"]); want != (sidErr == nil) || want && sid != modelString(members["sid"]) {
		return fmt.Errorf("%q: the id is %q, %v", data, sid, sidErr)
	}
	if want := ok && isSID(members["sid"]) &&
		isCount(members["pingInterval"], maxMillis) && isCount(members["pingTimeout"], maxMillis) &&
		(members["maxPayload"] == nil || isCount(members["maxPayload"], 1<<53-1)) &&
		(members["upgrades"] == nil || isStrings(members["upgrades"])); want != (err == nil) {
		return fmt.Errorf("%q: %+v, %v", data, h, err)
	}
	if err != nil {
		if !errors.Is(err, eioparser.ErrHandshake) || !errors.Is(sidErr, eioparser.ErrHandshake) && sidErr != nil || h.SID != "" {
			return fmt.Errorf("%q: %+v, %v", data, h, err)
		}
		return nil
	}
	if h.SID != sid {
		return fmt.Errorf("%q: two ids, %q and %q", data, h.SID, sid)
	}
	text := h.AppendJSON(nil)
	again, err := eioparser.ParseHandshake(text)
	if err != nil || !bytes.Equal(again.AppendJSON(nil), text) || !json.Valid(text) {
		return fmt.Errorf("%q is written as %s, which is %+v, %v", data, text, again, err)
	}
	return nil
}

// modelObject reads a JSON object with the standard library's decoder, which
// takes more than UTF-8.
func modelObject(data []byte) (map[string]json.RawMessage, bool) {
	var members map[string]json.RawMessage
	ok := utf8.Valid(data) && json.Unmarshal(data, &members) == nil && members != nil
	return members, ok
}

const maxMillis = 9_223_372_036_854

func modelString(value []byte) string {
	var s string
	if json.Unmarshal(value, &s) != nil || value[0] != '"' {
		return ""
	}
	return s
}

func isSID(value []byte) bool { return modelString(value) != "" }

func isCount(value []byte, limit uint64) bool {
	n, err := strconv.ParseUint(string(value), 10, 64)
	return err == nil && n <= limit
}

func isStrings(value []byte) bool {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil || value[0] != '[' {
		return false
	}
	for _, element := range list {
		if element[0] != '"' {
			return false
		}
	}
	return true
}

func checkJSONPBody(body []byte) error {
	got, err := jsonp.DecodeBody(body)
	var fields []string
	for _, pair := range strings.Split(string(body), "&") {
		if key, value, _ := strings.Cut(pair, "="); key == "d" {
			fields = append(fields, value)
		}
	}
	want, ok := "", len(fields) == 1
	if ok {
		var bad error
		want, bad = url.QueryUnescape(fields[0])
		ok = bad == nil
	}
	if ok != (err == nil) {
		return fmt.Errorf("%q: %q, %v", body, got, err)
	}
	if ok {
		// The reference's two replacements: what is behind two backslashes stays.
		parts := strings.Split(want, `\\n`)
		for i, part := range parts {
			parts[i] = strings.ReplaceAll(part, `\n`, "\n")
		}
		if want = strings.Join(parts, `\n`); want != string(got) {
			return fmt.Errorf("%q: %q, want %q", body, got, want)
		}
	}
	return nil
}

func checkJSONPAnswer(payload []byte) error {
	text := jsonp.Append(nil, 7, payload)
	body, ok := strings.CutPrefix(string(text), "___eio[7](")
	body, end := strings.CutSuffix(body, ");")
	var got string
	if !ok || !end || json.Unmarshal([]byte(body), &got) != nil {
		return fmt.Errorf("%q is answered with %s", payload, text)
	}
	if strings.ContainsAny(body, "\u2028\u2029") || got != strings.ToValidUTF8(string(payload), "\uFFFD") && utf8.Valid(payload) {
		return fmt.Errorf("%q is answered with %s, which is %q", payload, text, got)
	}
	return nil
}
