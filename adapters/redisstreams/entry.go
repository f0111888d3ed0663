package redisstreams

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/siokit/siokit/adapters/cluster"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// The fields of an entry as the official adapter has them, and one of ours, which
// tells repetitions: nobody knows whether an XADD without an answer was executed.
var fieldNames = [...]string{"uid", "nsp", "type", "data", "serial"}

const (
	fieldUID = iota
	fieldNamespace
	fieldType
	fieldData
	fieldSerial
)

// fields are the values of an entry.
type fields [len(fieldNames)]string

// pack puts fields into the one piece that a log carries: each has its length in
// front.
func (f *fields) pack(dst []byte) []byte {
	for _, v := range f {
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

var errFields = errors.New("redisstreams: an entry without its fields")

func (f *fields) unpack(data []byte) error {
	for i := range f {
		n, size := binary.Uvarint(data)
		if size <= 0 || n > uint64(len(data)-size) {
			return errFields
		}
		f[i] = string(data[size : size+int(n)])
		data = data[size+int(n):]
	}
	return nil
}

// set takes a field of an entry as Redis has it; others are passed over.
func (f *fields) set(name, value string) {
	for i, known := range fieldNames {
		if name == known {
			f[i] = value
		}
	}
}

// entryCodec is the [cluster.Codec] of entries: fields, packed. The data is JSON
// or, if there is binary in it, MessagePack in base64.
type entryCodec struct{}

const arrayOf1 = 0x91 // a MessagePack array with one element

// Append implements [cluster.Codec].
func (entryCodec) Append(dst []byte, m *cluster.Message) ([]byte, error) {
	f := fields{fieldUID: m.UID, fieldNamespace: m.Namespace, fieldType: strconv.Itoa(int(m.Type))}
	if m.Serial > 0 {
		f[fieldSerial] = strconv.FormatUint(m.Serial, 10)
	}
	switch m.Type {
	case cluster.InitialHeartbeat, cluster.Heartbeat, cluster.AdapterClose:
		return f.pack(dst), nil
	}
	text, err := cluster.AppendData([]byte("[{"), m)
	if err != nil {
		return dst, err
	}
	text = append(text, "}]"...)
	if !m.Args.HasAttachments() {
		f[fieldData] = string(text[1 : len(text)-1])
		return f.pack(dst), nil
	}
	args, err := sioparser.ParseArgs(text, m.Args.Attachments())
	if err != nil {
		return dst, err
	}
	f[fieldData] = base64.StdEncoding.EncodeToString(msgpack.AppendFromArgs(nil, args)[1:]) // less the array
	return f.pack(dst), nil
}

// Decode implements [cluster.Codec].
func (entryCodec) Decode(data []byte, m *cluster.Message) error {
	var f fields
	if err := f.unpack(data); err != nil {
		return err
	}
	typ, err := strconv.ParseUint(f[fieldType], 10, 8)
	if err != nil {
		return fmt.Errorf("redisstreams: type %.20q", f[fieldType])
	}
	m.UID, m.Namespace, m.Type = f[fieldUID], f[fieldNamespace], cluster.Type(typ)
	if s := f[fieldSerial]; s != "" {
		if m.Serial, err = strconv.ParseUint(s, 10, 64); err != nil {
			return fmt.Errorf("redisstreams: serial %.20q", s)
		}
	}
	switch body := f[fieldData]; {
	case body == "":
		return nil
	case strings.HasPrefix(body, "{"):
		return cluster.DecodeData([]byte(body), nil, m)
	default:
		packed := append(make([]byte, 0, 1+base64.StdEncoding.DecodedLen(len(body))), arrayOf1)
		packed, err := base64.StdEncoding.AppendDecode(packed, []byte(body))
		if err != nil {
			return fmt.Errorf("redisstreams: data: %w", err)
		}
		args, err := msgpack.ToArgs(packed, sioparser.Limits{Attachments: -1})
		if err != nil {
			return err
		}
		return cluster.DecodeData(args.Raw(), args.Attachments(), m)
	}
}
