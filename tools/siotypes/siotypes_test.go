package siotypes_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/siokit/siokit/sioparser"
	"github.com/siokit/siokit/tools/siotypes"
	"github.com/siokit/siokit/tools/siotypes/testdata/app"
)

var update = flag.Bool("update", false, "write the expected files of testdata anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loaded is what the application of testdata defines. Loading checks all that it
// imports, down to net/http.
var loaded = sync.OnceValues(func() (*siotypes.API, error) { return siotypes.Load("", "./testdata/app") })

func load(t *testing.T) *siotypes.API {
	t.Helper()
	api, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// written is what a Write method writes.
func written(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asyncAPI(api *siotypes.API) func(io.Writer) error {
	return func(w io.Writer) error { return api.WriteAsyncAPI(w, siotypes.Info{Title: "App", Version: "1.0.0"}) }
}

func TestOutputIsAsCommitted(t *testing.T) {
	api := load(t)
	for name, write := range map[string]func(io.Writer) error{
		"typescript/events.ts": api.WriteTypeScript,
		"schema.json":          api.WriteJSONSchema,
		"asyncapi.json":        asyncAPI(api),
	} {
		path := filepath.Join("testdata", filepath.FromSlash(name))
		got := written(t, write)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-committed +written; -update writes it):\n%s", name, diff)
		}
	}
}

// TestTypeScriptIsWhatTheClientTakes compiles an application that uses the
// interfaces with the official client's and server's own types.
func TestTypeScriptIsWhatTheClientTakes(t *testing.T) {
	dir := t.TempDir()
	modules, err := filepath.Abs(filepath.Join("node", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "typescript"))); err != nil {
		t.Fatal(err)
	}
	tsc := exec.CommandContext(t.Context(), filepath.Join(modules, ".bin", "tsc"), "--noEmit", "--strict", "--skipLibCheck",
		"--target", "es2022", "--module", "nodenext", "--types", "", "client.ts")
	tsc.Dir = dir
	if out, err := tsc.CombinedOutput(); err != nil {
		t.Errorf("tsc (npm packages come with make setup): %v\n%s", err, out)
	}
}

// TestDocumentsAreValid has ajv and AsyncAPI's parser read the documents, and
// checks that they fit what Go code sends, and nothing else.
func TestDocumentsAreValid(t *testing.T) {
	type sample struct {
		Group string          `json:"group"`
		Name  string          `json:"name"`
		Args  json.RawMessage `json:"args"`
		Valid bool            `json:"valid"`
	}
	groups := map[string]string{
		"log": "clientToServer", "list/all~": "clientToServer", "sum": "clientToServer", "bye": "clientToServer",
		"chat": "serverToClient", "ping pong": "serverToClient", "moved": "serverToClient", "three": "serverToClient", "saved": "serverToClient", "confirm": "serverToClient",
	}
	var samples []sample
	for name, values := range app.Sample() {
		args, err := sioparser.JSON().Append(sioparser.Args{}, values...)
		if err != nil {
			t.Fatal(err)
		}
		name, isReply := strings.CutSuffix(name, " reply")
		group := groups[name]
		if isReply {
			group += "Replies"
			samples = append(samples, sample{group, name, json.RawMessage(`[{"error":{"message":"no","data":1}}]`), true},
				sample{group, name, json.RawMessage(`[{"error":"no"}]`), false})
		}
		samples = append(samples, sample{group, name, args.AppendArray(nil), true})
	}
	for name, bad := range map[string]string{
		"chat":      `[{"kind":"song"}]`,
		"ping pong": `[1]`,
		"moved":     `["a"]`,
		"log":       `[3]`,
		"three":     `[true,"x",1]`,
		"saved":     `[{"Values":{}}]`,
		"list/all~": `[{"items":[1],"next":0}]`,
		"confirm":   `[1]`,
		"sum":       `["1"]`,
		"bye":       `[null]`,
	} {
		samples = append(samples, sample{groups[name], name, json.RawMessage(bad), false})
	}
	api := load(t)
	input, err := json.Marshal(map[string]any{
		"schema":   json.RawMessage(written(t, api.WriteJSONSchema)),
		"asyncapi": json.RawMessage(written(t, asyncAPI(api))),
		"samples":  samples,
	})
	if err != nil {
		t.Fatal(err)
	}
	packages, err := filepath.Abs(filepath.Join("node", "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", filepath.Join("testdata", "validate.mjs"), packages)
	node.Stdin = bytes.NewReader(input)
	out, err := node.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("node (npm packages come with make setup): %v\n%s", err, out)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"no events":        {`package app`, siotypes.ErrNoEvents.Error()},
		"other servers'":   {head + `var _ = socketio.DefineEvent[int]("x").BetweenServers()`, siotypes.ErrNoEvents.Error()},
		"a name at run":    {head + `func f(s string) { socketio.DefineEvent[int](s) }`, "name is not a constant"},
		"a contradiction":  {head + `var _, _ = socketio.DefineEvent[int]("x"), socketio.DefineEvent[string]("x").ToServer()`, `event "x" to the server is defined elsewhere`},
		"a type parameter": {head + `func f[T any]() { socketio.DefineEvent[T]("x") }`, "type parameter"},
		"broken code":      {head + `var _ = socketio.DefineEvent[Missing]("x")`, "undefined: Missing"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("testdata", "refused") // in the module, so that its requirements hold
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			if err := os.WriteFile(filepath.Join(dir, "app.go"), []byte(test.source), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = siotypes.Load(dir, ".")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

const head = "package app\n\nimport \"github.com/siokit/siokit/socketio\"\n\n"
