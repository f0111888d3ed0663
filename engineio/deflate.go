package engineio

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/siokit/siokit/eioparser"
)

// Deflate are the options of permessage-deflate, RFC 7692, without context
// takeover: each message is compressed by itself, so that a broadcast is
// compressed once for all of its receivers.
type Deflate struct {
	// Threshold is the size in bytes from which messages are compressed. 0 means
	// 1024; negative, that all are.
	Threshold int

	// Level is one of compress/flate's, 1 to 9. 0 means flate.BestSpeed.
	Level int

	once    sync.Once
	framing [2]*Framing // for revision 4 and 3
	writers sync.Pool
}

func (d *Deflate) threshold() int {
	if d.Threshold == 0 {
		return 1024
	}
	return d.Threshold
}

// offersDeflate reports whether the client offers permessage-deflate in a form
// that is accepted, and returns a request that holds only that offer. Offers
// that want the server to use a smaller window are declined (section 7.1.2.1):
// compress/flate has one size.
func offersDeflate(r *http.Request) (*http.Request, bool) {
	for _, offer := range splitList(r.Header["Sec-Websocket-Extensions"]) {
		name, params, _ := strings.Cut(offer, ";")
		if strings.TrimSpace(name) != "permessage-deflate" || !acceptable(params) {
			continue
		}
		r2 := new(http.Request)
		*r2 = *r
		r2.Header = r.Header.Clone()
		r2.Header["Sec-Websocket-Extensions"] = []string{"permessage-deflate"}
		return r2, true
	}
	return r, false
}

// acceptable checks the parameters of an offer. client_max_window_bits is a
// hint that needs no answer.
func acceptable(params string) bool {
	seen := make(map[string]bool)
	for p := range strings.SplitSeq(params, ";") {
		key, value, has := strings.Cut(strings.TrimSpace(p), "=")
		if key == "" && !has {
			continue
		}
		switch key {
		case "server_no_context_takeover", "client_no_context_takeover":
			if has {
				return false
			}
		case "client_max_window_bits":
			if has && !windowBits(strings.Trim(value, `"`)) {
				return false
			}
		default:
			return false
		}
		if seen[key] {
			return false
		}
		seen[key] = true
	}
	return true
}

func windowBits(s string) bool {
	switch s {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}

// add appends the packets of p if at least one of them is worth compressing,
// and reports whether it did.
func (d *Deflate) add(f *frames, p *Prepared, v3 bool) bool {
	worth := false
	for _, pkt := range p.Packets() {
		worth = worth || d.compresses(pkt)
	}
	if !worth {
		return false
	}
	i := 0
	if v3 {
		i = 1
	}
	if p.Shared() {
		d.once.Do(func() {
			for i := range d.framing {
				d.framing[i] = &Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
					return d.appendFrames(dst, packets, i == 1)
				}}
			}
		})
		f.addShared(p.Frame(d.framing[i]))
	} else {
		f.buf = d.appendFrames(f.buf, p.Packets(), v3)
	}
	return true
}

func (d *Deflate) compresses(pkt eioparser.Packet) bool {
	return pkt.Type == eioparser.Message && len(pkt.Data) >= d.threshold()
}

// appendFrames appends the frames of packets, the large ones compressed.
func (d *Deflate) appendFrames(dst []byte, packets []eioparser.Packet, v3 bool) []byte {
	for _, pkt := range packets {
		if !d.compresses(pkt) {
			dst = append(appendPacketHeader(dst, pkt, v3), pkt.Data...)
			continue
		}
		dst = d.appendCompressed(dst, pkt, v3)
	}
	return dst
}

// deflater compresses one message at a time.
type deflater struct {
	w   *flate.Writer
	out bytes.Buffer
}

// appendCompressed appends one compressed frame.
func (d *Deflate) appendCompressed(dst []byte, pkt eioparser.Packet, v3 bool) []byte {
	z, _ := d.writers.Get().(*deflater)
	if z == nil {
		level := d.Level
		if level == 0 {
			level = flate.BestSpeed
		}
		z = new(deflater)
		var err error
		if z.w, err = flate.NewWriter(&z.out, level); err != nil {
			return append(appendPacketHeader(dst, pkt, v3), pkt.Data...) // checked by NewServer
		}
	}
	z.out.Reset()
	z.w.Reset(&z.out)
	first := byte(finBit | rsv1Bit | opText)
	head := []byte{'0' + byte(pkt.Type)}
	if pkt.Binary {
		first = finBit | rsv1Bit | opBinary
		head = head[:0]
		if v3 {
			head = append(head, byte(pkt.Type))
		}
	}
	_, _ = z.w.Write(head) // a bytes.Buffer takes everything
	_, _ = z.w.Write(pkt.Data)
	_ = z.w.Flush()
	// The empty block that Flush ends with is left out (section 7.2.1).
	body := bytes.TrimSuffix(z.out.Bytes(), []byte{0, 0, 0xff, 0xff})
	dst = append(appendFrameHeader(dst, first, len(body)), body...)
	if z.out.Cap() <= 256<<10 {
		d.writers.Put(z)
	}
	return dst
}

// isInflateError reports whether err says that the compressed bytes are wrong,
// not that the connection broke.
func isInflateError(err error) bool {
	var corrupt flate.CorruptInputError
	var internal flate.InternalError
	return errors.As(err, &corrupt) || errors.As(err, &internal) || errors.Is(err, io.ErrNoProgress)
}
