package mutant_test

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/siokit/siokit/conformance"
	"github.com/siokit/siokit/conformance/internal/mutant"
	"github.com/siokit/siokit/conformance/spec"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	update = flag.Bool("update", false, "run every case on every mutant and write the kill table")
	every  = flag.Bool("every", false, "look at every row of the table and at every case, not at some rows")
	only   = flag.String("mutant", "", "with -update: this mutant alone")
)

const (
	tableFile = "testdata/kills.json"
	pageFile  = "../../MUTANTS.md"
)

// TestKillTable checks the committed table: every mutant is killed by some
// case, every MUST and REF case kills some mutant, and what the table says
// still holds for a sample of the rows, or with -every for each mutant and each
// case. With -update it makes the table anew.
func TestKillTable(t *testing.T) {
	server, err := mutant.StartServer(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	if *update {
		write(t, server)
	}
	table := read(t)
	for _, m := range mutant.All() {
		if len(table[m.Name]) == 0 {
			t.Errorf("%s (%s) survives", m.Name, m.Fault)
		}
	}
	for name := range table {
		if !slices.ContainsFunc(mutant.All(), func(m mutant.Mutant) bool { return m.Name == name }) {
			t.Errorf("the table has a row for %s, which is no mutant", name)
		}
	}
	for _, id := range table.Idle(mutant.Binding(), mutant.All()) {
		t.Errorf("%s kills no mutant", id)
	}
	if !*update {
		sample(t, server, table)
	}
}

// sampled is of how many rows one is looked at.
const sampled = 8

// sample runs a killer of each mutant, several mutants at a time; when the first
// does not notice, the others have their turn.
func sample(t *testing.T, server *mutant.Server, table mutant.Table) {
	killed := map[string]bool{}
	if *every {
		killed = witness(t, server, table)
	}
	all := mutant.All()
	eachOf(6, all, func(m mutant.Mutant) {
		row := slices.IndexFunc(all, func(other mutant.Mutant) bool { return other.Name == m.Name })
		if killed[m.Name] || len(table[m.Name]) == 0 || !*every && row%sampled != 0 {
			return
		}
		first := table[m.Name][:1]
		for _, ids := range [][]string{first, table[m.Name]} {
			if len(killers(t, server, m, ids...)) > 0 {
				return
			}
		}
		t.Errorf("%s (%s) is no longer killed by any of %v", m.Name, m.Fault, table[m.Name])
	})
}

// witness runs each case against the mutants that it kills by the table, the most
// particular first, until it fails on one. It returns the mutants that died.
func witness(t *testing.T, server *mutant.Server, table mutant.Table) map[string]bool {
	killed := map[string]bool{}
	var mu sync.Mutex
	eachOf(6, mutant.Binding(), func(c spec.Case) {
		victims := table.Victims(c.ID, mutant.All())
		for _, m := range victims {
			if len(killers(t, server, m, c.ID)) > 0 {
				mu.Lock()
				defer mu.Unlock()
				killed[m.Name] = true
				return
			}
		}
		t.Errorf("%s no longer kills any of %d mutants", c.ID, len(victims))
	})
	return killed
}

// killers returns those of the cases that fail on a mutant.
func killers(t *testing.T, server *mutant.Server, m mutant.Mutant, ids ...string) []string {
	failed, err := server.Killers(t.Context(), m, named(ids), 4, -1)
	if err != nil {
		t.Error(err)
	}
	return failed
}

// eachOf calls do with every item, some at a time.
func eachOf[Item any](workers int, items []Item, do func(Item)) {
	queue := make(chan Item)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { // ends when the queue is closed
			for item := range queue {
				do(item)
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	wg.Wait()
}

func named(ids []string) []spec.Case {
	return slices.DeleteFunc(conformance.Cases(), func(c spec.Case) bool { return !slices.Contains(ids, c.ID) })
}

func read(t *testing.T) mutant.Table {
	t.Helper()
	data, err := os.ReadFile(tableFile)
	if err != nil {
		t.Fatal(err)
	}
	var table mutant.Table
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	return table
}

func write(t *testing.T, server *mutant.Server) {
	table := mutant.Table{}
	if *only != "" {
		table = read(t)
	}
	var mu sync.Mutex
	eachOf(3, mutant.All(), func(m mutant.Mutant) {
		if *only != "" && *only != m.Name {
			return
		}
		killers, err := server.Killers(t.Context(), m, mutant.Aimed(m), 12, -1)
		if err != nil {
			t.Error(err)
			return
		}
		t.Logf("%s: %d", m.Name, len(killers))
		mu.Lock()
		defer mu.Unlock()
		table[m.Name] = killers
	})
	data, err := json.MarshalIndent(table, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tableFile, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pageFile, []byte(table.Markdown(mutant.All())), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The proxy without a fault is invisible.
func TestTheProxyChangesNothingByItself(t *testing.T) {
	server, err := mutant.StartServer(t.Context(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	same := func(_ *mutant.Session, p mutant.Packet) []mutant.Packet { return []mutant.Packet{p} }
	killers, err := server.Killers(t.Context(), mutant.Mutant{Name: "none", In: same, Out: same}, mutant.Binding(), 8, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(killers) > 0 {
		t.Errorf("%v fail", killers)
	}
}

func TestMutantsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutant.All() {
		if seen[m.Name] || m.Fault == "" {
			t.Errorf("%q is there twice, or says nothing", m.Name)
		}
		seen[m.Name] = true
	}
	if len(seen) < 80 {
		t.Errorf("%d mutants", len(seen))
	}
}
