package sio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/siokit/siokit/sioparser"
)

// checkSIODecode compares the decoder with the model, message by message. What
// it accepts must be written again, read again as what it was, and written the
// second time as the first.
func checkSIODecode(frames []sioFrame) error {
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	for len(frames) > 0 {
		want, rest, wantErr := modelSIO(frames)
		got, used, err := decodeSIO(d, frames)
		if (err != nil) != (wantErr != nil) {
			return fmt.Errorf("%v: decoder says %v, model says %v", frames, err, wantErr)
		}
		if err != nil {
			var e *sioparser.Error
			if !errors.As(err, &e) {
				return fmt.Errorf("%v: %T is not *Error", frames, err)
			}
			return nil
		}
		if (got == nil) != (want == nil) {
			return fmt.Errorf("%v: decoder has %v, model has %v", frames, got, want)
		}
		if got == nil {
			return nil
		}
		m, err := modelOf(got)
		if err != nil {
			return fmt.Errorf("%v: %w", frames, err)
		}
		if s := m.differs(want); s != "" {
			return fmt.Errorf("%v: decoder and model: %s", frames, s)
		}
		if !slices.Equal(m.Raw, want.Raw) {
			return fmt.Errorf("%v: raw arguments %q and %q", frames, m.Raw, want.Raw)
		}
		if used != len(frames)-len(rest) {
			return fmt.Errorf("%v: decoder used %d messages, model %d", frames, used, len(frames)-len(rest))
		}
		if err := checkSIORelay(got, m); err != nil {
			return fmt.Errorf("%v: %w", frames, err)
		}
		frames = rest
	}
	return nil
}

// decodeSIO feeds messages until there is a packet, an error, or no more. Text
// is overwritten as soon as the decoder may no longer look at it.
func decodeSIO(d sioparser.Decoder, frames []sioFrame) (p *sioparser.Packet, used int, err error) {
	for i, f := range frames {
		data := bytes.Clone(f.Data)
		p, err := d.Decode(data, f.Binary)
		if p != nil || err != nil {
			return p, i + 1, err
		}
		if !f.Binary {
			for j := range data {
				data[j] = 'X'
			}
		}
	}
	return nil, len(frames), nil
}

func encodeSIO(p *sioparser.Packet) ([]sioFrame, error) {
	head, isBinary, attachments, err := sioparser.Text.AppendPacket(nil, p)
	frames := []sioFrame{{isBinary, head}}
	for _, b := range attachments {
		frames = append(frames, sioFrame{true, b})
	}
	return frames, err
}

func sameFrames(a, b []sioFrame) bool {
	return slices.EqualFunc(a, b, func(x, y sioFrame) bool { return x.Binary == y.Binary && bytes.Equal(x.Data, y.Data) })
}

// checkSIORelay sends a packet on: the receiver sees the same, and relaying
// once more changes nothing. Parting the arguments and joining them changes
// nothing either.
func checkSIORelay(p *sioparser.Packet, m *sioModel) error {
	if p.Type == sioparser.ConnectError && p.Payload == nil {
		return nil // may be read, not written
	}
	first, err := encodeSIO(p)
	if err != nil {
		return fmt.Errorf("not encoded again: %w", err)
	}
	again, used, err := decodeSIO(sioparser.Text.NewDecoder(sioparser.Limits{}), first)
	if again == nil || used != len(first) {
		return fmt.Errorf("relayed as %v and not read: %w", first, err)
	}
	got, err := modelOf(again)
	if err != nil {
		return err
	}
	want := *m
	switch { // the type follows the attachments
	case want.Type == sioparser.BinaryEvent && !p.Args.HasAttachments():
		want.Type = sioparser.Event
	case want.Type == sioparser.BinaryAck && !p.Args.HasAttachments():
		want.Type = sioparser.Ack
	}
	if s := got.differs(&want); s != "" {
		return fmt.Errorf("relayed as %v: %s", first, s)
	}
	second, err := encodeSIO(again)
	if err != nil || !sameFrames(first, second) {
		return fmt.Errorf("relayed as %v, then as %v, %v", first, second, err)
	}
	if n := p.Args.Len(); n > 0 && n < 8 {
		whole := *p
		for i := range n + 1 {
			whole.Args = p.Args.Slice(0, i).Concat(p.Args.Slice(i, n))
			joined, err := encodeSIO(&whole)
			if err != nil {
				return fmt.Errorf("parted at %d: %w", i, err)
			}
			if s, t := sioSqueeze(joined[0].Data), sioSqueeze(first[0].Data); s != t || !sameFrames(joined[1:], first[1:]) {
				return fmt.Errorf("relayed as %v, parted at %d as %v", first, i, joined)
			}
		}
	}
	return nil
}

// sioSqueeze leaves out white space, which joining may drop between arguments.
func sioSqueeze(b []byte) string { return strings.Join(strings.Fields(string(b)), "") }

// checkSIOParseArgs compares ParseArgs with the standard library.
func checkSIOParseArgs(text []byte, attachments int) error {
	list := make([][]byte, attachments)
	for i := range list {
		list[i] = []byte{byte(i)}
	}
	a, err := sioparser.ParseArgs(text, list)
	m := &sioModel{Type: sioparser.Ack, unlimited: true}
	wantErr := errModel
	if len(text) > 0 {
		wantErr = m.payload(string(text), attachments)
	}
	if (err != nil) != (wantErr != nil) {
		return fmt.Errorf("%q with %d attachments: ParseArgs says %v, model says %v", text, attachments, err, wantErr)
	}
	if err != nil {
		return nil
	}
	raws := slices.Collect(a.All())
	if len(raws) != len(m.Raw) || a.Len() != len(m.Raw) {
		return fmt.Errorf("%q: %d arguments, model has %d", text, len(raws), len(m.Raw))
	}
	for i, raw := range raws {
		if string(raw) != m.Raw[i] {
			return fmt.Errorf("%q: argument %d is %s, model has %s", text, i, raw, m.Raw[i])
		}
	}
	for i := range min(len(raws), 10) {
		if part := a.Slice(i, i+1); string(part.Raw()) != m.Raw[i] {
			return fmt.Errorf("%q: slice %d is %s, model has %s", text, i, part.Raw(), m.Raw[i])
		}
	}
	var b sioparser.Args
	for i := range len(raws) {
		b = b.Append(a.Slice(i, i+1))
	}
	c, err := sioparser.ParseArgs(b.AppendArray(nil), b.Attachments())
	if err != nil || c.Len() != a.Len() {
		return fmt.Errorf("%q: put together as %s: %v", text, b.AppendArray(nil), err)
	}
	return nil
}

// checkSIOBindAny compares binding to any, alone and inside other types, with
// the standard library.
func checkSIOBindAny(text []byte) error {
	a, err := sioparser.ParseArgs(text, nil)
	if err != nil {
		return nil
	}
	var want []any
	if err := json.Unmarshal(text, &want); err != nil {
		var outOfRange *json.UnmarshalTypeError
		if !errors.As(err, &outOfRange) {
			return fmt.Errorf("%s: the standard library says %w", text, err)
		}
		for i := range a.Len() {
			if sioValues.Bind(a.Slice(i, i+1), new(any)) != nil {
				return nil
			}
		}
		return fmt.Errorf("%s: bound, the standard library says %w", text, err)
	}
	got := make([]any, len(want))
	holders := make([]struct{ A any }, len(want))
	ptrs, inner := make([]any, len(want)), make([]any, len(want))
	var wrapped []byte
	for i := range want {
		ptrs[i], inner[i] = &got[i], &holders[i]
		raw := a.Slice(i, i+1).Raw()
		wrapped = fmt.Appendf(wrapped, `,{"A":%s}`, raw)
	}
	if err := sioValues.Bind(a, ptrs...); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	if !sameValues(got, want) {
		return fmt.Errorf("%s: bound to %#v, the standard library has %#v", text, got, want)
	}
	if len(want) == 0 {
		return nil
	}
	wrapped[0] = '['
	b, err := sioparser.ParseArgs(append(wrapped, ']'), nil)
	if errors.Is(err, sioparser.ErrDepth) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", wrapped, err)
	}
	if err := sioValues.Bind(b, inner...); err != nil {
		return fmt.Errorf("%s: %w", wrapped, err)
	}
	for i := range holders {
		if !reflect.DeepEqual(holders[i].A, want[i]) {
			return fmt.Errorf("%s: bound to %#v, the standard library has %#v", wrapped, holders[i].A, want[i])
		}
	}
	return nil
}
