// Command bench compares clusters of two servers on one Redis or PostgreSQL: two of
// ours, and two of the reference with its official adapter. One server broadcasts to
// a room, whose members are on the other: how many broadcasts a second arrive, and
// what processor time of both servers each delivered message costs.
//
//	go run ./adapters/mixed/bench -bus classic,dynamic,streams
//	go run ./adapters/mixed/bench -bus postgres -postgres postgres://user:secret@127.0.0.1/db
//
// It starts a Redis of its own. The engine and the measuring clients are the same for
// both; their time isn't counted.
// It is started in the root of the repository, by someone who has run make setup.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/siokit/siokit/adapters/postgres"
	"github.com/siokit/siokit/adapters/redispubsub"
	"github.com/siokit/siokit/adapters/redisstreams"
	"github.com/siokit/siokit/socketio"
	"github.com/siokit/siokit/socketio/adapter"
)

var (
	busNames = flag.String("bus", "classic,dynamic,streams", "what to compare, with commas between")
	length   = flag.Duration("length", 5*time.Second, "how long each cluster is measured")
	reps     = flag.Int("reps", 3, "repetitions; the table shows medians")
	members  = flag.Int("members", 10, "clients in the room, on the other server")
	burst    = flag.Int("burst", 200, "broadcasts that are sent before their arrival is waited for")
	serve    = flag.String("serve", "", "be a server on that bus; used by this command itself")
	address  = flag.String("redis", "", "where Redis is, for -serve")
	database = flag.String("postgres", "", "where PostgreSQL is, for the bus postgres")
)

// prefixIn is the environment variable with the prefix of channels, for -serve.
const prefixIn = "SIOKIT_BENCH_PREFIX"

func main() {
	log.SetFlags(0)
	log.SetPrefix("bench: ")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := compare
	if *serve != "" {
		run = server
	}
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// buses are what can be compared: our adapter, and the official one's script and
// options.
var buses = map[string]struct {
	adapter func(client redis.UniversalClient, prefix string) adapter.New
	script  string
	options func(url, prefix string) string
}{
	"postgres": {nil, "postgres", func(_, prefix string) string {
		return fmt.Sprintf(`{"url":%q,"prefix":%q}`, *database, prefix)
	}},
	"classic": {channels(redispubsub.Classic), "redis", channelOptions("classic")},
	"static":  {channels(redispubsub.ShardedStatic), "redis", channelOptions("static")},
	"dynamic": {channels(redispubsub.ShardedDynamic), "redis", channelOptions("dynamic")},
	"streams": {func(client redis.UniversalClient, prefix string) adapter.New {
		return redisstreams.New(redisstreams.Config{Client: client, Stream: prefix, ChannelPrefix: prefix})
	}, "redisstreams", func(url, prefix string) string {
		return fmt.Sprintf(`{"url":%q,"stream":%q,"count":1,"channels":%q,"sessions":"session:"}`, url, prefix, prefix)
	}},
}

func channels(mode redispubsub.Mode) func(redis.UniversalClient, string) adapter.New {
	return func(client redis.UniversalClient, prefix string) adapter.New {
		return redispubsub.New(redispubsub.Config{Client: client, Mode: mode, Prefix: prefix})
	}
}

func channelOptions(mode string) func(url, prefix string) string {
	return func(url, prefix string) string {
		return fmt.Sprintf(`{"url":%q,"mode":%q,"prefix":%q}`, url, mode, prefix)
	}
}

// server is one of ours: the counterpart of node/benchserver.js.
func server(ctx context.Context) error {
	adapters, done, err := open(ctx, os.Getenv(prefixIn))
	if err != nil {
		return err
	}
	defer done()
	io, err := socketio.NewServer(socketio.Config{Adapter: adapters})
	if err != nil {
		return err
	}
	payload := strings.Repeat("x", 100)
	io.OnConnection(func(context.Context, *socketio.Socket) {})
	io.On("join", func(_ context.Context, ev *socketio.Event) error { return ev.Socket().Join("room") })
	io.On("blast", func(_ context.Context, ev *socketio.Event) error {
		var count int
		if err := ev.Bind(&count); err != nil {
			return err
		}
		for i := range count {
			if err := io.To("room").Emit("news", i, payload); err != nil {
				return err
			}
		}
		return nil
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	h := &http.Server{Handler: io}
	end := context.AfterFunc(ctx, func() { _ = h.Close() })
	defer end()
	go func() { // ends with the input, that is with the command that has started this one
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		_ = h.Close()
	}()
	if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return io.Close()
}

// open connects to the engine of the bus that is served.
func open(ctx context.Context, prefix string) (adapters adapter.New, done func(), err error) {
	if make := buses[*serve].adapter; make != nil {
		client := redis.NewClient(&redis.Options{Addr: *address})
		return make(client, prefix), func() { _ = client.Close() }, nil
	}
	pool, err := pgxpool.New(ctx, *database)
	if err != nil {
		return nil, nil, err
	}
	err = postgres.CreateTable(ctx, pool, "")
	return postgres.New(postgres.Config{Pool: pool, ChannelPrefix: prefix}), pool.Close, err
}

// figures are what one run measured.
type figures struct {
	rate float64       // broadcasts a second that arrived at every member
	cpu  time.Duration // of both servers, for each delivered message
}

func compare(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self := filepath.Join(dir, "bench")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", self, "./adapters/mixed/bench").CombinedOutput(); err != nil {
		return fmt.Errorf("build (this command is started in the root of the repository): %w\n%s", err, out)
	}
	redisAddr, stop, err := startRedis(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()

	fmt.Printf("%d members, bursts of %d, medians of %d\n\n", *members, *burst, *reps)
	fmt.Println("| bus | Node: broadcasts/s | Go: broadcasts/s | Node: µs CPU a message | Go: µs CPU a message | CPU, Go to Node |")
	fmt.Println("|---|--:|--:|--:|--:|--:|")
	for _, bus := range strings.Split(*busNames, ",") {
		if _, ok := buses[bus]; !ok {
			return fmt.Errorf("there is no bus %q", bus)
		}
		var got [2][]figures
		for rep := range *reps {
			for kind, command := range []func(prefix string) *exec.Cmd{
				func(prefix string) *exec.Cmd { return nodeCommand(ctx, bus, redisAddr, prefix) },
				func(prefix string) *exec.Cmd { return goCommand(ctx, self, bus, redisAddr, prefix) },
			} {
				f, err := measure(ctx, func() *exec.Cmd { return command(fmt.Sprint("bench", kind, rep)) })
				if err != nil {
					return fmt.Errorf("%s: %w", bus, err)
				}
				got[kind] = append(got[kind], f)
			}
		}
		node, ours := median(got[0]), median(got[1])
		fmt.Printf("| %s | %.0f | %.0f | %.1f | %.1f | %.2f |\n", bus, node.rate, ours.rate,
			float64(node.cpu.Nanoseconds())/1e3, float64(ours.cpu.Nanoseconds())/1e3, float64(ours.cpu)/float64(node.cpu))
	}
	return nil
}

func median(list []figures) figures {
	slices.SortFunc(list, func(a, b figures) int { return int(a.cpu - b.cpu) })
	return list[len(list)/2]
}

func nodeCommand(ctx context.Context, bus, redisAddr, prefix string) *exec.Cmd {
	b := buses[bus]
	cmd := exec.CommandContext(ctx, "node", "adapters/mixed/node/benchserver.js", b.script, b.options("redis://"+redisAddr, prefix))
	modules, _ := filepath.Abs("tools/node/node_modules")
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "NODE_ENV=production")
	return cmd
}

func goCommand(ctx context.Context, self, bus, redisAddr, prefix string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, self, "-serve", bus, "-redis", redisAddr, "-postgres", *database)
	cmd.Env = append(os.Environ(), prefixIn+"="+prefix)
	return cmd
}

// startRedis starts a Redis of the command's own.
func startRedis(ctx context.Context, dir string) (addr string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr, stop, nil
		}
		if time.Now().After(deadline) {
			stop()
			return "", nil, err
		}
		<-time.After(10 * time.Millisecond)
	}
}

// process is a server.
type process struct {
	cmd *exec.Cmd
	url string
	in  interface{ Close() error }
}

func launch(cmd *exec.Cmd) (*process, error) {
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Process.Kill()
		return nil, errors.Join(fmt.Errorf("no address: %w", err), cmd.Wait())
	}
	return &process{cmd, strings.TrimSpace(line), in}, nil
}

func (p *process) end() {
	_ = p.in.Close()
	_ = p.cmd.Wait()
}

// cpu is the processor time that the process has used.
func (p *process) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil // a tick is 1/100 s on Linux
}

// measure runs a cluster of two servers.
func measure(ctx context.Context, command func() *exec.Cmd) (f figures, err error) {
	var servers [2]*process
	for i := range servers {
		if servers[i], err = launch(command()); err != nil {
			return f, err
		}
		defer servers[i].end()
	}
	c, err := join(ctx, servers[0].url, servers[1].url)
	if err != nil {
		return f, err
	}
	defer c.close()
	for range 10 { // warm up
		if err := c.round(ctx, *burst); err != nil {
			return f, err
		}
	}
	before, err := sum(servers)
	if err != nil {
		return f, err
	}
	sent, began := 0, time.Now()
	for time.Since(began) < *length {
		if err := c.round(ctx, *burst); err != nil {
			return f, err
		}
		sent += *burst
	}
	took := time.Since(began)
	after, err := sum(servers)
	if err != nil {
		return f, err
	}
	return figures{float64(sent) / took.Seconds(), (after - before) / time.Duration(sent**members)}, nil
}

func sum(servers [2]*process) (total time.Duration, err error) {
	for _, s := range servers {
		t, err := s.cpu()
		if err != nil {
			return 0, err
		}
		total += t
	}
	return total, nil
}
