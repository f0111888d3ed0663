package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/report"
)

// write writes the report in every form that was asked for. The text goes to
// standard output unless another form does.
func (c *checkCommand) write(out io.Writer, r *conformance.Report) error {
	forms := []struct {
		file  string
		write func(io.Writer) error
	}{
		{c.JSON, func(w io.Writer) error { return report.JSON(w, r, c.Record) }},
		{c.JUnit, func(w io.Writer) error { return report.JUnit(w, r) }},
		{c.TAP, func(w io.Writer) error { return report.TAP(w, r) }},
		{c.Markdown, func(w io.Writer) error { return report.Markdown(w, report.NewDocument(r, false)) }},
		{c.HTML, func(w io.Writer) error { return report.HTML(w, report.NewDocument(r, c.Record)) }},
	}
	taken := false
	var failed error // the text comes all the same: the run may have taken minutes
	for _, f := range forms {
		switch f.file {
		case "":
		case "-":
			taken = true
			if err := f.write(out); err != nil {
				return err
			}
		default:
			failed = errors.Join(failed, writeFile(f.file, f.write))
		}
	}
	if taken {
		return failed
	}
	return errors.Join(failed, report.Text(out, r))
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	return f.Close()
}
