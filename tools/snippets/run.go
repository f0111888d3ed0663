package snippets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// address is how a document's program says where it listens. It is moved to a
// free port, so that documents may all use the same one.
var address = regexp.MustCompile(`"(127\.0\.0\.1|localhost)?:3000"`)

const (
	runLimit  = time.Minute      // for a program that ends by itself, and for a server's start
	stopLimit = 10 * time.Second // for a server that was told to end
)

// Run runs snippet i, a program or a test file, in an empty folder. A program
// that listens must answer an HTTP request and then end when it is interrupted;
// any other must end by itself with success, and print what its Output comment
// says when it has one. What use does with a program's URL comes before the
// interruption; it may be nil.
func (b *Build) Run(ctx context.Context, i int, use func(ctx context.Context, url string) error) error {
	dir, err := os.MkdirTemp(filepath.Dir(b.overlay), "run")
	if err != nil {
		return err
	}
	port, err := b.movePort(i)
	if err != nil {
		return err
	}
	program := filepath.Join(dir, "program")
	build := []string{"build"}
	if b.Snippets[i].Kind() == Test {
		build = []string{"test", "-c", "-vet=off"}
	}
	if out, err := b.command(ctx, i, append(build, "-o", program)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = &out
	if port != "" {
		return serve(ctx, cmd, "http://127.0.0.1:"+port, &out, use)
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, out.String())
	}
	_, want, ok := strings.Cut(b.Snippets[i].Code, "// Output:\n")
	if got := strings.TrimSpace(out.String()); ok && got != uncomment(want) {
		return fmt.Errorf("printed\n%s\nwant\n%s", got, uncomment(want))
	}
	return nil
}

// movePort puts a free port in place of 3000 into a program that listens there
// and returns it, or "" when the program does not listen.
func (b *Build) movePort(i int) (string, error) {
	file := b.files[i]
	source, err := os.ReadFile(file)
	if err != nil || !address.Match(source) {
		return "", err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		return "", err
	}
	moved := address.ReplaceAll(source, []byte(`"127.0.0.1:`+port+`"`))
	return port, os.WriteFile(file, moved, 0o644)
}

// serve starts a server, waits until it answers a request, has it used and
// interrupts it.
func serve(
	ctx context.Context, cmd *exec.Cmd, url string, out *bytes.Buffer, use func(context.Context, string) error,
) error {
	cmd.WaitDelay = stopLimit
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // received from below, on every path
	asking, stop := context.WithCancel(ctx)
	answer := make(chan error, 1)
	go func() { // waited for by the deferred function
		answer <- ask(asking, url)
		close(answer)
	}()
	defer func() {
		stop()
		for range answer {
		}
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("ended before it answered: %v\n%s", err, out)
	case err := <-answer:
		if err != nil { // ctx has ended, which has killed the program
			<-ended
			return fmt.Errorf("did not answer: %w\n%s", err, out)
		}
	}
	var used error
	if use != nil {
		used = use(ctx, url)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return errors.Join(fmt.Errorf("ended too early: %v\n%s", <-ended, out), used)
	}
	select {
	case <-ended: // an interrupted program need not report success
		return used
	case <-time.After(stopLimit):
		err := cmd.Process.Kill()
		<-ended
		return errors.Join(fmt.Errorf("did not end when it was interrupted\n%s", out), err)
	}
}

// ask sends requests until one is answered, whatever the answer.
func ask(ctx context.Context, url string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if resp, err := client.Do(req); err == nil {
			return resp.Body.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// uncomment takes the text out of an Output comment.
func uncomment(comment string) string {
	var lines []string
	for line := range strings.Lines(comment) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "//")
		if !ok {
			break
		}
		lines = append(lines, strings.TrimPrefix(text, " "))
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
