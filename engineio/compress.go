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
// gzip and deflate, or "". A star stands for those that are not named.
func acceptedEncoding(h http.Header) string {
	q := map[string]float64{}
	for _, item := range splitList(h["Accept-Encoding"]) {
		name, params, _ := strings.Cut(item, ";")
		weight := 1.0
		if key, v, ok := strings.Cut(params, "="); ok && strings.EqualFold(strings.TrimSpace(key), "q") {
			var err error
			if weight, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil {
				weight = 0
			}
		}
		q[strings.ToLower(strings.TrimSpace(name))] = weight
	}
	best, bestQ := "", 0.0
	for _, name := range [...]string{"gzip", "deflate"} {
		weight, named := q[name]
		if !named {
			weight = q["*"]
		}
		if weight > bestQ {
			best, bestQ = name, weight
		}
	}
	return best
}
