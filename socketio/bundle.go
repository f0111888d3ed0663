package socketio

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// bundleNames are the files that the reference serves, and no others.
var bundleNames = []string{
	"socket.io.js",
	"socket.io.js.map",
	"socket.io.min.js",
	"socket.io.min.js.map",
	"socket.io.msgpack.min.js",
	"socket.io.msgpack.min.js.map",
	"socket.io.esm.min.js",
	"socket.io.esm.min.js.map",
}

// A bundle is the client's code for browsers, by name.
type bundle struct {
	files map[string]bundleFile
}

type bundleFile struct {
	content []byte
	tag     string // quoted
	kind    string // media type
}

// newBundle reads the files that there are; nil for no folder.
func newBundle(folder fs.FS) (*bundle, error) {
	if folder == nil {
		return nil, nil
	}
	b := &bundle{files: make(map[string]bundleFile)}
	for _, name := range bundleNames {
		content, err := fs.ReadFile(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		f := bundleFile{content: content, tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`}
		f.kind = "application/javascript; charset=utf-8"
		if strings.HasSuffix(name, ".map") {
			f.kind = "application/json; charset=utf-8"
		}
		b.files[name] = f
	}
	if len(b.files) == 0 {
		return nil, errors.New("socketio: Config.ServeClient has none of the client's files")
	}
	return b, nil
}

// serve answers a request for one of the files; it reports whether it was one.
func (b *bundle) serve(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	f, ok := b.files[path.Base(r.URL.Path)]
	if !ok {
		return false
	}
	h := w.Header()
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("If-None-Match"), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h.Set("Content-Type", f.kind)
	writeCompressed(w, r, f.content)
	return true
}
