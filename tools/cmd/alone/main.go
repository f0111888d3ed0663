// Command alone builds and tests each module of the workspace as a stranger
// would get it: packed, published, with GOWORK=off. See package alone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/alecthomas/kong"

	"github.com/siokit/siokit/tools/alone"
	"github.com/siokit/siokit/tools/workspace"
)

type options struct {
	Modules []string `arg:"" optional:"" help:"Folders of the modules to try, such as eioparser. All, and the programs of their users, when none is named."`
}

func main() {
	var opts options
	kong.Parse(&opts, kong.Name("alone"), kong.Description("Build and test each module without the others' folders."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	failed, err := run(ctx, opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, "alone:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, opts options) (failed int, err error) {
	w, err := workspace.Load(".")
	if err != nil {
		return 0, err
	}
	steps, err := alone.Run(ctx, w, alone.Options{
		Modules: opts.Modules,
		Done: func(s alone.Step) {
			state := "ok  "
			if s.Err != nil {
				state = "FAIL"
				failed++
			}
			fmt.Printf("%s  %-40s %6.1fs\n", state, s.Name, s.Took.Round(100*time.Millisecond).Seconds())
			if s.Err != nil {
				fmt.Println(s.Err)
			}
		},
	})
	fmt.Printf("%d passed, %d failed\n", len(steps)-failed, failed)
	return failed, err
}
