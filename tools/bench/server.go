package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kind is one server that the benchmark knows how to start.
type kind struct {
	name string
	raw  bool // no Engine.IO: no open packet, no CONNECT
	argv func(bin string) (argv, env []string)
	pkg  string // Go package to build, or empty

	pprof string // flag that makes the server serve net/http/pprof, or empty
}

var kinds = []kind{
	{name: "raw", raw: true, pkg: "./rawserver", argv: func(bin string) ([]string, []string) {
		return []string{bin, "-addr", "127.0.0.1:0"}, nil
	}},
	{name: "siokit", pkg: "../cmd/refserver", pprof: "-pprof", argv: func(bin string) ([]string, []string) {
		return []string{bin, "-addr", "127.0.0.1:0", "-load", "-quiet"}, nil
	}},
	{name: "node", argv: func(string) ([]string, []string) {
		return []string{"node", filepath.Join(sourceDir(), "nodeserver", "server.js"), "127.0.0.1:0"},
			[]string{"NODE_PATH=" + filepath.Join(sourceDir(), "..", "node", "node_modules")}
	}},
}

// sourceDir is the folder of this file: the programs beside it are built and
// started from there, whatever the working directory is.
func sourceDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// build compiles a server and returns the path of the binary.
func (k kind) build(dir string) (string, error) {
	if k.pkg == "" {
		return "", nil
	}
	bin := filepath.Join(dir, k.name)
	cmd := exec.Command("go", "build", "-o", bin, k.pkg)
	cmd.Dir = sourceDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", k.name, err, out)
	}
	return bin, nil
}

// process is a running server.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// start runs a server and waits for the line that names its address.
// If profile is not empty the server, if it can, serves its profiles there.
func (k kind) start(bin, profile string) (*process, error) {
	argv, env := k.argv(bin)
	if profile != "" && k.pprof != "" {
		argv = append(argv, k.pprof, profile)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	i := strings.Index(line, "127.0.0.1:")
	if err != nil || i < 0 {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, fmt.Errorf("%s did not say where it listens: %q %v", k.name, line, err)
	}
	addr := line[i:]
	if j := strings.IndexFunc(addr[len("127.0.0.1:"):], func(r rune) bool { return r < '0' || r > '9' }); j >= 0 {
		addr = addr[:len("127.0.0.1:")+j]
	}
	return &process{cmd: cmd, addr: addr}, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait()
}

// cpu is the CPU time that the process has used, user and system, all threads.
func (p *process) cpu() time.Duration {
	var ts unix.Timespec
	clock := int32(^p.cmd.Process.Pid<<3 | 2) // clock_getcpuclockid(3)
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic(err) // the process that this program started is gone
	}
	return time.Duration(ts.Nano())
}

// rss is the resident memory of the process in bytes.
func (p *process) rss() int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
