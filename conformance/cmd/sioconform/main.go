// Command sioconform checks whether a server, in any language, speaks the
// Engine.IO and Socket.IO protocols.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/siokit/siokit/conformance"
)

func main() {
	var cli commandLine
	kong.Parse(&cli,
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := cli.run(ctx, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sioconform:", err)
		if errors.Is(err, context.Canceled) {
			code = conformance.ExitFailures
		}
	}
	os.Exit(code)
}
