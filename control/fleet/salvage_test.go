package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/store/memory"
)

// A byte that turned on the disk, in a chunk that both generations need, costs what
// that chunk holds and nothing else, until the control plane gives it again.
func TestServesWhatIsLeft(t *testing.T) {
	db := memory.New()
	seed(t, db)
	dir, data := t.TempDir(), t.TempDir()
	p := startPlane(t, db, dir)
	g := startGateway(t, data, token(t, p, "local"), "one", newTable(), p.pipe.Dial, nil)
	g.table.until(t, "first configuration", func() bool { return g.table.has("api", "a/x@v1") })
	api(t, db, "y", 1)
	g.table.until(t, "second configuration", func() bool { return g.table.has("api", "a/y@v1") })
	g.stop()
	damage(t, filepath.Join(data, "snapshot"), `"path":"/x/1"`)

	away := func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("the control plane is away")
	}
	left := newTable()
	left.lenient = true
	startGateway(t, data, "", "", left, away, nil).stop()
	if left.has("api", "a/x@v1") || !left.has("api", "a/y@v1") || !left.has("environment", "dev") {
		t.Errorf("alone: %+v in force; want all but the API that is damaged", left.entries)
	}

	left = newTable()
	left.lenient = true
	g = startGateway(t, data, "", "", left, p.pipe.Dial, nil)
	left.until(t, "the control plane gives what is lacking", func() bool { return left.has("api", "a/x@v1") })
	g.stop()
	left = newTable()
	startGateway(t, data, "", "", left, away, nil).stop()
	if !left.has("api", "a/x@v1") || !left.has("api", "a/y@v1") {
		t.Errorf("alone afterwards: %+v in force; want all", left.entries)
	}
}

// damage turns a byte behind the text wherever it stands in the packs.
func damage(t *testing.T, dir, text string) {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(dir, "pack-*"))
	if err != nil || len(packs) == 0 {
		t.Fatal(packs, err)
	}
	turned := 0
	for _, name := range packs {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; ; {
			i := bytes.Index(content[at:], []byte(text))
			if i < 0 {
				break
			}
			at += i + len(text)
			content[at-2] ^= 1
			turned++
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if turned == 0 {
		t.Fatalf("%q stands in no pack", text)
	}
}
