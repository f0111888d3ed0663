package conformance_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/probe"
	"github.com/siokit/siokit/conformance/spec"
	"go.uber.org/goleak"
)

// asServer makes this test program a small web server, for the tests of
// targets that are commands.
const asServer = "CONFORMANCE_TEST_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		serve()
		return
	}
	goleak.VerifyTestMain(m)
}

// serve answers every path with its name; /die ends the process.
func serve() {
	fmt.Println("the test server begins")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/die" {
			fmt.Println("asked to die")
			os.Exit(7)
		}
		fmt.Fprint(w, r.URL.Path)
	})
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	http.Serve(l, nil)
}

// command is the test program as a server.
func command(t *testing.T) conformance.Target {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Command(conformance.CommandConfig{Args: []string{program}, Env: []string{asServer + "=1"}})
}

// fake is a case of a test.
func fake(id string, level spec.Level, run func(*probe.T)) spec.Case {
	return spec.Case{ID: id, Title: "title of " + id, Requirement: "requirement of " + id, Source: "test", Level: level, Profiles: []spec.Profile{spec.Engine}, Run: run}
}

func passes(*probe.T) {}

func fails(t *probe.T) { t.Failf("it does not hold") }

// bare is a run of cases against a server that offers nothing.
func bare(cases ...spec.Case) conformance.Options {
	return conformance.Options{Cases: cases, Features: []spec.Feature{}, Timing: hasty}
}
