// Package vectors holds what parsers of the Engine.IO and Socket.IO protocols
// must read and write, as JSON lines with their sources. Package parsertest runs
// them.
package vectors

import (
	"bytes"
	_ "embed" // the vectors
	"encoding/json"
	"fmt"
)

// Vector is one question to a parser and its answer.
type Vector struct {
	// ID names the vector for ever.
	ID string `json:"id"`
	// Parser is engine.io/4 or socket.io/5.
	Parser string `json:"parser"`
	// Op is decode (frames to packets), encode (packets to frames), or, for
	// engine.io/4, decodePayload and encodePayload (the body of a poll).
	Op string `json:"op"`
	// Frames are one packet on the wire or, for a payload, one body.
	Frames []Frame `json:"frames,omitempty"`
	// Packets are what the frames mean.
	Packets []Packet `json:"packets,omitempty"`
	// Error tells that the frames must be refused.
	Error bool `json:"error,omitempty"`
	// Source is the chapter of the protocol document, or ref.
	Source string `json:"source"`
}

// Frame is a text or a binary message on the wire; one of the two is set.
type Frame struct {
	Text *string `json:"text,omitempty"`
	// Binary is in hexadecimal.
	Binary *string `json:"binary,omitempty"`
}

// Packet is a packet of either protocol. Fields that a packet lacks are absent.
type Packet struct {
	// Type is the packet type's number.
	Type int `json:"type"`
	// Text is the data of an Engine.IO packet; Binary, in hexadecimal, that of a
	// binary message.
	Text   *string `json:"text,omitempty"`
	Binary *string `json:"binary,omitempty"`
	// Namespace, ID, Data and Attachments (in hexadecimal) are those of a
	// Socket.IO packet. Data is the JSON after the head, with its placeholders.
	Namespace   string          `json:"nsp,omitempty"`
	ID          *json.Number    `json:"ack,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
	Attachments []string        `json:"attachments,omitempty"`
}

//go:embed engine4.jsonl
var engine4 []byte

//go:embed socket5.jsonl
var socket5 []byte

// All returns every vector.
func All() ([]Vector, error) {
	var all []Vector
	for _, file := range [][]byte{engine4, socket5} {
		for line := range bytes.Lines(file) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			var v Vector
			if err := json.Unmarshal(line, &v); err != nil {
				return nil, fmt.Errorf("vectors: %w in %s", err, line)
			}
			all = append(all, v)
		}
	}
	return all, nil
}
