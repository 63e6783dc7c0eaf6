package catalog

import (
	"context"
	"path"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// A Request asks for documents to be what they say.
type Request struct {
	Documents []Document
	// Files are the contents of definitions by SHA-256 in hexadecimal. What
	// the server holds already need not be sent again.
	Files map[string][]byte
	// Set names the files that the documents come from; objects remember it.
	Set string
	// Prune deletes what the same Set applied before and is not among
	// Documents; what is protected only with YesDelete.
	Prune     bool
	YesDelete bool
	// Force is why versions go although they have traffic; "" keeps them.
	Force string
	// DryRun answers what would be done and does nothing.
	DryRun bool
	// Allow is asked, with all that is named together, before anything is
	// looked at closer; nil allows.
	Allow func(ctx context.Context, writes []Write) error

	// Also are acts of the caller's own that are written in the same
	// transaction, and first. It is asked again whenever the decision is made
	// anew, so that what it read is as fresh as what the catalog read; an error
	// refuses all.
	Also func(ctx context.Context) ([]audit.Act, error)
	// Then likewise adds acts that follow from those planned, and comes last.
	Then func(planned []audit.Act) ([]audit.Act, error)

	remove []string   // keys of objects to delete
	expect *store.Seq // revision the first of them must be at
}

// A Write is one document that is put or deleted, as it is and as it will be.
type Write struct {
	Action        string            // "api.put", "api.delete"
	Before, After *gatehouse.Object // nil: there is none
}

// A Document is one object with its definition's files.
type Document struct {
	Object *gatehouse.Object
	// Files are paths as the definitions are written, and those they refer
	// to, each to the SHA-256 of its content.
	Files map[string]string
	// Action is how the trail names it; default by the kind, "api.put".
	Action string
	// Expect is the revision the object must be at ([store.Absent]: not there),
	// nil for any. If it is not, the error is of kind [gatehouse.Lost].
	Expect *store.Seq
}

// cleanFiles says each path in one way: "./a.yaml" and "a.yaml" are one file,
// and a revision must not depend on who wrote it how.
func (d *Document) cleanFiles() error {
	clean := make(map[string]string, len(d.Files))
	for _, name := range sorted(d.Files) {
		to := name
		if !strings.Contains(name, "://") {
			to = path.Clean(name)
		}
		if sum, twice := clean[to]; twice && sum != d.Files[name] {
			return gatehouse.E(gatehouse.Invalid, "applying %s: file %q stands twice, with different contents", d.Object.Ref(), to)
		}
		clean[to] = d.Files[name]
	}
	if len(clean) > 0 {
		d.Files = clean
	}
	return nil
}

// What is done to an object.
const (
	Create    = "create"
	Update    = "update"
	Unchanged = "unchanged"
	Delete    = "delete"
)

// A Change is what is done, or would be, to one object or release.
type Change struct {
	Kind   gatehouse.Kind         `json:"kind"`
	Ref    string                 `json:"ref"` // "payments/orders"; of a release "prod payments/orders@v1"
	Action string                 `json:"action"`
	Diff   []gatehouse.Difference `json:"changes,omitempty"`
	// Set is the one that takes the object over, with this change or as the whole
	// of it; "" when it stays where it was.
	Set string `json:"set,omitempty"`
	// Revision that a release wants.
	Revision string `json:"revision,omitempty"`
}

// A Held is a revision that the gate keeps out of an environment.
type Held struct {
	Release  string // "prod payments/orders@v1"
	Revision string
	Reason   string
}

// A Result is what an apply did, or would do.
type Result struct {
	Changes []Change `json:"changes"`
	// Held are revisions that an environment would take by itself, and that the
	// gate keeps out.
	Held []Held `json:"held,omitempty"`
	// Seq is the batch that wrote it; zero when nothing changed.
	Seq store.Seq `json:"seq,omitempty"`
}

// Changed reports whether anything is, or would be, different afterwards.
func (r Result) Changed() bool {
	for _, c := range r.Changes {
		if c.Action != Unchanged {
			return true
		}
	}
	return false
}
