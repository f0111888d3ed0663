package report

import (
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"sign":    sign,
	"entry":   find,
	"date":    func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 MST") },
	"seconds": func(ms int64) string { return fmt.Sprintf("%.1f", float64(ms)/1000) },
	"percent": percent,
	"shares":  shares,
	"class":   class,
}).Parse(pageText))

// HTML writes one page that needs nothing else: the verdict, a card for each
// profile, and every case with its requirement and, where it did not pass, what
// went over the wire. With several servers it is their matrix.
func HTML(w io.Writer, servers ...Document) error {
	type profileRow struct {
		Name      spec.Profile
		Summaries []Summary
	}
	var data struct {
		Servers  []Document
		Profiles []profileRow
		Cases    []Entry
	}
	data.Servers = servers
	data.Cases = union(servers)
	for _, p := range spec.Profiles {
		row := profileRow{Name: p}
		for _, d := range servers {
			row.Summaries = append(row.Summaries, d.count(p))
		}
		if slices.ContainsFunc(row.Summaries, func(s Summary) bool { return s.Cases > 0 }) {
			data.Profiles = append(data.Profiles, row)
		}
	}
	return page.Execute(w, data)
}

// find returns one server's outcome of a case, or nil when it was not run.
func find(d Document, id string) *Entry {
	if i := slices.IndexFunc(d.Results, func(e Entry) bool { return e.ID == id }); i >= 0 {
		return &d.Results[i]
	}
	return nil
}

func percent(r Ratio) int {
	if r.Run == 0 {
		return 0
	}
	return 100 * r.Passed / r.Run
}

// class is the style of a verdict.
func class(e *Entry) string {
	switch {
	case e == nil || e.Verdict == conformance.Skip:
		return "skip"
	case e.ok():
		return "pass"
	case e.Verdict == conformance.Died:
		return "died"
	case e.Counts:
		return "fail"
	default: // a REF, a QUIRK, or known
		return "note"
	}
}

// share is how many cases of a server have verdicts of one style.
type share struct {
	Class string
	Cases int
}

// shares are the parts of a server's bar.
func shares(d Document) []share {
	cases := map[string]int{}
	for i := range d.Results {
		cases[class(&d.Results[i])]++
	}
	var list []share
	for _, c := range []string{"pass", "died", "fail", "note", "skip"} {
		if cases[c] > 0 {
			list = append(list, share{c, cases[c]})
		}
	}
	return list
}
