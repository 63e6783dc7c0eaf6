package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
	"gatehouse/store/postgres/pgtest"
)

// front is what stands before several control planes, as a load balancer does:
// each connection goes to the first that takes it. It returns its URL.
func front(t *testing.T, backends ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	pass := func(in net.Conn) {
		defer in.Close()
		for _, b := range backends {
			out, err := net.DialTimeout("tcp", b, time.Second)
			if err != nil {
				continue
			}
			defer out.Close()
			go func() { _, _ = io.Copy(out, in); out.Close() }() // ends with either side
			_, _ = io.Copy(in, out)
			return
		}
	}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return // closed: the test is over
			}
			go pass(in)
		}
	}()
	return "http://" + l.Addr().String()
}

// pair starts two control planes on one database, the second with a copy of the
// first one's key. From then on s.admin leads to the first that is there.
func (s *site) pair(database string, flags ...string) (one, two *client.Client) {
	s.t.Helper()
	flags = append([]string{"--database", database}, flags...)
	s.control("one", flags...)
	key, err := os.ReadFile(filepath.Join(s.data("one"), "installation.key"))
	if err == nil {
		err = os.Mkdir(s.data("two"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.data("two"), "installation.key"), key, 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.control("two", flags...)
	first, second := s.address("one"), s.address("two")
	s.admin = front(s.t, strings.TrimPrefix(first, "http://"), strings.TrimPrefix(second, "http://"))
	return s.as("one", first), s.as("two", second)
}

// address is the URL of a control plane's management API.
func (s *site) address(name string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.data(name), "admin.addr"))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// TestChaosPostgres stops the database under two control planes and brings it
// back, and then kills one of the two: management says why it cannot, calls go
// on, and nobody starts anything by hand.
func TestChaosPostgres(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	s := newSite(t)
	one, two := s.pair(pg.Database(t))
	s.api = one
	s.apply(s.platform() + shop)
	s.gateway("edge", "--report-interval", flush.String())
	s.inStep(1)
	s.sameManifest(one, two)
	l := callers(t.Context(), 2, 2*time.Millisecond, new(http.Transport), func() string { return s.at["edge"] + "/pets" })
	w := &writer{name: "a"}
	for range rounds(2, 10) {
		for range 4 {
			if err := w.next(t.Context(), s); err != nil {
				t.Fatalf("before the database stops: %v", err)
			}
		}
		if err := pg.Stop(); err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]*client.Client{"one": one, "two": two} {
			if err := unavailable(c); err != nil {
				t.Errorf("%s without its database: %v", name, err)
			}
			if resp, err := http.Get(s.ops[name] + "/readyz"); err != nil || resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s without its database: readyz: %v, %v; want 503", name, resp, err)
			}
		}
		if err := w.next(t.Context(), s); !gatehouse.Is(err, gatehouse.Unavailable) {
			t.Errorf("a change without the database: got %v, want a refusal of kind unavailable", err)
		}
		if a := &w.attempts[len(w.attempts)-1]; !a.wrong {
			a.refused = true // there was nothing to take it
		}
		_ = wait(t.Context(), time.Second)
		if err := pg.Start(); err != nil {
			t.Fatal(err)
		}
		s.eventually("changes go on", func() error { return w.next(t.Context(), s) })
		if !s.alive("one") || !s.alive("two") {
			t.Fatal("a control plane ended when its database stopped")
		}
		s.inStep(1)
		onRecord, _ := s.events(0)
		w.hold(t, s.titles(), onRecord)
		s.verify()
	}
	s.kill("one")
	s.api = two
	s.eventually("changes go on through the other", func() error { return w.next(t.Context(), s) })
	s.apply(s.open("more", ""))
	s.eventually("the gateway follows the other", func() error { return get(t.Context(), s.at["edge"]+"/more", http.StatusOK) })
	s.again("one")
	s.sameManifest(one, two)
	answers := l.end()
	for _, a := range answers {
		if a.status != http.StatusOK {
			t.Fatalf("a call was answered %d, %v", a.status, a.err)
		}
	}
	onRecord, _ := s.events(0)
	w.hold(t, s.titles(), onRecord)
	s.verify()
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", len(answers)) })
	t.Logf("%d changes asked for, %d calls: all answered, each counted once", len(w.attempts), len(answers))
}

// unavailable is nil when management answers reads with 503 and a reason.
func unavailable(c *client.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	begin := time.Now()
	_, err := c.List(ctx, gatehouse.KindTeam, "", adminapi.PageRequest{}, "")
	switch {
	case !gatehouse.Is(err, gatehouse.Unavailable) || strings.Contains(err.Error(), "reaching the control plane"):
		return fmt.Errorf("got %w, want an answer of kind unavailable", err)
	case len(err.Error()) < 20:
		return fmt.Errorf("%q is no reason", err)
	case time.Since(begin) > 10*time.Second:
		return fmt.Errorf("the answer took %s", time.Since(begin))
	}
	return nil
}

// sameManifest waits until two control planes say that the gateway runs the same.
func (s *site) sameManifest(nodes ...*client.Client) {
	s.t.Helper()
	s.eventually("the control planes tell the same of the gateway", func() error {
		var digests []string
		for _, c := range nodes {
			out, err := c.ListInstancesAll(s.t.Context(), adminapi.ListInstancesRequest{})
			if err != nil {
				return err
			}
			for _, i := range out.Body.Items {
				if i.Ack.Digest == "" || i.State != "live" {
					return fmt.Errorf("%s is %s: %s", i.Instance, i.State, i.Reason)
				}
				digests = append(digests, i.Ack.Digest)
			}
		}
		if len(digests) != len(nodes) || digests[0] != digests[len(digests)-1] {
			return fmt.Errorf("they say %v", digests)
		}
		return nil
	})
}

// get is nil when a call gets the status.
func get(ctx context.Context, url string, status int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != status {
		return fmt.Errorf("got status %d, want %d", resp.StatusCode, status)
	}
	return nil
}
