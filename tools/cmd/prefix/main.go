// Command prefix changes the module prefix of the workspace everywhere:
//
//	prefix example.com/x
package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/siokit/siokit/tools/prefix"
	"github.com/siokit/siokit/tools/workspace"
)

type options struct {
	Prefix string `arg:"" help:"The new prefix, such as example.com/x; the modules' folder names follow it."`
}

func main() {
	var opts options
	kong.Parse(&opts, kong.Name("prefix"), kong.Description("Change the module prefix of the workspace everywhere."))
	if err := run(opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(opts options) error {
	w, err := workspace.Load(".")
	if err != nil {
		return err
	}
	changed, err := prefix.Change(w, opts.Prefix)
	if err != nil {
		return err
	}
	fmt.Printf("%s is now %s in %d files\n", w.Prefix, opts.Prefix, len(changed))
	return nil
}
