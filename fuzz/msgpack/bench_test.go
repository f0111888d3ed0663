package msgpack_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/siokit/siokit/fuzz/internal/nodepeer"
	"github.com/siokit/siokit/fuzz/internal/race"
	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// BenchmarkMsgpackParsers times sioparser/msgpack, decoding to raw arguments and
// encoding them, and the npm parser on the same messages, in turns. Long lists of
// numbers have a table of their own:
//
//	go test -run '^$' -bench MsgpackParsers -benchtime 1x ./fuzz/msgpack
func BenchmarkMsgpackParsers(b *testing.B) {
	race.CollectAsNode(b)
	node := nodepeer.Start(b, "msgpack_bench.js")
	messages, numbers := race.NewTable(node), race.NewTable(node)
	const object = `{"id":1234567,"user":"jean-baptiste","room":"lobby","text":"Bonjour tout le monde, comment allez","ts":1712345678901,"tags":["a","b","c"],"meta":{"edited":false,"likes":12,"reply":null,"w":0.25}}`
	random := rand.New(rand.NewPCG(1, 2))
	var fractions strings.Builder
	for range 1000 {
		fractions.WriteString("," + strconv.FormatFloat(random.Float64(), 'g', -1, 64))
	}
	for _, row := range []struct {
		table       *race.Table
		name, array string
		attachments [][]byte
	}{
		{messages, "32 B event", `["0123456789abcdef01"]`, nil},
		{messages, "200 B object", `[` + object + `]`, nil},
		{messages, "1 KB of objects", `[` + object + strings.Repeat(`,`+object, 4) + `]`, nil},
		{messages, "16 KB string", `["` + strings.Repeat("x", 16<<10) + `"]`, nil},
		{messages, "binary event, 1 KB", `[{"_placeholder":true,"num":0}]`, [][]byte{make([]byte, 1024)}},
		{numbers, "1,000 numbers", `[[1.5` + strings.Repeat(`,-2.25,70000`, 500) + `]]`, nil},
		{numbers, "1,000 random fractions", `[[` + fractions.String()[1:] + `]]`, nil},
	} {
		args, err := sioparser.ParseArgs([]byte(row.array), row.attachments)
		if err != nil {
			b.Fatal(err)
		}
		p := sioparser.Packet{Type: sioparser.Event, Name: []byte("message"), Args: args}
		wire, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
		if err != nil {
			b.Fatal(err)
		}
		d := msgpack.Codec.NewDecoder(sioparser.Limits{})
		row.table.Compare(b, row.name+", decode", race.Theirs{Op: "decode", Body: wire}, func() error {
			_, err := d.Decode(wire, true)
			return err
		})
		dst := make([]byte, 0, len(wire))
		row.table.Compare(b, row.name+", encode", race.Theirs{Op: "encode", Body: wire}, func() error {
			_, _, _, err := msgpack.Codec.AppendPacket(dst, &p)
			return err
		})
	}
	fmt.Println(messages)
	fmt.Println(numbers)
}
