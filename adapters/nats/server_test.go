package nats_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"go.uber.org/goleak"
)

// within is how long anything may take on a busy machine.
const within = 30 * time.Second

// serverFolder is set in a process of this test that is a NATS server.
const serverFolder = "NATS_TEST_SERVER_FOLDER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(serverFolder); dir != "" {
		serve(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// options are those of a server with JetStream; its data are in dir.
func options(dir string, port int) *server.Options {
	return &server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir,
		NoLog: true, NoSigs: true, SyncInterval: 10 * time.Second,
	}
}

// embed runs a server in this process.
func embed(t testing.TB) *server.Server {
	t.Helper()
	s, err := server.NewServer(options(t.TempDir(), -1))
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(within) {
		t.Fatal("the server takes no connections")
	}
	return s
}

// serve is the process of a server: it says where it listens, and is killed.
func serve(dir string) {
	port, _ := strconv.Atoi(os.Getenv("NATS_TEST_SERVER_PORT")) // none at first
	s, err := server.NewServer(options(dir, port-boolInt(port == 0)))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s.Start()
	if s.ReadyForConnections(within) {
		fmt.Println(s.ClientURL())
	}
	s.WaitForShutdown()
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// process is a server that can be killed and frozen.
type process struct {
	t    testing.TB
	dir  string
	url  string
	port string
	cmd  *exec.Cmd
}

func start(t testing.TB) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir()}
	t.Cleanup(p.kill)
	p.run()
	return p
}

// run starts the server, again with the data and the port that it had.
func (p *process) run() {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serverFolder+"="+p.dir, "NATS_TEST_SERVER_PORT="+p.port)
	out, err := cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd = cmd
	line, _ := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "nats://")
	if !ok {
		p.t.Fatalf("the server says %q", line)
	}
	p.url = "nats://" + url
	p.port = url[strings.LastIndexByte(url, ':')+1:]
}

// kill is kill -9.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGKILL)
	_ = p.cmd.Wait() // killed
	p.cmd = nil
}

func (p *process) freeze() { p.signal(syscall.SIGSTOP) }
func (p *process) thaw()   { p.signal(syscall.SIGCONT) }

func (p *process) signal(sig syscall.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Errorf("signal %v: %v", sig, err)
	}
}

// connect returns a connection as the documentation recommends it.
func connect(t testing.TB, url string, more ...natsgo.Option) *natsgo.Conn {
	t.Helper()
	conn, err := natsgo.Connect(url, append([]natsgo.Option{
		natsgo.MaxReconnects(-1), natsgo.ReconnectWait(100 * time.Millisecond), natsgo.ReconnectJitter(50*time.Millisecond, 0),
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}
