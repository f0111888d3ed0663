package socketio

// DataHolder is what has data: *Socket and *RemoteSocket.
type DataHolder interface {
	Data() *Data
}

// Key is a typed member of a socket's data. It is kept as JSON: it survives
// recovery, and other servers see it on fetched sockets.
type Key[T any] struct{ name string }

// NewKey makes the key of the member of that name.
func NewKey[T any](name string) Key[T] { return Key[T]{name} }

// Name is the member's name.
func (k Key[T]) Name() string { return k.name }

// Set stores v. It is encoded at once: a later change of what v refers to is
// not seen. The error is the encoder's.
func (k Key[T]) Set(s *Socket, v T) error {
	return s.data.Set(k.name, v)
}

// Get returns the value, and false if there is none or if it is not a T. What
// it refers to is shared by all who get it.
func (k Key[T]) Get(of DataHolder) (T, bool) {
	v, ok, err := load[T](of.Data(), k.name)
	return v, ok && err == nil
}

// Delete removes the value.
func (k Key[T]) Delete(s *Socket) { s.data.Delete(k.name) }

// localKey gives each LocalKey an identity.
type localKey struct{ name string }

// LocalKey is a typed value that a socket carries within this process: it is
// never encoded, so it may be anything. It survives recovery as long as the
// session is kept in this process.
type LocalKey[T any] struct{ key *localKey }

// NewLocalKey makes a key; two of one name are different keys.
func NewLocalKey[T any](name string) LocalKey[T] { return LocalKey[T]{&localKey{name}} }

// Name is what the key was made with.
func (k LocalKey[T]) Name() string { return k.key.name }

// Set stores v.
func (k LocalKey[T]) Set(s *Socket, v T) {
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	if s.data.local == nil {
		s.data.local = make(map[*localKey]any)
	}
	s.data.local[k.key] = v
}

// Get returns the value, and false if there is none.
func (k LocalKey[T]) Get(s *Socket) (T, bool) {
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	v, ok := s.data.local[k.key].(T)
	return v, ok
}

// Delete removes the value.
func (k LocalKey[T]) Delete(s *Socket) {
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	delete(s.data.local, k.key)
}
