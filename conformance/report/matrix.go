package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

// Markdown writes a matrix: servers side by side, a summary by profile and a
// row for every case that at least one of them fails.
func Markdown(w io.Writer, servers ...Document) error {
	p := &printer{w: w}
	p.printf("# Conformance\n\n")
	for _, d := range servers {
		all := d.count("")
		p.printf("- **%s**: %s; of %d cases %d were skipped; %.1f s on %s\n", d.Name, d.Verdict, all.Cases, all.Skipped, float64(d.DurationMS)/1000, d.Started.UTC().Format("2006-01-02"))
	}
	p.printf("\nPassed of those that were run, MUST and REF; and how many were skipped because the server does not offer what they need.\n\n")
	p.row("profile", servers, func(d Document) string { return d.Name })
	p.row("---", servers, func(Document) string { return "---" })
	for _, profile := range spec.Profiles {
		if !slices.ContainsFunc(servers, func(d Document) bool { return d.count(profile).Cases > 0 }) {
			continue
		}
		p.row(string(profile), servers, func(d Document) string {
			s := d.count(profile)
			return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s", label("MUST", s.Must), label("REF", s.Ref), skipped(s.Skipped))), " ")
		})
	}
	p.printf("\n## Cases that some server fails\n\n✓ passes, ✗ fails, † the server died, ~ differs (a QUIRK), – skipped, empty: not run.\n\n")
	p.row("case | level | requirement", servers, func(d Document) string { return d.Name })
	p.row("--- | --- | ---", servers, func(Document) string { return "---" })
	for _, e := range union(servers) {
		if !slices.ContainsFunc(servers, func(d Document) bool { return strings.ContainsAny(sign(d, e.ID), "✗†~") }) {
			continue
		}
		p.row(fmt.Sprintf("%s | %s | %s", e.ID, e.Level, strings.ReplaceAll(e.Requirement, "|", `\|`)), servers, func(d Document) string { return sign(d, e.ID) })
	}
	return p.err
}

func label(level string, r Ratio) string {
	if r.Run == 0 {
		return ""
	}
	return level + " " + r.String()
}

func skipped(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("(%d skipped)", n)
}

func (p *printer) row(head string, servers []Document, cell func(Document) string) {
	p.printf("| %s |", head)
	for _, d := range servers {
		p.printf(" %s |", cell(d))
	}
	p.printf("\n")
}

// union lists the cases of all documents in the order of the first that has them.
func union(servers []Document) []Entry {
	var all []Entry
	seen := map[string]bool{}
	for _, d := range servers {
		for _, e := range d.Results {
			if !seen[e.ID] {
				seen[e.ID] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// sign is one server's verdict on one case.
func sign(d Document, id string) string {
	i := slices.IndexFunc(d.Results, func(e Entry) bool { return e.ID == id })
	if i < 0 {
		return ""
	}
	switch d.Results[i].Verdict {
	case conformance.Pass, conformance.UnexpectedPass:
		return "✓"
	case conformance.Skip:
		return "–"
	case conformance.Died:
		return "†"
	case conformance.Differs, conformance.KnownFlaky:
		return "~"
	default:
		return "✗"
	}
}
