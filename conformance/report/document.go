package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/spec"
)

// Document is a report as JSON: what other programs read, and what the matrix of
// several servers is made of. Fields may be added, never renamed or taken away.
type Document struct {
	Target     string    `json:"target"`
	Name       string    `json:"name"`
	Started    time.Time `json:"started"`
	DurationMS int64     `json:"durationMs"`
	// Verdict is the exit code in words: conforms, fails, died.
	Verdict     string            `json:"verdict"`
	ExitCode    int               `json:"exitCode"`
	Features    map[string]string `json:"features"`
	Stale       []string          `json:"staleListEntries,omitempty"`
	Unexplained []string          `json:"unexplainedDeaths,omitempty"`
	Results     []Entry           `json:"results"`
}

// Entry is the outcome of one case in a [Document].
type Entry struct {
	ID          string              `json:"id"`
	Title       string              `json:"title"`
	Requirement string              `json:"requirement"`
	Source      string              `json:"source"`
	Level       spec.Level          `json:"level"`
	Profiles    []spec.Profile      `json:"profiles"`
	Verdict     conformance.Verdict `json:"verdict"`
	// Counts tells that the verdict makes the run fail.
	Counts     bool        `json:"counts,omitempty"`
	Reason     string      `json:"reason,omitempty"`
	Message    string      `json:"message,omitempty"`
	Want       string      `json:"want,omitempty"`
	Got        string      `json:"got,omitempty"`
	Passed     int         `json:"passed"`
	Failed     int         `json:"failed"`
	Retries    int         `json:"retries,omitempty"`
	DurationMS float64     `json:"durationMs"`
	Trace      []TraceLine `json:"trace,omitempty"`
}

// TraceLine is one event on the wire.
type TraceLine struct {
	AtMS float64 `json:"atMs"`
	Conn string  `json:"conn"`
	// Dir is > for what the suite sent, < for what came, - for a remark.
	Dir  string `json:"dir"`
	Kind string `json:"kind"`
	// Text shows the data on one line, as in the text report.
	Text string `json:"text"`
}

// NewDocument turns a report into its JSON form. Traces are kept for the cases
// that did not pass, and for all when allTraces is set.
func NewDocument(r *conformance.Report, allTraces bool) Document {
	d := Document{
		Target:      r.Target,
		Name:        r.Name(),
		Started:     r.Started,
		DurationMS:  r.Duration.Milliseconds(),
		ExitCode:    r.ExitCode(),
		Verdict:     map[int]string{conformance.ExitOK: "conforms", conformance.ExitFailures: "fails", conformance.ExitDied: "died", conformance.ExitUsage: "nothing was run"}[r.ExitCode()],
		Features:    map[string]string{},
		Stale:       r.Stale,
		Unexplained: r.Unexplained,
	}
	for _, f := range r.Features {
		d.Features[string(f.Feature)] = f.By
	}
	for _, res := range r.Results {
		d.Results = append(d.Results, entry(res, allTraces))
	}
	return d
}

func entry(res conformance.Result, allTraces bool) Entry {
	e := Entry{
		ID: res.Case.ID, Title: res.Case.Title, Requirement: res.Case.Requirement, Source: res.Case.Source,
		Level: res.Case.Level, Profiles: res.Case.Profiles,
		Verdict: res.Verdict, Counts: res.Counts, Reason: res.Reason,
		Passed: res.Passed, Failed: res.Failed, Retries: res.Retries,
		DurationMS: milliseconds(res.Duration),
	}
	if f := res.Failure; f != nil {
		e.Message, e.Want, e.Got = f.Message, f.Want, f.Got
	}
	if res.Trace != nil && (allTraces || res.Failure != nil) {
		for _, t := range res.Trace.Entries() {
			e.Trace = append(e.Trace, TraceLine{AtMS: milliseconds(t.At), Conn: t.Conn, Dir: string(rune(t.Dir)), Kind: t.Kind, Text: t.Text()})
		}
	}
	return e
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// JSON writes the report as a [Document].
func JSON(w io.Writer, r *conformance.Report, allTraces bool) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(NewDocument(r, allTraces))
}

// ReadDocument reads what [JSON] wrote.
func ReadDocument(r io.Reader) (Document, error) {
	var d Document
	if err := json.NewDecoder(r).Decode(&d); err != nil {
		return d, fmt.Errorf("conformance: no report: %w", err)
	}
	return d, nil
}

// ok reports whether the server does what the case asks.
func (e Entry) ok() bool {
	return e.Verdict == conformance.Pass || e.Verdict == conformance.UnexpectedPass
}

// Counts says how many cases came out how.
func (d Document) Counts() string {
	return counts(func(v conformance.Verdict, level spec.Level) int {
		n := 0
		for _, e := range d.Results {
			if e.Verdict == v && (level == "" || e.Level == level) {
				n++
			}
		}
		return n
	})
}

// count counts a document's results of a profile (empty: all) as [Summarize] does.
func (d Document) count(profile spec.Profile) Summary {
	var s Summary
	for _, e := range d.Results {
		if profile == "" || has(e.Profiles, profile) {
			s.add(e.Level, e.Verdict)
		}
	}
	return s
}

func has(list []spec.Profile, p spec.Profile) bool {
	for _, item := range list {
		if item == p {
			return true
		}
	}
	return false
}
