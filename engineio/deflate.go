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
	"github.com/siokit/siokit/eioparser/eio3"
)

// Deflate are the options of permessage-deflate, RFC 7692, without context
// takeover: each message is compressed by itself, so that a broadcast is
// compressed once for all of its receivers.
type Deflate struct {
	// Threshold is the size in bytes from which messages are compressed. 0 means
	// 1024; negative, that all are.
	Threshold int

	// Level is one of compress/flate's, 1 to 9. Everything else means
	// flate.BestSpeed.
	Level int

	once sync.Once
	all  *deflater
}

func (d *Deflate) shared() *deflater {
	d.once.Do(func() {
		z := &deflater{threshold: d.Threshold, level: d.Level}
		if z.threshold == 0 {
			z.threshold = 1024
		}
		if z.level < flate.BestSpeed || z.level > flate.BestCompression {
			z.level = flate.BestSpeed
		}
		for f := range forms {
			z.framing[f] = &Framing{Append: func(dst []byte, packets []eioparser.Packet) []byte {
				return z.appendFrames(dst, packets, f)
			}}
		}
		d.all = z
	})
	return d.all
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

// deflater compresses for all links of a transport.
type deflater struct {
	threshold int
	level     int
	framing   [forms]*Framing
	writers   sync.Pool // of *compressor
}

// compressor compresses one message at a time.
type compressor struct {
	w   *flate.Writer
	out bytes.Buffer
}

// add appends the packets of p if at least one of them is worth compressing,
// and reports whether it did.
func (d *deflater) add(o *output, p *Prepared, as form, alone bool) bool {
	worth := false
	for _, pkt := range p.Packets() {
		worth = worth || d.compresses(pkt)
	}
	if worth && p.Shared() {
		o.addShared(p.Frame(d.framing[as]), alone)
	} else if worth {
		o.buf = d.appendFrames(o.buf, p.Packets(), as)
	}
	return worth
}

func (d *deflater) compresses(pkt eioparser.Packet) bool {
	return pkt.Type == eioparser.Message && len(pkt.Data) >= d.threshold
}

// appendFrames appends the frames of packets, the large ones compressed.
func (d *deflater) appendFrames(dst []byte, packets []eioparser.Packet, as form) []byte {
	for _, pkt := range packets {
		if d.compresses(pkt) {
			dst = d.appendCompressed(dst, pkt, as)
		} else {
			dst = appendFrame(dst, pkt, as)
		}
	}
	return dst
}

// appendCompressed appends one compressed frame.
func (d *deflater) appendCompressed(dst []byte, pkt eioparser.Packet, as form) []byte {
	z, _ := d.writers.Get().(*compressor)
	if z == nil {
		z = new(compressor)
		z.w, _ = flate.NewWriter(&z.out, d.level) // the level is valid
	}
	z.out.Reset()
	z.w.Reset(&z.out)
	first := byte(finBit | rsv1Bit | opText)
	switch {
	case pkt.Binary && as == form3Base64:
		_, _ = z.w.Write(eio3.AppendText(nil, pkt)) // a bytes.Buffer takes everything
	case pkt.Binary:
		first = finBit | rsv1Bit | opBinary
		if as == form3 {
			_, _ = z.w.Write([]byte{byte(pkt.Type)})
		}
		_, _ = z.w.Write(pkt.Data)
	default:
		_, _ = z.w.Write([]byte{'0' + byte(pkt.Type)})
		_, _ = z.w.Write(pkt.Data)
	}
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
// not that the connection broke, for which gorilla has a CloseError.
func isInflateError(err error) bool {
	var corrupt flate.CorruptInputError
	var internal flate.InternalError
	return errors.As(err, &corrupt) || errors.As(err, &internal) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrNoProgress)
}
