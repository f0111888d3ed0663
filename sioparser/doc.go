// Package sioparser reads and writes the packets of the Socket.IO protocol,
// revision 5, and turns their arguments into Go values and back.
//
// It knows nothing of connections: it is for proxies, debuggers, clients and
// servers of one's own. Messages come from Engine.IO (package eioparser, or
// any other implementation); a packet with binary values is one text message
// and the binary messages behind it.
//
//	d := sioparser.Text.NewDecoder(sioparser.Limits{}) // one a connection
//	p, err := d.Decode(message, isBinary)              // one call a message
//	if err != nil {
//		return err // the peer broke the protocol: close the connection
//	}
//	if p == nil {
//		return nil // attachments are due
//	}
//	var room string
//	var data []byte
//	err = values.Bind(p.Args, &room, &data) // var values = sioparser.JSON()
//
// And the other way:
//
//	args, err := values.Append(sioparser.Args{}, room, data)
//	p := sioparser.Packet{Type: sioparser.Event, Name: []byte("upload"), Args: args}
//	head, _, attachments, err := sioparser.Text.AppendPacket(nil, &p)
//	// send head as a text message, then each attachment as a binary one
//
// # Arguments
//
// [Args] are arguments in canonical form: raw JSON with placeholders, and the
// attachments that these stand for. They are parsed once, when they arrive, and
// stay as they came, digit for digit and escape for escape, until somebody
// binds them. Sending them on copies the text; if some were cut away or others
// added, placeholders are renumbered in order of appearance, an attachment
// that is used twice is sent twice, and one that is not used is left out.
// With no attachment left, the packet goes out as a text packet.
//
// # Who owns the memory
//
// A text packet aliases the message that it was decoded from, and is valid
// until that memory is reused or the decoder is called again; [Args.Clone] is
// what to keep. The head of a binary packet is copied by the decoder, since the
// message is gone when the last attachment comes. Binary messages are handed
// over: they become the attachments, and nobody may change them afterwards.
// Values bound from arguments are the caller's own, but for attachments, whose
// buffers are shared. [Values.Append] does not copy the byte slices that it
// turns into attachments. Encoding appends to memory of the caller's.
//
// A decoder refers to its last packet's memory until the next one. To let go
// of it earlier, set the packet to its zero value.
//
// Codecs, [Values] and [Args] may be used by any number of goroutines; a
// decoder, and the packet that it returned, by one at a time.
//
// # Guarantees
//
// Input is read in one pass that neither recurses nor allocates beyond the
// scratch memory that it keeps, and in time linear in its length. What a peer
// can make a decoder hold is bounded by [Limits]. Every refusal is an [*Error]
// around one of this package's sentinels, with its position. No input makes
// this package panic.
//
// Numbers in packet heads and placeholders are decimal digits and nothing
// else; acknowledgement ids end at [MaxID]; JSON is that of RFC 8259 and UTF-8
// throughout, with nothing behind it but white space. Where the reference
// implementation is laxer (it takes 1e0 for a count and a space for an id),
// this package refuses.
//
// Lone surrogates, which JavaScript strings may hold, can arrive as escapes.
// They are sent on as they came; bound to a Go string they become U+FFFD; they
// are never created. Text that is not UTF-8 is never sent.
//
// # Binding
//
// [Values.Bind] is encoding/json/v2 (for now github.com/go-json-experiment/json)
// with these rules, some of them the library's defaults, some options:
//
//   - keys match names exactly, unknown keys are ignored
//   - of equal keys the last one counts, though objects bound to one struct or map member are merged
//   - null is the zero value
//   - integers keep all digits and must fit, a fraction or an exponent is an error
//   - a number out of float64's range is an error
//   - a string is not a number and a number is no string
//   - lone surrogates become U+FFFD
//   - an attachment becomes a []byte or Binary, in an any a []byte
//   - a []byte takes a base64 string too
//   - an array must have exactly as many elements as its Go array
//   - a time.Duration is a number of nanoseconds, a time.Time an RFC 3339 string
//   - an encoding/json.Number takes a number or a string
//   - an any takes nil, bool, float64, string, []any and map[string]any
//
// # Emitting
//
// [Values.Append] is the same library with these rules:
//
//   - a []byte or Binary becomes an attachment at any depth
//   - a nil []byte or Binary is null, an empty one an empty attachment
//   - what MarshalJSONTo writes is searched for bytes, the text of MarshalJSON is not
//   - other named byte slices and byte arrays are base64 strings
//   - a nil slice is [], a nil map {}, a nil pointer or interface null
//   - integers have all their digits
//   - floats are written as JavaScript writes them
//   - NaN and infinities are an error
//   - invalid UTF-8 becomes U+FFFD
//   - nothing is escaped that JSON does not ask for
//   - a time.Duration is a number of nanoseconds, a time.Time an RFC 3339 string
//   - an encoding/json.Number is a number
//   - equal keys from a MarshalJSON are an error
//   - nesting beyond 10,000 levels and cycles are an error
//   - functions, channels and complex numbers are an error
//
// JavaScript reads every number as a float64: integers beyond 2^53 lose digits
// there, not here. Options given to [JSON] change these rules.
//
// # Compatibility
//
// The reference is socket.io-parser 4.2.7. What this package encodes, that one
// decodes to the same value, and the other way round; the list of intended
// differences is in the fuzz module beside this one, with the tests that prove
// it. testdata/vectors.jsonl holds the wire facts, with their source, for other
// implementations to use.
//
// Exported names and their meaning follow semantic versioning. So does the set
// of inputs that are accepted, within a minor version, unless safety asks for
// less.
package sioparser
