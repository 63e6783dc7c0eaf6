package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/fleet"
	"gatehouse/link"
	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A fault is a network between gateway and control plane that can be cut.
type fault struct {
	dial  func(context.Context, string, string) (net.Conn, error)
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func (f *fault) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cut {
		return nil, errors.New("network is cut")
	}
	c, err := f.dial(ctx, network, address)
	if err == nil {
		f.conns = append(f.conns, c)
	}
	return c, err
}

// set cuts or mends; cutting resets what is open.
func (f *fault) set(cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = cut
	if cut {
		for _, c := range f.conns {
			c.Close()
		}
		f.conns = nil
	}
}

// TestPartition cuts the network again and again while releases and counts go
// on: in the end the gateway runs the newest, and each count is taken once.
func TestPartition(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	network := &fault{dial: p.pipe.Dial}
	var mu sync.Mutex
	var waiting, added int64
	g := startGateway(t, t.TempDir(), token(t, p, "local"), "one", newTable(), network.Dial, func() []report.Count {
		mu.Lock()
		defer mu.Unlock()
		n := waiting
		waiting = 0
		if n == 0 {
			return nil
		}
		return []report.Count{{API: "a/x@v1", Class: 2, Requests: n}}
	})
	for n := 2; n < 12; n++ {
		network.set(n%3 == 0)
		api(t, db, "x", n)
		mu.Lock()
		waiting, added = waiting+int64(n), added+int64(n)
		mu.Unlock()
		g.Flush()
	}
	network.set(false)
	waitFor(t, "the newest revision runs everywhere", func() bool {
		s := p.Status("a/x@v1", "dev")
		return s.Revision == "11" && len(s.Instances) == 1 && s.Instances[0].State == fleet.Live
	})
	waitFor(t, "counts are taken", func() bool { return g.Unsent() == 0 })
	if got := total(t, db); got != added {
		t.Errorf("counted %d, want %d", got, added)
	}
}

// TestDamagedCounts holds that a batch which goes bad on the gateway's disk while
// it waits is refused, put aside, and keeps none behind it waiting.
func TestDamagedCounts(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	network := &fault{dial: p.pipe.Dial}
	var n atomic.Int64
	dir := t.TempDir()
	g := startGateway(t, dir, token(t, p, "local"), "one", newTable(), network.Dial, func() []report.Count {
		return []report.Count{{API: "a/x@v1", Class: 2, Requests: n.Add(1)}}
	})
	network.set(true)
	for range 3 {
		g.Flush()
	}
	batches := func(end string) []string {
		names, err := filepath.Glob(filepath.Join(dir, "spool", "*.batch"+end))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	waiting := batches("")
	if len(waiting) != 3 {
		t.Fatalf("%d batches wait, want 3", len(waiting))
	}
	text, err := os.ReadFile(waiting[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(waiting[1], text[:len(text)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	network.set(false)
	waitFor(t, "the others are taken", func() bool { return g.Unsent() == 0 })
	if got := total(t, db); got != 1+3 {
		t.Errorf("counted %d, want %d: what is whole", got, 1+3)
	}
	if aside := batches(".refused"); len(aside) != 1 {
		t.Errorf("put aside %v, want the damaged one", aside)
	}
}

// TestRefusals holds that what a gateway refuses is reported with its reason,
// and that a refused generation does not replace the good one on disk.
func TestRefusals(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	tbl, dir := newTable(), t.TempDir()
	tbl.refuse = func(m *snapshot.Manifest) ([]report.Refusal, error) {
		for _, e := range m.Entries {
			if e.Name == "a/poison@v1" {
				return nil, errors.New("it does not build")
			}
		}
		return []report.Refusal{{API: "a/x@v1", Reason: "policy \"future\" is not known"}}, nil
	}
	g := startGateway(t, dir, token(t, p, "local"), "one", tbl, p.pipe.Dial, nil)
	waitFor(t, "set aside is reported", func() bool {
		s := p.Status("a/x@v1", "dev")
		return strings.Contains(s.Summary, `refused on 1, because policy "future" is not known`)
	})
	good := g.Serial()
	api(t, db, "poison", 1)
	waitFor(t, "refused whole is reported", func() bool {
		i := p.Instances("local")
		return len(i) == 1 && i[0].State == fleet.Refused && i[0].Reason == "it does not build"
	})
	if got := g.Serial(); got != good {
		t.Errorf("serial in force %d, want that before the refused one, %d", got, good)
	}
	g.stop()
	p.stop()
	tbl = newTable()
	tbl.refuse = func(m *snapshot.Manifest) ([]report.Refusal, error) {
		if m.Serial != good {
			t.Errorf("manifest %d came from disk, want %d", m.Serial, good)
		}
		return nil, nil
	}
	startGateway(t, dir, "", "", tbl, p.pipe.Dial, nil).stop()
	if !tbl.has("api", "a/x@v1") {
		t.Error("nothing serves from disk")
	}
}

// TestTwoNodes runs two control-plane processes on one database: an instance
// joins through one, polls the other, and is shut out by either.
func TestTwoNodes(t *testing.T) {
	db, dir := memory.New(), t.TempDir()
	seed(t, db)
	a, b := startPlane(t, db, dir), startPlane(t, db, dir)
	var mu sync.Mutex
	turn := a
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		return turn.pipe.Dial(ctx, network, address)
	}
	g := startGateway(t, t.TempDir(), token(t, a, "local"), "one", newTable(), dial, nil)
	g.table.until(t, "configuration from one node", func() bool { return g.table.has("api", "a/x@v1") })
	mu.Lock()
	turn = b
	mu.Unlock()
	a.stop()
	api(t, db, "y", 1)
	g.table.until(t, "configuration from the other", func() bool { return g.table.has("api", "a/y@v1") })
	if err := b.Revoke(t.Context(), "local", "one"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the instance is shut out", func() bool {
		_, err := g.Client.Leases(t.Context(), nil)
		return link.StatusOf(err) == 401
	})
	api(t, db, "z", 1)
	if g.table.has("api", "a/z@v1") {
		t.Error("a revoked instance got configuration")
	}
	// A fresh token lets it in again; the same token at the next start is not
	// tried again.
	g.stop()
	again := token(t, b, "local")
	for range 2 {
		g = startGateway(t, g.Dir, again, "", newTable(), dial, nil)
		g.table.until(t, "configuration after joining again", func() bool { return g.table.has("api", "a/z@v1") })
		g.stop()
	}
}

// BenchmarkRevocation measures how long a revoked key stays in force on a
// connected gateway, from the write to the swap.
func BenchmarkRevocation(b *testing.B) {
	db := memory.New()
	seed(b, db)
	p := startPlane(b, db, b.TempDir())
	for i := range 2000 {
		api(b, db, fmt.Sprintf("n%d", i), 1)
	}
	if err := p.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	g := startGateway(b, b.TempDir(), token(b, p, "local"), "one", newTable(), p.pipe.Dial, nil)
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		c := key(b, db, "key_1", fmt.Sprint(i), false)
		g.table.until(b, "key arrives", func() bool { return g.table.has("credentials", c.Shard()) })
		b.StartTimer()
		key(b, db, "key_1", fmt.Sprint(i), true)
		g.table.until(b, "key is gone", func() bool { return !g.table.has("credentials", c.Shard()) })
	}
}

// TestInstallationKey holds that a database and the key of another
// installation do not start together, and that the error says what to do.
func TestInstallationKey(t *testing.T) {
	db, dir := memory.New(), t.TempDir()
	startPlane(t, db, dir).stop()
	startPlane(t, db, dir).stop() // the same again is fine
	open := func(dir string) error {
		_, err := fleet.Open(t.Context(), fleet.Options{DB: db, Dir: dir})
		return err
	}
	other := t.TempDir()
	if err := open(other); err == nil || !strings.Contains(err.Error(), "copy installation.key") {
		t.Errorf("without the key: %v", err)
	}
	startPlane(t, memory.New(), other).stop()
	if err := open(other); err == nil || !strings.Contains(err.Error(), "not that of installation") {
		t.Errorf("with another's key: %v", err)
	}
	path := filepath.Join(dir, "installation.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("installation.key: %v, %v; want mode 0600", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(dir); err == nil {
		t.Error("with a broken key: no error")
	}
}

// TestJoinRefused tries every way in that must not be one, and looks for each
// in the trail.
func TestJoinRefused(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	foreign := startPlane(t, memory.New(), t.TempDir())
	short, rec, err := p.CreateJoinToken(t.Context(), "local", time.Nanosecond)
	if err != nil {
		t.Fatal(err)
	}
	revoked, gone, err := p.CreateJoinToken(t.Context(), "local", 0)
	if err == nil {
		err = p.RevokeJoinToken(t.Context(), "local", gone.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	good := token(t, p, "local")
	tests := []struct {
		name, token, instance string
		to                    *plane
		want                  string
	}{
		{"expired", short, "one", p, "expired"},
		{"revoked", revoked, "one", p, "not known here"},
		{"changed", good[:len(good)-9] + "AAAAAAAAA", "one", p, "checksum"},
		{"no token", "secret", "one", p, "begins with ghj_"},
		{"name that is none", good, "../x", p, "not a name"},
		{"another control plane answers", good, "one", foreign, "another authority"},
	}
	for _, tt := range tests {
		c := &link.Client{URL: "https://control", Dial: tt.to.pipe.Dial}
		if _, err := c.Join(t.Context(), tt.token, tt.instance); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, _, err := p.CreateJoinToken(t.Context(), "nowhere", 0); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("token for a gateway that there is not: %v", err)
	}
	var refused int
	for e, err := range db.Events(t.Context(), store.EventQuery{Action: "gateway.join", Outcome: gatehouse.Refused}) {
		if err != nil {
			t.Fatal(err)
		}
		refused++
		if strings.Contains(e.Reason, "ghj_") {
			t.Error("a token stands in an event")
		}
	}
	if refused != 3 { // expired, revoked, bad name: the others did not come so far
		t.Errorf("%d refused joins on record, want 3", refused)
	}
	if rec.Hash == "" || strings.Contains(short, rec.Hash) {
		t.Error("the record holds the token itself")
	}
	// None of this used the token up.
	c := &link.Client{URL: "https://control", Dial: p.pipe.Dial}
	if _, err := c.Join(t.Context(), good, "one"); err != nil {
		t.Errorf("the token that nobody used: %v", err)
	}
}

// TestForgedTokensFillNoDisk holds that whoever makes up join tokens, which
// anybody can, leaves no more on record than another stranger does.
func TestForgedTokensFillNoDisk(t *testing.T) {
	db := memory.New()
	t.Cleanup(func() { db.Close() })
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	for range 200 {
		j := &link.Join{Token: link.NewToken([]byte("made up")).String(), Instance: "one"}
		if _, err := p.Join(t.Context(), "192.0.2.7", j); link.StatusOf(err) != 401 {
			t.Fatalf("a token that was made up: %v", err)
		}
	}
	if err := p.Strangers.Flush(t.Context(), time.Now(), true); err != nil {
		t.Fatal(err)
	}
	var kept int
	var rest string
	for e, err := range db.Events(t.Context(), store.EventQuery{Outcome: gatehouse.Refused}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Address != "192.0.2.7" {
			t.Errorf("address %q", e.Address)
		}
		if e.Action == "gateway.join" {
			kept++
		} else {
			rest = e.Reason
		}
	}
	if kept != audit.StrangersPerAddress || !strings.HasPrefix(rest, "190 more requests") {
		t.Errorf("%d events and %q, want %d and the number of the others", kept, rest, audit.StrangersPerAddress)
	}
}

// TestRenewal holds that a renewed certificate works, that the one before
// works until the next renewal, and that older ones do not.
func TestRenewal(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	c := &link.Client{URL: "https://control", Dial: p.pipe.Dial}
	defer c.Close()
	first, err := c.Join(t.Context(), token(t, p, "local"), "one")
	if err != nil {
		t.Fatal(err)
	}
	works := func(id *link.Identity) bool {
		c.Use(id)
		_, err := c.Leases(t.Context(), nil)
		return err == nil
	}
	renew := func() *link.Identity {
		id, err := c.Renew(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if !works(first) {
		t.Fatal("the first certificate does not work")
	}
	second := renew()
	if !works(second) || !works(first) {
		t.Error("after one renewal both certificates are to work: the answer may have been lost")
	}
	works(second)
	third := renew()
	if works(first) || !works(second) || !works(third) {
		t.Error("after two renewals the first certificate is to be refused")
	}
	if third.RenewAt().After(third.Expires().Add(-48 * time.Hour)) {
		t.Errorf("renewed at %s, less than two days before %s", third.RenewAt(), third.Expires())
	}
}
