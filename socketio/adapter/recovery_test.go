package adapter_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/socketio/adapter"
	"github.com/siokit/siokit/socketio/adapter/adaptertest"
)

func event(t testing.TB, name, array string, attachments ...[]byte) *sioparser.Packet {
	t.Helper()
	args, err := sioparser.ParseArgs([]byte(array), attachments)
	if err != nil {
		t.Fatal(err)
	}
	return &sioparser.Packet{Type: sioparser.Event, Name: []byte(name), Args: args}
}

// store is a Recovery in a synctest bubble.
type store struct {
	t *testing.T
	*adapter.Recovery
}

func recovering(t *testing.T, config adapter.RecoveryConfig, f func(t *testing.T, st *store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a, err := adapter.NewRecovery(config)(adaptertest.NewServer("/"))
		if err != nil {
			t.Fatal(err)
		}
		f(t, &store{t, a.(*adapter.Recovery)})
		if err := a.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func (st *store) join(id string, rooms ...string) *adaptertest.Socket {
	st.t.Helper()
	s := adaptertest.NewSocket(id)
	if err := st.Join(s, append([]string{id}, rooms...)...); err != nil {
		st.t.Fatal(err)
	}
	return s
}

func (st *store) send(name string, rooms ...string) {
	st.t.Helper()
	if err := st.Broadcast(event(st.t, name, "[]"), adapter.Selection{Rooms: rooms}); err != nil {
		st.t.Fatal(err)
	}
}

func (st *store) drop(s *adaptertest.Socket) {
	st.t.Helper()
	if _, err := st.Persist(s, adapter.Session{SocketID: s.ID(), PrivateID: "p-" + s.ID(), Value: 42}); err != nil {
		st.t.Fatal(err)
	}
}

// back recovers the session of id after offset and returns what it missed.
func (st *store) back(id, offset string) (string, error) {
	session, err := st.Take(st.t.Context(), "p-"+id, offset)
	if err != nil {
		return "", err
	}
	s := adaptertest.NewSocket(session.SocketID)
	if err := st.Resume(st.t.Context(), s, session); err != nil {
		return "", err
	}
	s.Flush()
	if session.Value != 42 {
		st.t.Errorf("the session's value is %v", session.Value)
	}
	var names []string
	for _, p := range s.Received() {
		names = append(names, p.Name)
	}
	return strings.Join(names, " "), nil
}

func lastOffset(t *testing.T, s *adaptertest.Socket) (offset string) {
	t.Helper()
	list := s.Received()
	if len(list) == 0 {
		return ""
	}
	args, err := sioparser.ParseArgs([]byte(list[len(list)-1].Args), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := (*sioparser.Values)(nil).Bind(args.Slice(args.Len()-1, args.Len()), &offset); err != nil {
		t.Fatal(err)
	}
	return offset
}

func TestSessionExpires(t *testing.T) {
	var mu sync.Mutex
	var expired []string
	config := adapter.RecoveryConfig{OnExpired: func(s *adapter.Session) {
		mu.Lock()
		defer mu.Unlock()
		expired = append(expired, s.SocketID)
	}}
	recovering(t, config, func(t *testing.T, st *store) {
		a, b, c := st.join("a"), st.join("b"), st.join("c")
		st.drop(a)
		<-time.After(time.Minute)
		st.drop(b)
		<-time.After(59 * time.Second)
		st.drop(c)
		if _, err := st.back("c", ""); err != nil {
			t.Errorf("c at once: %v", err)
		}
		<-time.After(2 * time.Second) // a has waited for two minutes
		synctest.Wait()
		if _, err := st.back("a", ""); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("a after its time: %v", err)
		}
		<-time.After(57 * time.Second) // b for one second less
		if _, err := st.back("b", ""); err != nil {
			t.Errorf("b just in time: %v", err)
		}
		<-time.After(5 * time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff([]string{"a"}, expired); diff != "" {
			t.Errorf("expired sessions (-want +got):\n%s", diff)
		}
	})
}

// What is presented on the very second is refused, though no sweep has come yet,
// and is still reported.
func TestSessionExpiresBeforeTheSweep(t *testing.T) {
	expired := 0
	recovering(t, adapter.RecoveryConfig{MaxDisconnection: 100 * time.Millisecond, OnExpired: func(*adapter.Session) { expired++ }},
		func(t *testing.T, st *store) {
			st.drop(st.join("a"))
			<-time.After(100 * time.Millisecond)
			if _, err := st.back("a", ""); !errors.Is(err, adapter.ErrUnrecoverable) {
				t.Errorf("after its time: %v", err)
			}
			<-time.After(time.Second)
			synctest.Wait()
			if expired != 1 {
				t.Errorf("%d sessions expired", expired)
			}
		})
}

// The timer may be set for a packet of the log when a session comes that expires
// before it.
func TestSessionExpiresBeforeThePacketsDo(t *testing.T) {
	expired := 0
	recovering(t, adapter.RecoveryConfig{MaxDisconnection: 3 * time.Second, OnExpired: func(*adapter.Session) { expired++ }},
		func(t *testing.T, st *store) {
			a := st.join("a")
			st.send("x")
			st.drop(a)
			<-time.After(4 * time.Second)
			synctest.Wait()
			if expired != 1 {
				t.Errorf("%d sessions expired", expired)
			}
		})
}

func TestOldestSessionGoesForNewOne(t *testing.T) {
	var expired []string
	recovering(t, adapter.RecoveryConfig{MaxSessions: 2, OnExpired: func(s *adapter.Session) { expired = append(expired, s.SocketID) }},
		func(t *testing.T, st *store) {
			for _, id := range []string{"a", "b", "c"} {
				st.drop(st.join(id))
			}
			if diff := cmp.Diff([]string{"a"}, expired); diff != "" {
				t.Errorf("expired sessions (-want +got):\n%s", diff)
			}
			for _, id := range []string{"b", "c"} {
				if _, err := st.back(id, ""); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
}

func TestLogIsBounded(t *testing.T) {
	for name, config := range map[string]adapter.RecoveryConfig{
		"packets": {MaxPackets: 10},
		"bytes":   {MaxBytes: 3000}, // of some 270 a packet
		"age":     {MaxAge: 10 * time.Second},
	} {
		recovering(t, config, func(t *testing.T, st *store) {
			sent := func(s *adaptertest.Socket, n int) {
				for i := range n {
					<-time.After(time.Second)
					st.send(fmt.Sprint("n", i), "red")
				}
			}
			early, late := st.join("early", "red"), st.join("late", "red")
			st.send("first", "red")
			st.drop(early)
			sent(late, 20)
			// early has missed more than the log holds.
			if missed, err := st.back("early", lastOffset(t, early)); !errors.Is(err, adapter.ErrUnrecoverable) {
				t.Errorf("%s: early is back with %q, %v", name, missed, err)
			}
			// late has missed little.
			offset := lastOffset(t, late)
			st.drop(late)
			st.send("m", "red")
			if missed, err := st.back("late", offset); missed != "m" || err != nil {
				t.Errorf("%s: late is back with %q, %v", name, missed, err)
			}
		})
	}
}

// A client whose newest packet is so old that the log has forgotten it has still
// missed nothing (reference.md: what users of the reference complain about).
func TestLongLivedConnectionRecovers(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{MaxPackets: 5}, func(t *testing.T, st *store) {
		a := st.join("a", "red")
		st.join("other", "blue")
		st.send("long ago", "red")
		for range 50 {
			<-time.After(time.Minute)
			st.send("for others", "blue")
		}
		st.drop(a)
		st.send("missed", "red")
		if missed, err := st.back("a", lastOffset(t, a)); missed != "missed" || err != nil {
			t.Errorf("back with %q, %v", missed, err)
		}
	})
}

// What is dropped from the log after the disconnect makes the session
// unrecoverable, even if none of it was for this socket: that can't be told.
func TestLogThatHasLostSomething(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{MaxPackets: 5}, func(t *testing.T, st *store) {
		a := st.join("a", "red")
		st.send("x", "red")
		st.drop(a)
		for range 6 {
			st.send("for others", "blue")
		}
		if _, err := st.back("a", lastOffset(t, a)); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("back: %v", err)
		}
	})
}

func TestLogLosesWhatIsNeededBetweenTakeAndResume(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{MaxPackets: 5}, func(t *testing.T, st *store) {
		a := st.join("a", "red")
		st.send("x", "red")
		st.drop(a)
		session, err := st.Take(t.Context(), "p-a", lastOffset(t, a))
		if err != nil {
			t.Fatal(err)
		}
		for range 6 {
			st.send("y", "red")
		}
		s := adaptertest.NewSocket("a")
		if err := st.Resume(t.Context(), s, session); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("Resume: %v", err)
		}
		if sockets, rooms := st.Len(); sockets+rooms != 0 || s.Pushed() != 0 {
			t.Errorf("a failed Resume has left %d sockets, %d rooms, %d packets", sockets, rooms, s.Pushed())
		}
		// The socket begins anew.
		if err := st.Join(s, "a"); err != nil {
			t.Error(err)
		}
	})
}

func TestResumeOfRemovedSocket(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{}, func(t *testing.T, st *store) {
		a := st.join("a", "red")
		st.drop(a)
		session, err := st.Take(t.Context(), "p-a", "")
		if err != nil {
			t.Fatal(err)
		}
		s := adaptertest.NewSocket("a")
		st.Remove(s) // the client has gone meanwhile
		if err := st.Resume(t.Context(), s, session); !errors.Is(err, adapter.ErrRemoved) {
			t.Errorf("Resume: %v", err)
		}
		if err := st.Resume(t.Context(), adaptertest.NewSocket("a"), &adapter.Session{}); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("Resume of a session from nowhere: %v", err)
		}
	})
}

// A socket that changes rooms faster than is remembered is not recovered wrongly.
func TestRoomChangesBeyondMemory(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{}, func(t *testing.T, st *store) {
		a := st.join("a", "red")
		var newest string
		for i := range 400 {
			room := fmt.Sprint("room", i)
			if err := st.Join(a, room); err != nil {
				t.Fatal(err)
			}
			st.send(fmt.Sprint("n", i), room)
			st.Leave(a, room)
			if i == 300 {
				newest = lastOffset(t, a)
			}
		}
		st.drop(a)
		missed, err := st.back("a", newest)
		if err != nil || missed[:4] != "n301" || !strings.HasSuffix(missed, "n399") || len(strings.Fields(missed)) != 99 {
			t.Errorf("back after n300 with %.40q…, %v", missed, err)
		}
		b := st.join("b", "red")
		st.send("seen", "red")
		seen := lastOffset(t, b)
		for i := range 400 {
			room := fmt.Sprint("room", i)
			if err := st.Join(b, room); err != nil {
				t.Fatal(err)
			}
			st.send(fmt.Sprint("n", i), room)
			st.Leave(b, room)
		}
		st.drop(b)
		if missed, err := st.back("b", seen); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("back from before what is remembered, with %.40q…, %v", missed, err)
		}
	})
}

// Offsets of another server, or of another namespace, mean nothing here.
func TestForeignOffset(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{}, func(t *testing.T, st *store) {
		other, err := adapter.NewRecovery(adapter.RecoveryConfig{})(adaptertest.NewServer("/other"))
		if err != nil {
			t.Fatal(err)
		}
		foreign := adaptertest.NewSocket("f")
		if err := other.Join(foreign, "f"); err != nil {
			t.Fatal(err)
		}
		if err := other.Broadcast(event(t, "x", "[]"), adapter.Selection{}); err != nil {
			t.Fatal(err)
		}
		a := st.join("a")
		st.send("x")
		st.drop(a)
		if _, err := st.back("a", lastOffset(t, foreign)); !errors.Is(err, adapter.ErrUnrecoverable) {
			t.Errorf("back: %v", err)
		}
		if err := other.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRecoveryAfterClose(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{}, func(t *testing.T, st *store) {
		a, b := st.join("a"), st.join("b")
		st.drop(b)
		if err := st.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		rooms, err := st.Persist(a, adapter.Session{SocketID: "a", PrivateID: "p-a"})
		if !errors.Is(err, adapter.ErrClosed) || !slices.Equal(rooms, []string{"a"}) {
			t.Errorf("Persist: %q, %v", rooms, err)
		}
		for _, id := range []string{"a", "b"} {
			if _, err := st.back(id, ""); !errors.Is(err, adapter.ErrUnrecoverable) {
				t.Errorf("Take of %s: %v", id, err)
			}
		}
	})
}

func TestRecoveryConfig(t *testing.T) {
	for name, config := range map[string]adapter.RecoveryConfig{
		"MaxDisconnection": {MaxDisconnection: -1}, "MaxAge": {MaxAge: -1}, "MaxPackets": {MaxPackets: -1},
		"MaxBytes": {MaxBytes: -1}, "MaxSessions": {MaxSessions: -1},
	} {
		if _, err := adapter.NewRecovery(config)(adaptertest.NewServer("/")); err == nil || !strings.Contains(err.Error(), "RecoveryConfig."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Logged packets are let go when they are too old, though nobody sends.
func TestIdleLogIsFreed(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{}, func(t *testing.T, st *store) {
		blob := make([]byte, 1<<20)
		for range 16 {
			if err := st.Broadcast(event(t, "x", `[{"_placeholder":true,"num":0}]`, slices.Clone(blob)), adapter.Selection{}); err != nil {
				t.Fatal(err)
			}
		}
		full := heap()
		<-time.After(5 * time.Minute)
		synctest.Wait()
		if freed := full - heap(); freed < 15<<20 {
			t.Errorf("%d KiB were freed of 16 MiB", freed>>10)
		}
	})
}

// A client that is cut off again before it has received anything of the replay
// comes with the same old offset; that the log has forgotten it meanwhile changes
// nothing.
func TestRecoveryTwiceAfterLongSilence(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{MaxPackets: 5}, func(t *testing.T, st *store) {
		a := st.join("a", "red")
		st.send("long ago", "red")
		offset := lastOffset(t, a)
		for range 9 {
			st.send("for others", "blue")
		}
		st.drop(a)
		st.send("m1", "red")
		session, err := st.Take(t.Context(), "p-a", offset)
		if err != nil {
			t.Fatal(err)
		}
		again := adaptertest.NewSocket("a")
		if err := st.Resume(t.Context(), again, session); err != nil {
			t.Fatal(err)
		}
		st.drop(again)
		st.send("m2", "red")
		if missed, err := st.back("a", offset); missed != "m1 m2" || err != nil {
			t.Errorf("back with %q, %v", missed, err)
		}
	})
}

// An offset from before the socket existed, which only another client can have
// told, brings back nothing from before.
func TestNothingFromBeforeTheConnection(t *testing.T) {
	recovering(t, adapter.RecoveryConfig{}, func(t *testing.T, st *store) {
		other := st.join("other")
		st.send("x")
		stolen := lastOffset(t, other)
		st.send("secret")
		a := st.join("a")
		st.send("seen")
		st.drop(a)
		if missed, err := st.back("a", stolen); missed != "seen" || err != nil {
			t.Errorf("back with %q, %v", missed, err)
		}
	})
}
