package msgpack_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/sioparser/msgpack"
)

// args parses a JSON array with attachments.
func args(t testing.TB, array string, attachments ...[]byte) sioparser.Args {
	t.Helper()
	a, err := sioparser.ParseArgs([]byte(array), attachments)
	if err != nil {
		t.Fatalf("%s: %v", array, err)
	}
	return a
}

func TestJSONBecomesMessagePackAsNotepackWritesIt(t *testing.T) {
	tests := []struct{ name, array, want string }{
		{"nothing", `[]`, "90"},
		{"white space", "[ 1 ,\t[ ] ,\n{ } , { \"a\" : [ ] } ] ", "94 01 90 80 81a16190"},
		{"literals", `[null,true,false]`, "93 c0 c3 c2"},
		{"positive integers", `[0,127,128,255,256,65535,65536,4294967295,4294967296]`, "99 00 7f cc80 ccff cd0100 cdffff ce00010000 ceffffffff cf0000000100000000"},
		{"negative integers", `[-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649]`, "99 ff e0 d0df d080 d1ff7f d18000 d2ffff7fff d280000000 d3ffffffff7fffffff"},
		{"integers beyond 2^53", `[9007199254740993,18446744073709551615,-9223372036854775808]`, "93 cf0020000000000001 cfffffffffffffffff d38000000000000000"},
		{"integers beyond 64 bits", `[18446744073709551616,-9223372036854775809,100000000000000000000000]`, "93 cb43f0000000000000 d38000000000000000 cb44b52d02c7e14af6"},
		{"floats that are whole", `[1.0,1e3,-2.50e1,12e-1,0.0,-0,-0.0,1e19,1e20]`, "99 01 cd03e8 e7 cb3ff3333333333333 00 00 00 cf8ac7230489e80000 cb4415af1d78b58c40"},
		{"floats", `[1.5,-0.1,5e-324,1e400,-1e400]`, "95 cb3ff8000000000000 cbbfb999999999999a cb0000000000000001 cb7ff0000000000000 cbfff0000000000000"},
		{"strings", `["","é","a\"b\\c\/d","\b\f\n\r\t","\u0041\u00e9\u20ac","\ud83d\ude00"]`, "96 a0 a2c3a9 a761226 25c632f64 a5080c0a0d09 a641c3a9e282ac a4f09f9880"},
		{"lone surrogates", `["\ud800","a\udc00b","\ud83d\u0041","\ud83d\ud83d\ude00"]`, "94 a3efbfbd a561efbfbd62 a4efbfbd41 a7efbfbdf09f9880"},
		{"strings with brackets and commas", `["[1,2]","{\"a\":[","\\\"]"]`, "93 a55b312c325d a67b2261223a5b a35c225d"},
		{"nested", `[[1,[2,3],{"a":{"b":[4]}}],5]`, "92 93 01 920203 81a16181a1629104 05"},
		{"escaped keys", `[{"\u0061\n":1}]`, "91 81 a2610a 01"},
		{"equal keys", `[{"a":1,"a":2}]`, "91 82 a16101 a16102"},
		{"16 elements", `[[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]]`, "91 dc0010 00000000000000000000000000000000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := msgpack.AppendFromArgs([]byte("x"), args(t, test.array))
			if want := strings.ReplaceAll(test.want, " ", ""); hex.EncodeToString(got[1:]) != want || got[0] != 'x' {
				t.Errorf("%s becomes\n%x, want\n%s", test.array, got, want)
			}
		})
	}
}

func TestAttachmentsStandWhereTheirPlaceholdersDo(t *testing.T) {
	one, two := []byte{1}, []byte{2, 2}
	place := func(num string) string { return `{"_placeholder":true,"num":` + num + `}` }
	tests := []struct {
		name string
		args sioparser.Args
		want string
	}{
		{"in order", args(t, `[`+place("0")+`,[`+place("1")+`]]`, one, two), "92 c40101 91 c4020202"},
		{"out of order", args(t, `[`+place("1")+`,`+place("0")+`]`, one, two), "92 c4020202 c40101"},
		{"used twice", args(t, `[`+place("0")+`,{"a":`+place("0")+`}]`, one), "92 c40101 81 a161 c40101"},
		{"not used", args(t, `[`+place("1")+`]`, one, two), "91 c4020202"},
		{"with white space and another key", args(t, `[ { "num" : 0 , "x":[1,{}], "_placeholder" : true } ,1]`, one), "92 c40101 01"},
		{"empty", args(t, `[`+place("0")+`]`, []byte{}), "91 c400"},
		{"nil", args(t, `[`+place("0")+`]`, nil), "91 c400"},
		{"part of the arguments", args(t, `[`+place("0")+`,7,`+place("1")+`]`, one, two).Slice(1, 3), "92 07 c4020202"},
		{"joined", args(t, `[`+place("0")+`]`, one).Concat(args(t, `["x",`+place("0")+`]`, two)), "93 c40101 a178 c4020202"},
		{"data that looks like one", args(t, `[`+place("0")+`]`), "91 82 ac5f706c616365686f6c646572c3 a36e756d00"},
		{"300 bytes", args(t, `[`+place("0")+`]`, make([]byte, 300)), "91 c5012c" + strings.Repeat("00", 300)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := msgpack.AppendFromArgs(nil, test.args)
			if want := strings.ReplaceAll(test.want, " ", ""); hex.EncodeToString(got) != want {
				t.Errorf("got\n%x, want\n%s", got, want)
			}
		})
	}
}

func TestPacketsThatAreNotValidAreRefused(t *testing.T) {
	tests := []struct {
		name   string
		packet sioparser.Packet
		want   error
	}{
		{"type", sioparser.Packet{Type: 9}, sioparser.ErrPacketType},
		{"namespace", sioparser.Packet{Type: sioparser.Disconnect, Namespace: "x"}, sioparser.ErrNamespace},
		{"id", sioparser.Packet{Type: sioparser.Ack, HasID: true, ID: sioparser.MaxID + 1}, sioparser.ErrID},
		{"name", sioparser.Packet{Type: sioparser.Event, Name: []byte("connect")}, sioparser.ErrReserved},
		{"payload", sioparser.Packet{Type: sioparser.Connect, Payload: []byte("[]")}, sioparser.ErrPayload},
		{"syntax", sioparser.Packet{Type: sioparser.Connect, Payload: []byte("{")}, sioparser.ErrSyntax},
		{"connect error without a payload", sioparser.Packet{Type: sioparser.ConnectError}, sioparser.ErrPayload},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dst := []byte("before")
			head, _, _, err := msgpack.Codec.AppendPacket(dst, &test.packet)
			if !errors.Is(err, test.want) || string(head) != "before" {
				t.Errorf("got %q, %v", head, err)
			}
		})
	}
}

func TestTypesOfTextAreThoseOfThisCodec(t *testing.T) {
	one := args(t, `[{"_placeholder":true,"num":0}]`, []byte{1})
	for _, pair := range [][2]sioparser.PacketType{{sioparser.Event, sioparser.BinaryEvent}, {sioparser.Ack, sioparser.BinaryAck}} {
		var wire [2][]byte
		for i, kind := range pair {
			wire[i], _, _, _ = msgpack.Codec.AppendPacket(nil, &sioparser.Packet{Type: kind, Name: []byte("e"), HasID: true, Args: one})
		}
		if !bytes.Equal(wire[0], wire[1]) || len(wire[0]) == 0 {
			t.Errorf("%v: %x, %x", pair, wire[0], wire[1])
		}
	}
}

func TestANameThatIsNotUTF8DoesNotGoOut(t *testing.T) {
	wire, _, _, err := msgpack.Codec.AppendPacket(nil, &sioparser.Packet{Type: sioparser.Event, Name: []byte("a\xffb")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := msgpack.Codec.NewDecoder(sioparser.Limits{}).Decode(wire, true)
	if err != nil || string(p.Name) != "a\uFFFDb" {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestTheCodecServesManyGoroutines(t *testing.T) {
	var wait sync.WaitGroup
	for n := range 16 {
		wait.Go(func() {
			text := strings.Repeat("x", n*100)
			p := sioparser.Packet{Type: sioparser.Event, Name: []byte("e"), Args: args(t, `["`+text+`",{"_placeholder":true,"num":0}]`, []byte{byte(n)})}
			d := msgpack.Codec.NewDecoder(sioparser.Limits{})
			for range 200 {
				wire, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
				if err != nil {
					t.Error(err)
					return
				}
				got, err := d.Decode(wire, true)
				if err != nil || !bytes.Equal(got.Args.Raw(), p.Args.Raw()) || got.Args.Attachments()[0][0] != byte(n) {
					t.Errorf("%d: %+v, %v", n, got, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// Large packets and small ones in turns: what a large one needed is not kept.
func TestLargePacketsComeBack(t *testing.T) {
	var buffers [][]byte
	var places, lists strings.Builder
	for n := range 300 {
		buffers = append(buffers, bytes.Repeat([]byte{byte(n)}, 100))
		places.WriteString(`,{"_placeholder":true,"num":` + strconv.Itoa(n) + `}`)
	}
	lists.WriteString(strings.Repeat(`[{}],`, 2000))
	deep := strings.Repeat(`[`, 900) + strings.Repeat(`]`, 900)
	packets := []sioparser.Packet{
		{Type: sioparser.Ack, HasID: true, Args: args(t, `["`+strings.Repeat("x", 70_000)+`"]`)},
		{Type: sioparser.Ack, HasID: true, Args: args(t, `["`+strings.Repeat(`\"`, 70_000)+`"]`)},
		{Type: sioparser.Ack, HasID: true, Args: args(t, `[`+lists.String()+deep+`]`)},
		{Type: sioparser.Event, Name: []byte("e"), Args: args(t, `[1`+places.String()+`]`, buffers...)},
		{Type: sioparser.Ack, HasID: true, Args: args(t, `[1]`)},
	}
	d := msgpack.Codec.NewDecoder(sioparser.Limits{})
	for range 2 {
		for _, p := range packets {
			wire, _, _, err := msgpack.Codec.AppendPacket(nil, &p)
			if err != nil {
				t.Fatal(err)
			}
			got, err := d.Decode(wire, true)
			if err != nil || !bytes.Equal(got.Args.Raw(), p.Args.Raw()) || len(got.Args.Attachments()) != len(p.Args.Attachments()) {
				t.Fatalf("%.40s…: %v", p.Args.Raw(), err)
			}
			if kept := allocated(func() { _, _ = d.Decode(packetOne, true) }); kept > 1024 {
				t.Errorf("a small packet behind it allocates %d bytes", kept)
			}
		}
	}
}

var packetOne = []byte("\x82\xa4type\x01\xa3nsp\xa1/")

func TestNumericNameIsRelayedAsString(t *testing.T) {
	p, err := decode(sioparser.Limits{}, []byte("\x83\xa4type\x02\xa4data\x92\x07\x08\xa3nsp\xa1/"))
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _, err := msgpack.Codec.AppendPacket(nil, p); err != nil || string(got) != "\x83\xa4type\x02\xa4data\x92\xa17\x08\xa3nsp\xa1/" {
		t.Errorf("got %q, %v", got, err)
	}
}
