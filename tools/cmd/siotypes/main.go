// Command siotypes writes the TypeScript interfaces of the events that Go
// packages define, or a JSON Schema or an AsyncAPI 3 document of them:
//
//	siotypes ./... > events.ts
//	siotypes --format asyncapi --title Chat --api-version 1.2.0 -o chat.json ./chat
//
// In a Go file, beside the definitions: //go:generate siotypes -o ../web/events.ts .
// The command gets there by go install ./tools/cmd/siotypes in a clone.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/alecthomas/kong"

	"github.com/siokit/siokit/tools/siotypes"
)

type options struct {
	Packages []string `arg:"" optional:"" help:"Packages that define the events, as the go command takes them." default:"."`
	Format   string   `short:"f" help:"What to write: ts, schema or asyncapi." enum:"ts,schema,asyncapi" default:"ts"`
	Output   string   `short:"o" help:"File to write; standard output without it."`
	Title    string   `help:"Title of an AsyncAPI document." default:"Socket.IO application"`
	Version  string   `name:"api-version" help:"Version of an AsyncAPI document." default:"0.0.0"`
}

func main() {
	var opts options
	kong.Parse(&opts, kong.Name("siotypes"),
		kong.Description("Write TypeScript interfaces, JSON Schema or AsyncAPI of the events that Go packages define."))
	if err := run(opts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(opts options) error {
	api, err := siotypes.Load("", opts.Packages...)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	switch opts.Format {
	case "ts":
		err = api.WriteTypeScript(&out)
	case "schema":
		err = api.WriteJSONSchema(&out)
	case "asyncapi":
		err = api.WriteAsyncAPI(&out, siotypes.Info{Title: opts.Title, Version: opts.Version})
	}
	if err != nil {
		return err
	}
	if opts.Output == "" {
		_, err = os.Stdout.Write(out.Bytes())
		return err
	}
	return os.WriteFile(opts.Output, out.Bytes(), 0o644)
}
