package parsertest_test

import (
	"context"
	"testing"
	"time"

	"github.com/siokit/siokit/conformance/parsertest"
)

// A parser that talks without end, or whose children outlive it, keeps no run.
func TestParserThatDoesNotEnd(t *testing.T) {
	for _, command := range []string{"exec yes", "sleep 600; true"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		begun := time.Now()
		if _, err := parsertest.Process(ctx, "/bin/sh", "-c", command); err == nil || time.Since(begun) > time.Minute {
			t.Error(command, err, time.Since(begun))
		}
		cancel()
	}
}
