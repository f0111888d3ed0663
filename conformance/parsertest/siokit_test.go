package parsertest_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/siokit/siokit/conformance/parsertest"
	"github.com/siokit/siokit/conformance/vectors"
	"github.com/siokit/siokit/eioparser"
	"github.com/siokit/siokit/sioparser"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The parsers of this repository give every answer right.
func TestSiokit(t *testing.T) {
	parsertest.Run(t, func(q parsertest.Question) parsertest.Answer {
		a, err := answer(q)
		if err != nil {
			return parsertest.Answer{Error: err.Error()}
		}
		return a
	})
}

func TestAParserThatIsWrong(t *testing.T) {
	lies := map[string]func(parsertest.Question) parsertest.Answer{
		"refuses everything": func(parsertest.Question) parsertest.Answer { return parsertest.Answer{Error: "no"} },
		"reads everything":   func(parsertest.Question) parsertest.Answer { return parsertest.Answer{} },
	}
	for name, parser := range lies {
		t.Run(name, func(t *testing.T) {
			results, err := parsertest.Check(func(q parsertest.Question) (parsertest.Answer, error) { return parser(q), nil })
			if err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for _, r := range results {
				if r.Problem != "" {
					wrong++
				}
			}
			if wrong < len(results)/4 {
				t.Errorf("%d of %d answers are found wrong", wrong, len(results))
			}
		})
	}
}

func answer(q parsertest.Question) (parsertest.Answer, error) {
	switch q.Parser + " " + q.Op {
	case "engine.io/4 decode":
		return decodeEngine(q.Frames[0])
	case "engine.io/4 decodePayload":
		var a parsertest.Answer
		for p, err := range eioparser.Payload([]byte(*q.Frames[0].Text)) {
			if err != nil {
				return a, err
			}
			a.Packets = append(a.Packets, enginePacket(p))
		}
		return a, nil
	case "engine.io/4 encode":
		p := toEngine(q.Packets[0])
		if p.Binary {
			return parsertest.Answer{Frames: []vectors.Frame{{Binary: q.Packets[0].Binary}}}, nil
		}
		return texts(string(eioparser.AppendPacket(nil, p))), nil
	case "engine.io/4 encodePayload":
		var packets []eioparser.Packet
		for _, p := range q.Packets {
			packets = append(packets, toEngine(p))
		}
		return texts(string(eioparser.AppendPayload(nil, packets...))), nil
	case "socket.io/5 decode":
		return decodeSocket(q.Frames)
	case "socket.io/5 encode":
		return encodeSocket(q.Packets[0])
	default:
		return parsertest.Answer{Error: parsertest.Unsupported}, nil
	}
}

func texts(s string) parsertest.Answer { return parsertest.Answer{Frames: []vectors.Frame{{Text: &s}}} }

func decodeEngine(f vectors.Frame) (parsertest.Answer, error) {
	if f.Binary != nil {
		data, err := hex.DecodeString(*f.Binary)
		return parsertest.Answer{Packets: []vectors.Packet{enginePacket(eioparser.DecodeBinary(data))}}, err
	}
	p, err := eioparser.DecodeText([]byte(*f.Text))
	return parsertest.Answer{Packets: []vectors.Packet{enginePacket(p)}}, err
}

func enginePacket(p eioparser.Packet) vectors.Packet {
	data := string(p.Data)
	if p.Binary {
		data = hex.EncodeToString(p.Data)
		return vectors.Packet{Type: int(p.Type), Binary: &data}
	}
	return vectors.Packet{Type: int(p.Type), Text: &data}
}

func toEngine(p vectors.Packet) eioparser.Packet {
	if p.Binary != nil {
		data, _ := hex.DecodeString(*p.Binary)
		return eioparser.Packet{Type: eioparser.Message, Binary: true, Data: data}
	}
	return eioparser.Packet{Type: eioparser.PacketType(p.Type), Data: []byte(*p.Text)}
}

func decodeSocket(frames []vectors.Frame) (parsertest.Answer, error) {
	var a parsertest.Answer
	d := sioparser.Text.NewDecoder(sioparser.Limits{})
	for _, f := range frames {
		data, binary := []byte(nil), f.Binary != nil
		if binary {
			data, _ = hex.DecodeString(*f.Binary)
		} else {
			data = []byte(*f.Text)
		}
		p, err := d.Decode(data, binary)
		if err != nil {
			return a, err
		}
		if p != nil {
			a.Packets = append(a.Packets, socketPacket(p))
		}
	}
	return a, nil
}

func socketPacket(p *sioparser.Packet) vectors.Packet {
	v := vectors.Packet{Type: int(p.Type), Namespace: p.Namespace, Data: p.Payload}
	if p.HasID {
		id := json.Number(fmt.Sprint(p.ID))
		v.ID = &id
	}
	switch p.Type {
	case sioparser.Event, sioparser.BinaryEvent:
		name, _ := json.Marshal(string(p.Name))
		elements := append(append(append([]byte("["), name...), ','), p.Args.Raw()...)
		if p.Args.Len() == 0 {
			elements = elements[:len(elements)-1]
		}
		v.Data = append(elements, ']')
	case sioparser.Ack, sioparser.BinaryAck:
		v.Data = p.Args.AppendArray(nil)
	}
	for _, b := range p.Args.Attachments() {
		v.Attachments = append(v.Attachments, hex.EncodeToString(b))
	}
	return v
}

func encodeSocket(v vectors.Packet) (parsertest.Answer, error) {
	p := sioparser.Packet{Type: sioparser.PacketType(v.Type), Namespace: v.Namespace}
	if v.ID != nil {
		p.HasID = true
		fmt.Sscan(v.ID.String(), &p.ID)
	}
	var attachments [][]byte
	for _, a := range v.Attachments {
		data, _ := hex.DecodeString(a)
		attachments = append(attachments, data)
	}
	switch p.Type {
	case sioparser.Connect, sioparser.Disconnect, sioparser.ConnectError:
		p.Payload = v.Data
	default:
		args, err := sioparser.ParseArgs(v.Data, attachments)
		if err != nil {
			return parsertest.Answer{}, err
		}
		if p.Type == sioparser.Event || p.Type == sioparser.BinaryEvent {
			var elements []json.RawMessage
			var name string
			json.Unmarshal(v.Data, &elements)
			json.Unmarshal(elements[0], &name)
			p.Name, args = []byte(name), args.Slice(1, args.Len())
		}
		p.Args = args
	}
	head, _, binaries, err := sioparser.Text.AppendPacket(nil, &p)
	if err != nil {
		return parsertest.Answer{}, err
	}
	a := texts(string(head))
	for _, b := range binaries {
		data := hex.EncodeToString(b)
		a.Frames = append(a.Frames, vectors.Frame{Binary: &data})
	}
	return a, nil
}
