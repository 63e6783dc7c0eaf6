package evidence_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/governance/evidence"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func as(ctx context.Context, who string) context.Context {
	return audit.WithRequest(ctx, audit.Request{Actor: who})
}

func TestAdd(t *testing.T) {
	s := evidence.New(&audit.Trail{DB: memory.New()})
	tests := []struct {
		name string
		file evidence.File
		want string // "" is kept
	}{
		{"plain", evidence.File{Name: "model.pdf", MediaType: "application/pdf", Data: []byte("x")}, ""},
		{"as large as may be", evidence.File{Name: "a", Data: bytes.Repeat([]byte("x"), evidence.MaxSize)}, ""},
		{"larger", evidence.File{Name: "a", Data: bytes.Repeat([]byte("x"), evidence.MaxSize+1)}, "at most 10485760"},
		{"empty", evidence.File{Name: "a"}, "is empty"},
		{"no name", evidence.File{Data: []byte("x")}, "its name is missing"},
		{"long name", evidence.File{Name: strings.Repeat("n", 201), Data: []byte("x")}, "its name"},
		{"folder", evidence.File{Name: "../model.pdf", Data: []byte("x")}, "bare name"},
		{"folder of another system", evidence.File{Name: `c:\model.pdf`, Data: []byte("x")}, "bare name"},
		{"the folder above", evidence.File{Name: "..", Data: []byte("x")}, "bare name"},
		{"line break", evidence.File{Name: "a\nb", Data: []byte("x")}, "its name"},
		{"type of two lines", evidence.File{Name: "a", MediaType: "text/plain\r\nX: y", Data: []byte("x")}, "not a media type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := s.Add(as(t.Context(), "user:ann"), tt.file)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			data, err := s.Content(t.Context(), e.Hash)
			if err != nil || !bytes.Equal(data, tt.file.Data) {
				t.Errorf("got %d bytes, %v", len(data), err)
			}
		})
	}
}

// The same bytes are kept once, under the first name; what is gone or changed
// behind the store's back is not passed off as what was proved.
func TestKeptOnce(t *testing.T) {
	db := memory.New()
	s := evidence.New(&audit.Trail{DB: db})
	first, err := s.Add(as(t.Context(), "user:ann"), evidence.File{Name: "a.txt", Team: "payments", Data: []byte("proof")})
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.Add(as(t.Context(), "user:bob"), evidence.File{Name: "b.txt", Data: []byte("proof")})
	if err != nil || again.Hash != first.Hash || again.By != "user:bob" || again.Name != "b.txt" || again.Team != "" {
		t.Errorf("got %+v, %v; it tells what another team brought", again, err)
	}
	if again, err := s.Add(as(t.Context(), "user:bob"), evidence.File{Name: "b.txt", Team: "payments", Data: []byte("proof")}); err != nil || *again != *first {
		t.Errorf("got %+v, %v; want %+v", again, err, first)
	}
	if all, _, err := s.List(t.Context(), evidence.Query{Team: "payments", Limit: 10, See: func(string) bool { return true }}); err != nil || len(all) != 1 || all[0].Name != "a.txt" {
		t.Errorf("got %+v, %v", all, err)
	}
	if all, _, err := s.List(t.Context(), evidence.Query{Limit: 10, See: func(team string) bool { return team == "" }}); err != nil || len(all) != 0 {
		t.Errorf("the organization has %+v, %v", all, err)
	}
	behind := func(w store.Write) {
		t.Helper()
		e := &gatehouse.Event{Actor: "system", Authentication: "none", Action: "test", Outcome: gatehouse.Allowed}
		if _, err := db.Apply(t.Context(), store.Batch{Writes: []store.Write{w}, Events: []*gatehouse.Event{e}}); err != nil {
			t.Fatal(err)
		}
	}
	behind(store.Write{Key: "Blob/" + first.Hash, Kind: "Blob", Value: []byte(`"b3RoZXI="`), Expect: store.Any})
	if _, err := s.Content(t.Context(), first.Hash); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("changed bytes: got %v", err)
	}
	behind(store.Write{Key: "Blob/" + first.Hash, Kind: "Blob", Expect: store.Any})
	if _, err := s.Content(t.Context(), first.Hash); !gatehouse.Is(err, gatehouse.NotFound) || !strings.Contains(err.Error(), "not there any more") {
		t.Errorf("no bytes: got %v", err)
	}
	if _, err := s.Add(as(t.Context(), "user:bob"), evidence.File{Name: "b.txt", Data: []byte("proof")}); err != nil {
		t.Fatal(err)
	}
	if data, err := s.Content(t.Context(), first.Hash); err != nil || string(data) != "proof" {
		t.Errorf("brought again: got %q, %v", data, err)
	}
	if _, err := s.Get(t.Context(), strings.Repeat("0", 64)); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("got %v", err)
	}
}
