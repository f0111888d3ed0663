package mixed

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// operation is a row of the matrix. run does it from one server and says for
// each other server what was wrong there.
type operation struct {
	name  string
	needs func(b bus, from, to int) bool // nil: always possible
	run   func(t *testing.T, c *mixed, from int) failures
}

// failures are by server.
type failures map[int]error

// everywhere is a failure that concerns all.
func everywhere(err error) failures {
	f := failures{}
	for i := range labels {
		f[i] = err
	}
	return f
}

func (f failures) add(server int, err error) {
	if err != nil {
		f[server] = errors.Join(f[server], err)
	}
}

var operations = []operation{
	{name: "broadcast to everyone", run: broadcast(selection{}, func(*client, int) bool { return true })},
	{name: "to a room", run: broadcast(selection{rooms: []string{"red"}}, in("red"))},
	{name: "to several rooms", run: broadcast(selection{rooms: []string{"red", "blue"}}, in("red", "blue"))},
	{name: "to everyone except a room", run: broadcast(selection{except: []string{"red"}}, in("blue"))},
	{name: "to a room except another", run: broadcast(selection{rooms: []string{"red"}, except: []string{"blue"}}, in("red"))},
	{name: "local", run: broadcast(selection{local: true}, func(k *client, from int) bool { return k.on == from })},
	{name: "volatile", run: broadcast(selection{volatile: true}, func(*client, int) bool { return true })},
	{name: "binary", run: binary},
	{name: "to one socket", run: toSocket},
	{name: "with acknowledgements", run: acknowledged},
	{name: "with acknowledgements, one missing", run: partly},
	{name: "fetchSockets", run: fetch},
	{name: "socketsJoin, socketsLeave", run: move},
	{name: "disconnectSockets", run: disconnect},
	{name: "serverSideEmit", run: tell},
	{name: "serverSideEmit with acknowledgements", run: ask},
	{name: "number of servers", run: count},
	{name: "connection state recovery", needs: func(b bus, _, _ int) bool { return b.recovery }, run: recovery},
	{name: "emitter", needs: emits, run: emitter},
}

// emits reports whether an emitter of the kind of the server from reaches the server
// to.
func emits(b bus, from, to int) bool {
	return isGo(from) || b.officialEmitter && (isGo(to) || !b.emitterReachesGo)
}

func in(rooms ...string) func(*client, int) bool {
	return func(k *client, _ int) bool { return slices.Contains(rooms, k.rooms[0]) }
}

// fresh returns an event's name that was not used before.
func (c *mixed) fresh(what string) string {
	c.marks++
	return fmt.Sprint(what, "-", c.marks)
}

// counted checks who has got an event, and how often.
func (c *mixed) counted(event string, want func(*client) bool) failures {
	f := failures{}
	for _, k := range c.clients {
		n := 0
		if want(k) {
			n = 1
		}
		if got := k.got(event); got != n {
			f.add(k.on, fmt.Errorf("%s got it %d times, want %d", k.name, got, n))
		}
	}
	return f
}

func broadcast(sel selection, want func(k *client, from int) bool) func(*testing.T, *mixed, int) failures {
	return func(_ *testing.T, c *mixed, from int) failures {
		event := c.fresh("broadcast")
		if err := c.servers[from].emit(sel, event, 1, "two"); err != nil {
			return everywhere(err)
		}
		if err := c.fence(from); err != nil {
			return everywhere(err)
		}
		return c.counted(event, func(k *client) bool { return want(k, from) })
	}
}

func binary(_ *testing.T, c *mixed, from int) failures {
	event, blob := c.fresh("binary"), []byte{0, 1, 0xff, '{'}
	if err := c.servers[from].emit(selection{}, event, "text", blob); err != nil {
		return everywhere(err)
	}
	if err := c.all(event); err != nil {
		return everywhere(err)
	}
	f := failures{}
	want := fmt.Sprintf(`["text",{"$bytes":%q}`, base64.StdEncoding.EncodeToString(blob))
	for _, k := range c.clients {
		for _, e := range k.peer.events(k.number) {
			if e.Name == event && !bytes.HasPrefix(e.Args, []byte(want)) { // an offset may follow
				f.add(k.on, fmt.Errorf("%s got %s, want %s", k.name, e.Args, want))
			}
		}
	}
	return f
}

func toSocket(_ *testing.T, c *mixed, from int) failures {
	f := failures{}
	for _, to := range c.clients {
		event := c.fresh("private")
		if err := c.servers[from].emit(selection{rooms: []string{to.socket}}, event); err != nil {
			return everywhere(err)
		}
		if err := c.fence(from); err != nil {
			return everywhere(err)
		}
		f.add(to.on, c.counted(event, func(k *client) bool { return k == to })[to.on])
	}
	return f
}

func acknowledged(_ *testing.T, c *mixed, from int) failures {
	answers, partial, err := c.servers[from].emitWithAck(selection{rooms: []string{"red", "blue"}}, within, c.fresh("ack"))
	if err != nil {
		return everywhere(err)
	}
	f := failures{}
	if partial || len(answers) != len(c.clients) {
		f = everywhere(fmt.Errorf("answers %v, partial %v", answers, partial))
	}
	for _, k := range c.clients {
		if !slices.Contains(answers, k.name) {
			f.add(k.on, fmt.Errorf("no answer of %s", k.name))
		}
	}
	return f
}

func partly(t *testing.T, c *mixed, from int) failures {
	f := failures{}
	for to := range c.servers {
		room := c.fresh("partly")
		c.reach(t, from, to, c.connect(t, to, "silent-"+room, room), c.connect(t, to, "open-"+room, room))
		var err error
		for _, timeout := range []time.Duration{300 * time.Millisecond, time.Second, 4 * time.Second} { // a busy machine may need longer
			var answers []string
			var partial bool
			answers, partial, err = c.servers[from].emitWithAck(selection{rooms: []string{room}}, timeout, c.fresh("ack"))
			if err == nil && (!partial || len(answers) != 1 || answers[0] != "open-"+room) {
				err = fmt.Errorf("answers %v, partial %v", answers, partial)
			}
			if err == nil {
				break
			}
		}
		f.add(to, err)
	}
	return f
}

// reach waits until events to their own rooms arrive at new clients.
func (c *mixed) reach(t *testing.T, from, to int, clients ...*client) {
	t.Helper()
	c.until(t, "new clients of "+labels[to]+" are reached", func() bool {
		list, err := c.servers[to].fetch(selection{rooms: clients[0].rooms, local: true})
		return err == nil && len(list) == len(clients)
	})
}

func fetch(_ *testing.T, c *mixed, from int) failures {
	list, err := c.servers[from].fetch(selection{})
	if err != nil {
		return everywhere(err)
	}
	f := failures{}
	for _, k := range c.clients {
		i := slices.IndexFunc(list, func(s told) bool { return s.ID == k.socket })
		switch {
		case i < 0:
			f.add(k.on, fmt.Errorf("%s is not found", k.name))
		case list[i].Name != k.name || list[i].Auth != k.name:
			f.add(k.on, fmt.Errorf("%s has data of %q and handshake of %q", k.name, list[i].Name, list[i].Auth))
		case !slices.Contains(list[i].Rooms, k.rooms[0]) || !slices.Contains(list[i].Rooms, k.socket):
			f.add(k.on, fmt.Errorf("%s is in %v", k.name, list[i].Rooms))
		}
	}
	return f
}

func move(_ *testing.T, c *mixed, from int) failures {
	s, green := c.servers[from], c.fresh("green")
	f := failures{}
	if err := s.join(selection{rooms: []string{"blue"}}, green); err != nil {
		return everywhere(err)
	}
	members := func(want int) error {
		return eventually(func() bool {
			list, err := s.fetch(selection{rooms: []string{green}})
			return err == nil && len(list) == want
		})
	}
	if err := members(len(c.servers)); err != nil {
		return everywhere(fmt.Errorf("joined: %w", err))
	}
	// Everyone but red is blue: that selection has no room's channel.
	event := c.fresh("joined")
	if err := errors.Join(s.emit(selection{rooms: []string{green, "nobody"}}, event), c.fence(from)); err != nil {
		return everywhere(err)
	}
	for i, err := range c.counted(event, func(k *client) bool { return k.rooms[0] == "blue" }) {
		f.add(i, err)
	}
	if err := s.leave(selection{rooms: []string{green}}, green); err != nil {
		return everywhere(err)
	}
	if err := members(0); err != nil {
		return everywhere(fmt.Errorf("left: %w", err))
	}
	return f
}

func disconnect(t *testing.T, c *mixed, from int) failures {
	room := c.fresh("doomed")
	f := failures{}
	var doomed []*client
	for i := range c.servers {
		k := c.connect(t, i, room+labels[i], room)
		c.reach(t, from, i, k)
		doomed = append(doomed, k)
	}
	if err := c.servers[from].disconnect(selection{rooms: []string{room}}); err != nil {
		return everywhere(err)
	}
	for i, k := range doomed {
		f.add(i, eventually(func() bool { return k.got("disconnect") == 1 }))
		for _, e := range k.peer.events(k.number) {
			if e.Name == "disconnect" && string(e.Args) != `["io server disconnect"]` {
				f.add(i, fmt.Errorf("reason %s", e.Args))
			}
		}
	}
	return f
}

func tell(_ *testing.T, c *mixed, from int) failures {
	arg := c.fresh("told")
	if err := c.servers[from].tell(arg); err != nil {
		return everywhere(err)
	}
	f := failures{}
	for i, s := range c.servers {
		if i == from {
			continue
		}
		f.add(i, eventually(func() bool {
			heard, err := s.heard()
			return err == nil && slices.Contains(heard, arg)
		}))
	}
	if heard, err := c.servers[from].heard(); err != nil || slices.Contains(heard, arg) {
		f.add(from, fmt.Errorf("the sender has heard %v (%v)", heard, err))
	}
	return f
}

func ask(_ *testing.T, c *mixed, from int) failures {
	arg := c.fresh("asked")
	answers, err := c.servers[from].ask(arg)
	if err != nil {
		return everywhere(err)
	}
	f := failures{}
	for i, label := range labels {
		if i != from && !slices.Contains(answers, label+" "+arg) {
			f.add(i, fmt.Errorf("answers %v", answers))
		}
	}
	if len(answers) != len(labels)-1 {
		f = everywhere(fmt.Errorf("answers %v", answers))
	}
	return f
}

func count(_ *testing.T, c *mixed, from int) failures {
	n, err := c.servers[from].count()
	if err != nil || n != len(labels) {
		return everywhere(fmt.Errorf("%d servers, %v", n, err))
	}
	return failures{}
}

// recovery has a client of one server lose its connection, miss something, and
// come back on another.
func recovery(t *testing.T, c *mixed, from int) failures {
	f := failures{}
	for to := range c.servers {
		room := c.fresh("lost")
		k := c.connect(t, from, room, room)
		f.add(to, c.recover(from, to, k))
	}
	return f
}

func (c *mixed) recover(from, to int, k *client) error {
	first, missed, other := c.fresh("seen"), c.fresh("missed"), c.fresh("other")
	sender := c.servers[(from+1)%len(c.servers)]
	if err := sender.emit(selection{rooms: k.rooms}, first); err != nil {
		return err
	}
	if err := eventually(func() bool { return k.got(first) == 1 }); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	if err := c.peer.call("cut", object{"client": k.number}, nil); err != nil {
		return err
	}
	if err := eventually(func() bool {
		has, err := c.servers[from].has(k.socket)
		return err == nil && !has
	}); err != nil {
		return fmt.Errorf("the end was not noticed: %w", err)
	}
	for i := range 3 {
		if err := sender.emit(selection{rooms: k.rooms}, missed, i); err != nil {
			return err
		}
	}
	if err := sender.emit(selection{rooms: []string{"red"}}, other); err != nil {
		return err
	}
	if err := c.fence((from + 1) % len(c.servers)); err != nil {
		return err
	}
	var back struct {
		Recovered bool   `json:"recovered"`
		Socket    string `json:"socket"`
	}
	if err := c.peer.call("resume", object{"client": k.number, "url": c.servers[to].url()}, &back); err != nil {
		return err
	}
	if !back.Recovered || back.Socket != k.socket {
		return fmt.Errorf("recovered %v, as %s instead of %s", back.Recovered, back.Socket, k.socket)
	}
	after := c.fresh("after")
	if err := sender.emit(selection{rooms: k.rooms}, after); err != nil {
		return err
	}
	if err := eventually(func() bool { return k.got(after) == 1 }); err != nil {
		return fmt.Errorf("after: %w", err)
	}
	var order []string
	for _, e := range k.peer.events(k.number) {
		if e.Name == missed || e.Name == first || e.Name == other {
			var args []any
			if err := json.Unmarshal(e.Args, &args); err != nil {
				return err
			}
			order = append(order, e.Name)
			if e.Name == missed {
				order[len(order)-1] = fmt.Sprint(e.Name, args[0])
			}
		}
	}
	if want := []string{first, missed + "0", missed + "1", missed + "2"}; !slices.Equal(order, want) {
		return fmt.Errorf("got %v, want %v", order, want)
	}
	return nil
}

// emitter speaks to everybody from a process without sockets: ours, or the
// official one.
func emitter(t *testing.T, c *mixed, from int) failures {
	event, room, arg := c.fresh("emitted"), c.fresh("violet"), c.fresh("told")
	do := func(method string, sel selection, args ...any) error {
		request := sel.object()
		request["bus"], request["options"], request["method"], request["args"] = c.bus.module, c.options, method, wire(args)
		return c.peer.call("emitter", request, nil)
	}
	if isGo(from) {
		do = func(method string, sel selection, args ...any) error {
			e := c.emitter.To(sel.rooms...).Except(sel.except...)
			switch method {
			case "emit":
				return e.Emit(args[0].(string), args[1:]...)
			case "socketsJoin":
				return e.SocketsJoin(args[0].(string))
			case "disconnectSockets":
				return e.DisconnectSockets(false)
			}
			return e.ServerSideEmit(args[0].(string), args[1:]...)
		}
	}
	f := failures{}
	if err := errors.Join(
		do("emit", selection{rooms: []string{"red"}}, event, []byte{1}),
		do("socketsJoin", selection{except: []string{"red"}}, room),
		do("serverSideEmit", selection{}, "told", arg),
	); err != nil {
		return everywhere(err)
	}
	for _, k := range c.clients {
		if k.rooms[0] == "red" && emits(c.bus, from, k.on) {
			f.add(k.on, eventually(func() bool { return k.got(event) == 1 }))
		}
	}
	for i, s := range c.servers {
		if !emits(c.bus, from, i) {
			continue
		}
		f.add(i, eventually(func() bool {
			heard, err := s.heard()
			return err == nil && slices.Contains(heard, arg)
		}))
		f.add(i, eventually(func() bool {
			list, err := s.fetch(selection{rooms: []string{room}, local: true})
			return err == nil && len(list) == 1 && strings.HasPrefix(list[0].Name, "blue")
		}))
	}
	doomed := c.fresh("doomed")
	var clients []*client
	for i := range c.servers {
		k := c.connect(t, i, doomed+labels[i], doomed)
		c.reach(t, from, i, k)
		clients = append(clients, k)
	}
	if err := do("disconnectSockets", selection{rooms: []string{doomed}}); err != nil {
		return everywhere(err)
	}
	for i, k := range clients {
		if emits(c.bus, from, i) {
			f.add(i, eventually(func() bool { return k.got("disconnect") == 1 }))
		}
	}
	return f
}
