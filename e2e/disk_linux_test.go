package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse"
	"gatehouse/adminapi"
)

// A ballast takes all room on a disk, also what becomes free.
type ballast struct {
	path string
	stop chan struct{}
	done chan struct{}
}

func newBallast(t *testing.T, dir string) *ballast {
	t.Helper()
	b := &ballast{path: filepath.Join(dir, "ballast"), stop: make(chan struct{}), done: make(chan struct{})}
	f, err := os.Create(b.path)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(b.done)
		defer f.Close()
		for {
			for _, size := range []int{1 << 20, 4096, 1} {
				for err := error(nil); err == nil; {
					_, err = f.Write(make([]byte, size))
					if err != nil && !errors.Is(err, syscall.ENOSPC) {
						t.Errorf("filling the disk: %v", err)
						return
					}
				}
			}
			select {
			case <-b.stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	return b
}

// lift makes room again.
func (b *ballast) lift(t *testing.T) {
	t.Helper()
	close(b.stop)
	<-b.done
	if err := os.Remove(b.path); err != nil {
		t.Fatal(err)
	}
}

// small puts the data directory of a process on a disk of its own.
func (s *site) small(name, size string) (dir string) {
	s.t.Helper()
	const otherwise = "the tests of store/sqlite and link fill the disk by other means"
	if os.Geteuid() != 0 {
		s.t.Skip("mounting a small tmpfs takes root; " + otherwise)
	}
	dir = s.data(name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		s.t.Skipf("mounting a small tmpfs: %v; %s", err, otherwise)
	}
	s.t.Cleanup(func() {
		s.end()
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
	return dir
}

// TestChaosDiskFull takes all room from the data directory of a control plane and
// its gateway: changes are refused whole and with a reason, calls go on and are
// counted, and with room all goes on by itself.
func TestChaosDiskFull(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := s.small("all", "24m")
	s.serve("all", "--report-interval", flush.String())
	s.apply(s.platform())
	s.inStep(1)
	w, calls := &writer{name: "a"}, 0
	l := callers(t.Context(), 2, 2*time.Millisecond, new(http.Transport), func() string { return s.at["all"] + "/pets" })
	for range rounds(2, 10) {
		for range 6 {
			if err := w.next(t.Context(), s); err != nil {
				t.Fatalf("with room: %v", err)
			}
		}
		b := newBallast(t, dir)
		full := s.refusedOnly(w)
		if full == 0 {
			t.Error("no change was refused")
		}
		s.titles() // reading goes on
		if !s.alive("all") {
			t.Fatal("the process ended on a full disk")
		}
		b.lift(t)
		s.eventually("changes go on when there is room", func() error { return w.next(t.Context(), s) })
	}
	for _, a := range l.end() {
		calls++
		if a.status != http.StatusOK {
			t.Fatalf("a call was answered %d, %v", a.status, a.err)
		}
	}
	onRecord, _ := s.events(0)
	w.hold(t, s.titles(), onRecord)
	s.verify()
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", calls) })
	s.inStep(1)
	s.stop("all")
	changes, events := s.history("all", "Application")
	if changes != events {
		t.Errorf("the database holds %d changes of applications and %d events of them", changes, events)
	}
	t.Logf("%d attempts at changes, %d calls; %d changes, %d events", len(w.attempts), calls, changes, events)
}

// refusedOnly writes for a while on a full disk and counts refusals. What was
// done may be done, but nothing may be answered in another way.
func (s *site) refusedOnly(w *writer) (refused int) {
	s.t.Helper()
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); {
		err := w.next(s.t.Context(), s)
		switch {
		case err == nil:
			continue
		case gatehouse.Is(err, gatehouse.Full), gatehouse.Is(err, gatehouse.Unavailable): // the log of the database may be what is full
			refused++
		default:
			s.t.Errorf("on a full disk a change was answered %q", err)
		}
		if _, err := s.api.CreateGatewayToken(s.t.Context(), adminapi.CreateGatewayTokenRequest{OrgRef: adminapi.OrgRef{Name: "edge"}}); err != nil && !gatehouse.Is(err, gatehouse.Full) && !gatehouse.Is(err, gatehouse.Unavailable) {
			s.t.Errorf("on a full disk a token was answered with %q", err)
		}
		_ = wait(s.t.Context(), 10*time.Millisecond)
	}
	return refused
}

// TestChaosGatewayDiskFull takes all room from a gateway alone: it follows the
// control plane all the same, restarts, and loses no count once there is room.
func TestChaosGatewayDiskFull(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir := s.small("edge", "8m")
	s.control("control")
	s.apply(s.platform() + shop)
	s.gateway("edge", "--report-interval", flush.String())
	s.inStep(1)
	in := adminapi.SubscribeRequest{}
	in.Body.Product, in.Body.Plan, in.Body.Application, in.Body.Environment, in.Body.Key = "pets/shop", "default", "pets/caller", "dev", true
	key, err := s.api.Subscribe(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s.eventually("the key opens the API", func() error { return s.with(key.Body.Key, http.StatusOK) })
	l := callers(t.Context(), 2, 2*time.Millisecond, new(http.Transport), func() string { return s.at["edge"] + "/pets" })
	b := newBallast(t, dir)
	took := s.revoke("caller-shop", key.Body.Key)
	s.apply(s.open("late", ""))
	s.eventually("a new API is served", func() error { return get(t.Context(), s.at["edge"]+"/late", http.StatusOK) })
	_ = wait(t.Context(), 4*flush) // counts find no room
	b.lift(t)
	answers := l.end()
	for _, a := range answers {
		if a.status != http.StatusOK {
			t.Fatalf("a call was answered %d, %v", a.status, a.err)
		}
	}
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", len(answers)) })

	// What did not get to disk then gets there by itself, and a start finds it.
	s.eventually("the configuration is on disk", func() error {
		log, err := os.ReadFile(filepath.Join(s.dir, "edge.log"))
		if missed := bytes.Count(log, []byte("configuration goes into force but is not on disk")); err == nil && missed > 0 && !bytes.Contains(log, []byte("configuration is on disk now")) {
			err = fmt.Errorf("the gateway does not say so, and said %d times that it was not", missed)
		}
		return err
	})
	s.kill("control")
	s.kill("edge")
	s.again("edge")
	if err := get(t.Context(), s.at["edge"]+"/late", http.StatusOK); err != nil {
		t.Errorf("from disk: %v", err)
	}
	if err := s.with(key.Body.Key, http.StatusUnauthorized); err != nil {
		t.Errorf("the revoked key, from disk: %v", err)
	}

	// It starts also while there is no room at all.
	s.kill("edge")
	b = newBallast(t, dir)
	_ = wait(t.Context(), 50*time.Millisecond)
	s.again("edge")
	if err := get(t.Context(), s.at["edge"]+"/late", http.StatusOK); err != nil {
		t.Errorf("from a full disk: %v", err)
	}
	b.lift(t)
	t.Logf("with no room: a revoked key refused within %s, %d calls counted", took, len(answers))
}
