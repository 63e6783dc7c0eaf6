package bundle

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gatehouse"
)

func TestWriteFlat(t *testing.T) {
	imported := func() *Bundle {
		t.Helper()
		b, err := ImportOpenAPI(ImportOptions{Team: "pets", Backend: "http://127.0.0.1:8081", File: "orders.yaml", Files: map[string][]byte{"orders.yaml": []byte(ordersDefinition)}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	two := imported()
	other := &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: gatehouse.KindApplication, Metadata: gatehouse.Metadata{Team: "vets", Name: "app"}, Spec: &gatehouse.Application{}}
	if err := two.Add(other, nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		write func(dir string) error
		want  []string
	}{
		{"one team lies flat", imported().WriteFlat, []string{"api-orders.yaml", "backend-orders.yaml", "orders.yaml", "product-orders.yaml", "team-pets.yaml"}},
		{"two teams have folders", two.WriteFlat, []string{"pets", "team-pets.yaml", "vets"}},
		{"an export has folders", imported().Write, []string{"pets", "team-pets.yaml"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := tt.write(dir); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, e := range entries {
				got[e.Name()] = true
			}
			if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, tt.want) {
				t.Errorf("got %v, want %v", names, tt.want)
			}
			back, err := Read([]string{dir}, Options{})
			if err != nil || len(back.Documents) < 4 {
				t.Errorf("read back: %v", err)
			}
		})
	}
}

// TestImportsIntoOneFolder holds that a second import takes nothing away from the
// first, though both definitions have one name.
func TestImportsIntoOneFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, file, path string) error {
		t.Helper()
		text := "openapi: 3.0.0\npaths: {" + path + ": {get: {}}}\n"
		b, err := ImportOpenAPI(ImportOptions{Team: "pets", Name: name, Backend: "http://127.0.0.1:8081", File: file, Files: map[string][]byte{file: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		return b.WriteFlat(dir)
	}
	for _, api := range []struct{ name, file, path string }{
		{"first", "openapi.yaml", "/a"}, {"second", "openapi.yaml", "/b"}, {"own", "api-own.yaml", "/c"}, {"first", "openapi.yaml", "/a"},
	} {
		if err := write(api.name, api.file, api.path); err != nil {
			t.Fatalf("%s: %v", api.name, err)
		}
	}
	b, err := Read([]string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i := range b.Documents {
		if api, ok := b.Documents[i].Get().Spec.(*gatehouse.API); ok {
			d, err := b.Definition(&b.Documents[i], api.Versions[0].Definition)
			if err != nil {
				t.Fatal(err)
			}
			got[b.Documents[i].Get().Metadata.Name] = d.Operations[0].Path
		}
	}
	if want := map[string]string{"first": "/a", "second": "/b", "own": "/c"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	product := filepath.Join(dir, "product-first.yaml")
	if err := os.WriteFile(product, []byte("# plans of our own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write("first", "openapi.yaml", "/a"); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("over a document that was changed: got %v, want a conflict", err)
	}
}
