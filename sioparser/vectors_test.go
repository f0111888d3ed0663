package sioparser_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/siokit/siokit/sioparser"
)

// vector is one line of testdata/vectors.jsonl: messages of one connection,
// what the last one yields, and what that is encoded as.
type vector struct {
	ID     string    `json:"id"`
	Title  string    `json:"title"`
	Source string    `json:"source"`
	In     []message `json:"in"`
	Err    string    `json:"err"`
	Out    *struct {
		Type        sioparser.PacketType `json:"type"`
		Namespace   string               `json:"nsp"`
		ID          *uint64              `json:"packetId"`
		Name        string               `json:"name"`
		Args        string               `json:"args"`
		N           int                  `json:"n"`
		Payload     string               `json:"payload"`
		Attachments []string             `json:"attachments"`
	} `json:"out"`
	Enc []message `json:"enc"` // nil when the packet may be read but not written
}

// message is a text message, or {"bin":hex}.
type message struct {
	binary bool
	data   []byte
}

func (m *message) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		var s string
		err := json.Unmarshal(text, &s)
		m.data = []byte(s)
		return err
	}
	var b struct {
		Bin string `json:"bin"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	m.binary = true
	var err error
	m.data, err = hex.DecodeString(b.Bin)
	return err
}

func readVectors(t *testing.T) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	for line := range bytes.Lines(text) {
		var v vector
		if err := json.Unmarshal(line, &v, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, v)
	}
	if len(list) < 100 {
		t.Fatalf("only %d vectors", len(list))
	}
	return list
}

// decode feeds the messages to a new decoder and returns what the last one
// yields. The packet must not be used after another decode.
func decode(t *testing.T, limits sioparser.Limits, in ...message) (*sioparser.Packet, error) {
	t.Helper()
	d := sioparser.Text.NewDecoder(limits)
	for i, m := range in {
		p, err := d.Decode(m.data, m.binary)
		if i == len(in)-1 || err != nil {
			return p, err
		}
		if p != nil && !in[i+1].binary {
			t.Fatalf("message %d of %d already made a packet", i+1, len(in))
		}
	}
	return nil, nil
}

func TestVectors(t *testing.T) {
	for _, v := range readVectors(t) {
		t.Run(v.ID, func(t *testing.T) {
			p, err := decode(t, sioparser.Limits{}, v.In...)
			if v.Err != "" {
				checkError(t, err, v.Err)
				if p != nil {
					t.Errorf("a packet beside the error: %v", p)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p == nil {
				t.Fatal("no packet")
			}
			equal(t, "type", p.Type, v.Out.Type)
			equal(t, "namespace", p.Namespace, v.Out.Namespace)
			equal(t, "has id", p.HasID, v.Out.ID != nil)
			if v.Out.ID != nil {
				equal(t, "id", p.ID, *v.Out.ID)
			}
			equal(t, "name", string(p.Name), v.Out.Name)
			equal(t, "args", string(p.Args.Raw()), v.Out.Args)
			equal(t, "number of args", p.Args.Len(), v.Out.N)
			equal(t, "payload", string(p.Payload), v.Out.Payload)
			equal(t, "number of attachments", len(p.Args.Attachments()), len(v.Out.Attachments))
			for i, b := range p.Args.Attachments() {
				equal(t, "attachment", hex.EncodeToString(b), v.Out.Attachments[i])
			}
			checkEncoded(t, p, v.Enc)
		})
	}
}

// checkEncoded encodes p and compares the messages with want; nil means that
// p is refused.
func checkEncoded(t *testing.T, p *sioparser.Packet, want []message) {
	t.Helper()
	head, binary, attachments, err := sioparser.Text.AppendPacket([]byte("before"), p)
	if want == nil {
		if err == nil {
			t.Errorf("encoded as %s, want an error", head)
		}
		equal(t, "dst after an error", string(head), "before")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if binary {
		t.Error("the head is binary")
	}
	equal(t, "encoded", string(head), "before"+string(want[0].data))
	equal(t, "number of encoded attachments", len(attachments), len(want)-1)
	for i, b := range attachments {
		equal(t, "encoded attachment", hex.EncodeToString(b), hex.EncodeToString(want[i+1].data))
	}
}
