package socketio

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/siokit/siokit/sioparser"
)

// Data is what an application keeps with a socket: the members of the
// reference's data object, each as JSON, and values that stay in this process
// (LocalKey). All methods may be called from any goroutine.
type Data struct {
	values *sioparser.Values // immutable

	mu      sync.Mutex
	members map[string]member
	local   map[*localKey]any
}

// member is one entry: the JSON, and what was stored or read last.
type member struct {
	text  sioparser.RawArg
	value any
}

// Set stores v as the member of that name. It is encoded at once, so that a
// later change of what v refers to is not seen.
func (d *Data) Set(name string, v any) error {
	text, err := d.values.AppendJSON(nil, v)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members == nil {
		d.members = make(map[string]member)
	}
	d.members[name] = member{text: text}
	return nil
}

// Bind decodes the member of that name into what ptr points to. It reports
// whether there is one.
func (d *Data) Bind(name string, ptr any) (bool, error) {
	d.mu.Lock()
	m, ok := d.members[name]
	d.mu.Unlock()
	if !ok {
		return false, nil
	}
	return true, d.values.BindJSON(m.text, ptr)
}

// Delete removes a member.
func (d *Data) Delete(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.members, name)
}

// All yields names and JSON texts of the members, sorted by name. The texts
// must not be changed.
func (d *Data) All() iter.Seq2[string, []byte] {
	d.mu.Lock()
	members := maps.Clone(d.members)
	d.mu.Unlock()
	return func(yield func(string, []byte) bool) {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if !yield(name, members[name].text) {
				return
			}
		}
	}
}

// sameText reports whether two texts are one: each Set makes a new one.
func sameText(a, b sioparser.RawArg) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// load returns a member as a T, decoding it once, unless several ask at the same
// time.
func load[T any](d *Data, name string) (T, bool, error) {
	var v T
	d.mu.Lock()
	m, ok := d.members[name]
	d.mu.Unlock()
	if !ok {
		return v, false, nil
	}
	if known, ok := m.value.(*T); ok {
		return *known, true, nil
	}
	// Decoding may call the application's methods: under no lock.
	if err := d.values.BindJSON(m.text, &v); err != nil {
		return v, false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now, ok := d.members[name]; ok && sameText(now.text, m.text) {
		d.members[name] = member{m.text, &v}
	}
	return v, true, nil
}

// appendJSON appends the members as one object.
func (d *Data) appendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for name, text := range d.All() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = appendString(dst, name)
		dst = append(dst, ':')
		dst = append(dst, text...)
	}
	return append(dst, '}')
}

// persist returns what a stored session keeps.
func (d *Data) persist() (text []byte, value any) {
	d.mu.Lock()
	local := maps.Clone(d.local)
	d.mu.Unlock()
	return d.appendJSON(nil), local
}

// restore takes back what persist gave, or what another server sent.
func (d *Data) restore(text []byte, value any) error {
	var members map[string]sioparser.RawArg
	if text = bytes.TrimSpace(text); len(text) > 0 {
		if err := d.values.BindJSON(text, &members); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.members = make(map[string]member, len(members))
	for name, text := range members {
		d.members[name] = member{text: text}
	}
	if local, ok := value.(map[*localKey]any); ok {
		d.local = maps.Clone(local)
	}
	return nil
}

func appendString(dst []byte, s string) []byte {
	var values *sioparser.Values
	text, err := values.AppendJSON(dst, s)
	if err != nil {
		return append(dst, `""`...) // no string fails to encode
	}
	return text
}
