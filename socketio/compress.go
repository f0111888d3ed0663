package socketio

import (
	"compress/gzip"
	"net/http"
	"strings"
)

// compressFrom is the size below which compressing is not worth it.
const compressFrom = 1024

// writeCompressed writes content, compressed if the client takes it.
func writeCompressed(w http.ResponseWriter, r *http.Request, content []byte) {
	if len(content) < compressFrom || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || r.Method == http.MethodHead {
		_, _ = w.Write(content) // a client that left needs nothing more
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(content)
	_ = z.Close()
}
