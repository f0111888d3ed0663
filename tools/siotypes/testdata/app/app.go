// Package app defines events of every form that siotypes knows.
package app

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"time"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio"
)

// Kind is what a message is.
type Kind string

const (
	Text  Kind = "text"
	Image Kind = "image"
)

// Level has numbers for values.
type Level int

const (
	Low Level = iota + 1
	High
)

// Base is embedded.
type Base struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

// Message is what people send.
// It ends here: */ and goes on.
type Message struct {
	Base
	Kind    Kind           `json:"kind"`
	Level   Level          `json:"level,omitzero"`
	Text    string         `json:"text,omitempty"` // what they wrote
	Parent  *Message       `json:"parent"`
	Reply   *Message       `json:"reply,omitzero"`
	Tags    []string       `json:"tags"`
	Names   []*string      `json:"names"`
	Counts  map[string]int `json:"counts"`
	Point   [2]float64     `json:"point"`
	Data    []byte         `json:"data"`
	Chunks  []sioparser.Binary
	Digest  [4]byte
	TTL     time.Duration `json:"ttl"`
	Huge    *big.Int      `json:"huge"`
	Exact   int64         `json:"exact,string"`
	Price   json.Number   `json:"price"`
	From    netip.Addr    `json:"from"`
	Extra   any           `json:"extra"`
	Dashed  bool          `json:"is-it"`
	Nested  struct{ X, Y int }
	Tree    Tree
	Hidden  string `json:"-"`
	private string
}

// Tree is a map of itself.
type Tree map[string]Tree

// Record is called like one of TypeScript's own types, and may hold nothing of
// what it embeds.
type Record struct {
	*Base
	*Record
	Failure Failure
	Values  map[string]int
}

// Failure is called like what siotypes writes itself.
type Failure struct{ Reason string }

// Page is generic.
type Page[T any] struct {
	Items []T `json:"items"`
	Next  int `json:"next"`
}

var (
	// Chat goes both ways.
	Chat     = socketio.DefineEvent[Message]("chat")
	Ping     = socketio.DefineEvent[socketio.None]("ping pong").ToClient()
	Moved    = socketio.DefineEvent[socketio.Args2[string, float64]]("moved").ToClient()
	Log      = socketio.DefineEvent[socketio.Args2[Level, socketio.Rest[*int]]]("log").ToServer()
	Three    = socketio.DefineEvent[socketio.Args3[bool, []byte, uint64]]("three").ToClient()
	Saved    = socketio.DefineEvent[Record]("saved").ToClient()
	List     = socketio.DefineCall[Page[string], Page[Message]]("list/all~").ToServer()
	Confirm  = socketio.DefineCall[string, bool]("confirm").ToClient()
	Sum      = socketio.DefineCall[socketio.Rest[int], int]("sum").ToServer()
	Many     = socketio.DefineCall[socketio.None, socketio.Rest[int]]("many").ToServer()
	Bye      = socketio.DefineCall[socketio.None, socketio.None]("bye").ToServer()
	internal = socketio.DefineEvent[string]("internal").BetweenServers()
)

// Sample is one argument list, or reply, of each event, as Go code emits it.
func Sample() map[string][]any {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	full := Message{
		Base: Base{"1", now}, Kind: Image, Level: High, Text: "x", Parent: &Message{Kind: Text}, Reply: &Message{Kind: Text}, Tags: []string{"a"},
		Names: []*string{nil, new(string)}, Counts: map[string]int{"a": 1}, Point: [2]float64{1.5, 2}, Data: []byte("data"),
		Chunks: []sioparser.Binary{[]byte("1"), nil}, TTL: time.Second, Huge: big.NewInt(5), Exact: 1 << 62, Price: "1.25",
		From: netip.MustParseAddr("127.0.0.1"), Extra: map[string]any{"a": nil}, Tree: Tree{"a": Tree{}}, private: "p",
	}
	_ = internal
	return map[string][]any{
		"chat":            {full},
		"ping pong":       {},
		"moved":           {"a", 1.5},
		"log":             {Low, nil, 5},
		"three":           {true, []byte("x"), uint64(7)},
		"saved":           {Record{}},
		"list/all~":       {Page[string]{}},
		"list/all~ reply": {Page[Message]{Items: []Message{{Kind: Text}, full}}},
		"confirm":         {"sure?"},
		"confirm reply":   {true},
		"sum":             {1, 2, 3},
		"sum reply":       {6},
		"many":            {},
		"many reply":      {1, 2},
		"bye":             {},
		"bye reply":       {},
	}
}
