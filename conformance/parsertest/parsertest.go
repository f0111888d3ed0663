// Package parsertest checks a parser of the Engine.IO or the Socket.IO protocol
// against the vectors of package vectors: one in Go by a function, one in any
// language by a process that answers questions.
//
// A question and its answer are a line of JSON each. To decode, the question
// holds frames and the answer packets; to encode, the other way round. A parser
// that refuses the frames answers with an error, one that does not have the
// parser or the operation with "unsupported".
//
//	{"id":"S5-015","parser":"socket.io/5","op":"decode","frames":[{"text":"212[\"foo\"]"}]}
//	{"packets":[{"type":2,"nsp":"/","ack":12,"data":["foo"]}]}
package parsertest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance/internal/match"
	"github.com/siokit/siokit/conformance/vectors"
)

// Question is what a parser is asked.
type Question struct {
	ID      string           `json:"id"`
	Parser  string           `json:"parser"`
	Op      string           `json:"op"`
	Frames  []vectors.Frame  `json:"frames,omitempty"`
	Packets []vectors.Packet `json:"packets,omitempty"`
}

// Answer is what a parser says to a [Question].
type Answer struct {
	Frames  []vectors.Frame  `json:"frames,omitempty"`
	Packets []vectors.Packet `json:"packets,omitempty"`
	// Error tells that the parser refuses the frames, and why.
	Error string `json:"error,omitempty"`
}

// Unsupported is the error of a parser that lacks what it is asked for.
const Unsupported = "unsupported"

// Result is the outcome of one vector: Problem is empty when the answer is right.
type Result struct {
	Vector  vectors.Vector
	Skipped bool
	Problem string
}

// Check asks all vectors. The error is that of ask, or of the vectors.
func Check(ask func(Question) (Answer, error)) ([]Result, error) {
	all, err := vectors.All()
	if err != nil {
		return nil, err
	}
	var results []Result
	for _, v := range all {
		q := Question{ID: v.ID, Parser: v.Parser, Op: v.Op}
		if encodes(v) {
			q.Packets = v.Packets
		} else {
			q.Frames = v.Frames
		}
		a, err := ask(q)
		if err != nil {
			return results, fmt.Errorf("parsertest: %s: %w", v.ID, err)
		}
		results = append(results, Result{Vector: v, Skipped: a.Error == Unsupported, Problem: problem(v, a)})
	}
	return results, nil
}

func encodes(v vectors.Vector) bool { return strings.HasPrefix(v.Op, "encode") }

// problem compares an answer with a vector.
func problem(v vectors.Vector, a Answer) string {
	switch {
	case a.Error == Unsupported:
		return ""
	case v.Error && a.Error == "":
		return fmt.Sprintf("it must be refused, but is read as %s", text(a.Packets))
	case v.Error:
		return ""
	case a.Error != "":
		return "it is refused: " + a.Error
	case encodes(v):
		return frames(v.Frames, a.Frames)
	default:
		want, got := text(v.Packets), text(a.Packets)
		if _, err := match.JSON(want, got); err != nil {
			return fmt.Sprintf("%v\nwant %s\ngot  %s", err, want, got)
		}
		return ""
	}
}

// frames compares frame by frame, JSON by its meaning.
func frames(want, got []vectors.Frame) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d frames instead of %d: %s", len(got), len(want), text(got))
	}
	for i := range want {
		if _, err := match.Packet(shown(want[i]), shown(got[i])); err != nil {
			return fmt.Sprintf("frame %d: %v\nwant %s\ngot  %s", i, err, shown(want[i]), shown(got[i]))
		}
	}
	return ""
}

func shown(f vectors.Frame) string {
	if f.Binary != nil {
		return "<bin " + *f.Binary + ">"
	}
	if f.Text != nil {
		return *f.Text
	}
	return "<nothing>"
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Run checks a Go parser, a subtest for each vector.
func Run(t *testing.T, parser func(Question) Answer) {
	t.Helper()
	results, err := Check(func(q Question) (Answer, error) { return parser(q), nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		t.Run(r.Vector.ID, func(t *testing.T) {
			switch {
			case r.Problem != "":
				t.Errorf("%s of %s\n%s", r.Vector.Op, describe(r.Vector), r.Problem)
			case r.Skipped:
				t.Logf("%s %s is not supported", r.Vector.Parser, r.Vector.Op)
			}
		})
	}
}

func describe(v vectors.Vector) string {
	var list []string
	for _, f := range v.Frames {
		list = append(list, shown(f))
	}
	return strings.Join(list, " , ")
}

// answerTime is how long a parser may think about one question.
const answerTime = 30 * time.Second

// Process runs a command that answers questions, a line each, and checks it.
// The process ends when its standard input does.
func Process(ctx context.Context, name string, args ...string) ([]Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	// A group of its own, so that what the command starts ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("parsertest: %w", err)
	}
	answers := json.NewDecoder(bufio.NewReader(out))
	questions := json.NewEncoder(in)
	questions.SetEscapeHTML(false)
	results, err := Check(func(q Question) (Answer, error) {
		if err := questions.Encode(q); err != nil {
			return Answer{}, err
		}
		var a Answer
		late := time.AfterFunc(answerTime, cancel)
		defer late.Stop()
		err := answers.Decode(&a)
		return a, err
	})
	if err != nil {
		cancel() // it may talk on, or wait
	}
	in.Close()
	if werr := cmd.Wait(); err == nil && werr != nil {
		err = fmt.Errorf("parsertest: %w", werr)
	}
	return results, err
}
