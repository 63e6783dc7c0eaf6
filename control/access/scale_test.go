package access

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// The size of issue 2, item 4.
const (
	manyUsers       = 100_000 / shrink
	manyGroups      = 5_000 / shrink
	manyAssignments = 1_000_000 / shrink
	manyTeams       = 2_000 / shrink
	maxAdded        = 400 << 20 / shrink // bytes
)

// million builds an index of that size: each user is in 10 groups, each group in
// one or two others; nine assignments in ten are for users, the rest for
// groups; scopes are objects, teams, environments and, one in a thousand, the
// organization.
func million(tb testing.TB) *Index {
	tb.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	x := NewIndex(func() time.Time { return noon })
	x.bulk = true
	take := func(c store.Change) {
		if err := x.take(c); err != nil {
			tb.Fatal(err)
		}
	}
	members := make([][]string, manyGroups)
	for u := range manyUsers {
		for range 10 {
			g := r.IntN(manyGroups)
			members[g] = append(members[g], fmt.Sprintf("user:user%06d@example.com", u))
		}
	}
	for g := range manyGroups {
		for range r.IntN(3) {
			parent := r.IntN(manyGroups)
			if parent < g { // no rings
				members[parent] = append(members[parent], fmt.Sprint("group:group", g))
			}
		}
	}
	for g, m := range members {
		take(put(gatehouse.KindGroup, fmt.Sprint("group", g), &gatehouse.Group{Members: m}))
	}
	for i := range manyTeams {
		parent := ""
		if i >= 20 {
			parent = fmt.Sprint("team", i/10)
		}
		take(put(gatehouse.KindTeam, fmt.Sprint("team", i), &gatehouse.Team{Parent: parent}))
	}
	for i := range manyAssignments {
		take(put(gatehouse.KindRoleAssignment, fmt.Sprint("assignment-", i), someAssignment(r)))
	}
	x.sorted()
	return x
}

func someAssignment(r *rand.Rand) *gatehouse.RoleAssignment {
	s := &gatehouse.RoleAssignment{Subject: fmt.Sprintf("user:user%06d@example.com", r.IntN(manyUsers)),
		Role: BuiltInRoles[1+r.IntN(len(BuiltInRoles)-1)].Name}
	if r.IntN(10) == 0 {
		s.Subject = fmt.Sprint("group:group", r.IntN(manyGroups))
	}
	switch n := r.IntN(1000); {
	case n == 0:
		s.Scope = Organization
	case n < 500:
		s.Scope = fmt.Sprint("team/team", r.IntN(manyTeams))
	case n < 550:
		s.Scope = fmt.Sprint("environment/env", r.IntN(20))
	default:
		s.Scope = fmt.Sprintf("API/team%d/api%d", r.IntN(manyTeams), r.IntN(50))
	}
	if r.IntN(4) == 0 {
		s.Expires = "2027-06-30"
	}
	return s
}

func ask(r *rand.Rand) (subject, action string, on On) {
	return fmt.Sprintf("user:user%06d@example.com", r.IntN(manyUsers)),
		[]string{"api.put", "api.get", "release.approve", "framework.approve", "role.put", "audit.query"}[r.IntN(6)],
		On{Kind: gatehouse.KindAPI, Team: fmt.Sprint("team", r.IntN(manyTeams)), Name: fmt.Sprint("api", r.IntN(50)), Environment: fmt.Sprint("env", r.IntN(20))}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A million assignments take less than 400 MB, and changing one of them does
// not touch the others.
func TestMillionAssignmentsInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a million assignments")
	}
	before := heap()
	x := million(t)
	added := int64(heap()) - int64(before)
	t.Logf("%d MB added", added>>20)
	if added > maxAdded {
		t.Errorf("%d MB added, want under %d", added>>20, maxAdded>>20)
	}
	if got := len(x.byName); got != manyAssignments {
		t.Fatalf("%d assignments", got)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 200_000 / shrink { // churn
		name := fmt.Sprint("assignment-", r.IntN(manyAssignments))
		if i%20 == 0 {
			x.Take(drop(gatehouse.KindRoleAssignment, name))
			continue
		}
		if err := x.Take(put(gatehouse.KindRoleAssignment, name, someAssignment(r))); err != nil {
			t.Fatal(err)
		}
	}
	after := int64(heap()) - int64(before)
	t.Logf("%d MB after changes", after>>20)
	if after > maxAdded || len(x.entries) > manyAssignments+1 {
		t.Errorf("%d MB and %d places after changes", after>>20, len(x.entries))
	}
	runtime.KeepAlive(x)
}

// Issue 2: one decision under 20 µs at p99.
func BenchmarkCanMillion(b *testing.B) {
	x := million(b)
	r := rand.New(rand.NewPCG(2, 2))
	type question struct {
		subject, action string
		on              On
	}
	questions := make([]question, 1<<14)
	for i := range questions {
		q := &questions[i]
		q.subject, q.action, q.on = ask(r)
	}
	times := make([]time.Duration, 0, 1<<20)
	allowed := 0
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q := &questions[i%len(questions)]
		begin := time.Now()
		if x.Can(q.subject, q.action, q.on).Allowed {
			allowed++
		}
		if len(times) < cap(times) {
			times = append(times, time.Since(begin))
		}
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds()), "p99-ns")
	b.ReportMetric(float64(allowed)/float64(b.N), "allowed/op")
}

// Changing one of a million assignments.
func BenchmarkTakeMillion(b *testing.B) {
	x := million(b)
	r := rand.New(rand.NewPCG(2, 2))
	changes := make([]store.Change, 1<<12)
	for i := range changes {
		changes[i] = put(gatehouse.KindRoleAssignment, fmt.Sprint("assignment-", r.IntN(manyAssignments)), someAssignment(r))
	}
	for i := 0; b.Loop(); i++ {
		if err := x.Take(changes[i%len(changes)]); err != nil {
			b.Fatal(err)
		}
	}
}
