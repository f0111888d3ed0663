// Command sioconform checks whether a server, in any language, speaks the
// Engine.IO and Socket.IO protocols.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/siokit/siokit/conformance"
)

// commandLine is the whole of it: a check, unless another command is named.
type commandLine struct {
	Check  checkCommand  `cmd:"" default:"withargs" help:"Check a server (the default)."`
	Matrix matrixCommand `cmd:"" help:"Put reports in JSON side by side."`
	Parser parserCommand `cmd:"" help:"Check a parser, in any language, over standard input and output."`
}

// run is a command's work; the code is the exit code.
type run interface {
	run(ctx context.Context, out, progress io.Writer) (code int, err error)
}

func main() {
	var cli commandLine
	parsed := kong.Parse(&cli,
		kong.Name("sioconform"),
		kong.Description("Checks whether a server speaks the Engine.IO and Socket.IO protocols."),
		kong.UsageOnError(),
		kong.Exit(func(code int) {
			if code != 0 {
				code = conformance.ExitUsage
			}
			os.Exit(code)
		}),
	)
	command := parsed.Selected().Target.Addr().Interface().(run)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := command.run(ctx, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sioconform:", err)
		if errors.Is(err, context.Canceled) {
			code = conformance.ExitFailures
		}
	}
	os.Exit(code)
}
