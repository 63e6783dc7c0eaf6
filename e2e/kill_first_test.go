package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/adminapi"
)

// TestKillFirstStart kills a control plane at random moments of its very first
// start, while it makes its keys, its database and its administrator: the next
// start goes on from whatever there is.
func TestKillFirstStart(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 4))
	var latest time.Duration
	for range rounds(15, 100) {
		s := newSite(t)
		dir := s.data("control")
		c := exec.Command(filepath.Join(program, "gatehouse"), "control", "--admin-addr", free(), "--ops-addr", free(), "--data", dir)
		c.Env = s.env
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// From the moment that there is a folder, so that it is early also
		// where processes start slowly.
		s.eventually("the first start begins", func() error { _, err := os.Stat(dir); return err })
		after := time.Duration(random.IntN(60)) * time.Millisecond
		latest = max(latest, after)
		_ = wait(t.Context(), after)
		_ = c.Process.Kill() // what it left is looked at below
		_ = c.Wait()
		s.control("control")
		who, err := s.api.Whoami(t.Context(), adminapi.Empty{})
		if err != nil {
			t.Fatalf("killed %s into its first start; then: %v", after, err)
		}
		if who.Body.Subject != "user:admin" {
			t.Errorf("the token is of %q", who.Body.Subject)
		}
		s.apply(s.platform())
		s.verify()
		s.stop("control")
	}
	t.Logf("killed up to %s after the data directory was made", latest)
}
