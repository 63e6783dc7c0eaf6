package access

import (
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// An Index answers questions about permissions from memory. It is safe for use
// by several goroutines; changes are small steps, so no question waits long.
//
// It holds a million assignments in some 200 MB: texts are kept once and
// numbered, and each subject has one sorted list of what it was given.
type Index struct {
	now func() time.Time

	mu    sync.RWMutex // guards all below
	seq   store.Seq    // the last batch taken in
	asOf  bool         // a moment of the past, which does not move
	names struct{ subjects, scopes, roles names }
	perms map[uint32]Permissions // by role; custom roles that have a document

	entries []entry // every assignment, written or implied
	free    []uint32
	byName  map[string]uint32 // RoleAssignment to entry
	grants  [][]grant         // by subject: what it was given, sorted by scope
	byScope [][]uint32        // by scope: entries
	groups  [][]uint32        // by subject: the groups it is a direct member of
	members map[uint32][]uint32
	teams   map[string]team
	people  map[uint32]bool // users and service accounts that have a document; true: disabled
	bulk    bool            // lists are sorted at the end of loading, not at each step
}

// An entry is one assignment: 40 bytes.
type entry struct {
	name                 string // "" for a team's member
	subject, role, scope uint32
	expires              int64 // microseconds since 1970, 0: never
}

// A grant is what a subject's list holds of an entry: enough to pass over it
// without looking elsewhere.
type grant struct{ scope, role, entry uint32 }

type team struct {
	parent   string
	audience string
	members  []uint32 // entries
}

// NewIndex returns an empty index that judges expiry by now.
func NewIndex(now func() time.Time) *Index {
	x := &Index{now: now, perms: map[uint32]Permissions{}, byName: map[string]uint32{}, members: map[uint32][]uint32{},
		teams: map[string]team{}, people: map[uint32]bool{}}
	x.names.subjects, x.names.scopes, x.names.roles = newNames(), newNames(), newNames()
	for _, r := range BuiltInRoles {
		x.perms[x.names.roles.take(r.Name)] = compiled[r.Name]
	}
	return x
}

// Seq is the last batch of the store that the index knows.
func (x *Index) Seq() store.Seq {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.seq
}

// subject numbers a subject and makes room for its lists.
func (x *Index) subject(s string) uint32 {
	id := x.names.subjects.take(s)
	for int(id) >= len(x.grants) {
		x.grants, x.groups = append(x.grants, nil), append(x.groups, nil)
	}
	return id
}

func (x *Index) add(name, subject, role, scope string, expires int64) uint32 {
	e := entry{name, x.subject(subject), x.names.roles.take(role), x.names.scopes.take(scope), expires}
	var id uint32
	if n := len(x.free); n > 0 {
		id, x.free = x.free[n-1], x.free[:n-1]
		x.entries[id] = e
	} else {
		id, x.entries = uint32(len(x.entries)), append(x.entries, e)
	}
	for int(e.scope) >= len(x.byScope) {
		x.byScope = append(x.byScope, nil)
	}
	x.byScope[e.scope] = append(x.byScope[e.scope], id)
	g, list := grant{e.scope, e.role, id}, x.grants[e.subject]
	if x.bulk {
		x.grants[e.subject] = append(list, g)
	} else {
		at, _ := slices.BinarySearchFunc(list, g, byScopeThenEntry)
		x.grants[e.subject] = slices.Insert(list, at, g)
	}
	return id
}

func (x *Index) remove(id uint32) {
	e := x.entries[id]
	list := x.grants[e.subject]
	if x.bulk {
		x.grants[e.subject] = slices.DeleteFunc(list, func(g grant) bool { return g.entry == id })
	} else if at, ok := slices.BinarySearchFunc(list, grant{e.scope, e.role, id}, byScopeThenEntry); ok {
		x.grants[e.subject] = slices.Delete(list, at, at+1)
	}
	in := x.byScope[e.scope]
	if at := slices.Index(in, id); at >= 0 { // order does not matter here
		in[at] = in[len(in)-1]
		x.byScope[e.scope] = in[:len(in)-1]
	}
	x.names.subjects.drop(e.subject)
	x.names.scopes.drop(e.scope)
	x.dropRole(e.role)
	x.entries[id] = entry{}
	x.free = append(x.free, id)
}

func (x *Index) dropRole(id uint32) {
	if x.names.roles.drop(id); x.names.roles.uses[id] == 0 {
		delete(x.perms, id)
	}
}

// sorted ends bulk loading.
func (x *Index) sorted() {
	x.bulk = false
	for _, list := range x.grants {
		slices.SortFunc(list, byScopeThenEntry)
	}
}

func byScopeThenEntry(a, b grant) int {
	if a.scope != b.scope {
		return int(a.scope) - int(b.scope)
	}
	return int(a.entry) - int(b.entry)
}

// assignment is an entry as answers give it.
func (x *Index) assignment(id uint32) Assignment {
	e := x.entries[id]
	a := Assignment{Name: e.name, Subject: x.names.subjects.text[e.subject], Role: x.names.roles.text[e.role], Scope: x.names.scopes.text[e.scope]}
	if e.expires != 0 {
		a.Expires = time.UnixMicro(e.expires).UTC()
	}
	if e.name == "" {
		a.Implied = "member of " + a.Scope
	}
	return a
}

func (e entry) live(now int64) bool { return e.expires == 0 || now < e.expires }

// principals appends to out the subject and every group it is in, directly or
// through other groups; none when it is unknown or disabled.
func (x *Index) principals(subject string, out []uint32) []uint32 {
	id, ok := x.names.subjects.ids[subject]
	if !ok || x.people[id] {
		return out
	}
	out = append(out, id)
	var seen map[uint32]bool // only for those in very many groups
	for i := 0; i < len(out); i++ {
		for _, g := range x.groups[out[i]] {
			switch {
			case seen != nil:
				if seen[g] {
					continue
				}
				seen[g] = true
			case slices.Contains(out, g):
				continue
			case len(out) == 64:
				seen = make(map[uint32]bool, 256)
				for _, p := range out {
					seen[p] = true
				}
				seen[g] = true
			}
			out = append(out, g)
		}
	}
	return out
}

// isBarred reports whether the subject is a disabled user or service account.
func (x *Index) isBarred(subject string) bool {
	id, ok := x.names.subjects.ids[subject]
	return ok && x.people[id]
}

// knows reports whether a user or service account has a document that does not
// disable it.
func (x *Index) knows(subject string) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	id, ok := x.names.subjects.ids[subject]
	if !ok {
		return false
	}
	disabled, ok := x.people[id]
	return ok && !disabled
}

// signedIn reports whether the subject is one that can sign in.
func signedIn(subject string) bool {
	kind, _, err := ParseSubject(subject)
	return err == nil && kind != gatehouse.KindGroup
}
