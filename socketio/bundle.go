package socketio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
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
	prefix string // that the names follow; "" for anywhere
	files  map[string]*bundleFile
	serve  http.Handler // with the origins that the server lets in
}

// A bundleFile is one file, and its compressed forms, each made when somebody
// first wants it.
type bundleFile struct {
	content []byte
	brotli  []byte // found beside it; nil if there is none
	gzip    func() []byte
	deflate func() []byte
	tag     string // weak: all forms have the same
	kind    string // media type
}

// newBundle reads the files that there are; nil for no folder.
func newBundle(folder fs.FS, prefix string) (*bundle, error) {
	if folder == nil {
		return nil, nil
	}
	b := &bundle{prefix: prefix, files: make(map[string]*bundleFile)}
	b.serve = http.HandlerFunc(b.answer)
	for _, name := range bundleNames {
		content, err := fs.ReadFile(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		brotli, err := fs.ReadFile(folder, name+".br")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		b.files[name] = newBundleFile(name, content, brotli)
	}
	if len(b.files) == 0 {
		return nil, errors.New("socketio: Config.ServeClient has none of the client's files")
	}
	return b, nil
}

func newBundleFile(name string, content, brotli []byte) *bundleFile {
	sum := sha256.Sum256(content)
	f := &bundleFile{
		content: content,
		brotli:  brotli,
		tag:     `W/"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`,
		kind:    "application/javascript; charset=utf-8",
	}
	if strings.HasSuffix(name, ".map") {
		f.kind = "application/json; charset=utf-8"
	}
	f.gzip = sync.OnceValue(func() []byte {
		return compressed(content, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	})
	f.deflate = sync.OnceValue(func() []byte {
		return compressed(content, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	})
	return f
}

func compressed(content []byte, writer func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	w := writer(&b)
	_, _ = w.Write(content) // a Buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// find returns the file that a request is for, or nil.
func (b *bundle) find(r *http.Request) *bundleFile {
	if b == nil {
		return nil
	}
	name, ok := strings.CutPrefix(r.URL.Path, b.prefix)
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
		return nil
	}
	if b.prefix == "" {
		name = path.Base(name)
	}
	return b.files[strings.TrimPrefix(name, "/")]
}

// answer answers a request for one of the files.
func (b *bundle) answer(w http.ResponseWriter, r *http.Request) {
	f, h := b.find(r), w.Header()
	if r.Method == http.MethodOptions {
		h.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("ETag", f.tag)
	h.Set("Cache-Control", "public, max-age=0")
	h.Add("Vary", "Accept-Encoding")
	if known(r.Header.Get("If-None-Match"), f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	encoding, content := f.encoded(r.Header.Get("Accept-Encoding"))
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	_, _ = w.Write(content) // a client that left needs nothing more; net/http drops the body of HEAD
}

// encoded returns the form of the file that a client likes best.
func (f *bundleFile) encoded(accepted string) (encoding string, content []byte) {
	offers := []string{"br", "gzip", "deflate"}
	if f.brotli == nil {
		offers = offers[1:]
	}
	switch encoding = negotiate(accepted, offers...); encoding {
	case "br":
		return encoding, f.brotli
	case "gzip":
		return encoding, f.gzip()
	case "deflate":
		return encoding, f.deflate()
	}
	return "", f.content
}

// known reports whether an If-None-Match header has a tag, by weak comparison.
func known(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
