package compile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"golang.org/x/tools/txtar"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/store"
	"gatehouse/store/memory"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestGolden compiles the records of each case and compares every chunk and
// everything set aside.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(text)
			if len(a.Files) == 0 || a.Files[0].Name != "state.yaml" {
				t.Fatal("the first file is not state.yaml")
			}
			db := memory.New()
			write(t, db, records(t, a.Files[0].Data))
			s := compile.New(db)
			if err := s.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := render(t, s)
			if *update {
				a.Files = append(a.Files[:1], txtar.File{Name: "snapshot.json", Data: []byte(got)})
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(a.Files) != 2 {
				t.Fatal("there is no snapshot.json; run with -update and look at it")
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("snapshot (-want +got):\n%s", diff)
			}
		})
	}
}

// records reads a map from key to record. Documents are written as their spec
// and status alone.
func records(t *testing.T, text []byte) []store.Write {
	t.Helper()
	var all map[string]any
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var out []store.Write
	for key, v := range all {
		kind, name, _ := strings.Cut(key, "/")
		if m, ok := v.(map[string]any); ok && m["spec"] != nil {
			meta := map[string]any{"name": name}
			if team, n, owned := strings.Cut(name, "/"); owned {
				meta = map[string]any{"team": team, "name": n}
			}
			stored := map[string]any{"object": map[string]any{"apiVersion": gatehouse.APIVersion, "kind": kind, "metadata": meta, "spec": m["spec"]}}
			if m["status"] != nil {
				stored["status"] = m["status"]
			}
			v = stored
		}
		value, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, store.Write{Key: key, Kind: kind, Value: value, Expect: store.Any})
	}
	slices.SortFunc(out, func(a, b store.Write) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func write(t testing.TB, db store.DB, writes []store.Write) {
	t.Helper()
	if len(writes) == 0 {
		return
	}
	e := &gatehouse.Event{Time: time.Unix(0, 0).UTC(), Actor: "system", Authentication: "none", Action: "test", Outcome: gatehouse.Allowed}
	if _, err := db.Apply(context.Background(), store.Batch{Writes: writes, Events: []*gatehouse.Event{e}}); err != nil {
		t.Fatal(err)
	}
}

// render writes all chunks of all environments for people to read.
func render(t testing.TB, s *compile.State) string {
	t.Helper()
	var b strings.Builder
	for _, env := range s.Environments() {
		v := s.View(env)
		if v == nil {
			t.Fatalf("environment %q has no view", env)
		}
		for _, e := range v.Entries {
			data, ok := s.Chunk(env, e)
			if !ok {
				t.Fatalf("chunk %s %q of %q is not there", e.Kind, e.Name, env)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, data, "", "  "); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "// %s: %s %q\n%s\n", env, e.Kind, e.Name, &out)
		}
		for _, id := range slices.Sorted(maps.Keys(v.Bound)) {
			fmt.Fprintf(&b, "// %s: data of %q stays in %q\n", env, id, v.Bound[id])
		}
		for _, a := range v.Aside {
			fmt.Fprintf(&b, "// %s: aside %q: %s\n", env, a.API, a.Reason)
		}
	}
	return b.String()
}
