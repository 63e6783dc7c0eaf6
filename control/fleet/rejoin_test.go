package fleet_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/link"
	"gatehouse/store/memory"
)

// An instance that was let in and could not keep its certificate, or never had the
// answer, joins with the same token. Nobody else does, nor when it was shut out.
func TestJoinAgain(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	dir, tok := t.TempDir(), token(t, p, "local")
	start := func(dir, instance string) error {
		r := &link.Runner{Client: &link.Client{URL: "https://control", Dial: p.pipe.Dial, Program: "test"}, Dir: dir, Swap: newTable().swap, Log: slog.New(slog.DiscardHandler)}
		defer func() {
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if r.Client.Identity() != nil {
				r.Run(ended)
			}
		}()
		return r.Start(t.Context(), tok, instance)
	}
	in := filepath.Join(dir, "identity.json", "in the way")
	if err := os.MkdirAll(in, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := start(dir, "one"); err == nil || !strings.Contains(err.Error(), "identity") {
		t.Fatalf("joining without room for the certificate: %v", err)
	}
	waitFor(t, "the control plane has let it in", func() bool { return len(p.Instances("local")) == 1 })
	if err := start(t.TempDir(), "one"); err == nil || !strings.Contains(err.Error(), "was used") {
		t.Errorf("another who has the token: %v", err)
	}
	if err := os.RemoveAll(filepath.Dir(in)); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir() // a copy from before it joined
	data, err := os.ReadFile(filepath.Join(dir, "joining.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(other, "joining.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := start(dir, "renamed meanwhile"); err != nil {
		t.Errorf("joining again: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "joining.json")); len(left) > 0 {
		t.Error("what it joined with is left behind")
	}
	if err := p.Revoke(t.Context(), "local", "one"); err != nil {
		t.Fatal(err)
	}
	if err := start(other, "one"); err == nil || !strings.Contains(err.Error(), "shut out") {
		t.Errorf("joining again after it was shut out: %v", err)
	}
}
