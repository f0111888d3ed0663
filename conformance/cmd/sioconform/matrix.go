package main

import (
	"context"
	"io"
	"os"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/report"
)

// matrixCommand puts the reports of several servers side by side.
type matrixCommand struct {
	Reports []string `arg:"" help:"Reports that were written with --json." type:"existingfile"`
	HTML    string   `name:"html" help:"Write one HTML page too." placeholder:"FILE"`
	Brief   bool     `help:"Leave what went over the wire out of the page."`
}

func (c *matrixCommand) run(_ context.Context, out, _ io.Writer) (int, error) {
	var servers []report.Document
	for _, name := range c.Reports {
		f, err := os.Open(name)
		if err != nil {
			return conformance.ExitUsage, err
		}
		d, err := report.ReadDocument(f)
		f.Close()
		if err != nil {
			return conformance.ExitUsage, err
		}
		if c.Brief {
			for i := range d.Results {
				d.Results[i].Trace = nil
			}
		}
		servers = append(servers, d)
	}
	if c.HTML != "" {
		if err := writeFile(c.HTML, func(w io.Writer) error { return report.HTML(w, servers...) }); err != nil {
			return conformance.ExitUsage, err
		}
	}
	if err := report.Markdown(out, servers...); err != nil {
		return conformance.ExitUsage, err
	}
	return conformance.ExitOK, nil
}
