package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/siokit/siokit/conformance"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Skipped *junitMessage `xml:"skipped"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes the report as JUnit XML, a test suite for each chapter. Only
// what makes the run fail is a failure; a failing REF or QUIRK case that does
// not count is a passed test with its finding in the output.
func JUnit(w io.Writer, r *conformance.Report) error {
	all := junitSuites{Name: "sioconform " + r.Name(), Time: seconds(r.Duration.Seconds())}
	for _, e := range NewDocument(r, false).Results {
		chapter := e.ID[:max(strings.LastIndexByte(e.ID, '-'), 0)]
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != chapter {
			all.Suites = append(all.Suites, junitSuite{Name: chapter})
		}
		suite := &all.Suites[len(all.Suites)-1]
		suite.Tests++
		all.Tests++
		c := junitCase{Name: e.ID + " " + e.Title, Class: "sioconform." + string(e.Level), Time: seconds(e.DurationMS / 1000)}
		switch {
		case e.Counts:
			suite.Failures++
			all.Failures++
			c.Failure = &junitMessage{Message: xmlText(first(e.Message, e.Reason)), Text: xmlText(e.details())}
		case e.Verdict == conformance.Skip:
			suite.Skipped++
			all.Skipped++
			c.Skipped = &junitMessage{Message: e.Reason}
		case !e.ok():
			c.Output = xmlText(string(e.Verdict) + "\n" + e.details())
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", " ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// xmlText leaves out the characters that XML 1.0 cannot hold.
func xmlText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '?'
		}
		return r
	}, s)
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// details is everything about a failure, for people.
func (e Entry) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "requires: %s\nsource: %s\n", e.Requirement, e.Source)
	if e.Reason != "" {
		fmt.Fprintf(&b, "reason: %s\n", e.Reason)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, "found: %s\n", e.Message)
	}
	if e.Want != "" || e.Got != "" {
		fmt.Fprintf(&b, "  want %s\n  got  %s\n", e.Want, e.Got)
	}
	for _, t := range e.Trace {
		fmt.Fprintf(&b, "%9.1fms %-6s %s %-8s %s\n", t.AtMS, t.Conn, t.Dir, t.Kind, t.Text)
	}
	return b.String()
}

// TAP writes the report in the Test Anything Protocol, version 14.
func TAP(w io.Writer, r *conformance.Report) error {
	p := &printer{w: w}
	entries := NewDocument(r, false).Results
	p.printf("TAP version 14\n1..%d\n", len(entries))
	for i, e := range entries {
		word, directive := "ok", ""
		switch {
		case e.Counts:
			word = "not ok"
		case e.Verdict == conformance.Skip:
			directive = " # SKIP " + tapText(e.Reason)
		case !e.ok():
			word, directive = "not ok", " # TODO "+string(e.Verdict)
		}
		p.printf("%s %d - %s %s%s\n", word, i+1, e.ID, tapText(e.Title), directive)
		if word == "not ok" {
			p.printf("  ---\n  level: %s\n  message: |\n    %s\n  ...\n", e.Level, strings.ReplaceAll(strings.TrimSpace(e.details()), "\n", "\n    "))
		}
	}
	return p.err
}

func tapText(s string) string {
	return strings.NewReplacer("#", `\#`, "\n", " ").Replace(s)
}
