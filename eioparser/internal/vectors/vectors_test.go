package vectors_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/siokit/siokit/eioparser/internal/vectors"
)

func TestAFileOfVectors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vectors.tsv")
	text := "# a comment\n\none\t\"4a\\x1e\\\"\"\t4\"a\"\tthe source\ntwo\t\"\"\terror: empty packet\tanother\nthree\t\"x\"\t\"y\\n\"\ta third\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	list := vectors.Load(t, path)
	if len(list) != 3 || list[0].Name != "one" || string(list[0].Wire) != "4a\x1e\"" || list[0].Source != "the source" {
		t.Fatalf("got %+v", list)
	}
	if list[0].IsError() || !list[1].IsError() || string(list[2].Text(t)) != "y\n" {
		t.Errorf("got %+v", list)
	}
}

func TestPacketsInTheNotationOfTheFiles(t *testing.T) {
	var p vectors.Packets
	p.Add(4, false, []byte("é\n"))
	p.Add(4, true, []byte{0xff})
	p.Fail(io.EOF)
	if want := `4"é\n" 4b"\xff" error: EOF`; p.String() != want {
		t.Errorf("got %s, want %s", p.String(), want)
	}
}
