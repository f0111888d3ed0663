package engineio

import (
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Compressors are big (some 800 KB) and are pooled.
var (
	gzips = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, flate.BestSpeed); return w }}
	zlibs = sync.Pool{New: func() any { w, _ := zlib.NewWriterLevel(nil, flate.BestSpeed); return w }}
)

// writeCompressed writes body to w with an HTTP content coding. The coding
// that HTTP calls deflate is zlib (RFC 9110, section 8.4.1.2).
func writeCompressed(w io.Writer, encoding string, body []byte) error {
	if encoding == "gzip" {
		z := gzips.Get().(*gzip.Writer)
		z.Reset(w)
		_, err := z.Write(body)
		if cerr := z.Close(); err == nil {
			err = cerr
		}
		z.Reset(nil)
		gzips.Put(z)
		return err
	}
	z := zlibs.Get().(*zlib.Writer)
	z.Reset(w)
	_, err := z.Write(body)
	if cerr := z.Close(); err == nil {
		err = cerr
	}
	z.Reset(nil)
	zlibs.Put(z)
	return err
}

// acceptedEncoding returns the content coding that the client likes best of
// gzip and deflate, or "".
func acceptedEncoding(h http.Header) string {
	best, bestQ := "", 0.0
	for _, item := range splitList(h["Accept-Encoding"]) {
		name, params, _ := strings.Cut(item, ";")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "*" {
			name = "gzip"
		}
		if (name == "gzip" || name == "deflate") && (q > bestQ || q == bestQ && q > 0 && name == "gzip") {
			best, bestQ = name, q
		}
	}
	return best
}
