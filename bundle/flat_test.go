package bundle

import (
	"maps"
	"os"
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
