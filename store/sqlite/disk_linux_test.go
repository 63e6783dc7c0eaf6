package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse/store/storetest"

	"golang.org/x/sys/unix"
)

// A disk that is really full: a small tmpfs, which takes root to mount.
// TestFull stands for it elsewhere.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a tmpfs takes root; TestFull makes the same error by other means")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("mounting a tmpfs: %v; TestFull makes the same error by other means", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), filepath.Join(dir, "gatehouse.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fill(t, db)
	before := storetest.Verify(t, db)
	if err := os.Remove(ballast); err != nil { // and it goes on by itself
		t.Fatal(err)
	}
	if _, err := db.Apply(t.Context(), thing("after", 1000)); err != nil {
		t.Errorf("when there is room: %v", err)
	}
	if n := storetest.Verify(t, db); n != before+1 {
		t.Errorf("got %d events, want %d", n, before+1)
	}
}
