package siotypes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/tools/go/packages"

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
		"log": "clientToServer", "list/all~": "clientToServer", "sum": "clientToServer", "many": "clientToServer", "bye": "clientToServer",
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

// writePackages makes packages of sources, each in a folder of that name, in the module, so
// that its requirements hold, and loads those that the pattern names. Together they
// take as long as one.
func writePackages(t *testing.T, sources map[string]string, pattern string) map[string]*packages.Package {
	t.Helper()
	dir, err := os.MkdirTemp("testdata", "packages")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for name, source := range sources {
		source = strings.ReplaceAll(source, "DIR", "github.com/siokit/siokit/tools/siotypes/"+filepath.ToSlash(dir))
		folder := filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "x.go"), []byte(source), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	all, err := siotypes.LoadPackages(dir, pattern)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*packages.Package{}
	for _, pkg := range all {
		found[path.Base(pkg.PkgPath)] = pkg
	}
	return found
}

func TestLoadRefuses(t *testing.T) {
	const head = "package app\n\nimport \"github.com/siokit/siokit/socketio\"\n\n"
	tests := map[string]struct{ source, want string }{
		"no_events":        {`package app`, siotypes.ErrNoEvents.Error()},
		"of_servers":       {head + `var _ = socketio.DefineEvent[int]("x").BetweenServers()`, siotypes.ErrNoEvents.Error()},
		"a_name_at_run":    {head + `func f(s string) { socketio.DefineEvent[int](s) }`, "name is not a constant"},
		"a_contradiction":  {head + `var _, _ = socketio.DefineEvent[int]("x"), socketio.DefineEvent[string]("x").ToServer()`, `event "x" to the server is defined elsewhere`},
		"a_value":          {head + `func f() { define := socketio.DefineEvent[int]; define("x") }`, "DefineEvent is not called here"},
		"a_part":           {head + `type G[T any] struct { List []T }; func f[T any]() { socketio.DefineEvent[G[T]]("x") }`, "type parameter"},
		"a_type_parameter": {head + `func f[T any]() { socketio.DefineEvent[T]("x") }`, "type parameter"},
		"broken_code":      {head + `var _ = socketio.DefineEvent[Missing]("x")`, "undefined: Missing"},
	}
	sources := map[string]string{}
	for name, test := range tests {
		sources[name] = test.source
	}
	for name, pkg := range writePackages(t, sources, "./...") {
		t.Run(name, func(t *testing.T) {
			_, err := siotypes.Read([]*packages.Package{pkg})
			if want := tests[name].want; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want an error with %q", err, want)
			}
		})
	}
}

// Members are those that json/v2 writes, and a type means the same by any of its names.
func TestMembers(t *testing.T) {
	pkg := writePackages(t, map[string]string{"members": `package members
		import ( "encoding/json"; "time"; "github.com/siokit/siokit/socketio" )
		type ( Byte = byte; Level int; Left struct { X, Y int }; Pointer = *Left )
		type Right struct { X string; Other string ` + "`json:\"Y\"`" + ` }
		type Message struct {
			Left
			Right
			Name    struct{ First string } ` + "`json:\",inline\"`" + `
			More    map[string]int ` + "`json:\",embed\"`" + `
			Data    []Byte
			Level   *Level ` + "`json:\",string\"`" + `
			Number  json.Number ` + "`json:\",string\"`" + `
			Timeout time.Duration ` + "`json:\",string\"`" + `
		}
		const Low Level = 1
		type Alias = Message
		type Embeds struct { Pointer }
		var A, B, _ = socketio.DefineEvent[Message]("x"), (socketio.DefineEvent[Alias]("x")).ToClient(), (socketio.DefineEvent[Embeds]("y")).ToServer()
	`}, "./members")["members"]
	api, err := siotypes.Read([]*packages.Package{pkg})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, typ := range api.Types {
		for _, f := range typ.Shape.Fields {
			got[typ.Name] += fmt.Sprintf("%s %d %t, ", f.Name, f.Shape.Kind, f.Optional)
		}
	}
	want := map[string]string{
		"Message": fmt.Sprintf("Y %d false, Name %d false, Data %d false, Level %d false, Number %d false, Timeout %d false, ",
			siotypes.String, siotypes.Object, siotypes.Binary, siotypes.String, siotypes.Number, siotypes.String),
		"Embeds": fmt.Sprintf("X %d true, Y %d true, ", siotypes.Integer, siotypes.Integer),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if len(api.ToServer) != 2 || len(api.ToClient) != 1 {
		t.Errorf("to the server %v, to clients %v", api.ToServer, api.ToClient)
	}
}

// The constants of an enumeration count wherever it is declared, also those that
// only its package sees.
func TestEnumerationBelow(t *testing.T) {
	found := writePackages(t, map[string]string{
		"kinds":   `package kinds; type Kind string; const ( text Kind = "text"; Image Kind = "image" )`,
		"message": `package message; import "DIR/kinds"; type Message struct { Kind kinds.Kind }`,
		"above":   `package above; import ( "DIR/message"; "github.com/siokit/siokit/socketio" ); var _ = socketio.DefineEvent[message.Message]("x")`,
	}, "./above")
	api, err := siotypes.Read([]*packages.Package{found["above"]})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]any{}
	for _, typ := range api.Types {
		got[typ.Name] = typ.Values
	}
	if diff := cmp.Diff(map[string][]any{"Kind": {"text", "image"}, "Message": nil}, got); diff != "" {
		t.Errorf("types and their values (-want +got):\n%s", diff)
	}
}
